"""One base in memory, and the adapters on it, of which one or none is in force."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.generate.checkpoint import Checkpoint
from core.generate.transformers_engine.loading import load_adapter, load_whole, source_of
from store import UsageError

if TYPE_CHECKING:
    import torch


class Adapters:
    """A base that is loaded once, and its adapters, each loaded when it is first asked for. They are not
    merged: the weights of the base stay as they are."""

    def __init__(self, checkpoint: Checkpoint, dtype: "torch.dtype", device: "torch.device") -> None:
        """Loads the whole model of `checkpoint`. Raises `XlitError` as `load_whole`."""
        self.source = source_of(checkpoint)
        self.base = load_whole(self.source, dtype).to(device)
        self._peft: Any = None
        self._names: dict[Path, str] = {}

    def switch(self, checkpoint: Checkpoint) -> Any:
        """The model to call for this checkpoint; those of earlier calls are not to be called any more.

        Raises `UsageError` for a checkpoint on another base, `XlitError` for an adapter that can't be loaded.
        """
        if source_of(checkpoint) != self.source:
            raise UsageError(f"{checkpoint.path} is not an adapter of {self.source}, which is loaded.")
        if checkpoint.kind != "adapter":
            self._layers("disable_adapter_layers")
            return self.base
        if (name := self._names.get(checkpoint.path)) is None:
            name = f"adapter-{len(self._names)}"
            self._peft = load_adapter(self._peft or self.base, checkpoint.path, name)
            self._names[checkpoint.path] = name
        self._layers("enable_adapter_layers")
        self._peft.set_adapter(name)
        # Adapters of layers are in the base by now; a learnt prompt is added by the model around it.
        return self._peft if self._peft.active_peft_config.is_prompt_learning else self.base

    def _layers(self, switch: str) -> None:
        """Turn the adapters' layers on or off, where there are any."""
        around = getattr(self._peft, "base_model", None)
        if hasattr(around, switch):
            getattr(around, switch)()
