"""Converting a checkpoint to GGUF, the file of llama.cpp, and quantising it."""

import ctypes
import hashlib
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, get_args

from core.disk import exclusive, write_errors
from core.extras import needs_extra
from core.generate.checkpoint import Checkpoint, inspect_checkpoint, training_description, weights_digest
from core.generate.engines.llama_cpp import library
from core.generate.gguf.architecture import ARCHITECTURES, check_architecture, write_hyperparameters
from core.generate.gguf.check import check_answers, check_vocabulary
from core.generate.gguf.file import (
    CONFIGURATION,
    CONVERTER,
    SOURCE_DIGEST,
    STOP_TOKENS,
    WEIGHTS_DIGEST,
    read_head,
)
from core.generate.gguf.llama_cpp_script import find_script, stored_format, write_by_script
from core.generate.gguf.tokenizer import tokenizer_spec, write_vocabulary
from core.generate.gguf.weights import Weights, model_config, tensors_of, write_tensors
from core.generate.settings import Quantization
from core.models.end_tokens import answer_end_tokens
from core.models.loading import check_tokenizer, load_tokenizer
from core.progress import say
from store import UsageError, XlitError

WRITER_VERSION = "3"
DIGESTED = ("*.safetensors", "*.json", "*.jinja")
PLAIN = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}
QUANTIZATIONS = get_args(Quantization)


def convert(checkpoint: Path, out: Path, quantization: str = "q8_0") -> Path:
    """Write a checkpoint folder, or an adapter merged into its base, as the GGUF file `out`.

    `quantization`: one of `QUANTIZATIONS`. Those that are not `PLAIN` are made by llama.cpp, without an
    importance matrix, from a file beside `out` in the checkpoint's own number format; an adapter is merged in
    float32 first. The weights are read and written one at a time. Tokens, and greedy answers where memory
    holds the model, are compared with those of transformers. The file appears when it is whole; one that was
    made from the same source before is kept.

    Raises `UsageError` when `out` holds anything else or the quantisation is unknown, and `XlitError` for an
    architecture or a tokenizer that would not come out right, and when the disk is full.
    """
    if quantization not in QUANTIZATIONS:
        raise UsageError(f"No quantisation {quantization!r}. There are: {', '.join(QUANTIZATIONS)}.")
    source = inspect_checkpoint(checkpoint, kinds=("model", "adapter"))
    digest = source_digest(source, quantization)
    if _is_made(out, digest):
        return out
    if not out.parent.is_dir():
        raise XlitError(f"No folder {out.parent} to put {out.name} in. Make it first.")
    with exclusive(out), write_errors(out.name, out.parent):
        if _is_made(out, digest):  # by another command, waited for
            return out
        with _unfinished(out) as plain, _unfinished(out, ".quantized") as quantized:
            _write(source, plain, quantization, digest)
            if quantization in PLAIN:
                plain.replace(out)
            else:
                _quantize(plain, quantized, quantization)
                quantized.replace(out)
    return out


def _is_made(out: Path, digest: str) -> bool:
    """Whether `out` was made from this source before. Raises `UsageError` when it holds anything else."""
    if not out.exists():
        return False
    if out.is_file() and inspect_checkpoint(out).kind == "gguf" and read_head(out).source_digest == digest:
        return True
    raise UsageError(f"{out} is there and was made from something else. Choose another name, or remove it.")


def source_digest(source: Checkpoint, quantization: str) -> str:
    """The SHA-256 (hex) of everything that a conversion is made from."""
    folders = [source.path]
    if source.kind == "adapter" and Path(source.base).is_dir():
        folders.append(Path(source.base))
    digest = hashlib.sha256(f"{WRITER_VERSION} {quantization}".encode())
    for folder in folders:
        for file in sorted({file for pattern in DIGESTED for file in folder.glob(pattern)}):
            with file.open("rb") as opened:
                content = hashlib.file_digest(opened, "sha256").hexdigest()
            digest.update(f"\n{file.name} {content}".encode())
    return digest.hexdigest()


