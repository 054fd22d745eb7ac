"""Loading a checkpoint folder with transformers: safetensors only, whole, and no code of its own.

One base is kept in memory, and the adapters on it, of which one or none is active.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.extras import needs_extra
from core.generate.checkpoint import Checkpoint
from store import UsageError, XlitError

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
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            if isinstance(model, peft.PeftModel):
                torn = bool(model.load_adapter(str(folder), adapter_name=name).missing_keys)
                model.set_adapter(name)
            else:
                model = peft.PeftModel.from_pretrained(model, str(folder), adapter_name=name)
                torn = any("missing adapter keys" in str(warning.message) for warning in caught)
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
    beyond = {token: index for token, index in tokenizer.get_vocab().items() if index >= vocabulary}
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
    end_tokens = model.generation_config.eos_token_id
    ids = set(end_tokens if isinstance(end_tokens, list) else [end_tokens]) | {tokenizer.eos_token_id}
    return sorted(token for token in ids if token is not None)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


class Adapters:
    """A base that is loaded once, and its adapters, each loaded when it is first asked for. They are not
    merged: the weights of the base stay as they are."""

    def __init__(self, checkpoint: Checkpoint, dtype: "torch.dtype", device: "torch.device") -> None:
        """Loads the whole model of `checkpoint`. Raises `XlitError` as `load_whole`."""
        self.source = source_of(checkpoint)
        self.base = load_whole(self.source, dtype).to(device)
        self._peft: Any = None
        self._names: dict[Path, str] = {}
        self._tried = 0
        self._in_force: str | None = None

    def switch(self, checkpoint: Checkpoint) -> Any:
        """The model to call for this checkpoint from now on, in place of that of an earlier call.

        Raises `UsageError` for a checkpoint on another base, and after an adapter that changes the base
        itself; `XlitError` for an adapter that can't be loaded: what was in force stays so.
        """
        if source_of(checkpoint) != self.source:
            raise UsageError(f"{checkpoint.path} is not an adapter of {self.source}, which is loaded.")
        name = self._name(checkpoint.path) if checkpoint.kind == "adapter" else None
        if name != self._in_force and self._changes_base():
            raise UsageError(f"An adapter of {self.source} changes its biases, so no other can follow it.")
        return self._put_in_force(name)

    def _name(self, folder: Path) -> str:
        """The name of an adapter among the others, loaded if it is not."""
        if folder not in self._names:
            # A name for every try: what has been loaded of a torn adapter stays behind under its name.
            self._tried += 1
            name = f"adapter-{self._tried}"
            try:
                self._peft = load_adapter(self._peft or self.base, folder, name)
            except Exception:
                self._put_in_force(self._in_force)
                raise
            self._names[folder] = name
        return self._names[folder]

    def _changes_base(self) -> bool:
        if self._in_force is None:
            return False
        return getattr(self._peft.peft_config[self._in_force], "bias", "none") != "none"

    def _put_in_force(self, name: str | None) -> Any:
        self._in_force = name
        if self._tried:
            self._turn_layers(on=name is not None)
        if name is None:
            return self.base
        self._peft.set_adapter(name)
        # The layers of adapters are in the base; a learnt prompt is added by the model around it.
        return self._peft if self._peft.active_peft_config.is_prompt_learning else self.base

    def _turn_layers(self, *, on: bool) -> None:
        from peft.tuners.tuners_utils import BaseTunerLayer
        from peft.utils import AuxiliaryTrainingWrapper

        for module in self.base.modules():
            if isinstance(module, (BaseTunerLayer, AuxiliaryTrainingWrapper)):
                module.enable_adapters(on)
