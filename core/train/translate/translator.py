"""The interface of a translator, and its options."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.train.translate.segments import Cut
from store import UsageError


@dataclass(frozen=True)
class Fault:
    """No translation came, and why."""

    reason: str


class Translator(Protocol):
    """A model that is loaded and translates between two languages.

    `name`: kept with each row; `cut`: into what texts are cut for it at first; `rows`: conversations that are
    given to it together.
    """

    name: str
    cut: Cut
    rows: int

    def translate(self, texts: Sequence[str]) -> list[str | Fault]:
        """The translations in the order of the texts. Raises `XlitError` when none can be had any more."""
        ...

    def close(self) -> None:
        """Give memory and connections back."""
        ...


@dataclass(frozen=True)
class TranslatorOptions:
    """`reference`: a checkpoint (folder or name on the hub), a GGUF file, or the address of a server;
    `model`: what the server calls the model; `beams`: of a sequence-to-sequence model; `batch_size`: texts
    decoded together; `concurrency`, `timeout` (seconds): of requests to a server."""

    reference: str
    model: str | None = None
    beams: int = 4
    batch_size: int = 32
    concurrency: int = 16
    timeout: float = 600.0

    def __post_init__(self) -> None:
        for name in ("beams", "batch_size"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, not {getattr(self, name)}.")
        if self.is_server and not self.model:
            raise UsageError(f"Which model of {self.reference} shall translate? Name it by --model.")
        if self.model and not self.is_server:
            raise UsageError("--model is for a server: give its address by --with.")

    @property
    def is_server(self) -> bool:
        return self.reference.startswith(("http://", "https://"))

    @property
    def name(self) -> str:
        """What rows are said to be translated by."""
        return self.model or (
            Path(self.reference).resolve().name if Path(self.reference).exists() else self.reference
        )
