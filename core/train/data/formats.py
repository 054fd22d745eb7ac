"""What the rows of instruction data look like: chats, ShareGPT, LIMA, Dolly, Alpaca; told by their fields.

* chat: a list of `{"role", "content"}`, or an object with such a list under `messages`;
* ShareGPT: `conversations`, a list of `{"from", "value"}` (human, gpt, system);
* LIMA (Zhou et al. 2023, arXiv 2305.11206): `conversations`, a list of texts, question and answer in turn;
* Dolly (databricks-dolly-15k): `instruction`, `context`, `response`, `category`;
* Alpaca (tatsu-lab/stanford_alpaca): `instruction`, `input`, `output`.

A context or input stands under its instruction, after a blank line.
"""

from collections.abc import Callable, Mapping
from typing import Any

from core.train.data.conversation import Message, Unfit

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


def _turns(found: Any, name: str, role: str, text: str) -> list[Message]:
    if not isinstance(found, list) or not found:
        raise Unfit(f'no conversation: a list of {{"{role}", "{text}"}} is needed, alone or under `{name}`')
    messages = []
    for turn in found:
        if not isinstance(turn, Mapping) or not isinstance(turn.get(role), str) or turn[role] not in _ROLES:
            raise Unfit(f"a message without a `{role}` out of {', '.join(_ROLES)}")
        messages.append({"role": _ROLES[turn[role]], "content": _text(turn, text)})
    return messages


def _lima(row: Any) -> list[Message]:
    turns = _object(row).get("conversations")
    if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
        raise Unfit("`conversations` is not a list of texts")
    roles = ("user", "assistant")
    return [{"role": roles[place % 2], "content": turn} for place, turn in enumerate(turns)]


def _dolly(row: Any) -> list[Message]:
    return _task(_object(row), "context", "response")


def _alpaca(row: Any) -> list[Message]:
    return _task(_object(row), "input", "output")


def _task(row: Mapping[str, Any], context: str, answer: str) -> list[Message]:
    question = _text(row, "instruction")
    if not question.strip():
        raise Unfit("an empty `instruction`")
    if row.get(context) is not None and (given := _text(row, context)).strip():
        question += f"\n\n{given}"
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
