"""What is asked of a language model, what it answers, and the ways in which it does not."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Prompt:
    """One user message. `json`: the answer is a JSON object; `schema`: of this JSON schema, for servers that
    hold a model to one (`json` is then true)."""

    text: str
    json: bool = False
    schema: dict[str, Any] | None = None


@dataclass(frozen=True)
class Reply:
    """What a model answered, and the tokens that were counted; `finish_reason` as OpenAI names them."""

    text: str | None
    finish_reason: str | None = None
    refusal: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


class BadAnswer(Exception):
    """The answer can't be used, another might be; the message is the reason, one line."""


class AskFailed(Exception):
    """This question got no answer, others may; the message is one line without the key.

    `busy`: because the server was busy or broken, and not for what was asked.
    """

    def __init__(self, message: str, *, busy: bool = False) -> None:
        super().__init__(message)
        self.busy = busy


def usable_text(reply: Reply) -> str:
    """The text of an answer, without white space around it.

    Raises `BadAnswer` when the model refused, was cut off, or said nothing.
    """
    if reply.refusal or reply.finish_reason == "content_filter":
        raise BadAnswer("refusal: the judge would not answer")
    if reply.finish_reason == "length":
        raise BadAnswer("truncated: the judge's answer was cut off")
    if reply.text is None or not reply.text.strip():
        raise BadAnswer("empty answer")
    return reply.text.strip()
