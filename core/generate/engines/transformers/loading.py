"""One base kept in memory, and the adapters on it, of which one or none is active."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.generate.checkpoint import Checkpoint
from core.models.embeddings import adapter_rows, resize_embeddings
from core.models.loading import changes_base, load_adapter, load_model, source_of
from store import UsageError

if TYPE_CHECKING:
    import torch


class Adapters:
    """A base that is loaded once, and its adapters, each loaded when it is first asked for. They are not
    merged: the weights of the base stay as they are."""

    def __init__(self, checkpoint: Checkpoint, dtype: "torch.dtype", device: "torch.device") -> None:
        """Loads the whole model of `checkpoint`, its embeddings resized to those of an adapter that brings
        its own. Raises `XlitError` as `load_model`."""
        self.source = source_of(checkpoint)
        self.base = load_model(self.source, dtype)
        self._own_rows = self.rows
        if checkpoint.kind == "adapter" and (rows := adapter_rows(checkpoint.path)) is not None:
            resize_embeddings(self.base, rows)
        self.base.to(device)
        self._peft: Any = None
        self._names: dict[Path, str] = {}
        self._tried = 0
        self._in_force: str | None = None
        self._changed_by: Path | None = None  # the adapter that has put weights into the base itself

    @property
    def rows(self) -> int:
        """The number of tokens that the model has embeddings for."""
        return int(self.base.get_input_embeddings().weight.shape[0])

    def switch(self, checkpoint: Checkpoint) -> Any:
        """The model to call for this checkpoint from now on, in place of that of an earlier call.

        Raises `UsageError` for a checkpoint on another base or with another number of embeddings, and after
        an adapter that changes the base itself; `XlitError` for an adapter that can't be loaded: what was in
        force stays so.
        """
        if source_of(checkpoint) != self.source:
            raise UsageError(f"{checkpoint.path} is not an adapter of {self.source}, which is loaded.")
        adapter = checkpoint.path if checkpoint.kind == "adapter" else None
        self._check_order(adapter)
        rows = (adapter_rows(adapter) if adapter else None) or self._own_rows
        if rows != self.rows:
            raise UsageError(
                f"{checkpoint.path} has embeddings for {rows} tokens, and {self.source} is loaded with "
                f"{self.rows}."
            )
        name = self._name(adapter) if adapter else None
        return self._put_in_force(name)

    def _check_order(self, adapter: Path | None) -> None:
        """Raises `UsageError` when an adapter that changes the base itself would follow another, or when
        another would follow it."""
        if adapter is not None and adapter not in self._names and changes_base(self.base, adapter):
            if self._tried:
                raise UsageError(
                    f"The adapter {adapter} changes weights of {self.source} itself: it can't follow another."
                )
            self._changed_by = adapter
        elif self._changed_by not in (None, adapter):
            raise UsageError(
                f"The adapter {self._changed_by} changes weights of {self.source} itself, so no other can "
                "follow it."
            )

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
