"""The turns of a conversation: roles, texts, thoughts, tool calls, and which answers are learned.

A turn is `{"role", "content"}` or ShareGPT's `{"from", "value"}`. Its content is a text or a list of parts of
type `text`. `weight` 0 (OpenAI) and `train` false (axolotl) make an answer context that is not learned.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from core.train.data.fields import COPY, EMPTY, IGNORED_FIELDS, UNUSED, FieldLog
from store.storable import unstorable

# `role` and `content`; where they are, `reasoning_content` (the thought before an answer), `tool_calls`,
# `tool_call_id` and `name` (of a tool), and `weight`, 0, of an answer that is not learned.
Message = dict[str, Any]

ROLES = {
    **dict.fromkeys(("system", "developer"), "system"),
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(
        ("assistant", "gpt", "chatgpt", "bing", "bard", "model", "bot", "function_call"), "assistant"
    ),
    **dict.fromkeys(("tool", "function", "observation", "ipython"), "tool"),
}
TEXT_PARTS = ("text", "input_text", "output_text")
THOUGHTS = ("reasoning_content", "reasoning", "thinking")
THOUGHT = THOUGHTS[0]
WEIGHTS = ("weight", "train")
LEARNED, CONTEXT = "answer that is learned", "answer that is context, not learned"
_BECAME = {"system": "system message", "user": "question", "assistant": LEARNED, "tool": "result of a tool"}


class Unfit(Exception):
    """A row that can't be learned from; the message says why."""


def read_turns(turns: Any, name: str, log: FieldLog) -> list[Message]:
    """The messages of a list of turns, which the row has under `name`. Raises `Unfit` for what is none."""
    if not isinstance(turns, list) or not turns:
        raise Unfit(
            'no conversation: a list of {"role", "content"} or {"from", "value"} is needed, alone or under '
            f"`{name}`"
        )
    return [_read_turn(turn, f"{name}[]", log) for turn in turns]


def _read_turn(turn: Any, name: str, log: FieldLog) -> Message:
    role_field = "from" if isinstance(turn, Mapping) and "role" not in turn and "from" in turn else "role"
    given = turn.get(role_field) if isinstance(turn, Mapping) else None
    role = ROLES.get(given.strip().lower()) if isinstance(given, str) else None
    if role is None:
        raise Unfit(f"a message without a `{role_field}` out of {', '.join(ROLES)}")
    content_field = next((field for field in ("content", "value", "text") if field in turn), "content")
    message: Message = {"role": role, "content": ""}
    used = {role_field, content_field}
    if given == "function_call":  # ShareGPT's call is the text of its turn
        calls_field, calls = content_field, [parsed_json(turn.get(content_field), content_field)]
    elif turn.get("function_call"):  # OpenAI's before there were several
        calls_field, calls = "function_call", [turn["function_call"]]
    else:
        calls_field, calls = "tool_calls", parsed_json(turn.get("tool_calls") or [], "tool_calls")
    if calls:
        message["tool_calls"] = _tool_calls(calls, calls_field)
        log.use(f"{name}.{calls_field}", "tool call")
        used.add(calls_field)
    if calls_field != content_field and (turn.get(content_field) is not None or not calls):
        message |= read_content(turn, content_field, role)
    if role == "assistant":
        thoughts = [field for field in THOUGHTS if turn.get(field)]
        if thoughts:
            message[THOUGHT] = text_of(turn, thoughts[0])
            log.use(f"{name}.{thoughts[0]}", "thought before an answer")
            used.add(thoughts[0])
        if not is_learned(turn):
            message["weight"] = 0
        used.update(WEIGHTS)
    if role == "tool":
        message |= {field: turn[field] for field in ("tool_call_id", "name") if turn.get(field)}
        used |= {"tool_call_id", "name"}
    if calls_field != content_field:
        log.use(f"{name}.{content_field}", CONTEXT if message.get("weight") == 0 else _BECAME[role])
    for field, value in turn.items():
        says_nothing = value in EMPTY or field in IGNORED_FIELDS or (field in WEIGHTS and not value)
        if field not in used and not says_nothing:
            copied = isinstance(value, str) and value.strip() == message["content"].strip()
            log.use(f"{name}.{field}", COPY if copied else UNUSED)
    return message


