"""What translates: the interface, and the choice of one by what is given as `--with`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.extras import needs_extra
from core.train.translate.segments import Cut
from store import UsageError, XlitError


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
    """`with_`: a checkpoint (folder or name on the hub), a GGUF file, or the address of a server; `model`:
    what the server calls the model; `beams`: of a sequence-to-sequence model; `batch_size`: texts decoded
    together; `concurrency`, `timeout` (seconds): of requests to a server."""

    with_: str
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
            raise UsageError(f"Which model of {self.with_} shall translate? Name it by --model.")
        if self.model and not self.is_server:
            raise UsageError("--model is for a server: give its address by --with.")

    @property
    def is_server(self) -> bool:
        return self.with_.startswith(("http://", "https://"))

    @property
    def name(self) -> str:
        """What rows are said to be translated by."""
        return self.model or (Path(self.with_).resolve().name if Path(self.with_).exists() else self.with_)


def open_translator(options: TranslatorOptions, source: str, target: str) -> Translator:
    """Load a translator from one language into another (ISO 639 codes, or the model's own).

    Raises `UsageError` for a language that the model has not, `XlitError` when it can't be loaded.
    """
    if not options.is_server and not options.with_.endswith(".gguf") and _is_seq2seq(options.with_):
        from core.train.translate.seq2seq import Seq2SeqTranslator

        return Seq2SeqTranslator(options, source, target)
    from core.train.translate.chat import ChatTranslator

    return ChatTranslator(options, source, target)


def _is_seq2seq(model: str) -> bool:
    with needs_extra("local", "Translating with a checkpoint"):
        from transformers import AutoConfig
    try:
        return bool(AutoConfig.from_pretrained(model, trust_remote_code=False).is_encoder_decoder)
    except Exception as error:  # of the network, of the hub's client, of a torn file
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise XlitError(
            f"{model} can't be loaded as a translator: {reason[:200]}. Give a checkpoint folder, a GGUF "
            "file, the name of a model on the hub, or the address of a server."
        ) from None
