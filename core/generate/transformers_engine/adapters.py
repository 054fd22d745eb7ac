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
