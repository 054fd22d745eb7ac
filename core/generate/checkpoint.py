"""What a path given as a checkpoint is, what identifies its weights and how it was made, told without loading
anything heavy; and checkpoints of the hub."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.extras import needs_extra
from store import XlitError

CONFIG, ADAPTER_CONFIG = "config.json", "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
SUMMARY = "xlit-train.json"  # what a run of training writes of itself into its checkpoint
PICKLED = ("*.bin", "*.pt", "*.pth")


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that has what it needs: a folder with weights, an adapter folder, or a GGUF file."""

    path: Path
    kind: Literal["model", "adapter", "gguf"]

    @property
    def base(self) -> str:
        """The model an adapter was trained on: a folder (also beside the adapter), or a name on the hub."""
        base = str(_read_json(self.path / ADAPTER_CONFIG).get("base_model_name_or_path") or "")
        if not base:
            raise XlitError(f"{self.path / ADAPTER_CONFIG} does not name its base_model_name_or_path.")
        for folder in (Path(base), self.path / base, self.path.parent / base):
            if folder.is_dir():
                return str(inspect_checkpoint(folder, kinds=("model",)).path)
        if Path(base).is_absolute() or base.startswith(".") or base.count("/") > 1:
            raise XlitError(
                f"The adapter {self.path} was trained on {base}, and no folder is there. "
                f"Bring the base back, or write its place into {ADAPTER_CONFIG}."
            )
        return base


def inspect_checkpoint(path: Path, kinds: tuple[str, ...] = ("model", "adapter", "gguf")) -> Checkpoint:
    """Tell what the checkpoint at `path` is.

    Raises `XlitError`, with what is wrong, when nothing is there, when it is not a checkpoint of one of
    these `kinds`, or when its weights are missing or pickled (a pickle can run code when it is opened).
    """
    checkpoint = _inspect(path)
    if checkpoint.kind not in kinds:
        raise XlitError(
            f"{path} is {_A[checkpoint.kind]}; here {' or '.join(_A[kind] for kind in kinds)} is needed."
        )
    return checkpoint


_A = {"model": "a folder with a model", "adapter": "a folder with an adapter", "gguf": "a GGUF file"}


def _inspect(path: Path) -> Checkpoint:
    if path.is_file():
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise XlitError(f"{path} is a file, but not a GGUF file. Give a GGUF file or a folder.")
        return Checkpoint(path, "gguf")
    if not path.exists():
        raise XlitError(f"No checkpoint at {path}. Give the folder of a model or adapter, or a GGUF file.")
    if (path / ADAPTER_CONFIG).is_file():
        _read_json(path / ADAPTER_CONFIG)
        if not (path / ADAPTER_WEIGHTS).is_file():
            raise XlitError(f"{path} has an {ADAPTER_CONFIG} but no {ADAPTER_WEIGHTS}: {_why_not(path)}")
        return Checkpoint(path, "adapter")
    if not (path / CONFIG).is_file():
        raise XlitError(f"{path} is no checkpoint: it has no {CONFIG}.")
    _read_json(path / CONFIG)
    if not any(path.glob("*.safetensors")):
        raise XlitError(f"{path} has a {CONFIG} but no *.safetensors: {_why_not(path)}")
    return Checkpoint(path, "model")


def _why_not(path: Path) -> str:
    pickled = [file.name for pattern in PICKLED for file in sorted(path.glob(pattern))]
    if pickled:
        return f"{pickled[0]} is pickled, which can run code when opened. Save it as safetensors first."
    return "the weights are missing."


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise XlitError(f"{path} can't be read: {error}.") from None
    if not isinstance(content, dict):
        raise XlitError(f"{path} must hold a JSON object.")
    return content


WHOLE_BYTES = 64 * 2**20
END_BYTES = 2**20
BLOCKS, BLOCK_BYTES = 1024, 16 * 2**10
_PLACE_OF_BASE = ("base_model_name_or_path", "revision")


