"""A conversation of instruction data, and what makes one unfit to learn from."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

Message = dict[str, str]

UNDETERMINED = "und"  # BCP 47's code for a language that nobody named


class Unfit(Exception):
    """A row that can't be learned from; the message says why."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages with `role` and `content`: a system message perhaps, then questions and answers in turn, the
    last an answer.

    `language`: BCP 47; `source`: the label of the data set; `place`: FILE:LINE; `row`: the row's id in its
    data set, the same in all translations of it; `unanswered`: questions at the end that were left out.
    """

    messages: list[Message]
    language: str = UNDETERMINED
    source: str = ""
    place: str = ""
    row: str = ""
    unanswered: int = 0

    def digest(self) -> str:
        """SHA-256 (hex) of the messages."""
        content = [[message["role"], message["content"]] for message in self.messages]
        return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def checked(messages: Sequence[Message]) -> tuple[list[Message], int]:
    """The messages without an empty system message and without questions at the end that have no answer, and
    how many such there were.

    Raises `Unfit` for roles out of order, empty texts, NUL and lone surrogates, and where no answer is.
    """
    found = list(messages)
    if found and found[0]["role"] == "system" and not found[0]["content"].strip():
        del found[0]
    for place, message in enumerate(found):
        _check_text(message["role"], message["content"])
        if message["role"] == "system" and place > 0:
            raise Unfit("a system message that is not the first")
    turns = found[1:] if found and found[0]["role"] == "system" else found
    for place, message in enumerate(turns):
        expected = ("user", "assistant")[place % 2]
        if message["role"] != expected:
            raise Unfit(f"roles out of order: message {place + 1} is of {message['role']}, not {expected}")
    unanswered = len(turns) % 2
    if len(turns) < 2:
        raise Unfit("no answer")
    return (found[:-1] if unanswered else found), unanswered


def _check_text(role: str, text: str) -> None:
    if not text.strip():
        raise Unfit({"assistant": "an empty answer", "user": "an empty question"}.get(role, "an empty text"))
    if "\x00" in text:
        raise Unfit("a NUL character in a text")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Unfit("a lone surrogate in a text: it was cut inside a character") from None