def _write(source: Checkpoint, file: Path, quantization: str, digest: str) -> None:
    """The whole GGUF file in a plain number format: the one that is wanted, or the checkpoint's own.

    llama.cpp's script makes it where that is installed and what it has made is right, else `_write_here`.
    """
    with needs_extra("gguf", "Converting a checkpoint"):
        import gguf  # noqa: F401
    with needs_extra("local", "Converting a checkpoint"):
        import torch  # noqa: F401
    script = find_script()
    if script is not None and source.kind == "adapter":
        say(f"{script.name} is not used: it can't merge an adapter.")
    elif script is not None:
        say(f"Converting with {script.name} ...")
        number_format = quantization if quantization in PLAIN else stored_format(source.path)
        try:
            write_by_script(script, source, file, number_format, _identity_keys(source, digest))
            _compare_answers(file, source)
            return
        except XlitError as error:
            say(f"{script.name} is not used: {error}")
    _write_here(source, file, quantization, digest)
    _compare_answers(file, source)


def _identity_keys(source: Checkpoint, digest: str) -> dict[str, str]:
    """What the head says of the source: the digest of the conversion, that of its weights, its making."""
    keys = {SOURCE_DIGEST: digest, WEIGHTS_DIGEST: weights_digest(source)}
    if description := training_description(source.path):
        keys[CONFIGURATION] = json.dumps(description)
    return keys


def _write_here(source: Checkpoint, file: Path, quantization: str, digest: str) -> None:
    """Write the file with the code of this package.

    This code, `architecture`, `tokenizer` and `weights` may go when llama.cpp's script, on the PATH of
    whoever installs us, merges adapters one weight at a time, runs no code of a checkpoint, takes byte-level
    tokenizers that were trained by their user, and scores the tokens of a tokenizer.json that was made of
    SentencePiece as that file merges them: version 0.1.1 does none of these.
    """
    import gguf
    import torch

    folder, config = model_config(source)
    check_architecture(config, folder)
    tokenizer = load_tokenizer(source)
    spec = tokenizer_spec(tokenizer, source.path)
    weights = Weights(source, folder, config)
    config = weights.config  # an adapter may have other embeddings than its base
    check_tokenizer(source.path, tokenizer, config.vocab_size)

    def head() -> Any:
        writer = gguf.GGUFWriter(file, ARCHITECTURES[config.model_type])
        writer.add_name(source.path.resolve().name)
        if quantization in PLAIN:
            prefix = "ALL" if quantization == "f32" else "MOSTLY"
            writer.add_file_type(gguf.LlamaFileType[f"{prefix}_{quantization.upper()}"])
        for key, value in _identity_keys(source, digest).items():
            writer.add_string(key, value)
        writer.add_string(CONVERTER, "xlit")
        writer.add_array(STOP_TOKENS, answer_end_tokens(source, tokenizer, weights.model.generation_config))
        write_hyperparameters(writer, config)
        write_vocabulary(writer, tokenizer, spec, config.vocab_size, source.path)
        return writer

    with closing(head()) as writer:  # before the weights: what is refused is refused at once
        write_tensors(writer, ())
    check_vocabulary(file, tokenizer, spec, source.path)
    with closing(head()) as writer:
        dtype = getattr(torch, PLAIN[quantization]) if quantization in PLAIN else None
        write_tensors(writer, list(tensors_of(weights, dtype)))


def _compare_answers(file: Path, source: Checkpoint) -> None:
    if not check_answers(file, source, load_tokenizer(source)):
        say(
            f"Memory does not hold {source.path} in float32, so its answers are not compared with the file's."
        )


def _quantize(plain: Path, out: Path, quantization: str) -> None:
    llama: Any = library.llama_cpp_library()
    settings = llama.llama_model_quantize_default_params()
    settings.ftype = getattr(llama, f"LLAMA_FTYPE_MOSTLY_{quantization.upper()}")
    if llama.llama_model_quantize(str(plain).encode(), str(out).encode(), ctypes.byref(settings)):
        raise XlitError(f"llama.cpp could not quantise to {quantization}: {library.last_error()}.")


@contextmanager
def _unfinished(out: Path, suffix: str = "") -> Iterator[Path]:
    """A name beside `out` for a file in the making, removed again unless it was renamed."""
    file = out.with_name(f"{out.name}{suffix}.partial")
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)
