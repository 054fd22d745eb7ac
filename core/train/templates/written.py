"""Whether a chat template writes all that a conversation holds: many leave out thoughts, tools or systems."""

import json
from collections.abc import Sequence
from typing import Any

from core.train.data.formats import Conversation
from core.train.data.turns import THOUGHT, THOUGHTS, Message
from store import UsageError


def messages_for(source: str, messages: Sequence[Message]) -> list[Message]:
    """The messages as a template (its Jinja source) reads them: a thought by the name that it knows, no
    weights."""
    name = next((name for name in THOUGHTS if name in source), THOUGHT)
    return [
        {name if key == THOUGHT else key: value for key, value in message.items() if key != "weight"}
        for message in messages
    ]


def check_written(text: str, conversation: Conversation, messages: Sequence[Message]) -> None:
    """`text`: the messages, the last an answer, as the template wrote them.

    Raises `UsageError` for a system message, a tool, a call, a tool's result or the last answer's thought
    that is not in it. Earlier thoughts may be left out, as they are when the answer is generated.
    """
    for message in messages:
        for call in message.get("tool_calls", ()):
            _check(text, call["function"]["name"], "tool call", "", conversation)
        if message["role"] in ("system", "tool"):
            what = "system message" if message["role"] == "system" else "result of a tool"
            _check(text, message["content"], what, "", conversation)
    for tool in conversation.tools or ():
        _check(text, _name(tool), "tool", "tools", conversation)
    _check(text, messages[-1].get(THOUGHT, ""), "thought", THOUGHT, conversation)


def _name(tool: Any) -> str:
    function = tool.get("function", tool)
    return str(function.get("name", "")) if isinstance(function, dict) else ""


def _check(text: str, wanted: str, what: str, field: str, conversation: Conversation) -> None:
    wanted = wanted.strip()
    if wanted in text or any(json.dumps(wanted, ensure_ascii=ascii)[1:-1] in text for ascii in (True, False)):
        return
    drop = f", or leave it out with --drop-field {field}" if field else ", or leave the row out"
    raise UsageError(
        f"The chat template does not write the {what} of {conversation.location}: it would not be learned. "
        f"Choose another with --template{drop}."
    )
