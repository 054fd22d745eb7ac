"""Instruction data: chat JSONL, one conversation a line, as the paper's release keeps it."""

import json
from pathlib import Path
from typing import Any

from store import UsageError

Message = dict[str, str]
ROLES = ("system", "user", "assistant")


def read_chats(path: Path) -> list[list[Message]]:
    """The conversations of a chat JSONL file: a JSON array of `{"role", "content"}` a line, or an object
    with such an array under `messages`.

    Raises `UsageError` that names the line which is not one, or holds no answer.
    """
    chats = []
    with path.open(encoding="utf-8-sig") as file:
        try:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    chats.append(_chat(line, f"{path}:{number}"))
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} is not UTF-8 text: {error.reason}. Convert it first.") from None
    if not chats:
        raise UsageError(f"{path} holds no conversation.")
    return chats


def _chat(line: str, place: str) -> list[Message]:
    try:
        found: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise UsageError(f"{place}: not JSON ({error.msg} at column {error.colno}).") from None
    messages = found.get("messages") if isinstance(found, dict) else found
    if not isinstance(messages, list) or not messages:
        raise UsageError(f'{place}: not a conversation. A line is a JSON array of {{"role", "content"}}.')
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise UsageError(f"{place}: every message needs a `role` out of {', '.join(ROLES)}.")
        if not isinstance(message.get("content"), str):
            raise UsageError(f"{place}: every message needs its text as `content`.")
    if messages[-1]["role"] != "assistant":
        raise UsageError(f"{place}: the conversation does not end with an answer of the assistant.")
    return [{"role": message["role"], "content": message["content"]} for message in messages]
