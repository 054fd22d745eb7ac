"""A checkpoint by the name of its repository on the Hugging Face hub."""

import re
from pathlib import Path

from core.extras import needs_extra
from store import XlitError

NAME = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")

# Weights as safetensors, and what reads them; nothing that is pickled, and no code.
FILES = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")


def locate(checkpoint: str | Path) -> Path:
    """The folder of a checkpoint: itself when it is there, else the hub's copy of it (kept in the hub's own
    cache; `HF_HOME`, `HF_ENDPOINT` and `HF_TOKEN` as the hub's client takes them).

    Raises `XlitError` when there is neither.
    """
    path = Path(checkpoint)
    if path.exists() or not NAME.fullmatch(str(checkpoint)):
        return path
    with needs_extra("local", "A checkpoint of the hub"):
        from huggingface_hub import snapshot_download, utils
    utils.disable_progress_bars()
    try:
        return Path(snapshot_download(str(checkpoint), allow_patterns=list(FILES)))
    except Exception as error:  # of the network, of HTTP, of the hub's client
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].partition(". ")[0]
        raise XlitError(
            f"No checkpoint at {checkpoint}, and none of that name comes from the hub: {reason[:200]}. "
            "Give the folder of a model or adapter, a GGUF file, or the name of a model on the hub."
        ) from None
