"""The one interface of all engines: requests go in, answers with their counts come out as they finish."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from store import XlitError

Chat = list[dict[str, str]]
"""Messages with `role` and `content`, as chat templates take them."""

Key = TypeVar("Key")


@dataclass(frozen=True)
class Request:
    """One chat to answer. `seed`: of what is drawn at random (see `core.generate.decoding`)."""

    chat: Chat
    seed: int = 0


@dataclass(frozen=True)
class Generation:
    """What an engine answered to one request.

    `finish_reason`: `stop` (the model ended its answer) or `length` (cut at the limit). `tokens_in`: prompt;
    `tokens_out`: answer with its end token. `seconds`: the request's share of the wall-clock time, so that
    those of a run add up to it. `prompt_digest`: SHA-256 (hex) of the prompt as the chat template wrote it.
    A server that writes the prompt itself may not tell its tokens (None); the digest is then that of the
    messages.
    """

    text: str
    finish_reason: str | None
    tokens_in: int | None
    tokens_out: int | None
    seconds: float
    prompt_digest: str


@dataclass(frozen=True)
class Failed:
    """A request without an answer, while others go on; `reason` is one line."""

    reason: str


class TextEngine(Protocol):
    """A model that is loaded and ready to answer under one decoding.

    `context_length`: tokens of prompt and answer together; an answer is cut (`length`) where it is reached.
    """

    context_length: int

    def count_tokens(self, chat: Chat) -> int:
        """The length of the prompt in tokens, template included. Raises `XlitError` for a chat that the
        template refuses."""
        ...

    def stream(self, requests: Iterable[tuple[Key, Request]]) -> Iterator[tuple[Key, Generation | Failed]]:
        """The answers, each under its request's key, as they finish.

        Requests are taken one by one when there is room for another, never long before. An answer is the
        same whatever else is answered beside it (to the rounding of the number format). Requests of alike
        length after each other are answered fastest. One whose prompt can't be written, or is not shorter
        than `context_length`, is `Failed`, and the others go on.

        Raises `XlitError` when no request can be answered any more.
        """
        ...

    def close(self) -> None:
        """Give the model's memory back; the engine is of no use afterwards."""
        ...


def answer_all(engine: TextEngine, chats: Sequence[Chat]) -> list[Generation]:
    """The answers to some chats, in their order. Raises `XlitError` for one that came to nothing."""
    answers = dict(engine.stream((index, Request(chat)) for index, chat in enumerate(chats)))
    for answer in answers.values():
        if isinstance(answer, Failed):
            raise XlitError(answer.reason)
    return [answers[index] for index in range(len(chats))]  # type: ignore[misc]


def readable(raw: bytes | str) -> str:
    """Text of an answer as every store can hold it: bytes that are no UTF-8, and NUL, become U+FFFD."""
    text = raw.decode("utf-8", errors="replace") if isinstance(raw, bytes) else raw
    return text.replace("\x00", "�")
