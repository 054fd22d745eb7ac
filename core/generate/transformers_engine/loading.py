"""Loading a checkpoint folder with transformers: safetensors only, whole, and no code of its own."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.extras import needs_extra
from core.generate.checkpoint import Checkpoint
from store import XlitError

if TYPE_CHECKING:
    import torch


def load_model(checkpoint: Checkpoint, dtype: "torch.dtype", *, merge: bool = False) -> Any:
    """The model in evaluation mode on the CPU; an adapter on its base, merged into it with `merge`.

    Raises `XlitError` when the weights don't fill the model: transformers would draw what is missing at
    random, with no more than a warning.
    """
    with needs_extra("local", "Loading a checkpoint"):
        import transformers
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    adapter = checkpoint.kind == "adapter"
    source = checkpoint.base if adapter else str(checkpoint.path)
    try:
        loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(
            source, dtype=dtype, use_safetensors=True, trust_remote_code=False, output_loading_info=True
        )
    except Exception as error:  # the libraries below raise anything from OSError to SafetensorError
        raise XlitError(f"{source} can't be loaded: {_first_line(error)}") from error
    model, info = loaded
    if missing := sorted(info["missing_keys"]):
        raise XlitError(
            f"{source} is not whole: {len(missing)} weights are missing, {missing[0]} is the first."
        )
    if adapter:
        model = _with_adapter(model, checkpoint.path, merge=merge)
    return model.eval()


def _with_adapter(model: Any, folder: Path, *, merge: bool) -> Any:
    with needs_extra("local", "Loading an adapter"):
        import peft
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft uses names that transformers will rename
            adapted: Any = peft.PeftModel.from_pretrained(model, str(folder))
        return adapted.merge_and_unload() if merge else adapted
    except Exception as error:
        raise XlitError(f"The adapter {folder} can't be loaded: {_first_line(error)}") from error


def load_tokenizer(checkpoint: Checkpoint) -> Any:
    """The tokenizer of a checkpoint; an adapter folder without one uses its base's."""
    with needs_extra("local", "Loading a tokenizer"):
        import transformers
    folder: str = str(checkpoint.path)
    if checkpoint.kind == "adapter" and not (checkpoint.path / "tokenizer_config.json").is_file():
        folder = checkpoint.base
    try:
        return transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:
        raise XlitError(f"The tokenizer of {folder} can't be loaded: {_first_line(error)}") from error


def stop_tokens(model: Any, tokenizer: Any) -> list[int]:
    """The ids that end an answer: those of the generation config, and the tokenizer's end token."""
    named = model.generation_config.eos_token_id
    ids = set(named if isinstance(named, list) else [named]) | {tokenizer.eos_token_id}
    return sorted(found for found in ids if found is not None)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