def weights_digest(checkpoint: Checkpoint) -> str:
    """The SHA-256 (hex) of the weights of a checkpoint: file by file in the order of their names, of an
    adapter those of its base too (by its name, where the base is on the hub).

    A file of up to 64 MiB is read whole. Of a larger one its size, the first and the last MiB (the first has
    the header, with names, types, shapes and offsets of all tensors) and 1024 blocks of 16 KiB at even
    distances are read, 18 MiB in all, so that 26 GB cost as little as 130 MB. Training moves all weights, and
    each matrix of more than a thousandth of a file has such a block: another training is another digest. A
    change by hand of a few bytes between the blocks is not noticed.
    """
    digest = hashlib.sha256()
    files = [checkpoint.path] if checkpoint.kind == "gguf" else sorted(checkpoint.path.glob("*.safetensors"))
    for file in files:
        name = "" if checkpoint.kind == "gguf" else file.name
        digest.update(f"{name} {_file_digest(file)}\n".encode())
    if checkpoint.kind == "adapter":
        config = _read_json(checkpoint.path / ADAPTER_CONFIG)
        own = {name: value for name, value in config.items() if name not in _PLACE_OF_BASE}
        digest.update(json.dumps(own, sort_keys=True).encode())
        digest.update(_base_digest(checkpoint).encode())
    return digest.hexdigest()


def _base_digest(adapter: Checkpoint) -> str:
    base = Path(adapter.base)
    return weights_digest(inspect_checkpoint(base, kinds=("model",))) if base.is_dir() else adapter.base


def _file_digest(file: Path) -> str:
    size = file.stat().st_size
    digest = hashlib.sha256(f"{size}\n".encode())
    with file.open("rb") as opened:
        if size <= WHOLE_BYTES:
            digest.update(opened.read())
            return digest.hexdigest()
        digest.update(opened.read(END_BYTES))
        step = (size - 2 * END_BYTES) // BLOCKS
        for block in range(BLOCKS):
            opened.seek(END_BYTES + block * step)
            digest.update(opened.read(min(BLOCK_BYTES, step)))
        opened.seek(size - END_BYTES)
        digest.update(opened.read(END_BYTES))
    return digest.hexdigest()


def training_description(folder: Path) -> dict[str, Any]:
    """What a checkpoint folder says of how it was trained, as columns of `store.tables.Model`; nothing when
    another program made it. Raises `XlitError` for a summary that can't be read."""
    summary = folder / SUMMARY
    if not summary.is_file():
        return {}
    try:
        content = json.loads(summary.read_text(encoding="utf-8"))
        settings = content["settings"]
        return {
            "base": settings["base"],
            "data": ", ".join(source["name"] for source in settings["data"]),
            "data_digest": content["data"]["digest"],
            "size": settings["size"],
            "mix": settings["mix"],
            "adaptation": settings["adaptation"],
            "learning_rate": settings["learning_rate"],
            "seed": settings["seed"],
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise XlitError(
            f"{summary} does not say how the model was trained ({type(error).__name__}: {error}). "
            "Remove it, or bring the file of `xlit-core train` back."
        ) from None


HUB_NAME = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")

# Weights as safetensors, and what reads them; nothing that is pickled, and no code.
HUB_FILES = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")


def locate_checkpoint(checkpoint: str | Path) -> Path:
    """The folder of a checkpoint: itself when it is there, else the hub's copy of it (kept in the hub's own
    cache; `HF_HOME`, `HF_ENDPOINT` and `HF_TOKEN` as the hub's client takes them).

    Raises `XlitError` when there is neither.
    """
    path = Path(checkpoint)
    if path.exists() or not HUB_NAME.fullmatch(str(checkpoint)):
        return path
    with needs_extra("local", "A checkpoint of the hub"):
        from huggingface_hub import snapshot_download, utils
    utils.disable_progress_bars()
    try:
        return Path(snapshot_download(str(checkpoint), allow_patterns=list(HUB_FILES)))
    except Exception as error:  # of the network, of HTTP, of the hub's client
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].partition(". ")[0]
        raise XlitError(
            f"No checkpoint at {checkpoint}, and none of that name comes from the hub: {reason[:200]}. "
            "Give the folder of a model or adapter, a GGUF file, or the name of a model on the hub."
        ) from None