def is_learned(turn: Mapping[str, Any]) -> bool:
    """Whether an answer shall be learned. Raises `Unfit` for a weight between."""
    for field in WEIGHTS:
        if turn.get(field) not in (None, 0, 1):
            raise Unfit(f"`{field}` is {turn[field]!r}: an answer is learned (1, true) or not (0, false)")
    return all(turn.get(field) in (None, 1) for field in WEIGHTS)


def read_content(turn: Mapping[str, Any], field: str, role: str = "") -> Message:
    """A turn's `content`, and the thought among its parts. Raises `Unfit` for parts that are no text."""
    if not isinstance(turn.get(field), list):
        return {"content": text_of(turn, field)}
    texts, thoughts = [], []
    for part in turn[field]:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind in TEXT_PARTS and isinstance(part.get("text"), str):
            texts.append(part["text"])
        elif kind == "thinking" and role == "assistant" and isinstance(part.get("thinking"), str):
            thoughts.append(part["thinking"])
        else:
            raise Unfit(
                f"a part of `{field}` of type {kind!r}: only parts of type text are learned"
                if kind
                else f"`{field}` is not a text and no list of parts"
            )
    return {"content": "".join(texts)} | ({THOUGHT: "\n".join(thoughts)} if thoughts else {})


def _tool_calls(calls: Any, name: str) -> list[dict[str, Any]]:
    """The calls as chat templates take them: `{"type", "function": {"name", "arguments"}}`, the arguments an
    object (OpenAI's are its JSON)."""
    if not isinstance(calls, list):
        raise Unfit(f"`{name}` is not a list of calls")
    made = []
    for call in calls:
        function = call.get("function", call) if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise Unfit(f"a call in `{name}` without the `name` of a function")
        arguments = parsed_json(function.get("arguments") or {}, f"{name}.arguments")
        more = {"id": call["id"]} if call.get("id") else {}
        made.append(
            more | {"type": "function", "function": {"name": function["name"], "arguments": arguments}}
        )
    return made


def parsed_json(value: Any, name: str) -> Any:
    """A value that may be written as its JSON. Raises `Unfit` for a text that is none."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise Unfit(f"`{name}` is not valid JSON") from None


def text_of(row: Mapping[str, Any], name: str) -> str:
    """A field that must hold a text."""
    if name not in row:
        raise Unfit(f"no `{name}`")
    if not isinstance(row[name], str):
        raise Unfit(f"`{name}` is not a text")
    return str(row[name])


def check_messages(messages: Sequence[Message]) -> tuple[list[Message], int]:
    """The messages without an empty system message and without what comes after the last answer, and how many
    messages these were.

    Raises `Unfit` for roles out of order, empty texts, NUL and lone surrogates, and where no answer is, or
    none that is learned.
    """
    kept = list(messages)
    if kept and kept[0]["role"] == "system" and not kept[0]["content"].strip():
        del kept[0]
    for index, message in enumerate(kept):
        _check_text(message)
        if message["role"] == "system" and index > 0:
            raise Unfit("a system message that is not the first")
    turns = kept[1:] if kept and kept[0]["role"] == "system" else kept
    before: Message = {"role": "assistant", "content": ""}
    for index, message in enumerate(turns):
        expected = _may_follow(before) if index else ("user",)
        if message["role"] not in expected:
            wanted = " or ".join(expected)
            raise Unfit(f"roles out of order: message {index + 1} is of {message['role']}, not {wanted}")
        before = message
    unanswered = 0
    while turns and turns[-1]["role"] != "assistant":
        turns, unanswered = turns[:-1], unanswered + 1
    if not turns:
        raise Unfit("no answer")
    if all(turn.get("weight") == 0 for turn in turns if turn["role"] == "assistant"):
        raise Unfit("no answer that is learned: all have weight 0")
    return (kept[:-unanswered] if unanswered else kept), unanswered


def _may_follow(message: Message) -> tuple[str, ...]:
    if message["role"] == "user":
        return ("assistant",)
    if message["role"] == "tool":
        return ("assistant", "tool")
    return ("user", "tool") if message.get("tool_calls") else ("user",)


def _check_text(message: Message) -> None:
    role, text = message["role"], message["content"]
    if not text.strip() and not message.get("tool_calls") and role != "tool":
        raise Unfit({"assistant": "an empty answer", "user": "an empty question"}.get(role, "an empty text"))
    for checked in (text, message.get(THOUGHT, "")):
        if unstorable(checked) is not None:
            raise Unfit(
                "a NUL character in a text"
                if "\x00" in checked
                else "a lone surrogate in a text: it was cut inside a character"
            )
