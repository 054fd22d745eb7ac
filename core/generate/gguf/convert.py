"""Converting a checkpoint to GGUF, the file of llama.cpp, and quantising it."""

import ctypes
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.extras import needs_extra
from core.generate.checkpoint import Checkpoint, inspect
from core.generate.gguf import tensors, vocabulary
from core.generate.gguf.file import SOURCE_DIGEST, STOP_TOKENS, read_head
from core.generate.llama_cpp_engine import api
from core.generate.transformers_engine.loading import load_model, load_tokenizer, stop_tokens
from store import UsageError, XlitError

WRITER_VERSION = "1"
DIGESTED = ("*.safetensors", "*.json", "*.jinja")
QUANTIZATIONS = ("f32", "f16", "q8_0", "q4_k_m")


def convert(checkpoint: Path, out: Path, quantization: str = "q8_0") -> Path:
    """Write a Llama checkpoint folder, or an adapter merged into its base, as the GGUF file `out`.

    `quantization`: one of `QUANTIZATIONS`. The file appears when it is whole; one that was made from the
    same source before is kept. The model is held in memory in float32 while it is written.

    Raises `UsageError` when `out` holds anything else or the quantisation is unknown, and `XlitError` for an
    architecture or a tokenizer that would not come out right.
    """
    if quantization not in QUANTIZATIONS:
        raise UsageError(f"No quantisation {quantization!r}. There are: {', '.join(QUANTIZATIONS)}.")
    source = inspect(checkpoint, kinds=("model", "adapter"))
    digest = source_digest(source, quantization)
    if out.exists():
        if out.is_file() and inspect(out).kind == "gguf" and read_head(out).source_digest == digest:
            return out
        raise UsageError(
            f"{out} is there and was made from something else. Choose another name, or remove it."
        )
    if not out.parent.is_dir():
        raise XlitError(f"No folder {out.parent} to put {out.name} in. Make it first.")
    with _unfinished(out) as plain, _unfinished(out, ".quantized") as quantized:
        _write(source, plain, quantization, digest)
        if quantization in ("f32", "f16"):
            plain.replace(out)
        else:
            _quantize(plain, quantized, quantization)
            quantized.replace(out)
    return out


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
    """The whole GGUF file in float32, or float16 when that is what is wanted."""
    with needs_extra("gguf", "Converting a checkpoint"):
        import gguf
    with needs_extra("local", "Converting a checkpoint"):
        import torch
    tokenizer = load_tokenizer(source)
    model = load_model(source, torch.float32, merge=True)
    tensors.check_architecture(model.config, source.path)
    half = quantization == "f16"
    writer = gguf.GGUFWriter(file, "llama")
    try:
        writer.add_name(source.path.resolve().name)
        writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16 if half else gguf.LlamaFileType.ALL_F32)
        writer.add_string(SOURCE_DIGEST, digest)
        writer.add_array(STOP_TOKENS, stop_tokens(model, tokenizer))
        tensors.write_hyperparameters(writer, model.config)
        vocabulary.write_vocabulary(writer, tokenizer, model.config.vocab_size, source.path)
        tensors.write_tensors(writer, model, half=half)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()
    vocabulary.check_vocabulary(file, tokenizer, source.path)


def _quantize(plain: Path, out: Path, quantization: str) -> None:
    llama: Any = api.library()
    settings = llama.llama_model_quantize_default_params()
    settings.ftype = getattr(llama, f"LLAMA_FTYPE_MOSTLY_{quantization.upper()}")
    if llama.llama_model_quantize(str(plain).encode(), str(out).encode(), ctypes.byref(settings)):
        raise XlitError(f"llama.cpp could not quantise to {quantization}: {api.last_error()}.")


@contextmanager
def _unfinished(out: Path, suffix: str = "") -> Iterator[Path]:
    """A name beside `out` for a file in the making, removed again unless it was renamed."""
    file = out.with_name(f"{out.name}{suffix}.partial")
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)
