"""Conversations of instruction data, and the formats they come in: chats, ShareGPT, LIMA, Dolly, Alpaca.

A row's fields tell its format:

* chat: a list of `{"role", "content"}`, or an object with such a list under `messages`;
* ShareGPT: `conversations`, a list of `{"from", "value"}` (human, gpt, system);
* LIMA (Zhou et al. 2023, arXiv 2305.11206): `conversations`, a list of texts, question and answer in turn;
* Dolly (databricks-dolly-15k): `instruction`, `context`, `response`, `category`;
* Alpaca (tatsu-lab/stanford_alpaca): `instruction`, `input`, `output`.

A context or input stands under its instruction, after a blank line.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from store.storable import unstorable

Message = dict[str, str]

UNDETERMINED = "und"  # BCP 47's code for a language that nobody named

_ROLES = {
    "system": "system",
    "user": "user",
    "human": "user",
    "prompter": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
}


class Unfit(Exception):
    """A row that can't be learned from; the message says why."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages with `role` and `content`: a system message perhaps, then questions and answers in turn, the
    last an answer.

    `language`: BCP 47; `source`: the label of the data set; `location`: FILE:LINE; `row`: the row's id in its
    data set, the same in all translations of it; `unanswered`: questions at the end that were left out.
    """

    messages: list[Message]
    language: str = UNDETERMINED
    source: str = ""
    location: str = ""
    row: str = ""
    unanswered: int = 0

    def digest(self) -> str:
        """SHA-256 (hex) of the messages."""
        content = [[message["role"], message["content"]] for message in self.messages]
        return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def check_messages(messages: Sequence[Message]) -> tuple[list[Message], int]:
    """The messages without an empty system message and without questions at the end that have no answer, and
    how many such there were.

    Raises `Unfit` for roles out of order, empty texts, NUL and lone surrogates, and where no answer is.
    """
    kept = list(messages)
    if kept and kept[0]["role"] == "system" and not kept[0]["content"].strip():
        del kept[0]
    for index, message in enumerate(kept):
        _check_text(message["role"], message["content"])
        if message["role"] == "system" and index > 0:
            raise Unfit("a system message that is not the first")
    turns = kept[1:] if kept and kept[0]["role"] == "system" else kept
    for index, message in enumerate(turns):
        expected = ("user", "assistant")[index % 2]
        if message["role"] != expected:
            raise Unfit(f"roles out of order: message {index + 1} is of {message['role']}, not {expected}")
    unanswered = len(turns) % 2
    if len(turns) < 2:
        raise Unfit("no answer")
    return (kept[:-1] if unanswered else kept), unanswered


def _check_text(role: str, text: str) -> None:
    if not text.strip():
        raise Unfit({"assistant": "an empty answer", "user": "an empty question"}.get(role, "an empty text"))
    if unstorable(text) is not None:
        raise Unfit(
            "a NUL character in a text"
            if "\x00" in text
            else "a lone surrogate in a text: it was cut inside a character"
        )


def format_of(row: Any) -> str | None:
    """The format that a row is of, one of `FORMATS`; None for a row of none."""
    if isinstance(row, list):
        return "chat"
    if not isinstance(row, Mapping):
        return None
    if "messages" in row:
        return "chat"
    if "conversations" in row:
        turns = row["conversations"]
        return (
            "lima" if isinstance(turns, list) and all(isinstance(turn, str) for turn in turns) else "sharegpt"
        )
    if "instruction" in row:
        return "dolly" if "response" in row else "alpaca" if "output" in row else None
    return None


def messages_of(row: Any, format: str) -> list[Message]:
    """The messages of a row. Raises `Unfit` for one that is not of the format."""
    return FORMATS[format](row)


def _chat(row: Any) -> list[Message]:
    return _turns(row.get("messages") if isinstance(row, Mapping) else row, "messages", "role", "content")


def _sharegpt(row: Any) -> list[Message]:
    return _turns(_object(row).get("conversations"), "conversations", "from", "value")


def _turns(turns: Any, name: str, role: str, text: str) -> list[Message]:
    if not isinstance(turns, list) or not turns:
        raise Unfit(f'no conversation: a list of {{"{role}", "{text}"}} is needed, alone or under `{name}`')
    messages = []
    for turn in turns:
        if not isinstance(turn, Mapping) or not isinstance(turn.get(role), str) or turn[role] not in _ROLES:
            raise Unfit(f"a message without a `{role}` out of {', '.join(_ROLES)}")
        messages.append({"role": _ROLES[turn[role]], "content": _text(turn, text)})
    return messages


def _lima(row: Any) -> list[Message]:
    turns = _object(row).get("conversations")
    if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
        raise Unfit("`conversations` is not a list of texts")
    roles = ("user", "assistant")
    return [{"role": roles[index % 2], "content": turn} for index, turn in enumerate(turns)]


def _dolly(row: Any) -> list[Message]:
    return _task(_object(row), "context", "response")


def _alpaca(row: Any) -> list[Message]:
    return _task(_object(row), "input", "output")


def _task(row: Mapping[str, Any], context: str, answer: str) -> list[Message]:
    question = _text(row, "instruction")
    if not question.strip():
        raise Unfit("an empty `instruction`")
    if row.get(context) is not None and (added := _text(row, context)).strip():
        question += f"\n\n{added}"
    return [
        {"role": "user", "content": question},
        {"role": "assistant", "content": _text(row, answer)},
    ]


def _object(row: Any) -> Mapping[str, Any]:
    if not isinstance(row, Mapping):
        raise Unfit("not an object with named fields")
    return row


def _text(row: Mapping[str, Any], name: str) -> str:
    if name not in row:
        raise Unfit(f"no `{name}`")
    if not isinstance(row[name], str):
        raise Unfit(f"`{name}` is not a text")
    return str(row[name])


FORMATS: dict[str, Callable[[Any], list[Message]]] = {
    "chat": _chat,
    "sharegpt": _sharegpt,
    "lima": _lima,
    "dolly": _dolly,
    "alpaca": _alpaca,
}
