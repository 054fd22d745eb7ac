"""The one interface of all engines: chats go in, answers with their counts come out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

Chat = list[dict[str, str]]
"""Messages with `role` and `content`, as chat templates take them."""


@dataclass(frozen=True)
class Generation:
    """What an engine answered to one chat.

    `finish_reason`: `stop` (the model ended its answer) or `length` (cut at the limit). `tokens_in`: prompt;
    `tokens_out`: answer with its end token. `seconds`: share of the wall-clock time. `prompt_digest`:
    SHA-256 (hex) of the prompt as the chat template wrote it.
    """

    text: str
    finish_reason: str
    tokens_in: int
    tokens_out: int
    seconds: float
    prompt_digest: str


class TextEngine(Protocol):
    """A model that is loaded and ready to answer under one decoding.

    `context_length`: tokens of prompt and answer together; an answer is cut (`length`) where it is reached.
    """

    context_length: int

    def count_tokens(self, chat: Chat) -> int:
        """The length of the prompt in tokens, template included."""
        ...

    def generate(self, chats: Sequence[Chat]) -> list[Generation]:
        """The answers in the order of the chats; each is the same whatever else stands in the batch.

        Every prompt must be shorter than `context_length`.
        """
        ...

    def close(self) -> None:
        """Give the model's memory back; the engine is of no use afterwards."""
        ...


def readable(raw: bytes | str) -> str:
    """Text of an answer as every store can hold it: bytes that are no UTF-8, and NUL, become U+FFFD."""
    text = raw.decode("utf-8", errors="replace") if isinstance(raw, bytes) else raw
    return text.replace("\x00", "�")
