"""Loading a checkpoint folder with transformers: safetensors only, whole, and no code of its own."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.extras import needs_extra
from core.generate.checkpoint import Checkpoint
from store import XlitError

if TYPE_CHECKING:
    import torch


def source_of(checkpoint: Checkpoint) -> str:
    """Where the whole model of a checkpoint is: its own folder, or the base of an adapter (a folder, or a
    name on the hub)."""
    return checkpoint.base if checkpoint.kind == "adapter" else str(checkpoint.path)


def load_whole(source: str, dtype: "torch.dtype") -> Any:
    """The model that `source`, a folder or a name on the hub, holds, in evaluation mode on the CPU.

    Raises `XlitError` when the weights don't fill the model: transformers would draw what is missing at
    random, with no more than a warning.
    """
    with needs_extra("local", "Loading a checkpoint"):
        import transformers
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
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
    return model.eval()


def load_adapter(model: Any, folder: Path, name: str) -> Any:
    """Put an adapter on a model, as the active one: `model` is a base, or what this function returned for
    another adapter of it. The base itself is changed, not copied. Returns the `peft.PeftModel`.

    Raises `XlitError` when it can't be loaded, or when weights of it are missing.
    """
    with needs_extra("local", "Loading an adapter"):
        import peft
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", UserWarning)
            if isinstance(model, peft.PeftModel):
                torn = bool(model.load_adapter(str(folder), adapter_name=name).missing_keys)
                model.set_adapter(name)
            else:
                model = peft.PeftModel.from_pretrained(model, str(folder), adapter_name=name)
                torn = any("missing adapter keys" in str(warning.message) for warning in said)
    except Exception as error:
        raise XlitError(f"The adapter {folder} can't be loaded: {_first_line(error)}") from error
    if torn:
        raise XlitError(f"The adapter {folder} is not whole: weights that its settings ask for are missing.")
    return model.eval()


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


def check_tokenizer(checkpoint: Checkpoint, tokenizer: Any, vocabulary: int) -> None:
    """Raises `XlitError` when a tokenizer can't write prompts for a model with `vocabulary` embeddings: it
    has no chat template, or tokens that the model does not know. (Tokens for padding and for the unknown,
    which libraries add unasked, may be such.)"""
    if not tokenizer.chat_template:
        raise XlitError(f"{checkpoint.path} has no chat template, so no prompt can be written for it.")
    beyond = {token: place for token, place in tokenizer.get_vocab().items() if place >= vocabulary}
    for added in (tokenizer.pad_token, tokenizer.unk_token):
        beyond.pop(added, None)
    if beyond:
        first = min(beyond, key=lambda token: beyond[token])
        raise XlitError(
            f"The tokenizer of {checkpoint.path} does not fit its model: {first!r} is token {beyond[first]}, "
            f"and the model has embeddings for {vocabulary}. Use the tokenizer that it was trained with."
        )


def stop_tokens(model: Any, tokenizer: Any) -> list[int]:
    """The ids that end an answer: those of the generation config, and the tokenizer's end token."""
    named = model.generation_config.eos_token_id
    ids = set(named if isinstance(named, list) else [named]) | {tokenizer.eos_token_id}
    return sorted(found for found in ids if found is not None)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
