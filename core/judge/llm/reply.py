"""What is asked of a judge, and what of its answers can be used."""

from dataclasses import dataclass
from typing import Any

from core.endpoint.reply import Reply


@dataclass(frozen=True)
class Prompt:
    """One user message. `json`: the answer is a JSON object; `schema`: of this JSON schema, for servers that
    hold a model to one (`json` is then true)."""

    text: str
    json: bool = False
    schema: dict[str, Any] | None = None


class BadAnswer(Exception):
    """The answer can't be used, another might be; the message is the reason, one line."""


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
