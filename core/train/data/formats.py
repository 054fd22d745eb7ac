"""Conversations of instruction data, and the formats they come in.

A row's fields tell its format:

* chat: a list of `{"role", "content"}`, or an object with such a list under `messages` or `conversations`;
* ShareGPT: `conversations`, a list of `{"from", "value"}` (human, gpt, system);
* LIMA (Zhou et al. 2023, arXiv 2305.11206): `conversations`, a list of texts, question and answer in turn;
* tasks, a question and its answer: Dolly (`instruction`, `context`, `response`), Alpaca (`instruction`,
  `input`, `output`), TRL (`prompt`, `completion`, texts or turns), `question` and `answer`, OpenOrca
  (`system_prompt`, `question`, `response`), Aya (`inputs`, `targets`), and other pairs of these names.

A context or input stands under its instruction, after a blank line. A system prompt, a history
(LLaMA-Factory) and tools beside any of them belong to the conversation.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.train.data.fields import (
    COPY,
    EMPTY,
    IGNORED_FIELDS,
    METADATA,
    UNUSED,
    FieldLog,
    leaves,
    value_at,
)
from core.train.data.turns import (
    CONTEXT,
    LEARNED,
    THOUGHT,
    THOUGHTS,
    Message,
    Unfit,
    parsed_json,
    read_turns,
    text_of,
)

UNDETERMINED = "und"  # BCP 47's code for a language that nobody named

NAMES: dict[str, tuple[str, ...]] = {
    "messages": ("messages", "conversations", "conversation"),
    "instruction": ("instruction", "prompt", "question", "inputs", "query", "problem", "input"),
    "context": ("context", "input"),
    "response": ("response", "output", "completion", "answer", "targets", "solution"),
    "system": ("system", "system_prompt", "system_message"),
    "history": ("history",),
    "tools": ("tools", "functions"),
    "thought": THOUGHTS,
    "language": ("language", "lang", "language_code"),
    "id": ("row", "id"),
}

# The fields that a question and its answer have in the formats of tasks.
TASKS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "dolly": (("instruction",), ("response",)),
    "alpaca": (("instruction",), ("output",)),
    "prompt-completion": (("prompt",), ("completion",)),
    "openorca": (("question",), ("response",)),
    "aya": (("inputs",), ("targets",)),
    "question-answer": (NAMES["instruction"], NAMES["response"]),
}
CONVERSATIONS = {"chat": NAMES["messages"], "sharegpt": ("conversations",), "lima": ("conversations",)}
FORMATS = (*CONVERSATIONS, *TASKS)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages with `role` and `content`: a system message perhaps, then questions and answers in turn, the
    last an answer.

    `language`: BCP 47; `source`: the label of the data set; `location`: FILE:LINE; `row`: the row's id in its
    data set, the same in all translations of it; `unanswered`: questions at the end that were left out;
    `tools`: the functions that may be called, as chat templates take them.
    """

    messages: list[Message]
    language: str = UNDETERMINED
    source: str = ""
    location: str = ""
    row: str = ""
    unanswered: int = 0
    tools: list[Any] | None = None

    def digest(self) -> str:
        """SHA-256 (hex) of the messages."""
        content: list[Any] = []
        for message in self.messages:
            more = {name: value for name, value in message.items() if name not in ("role", "content")}
            content.append([message["role"], message["content"], *([more] if more else [])])
        if self.tools:
            content.append(self.tools)
        return hashlib.sha256(json.dumps(content, separators=(",", ":"), default=str).encode()).hexdigest()


@dataclass
class ParsedRow:
    """What a row says. `fields`: what became of each of its fields (see `core.train.data.fields`)."""

    format: str
    messages: list[Message]
    tools: list[Any] | None = None
    fields: dict[str, str] = field(default_factory=dict)


def format_of(row: Any) -> str | None:
    """The format that a row is of, one of `FORMATS`; None for a row of none."""
    if isinstance(row, list):
        return "chat"
    if not isinstance(row, Mapping):
        return None
    filled = {name: value for name, value in row.items() if value not in EMPTY}
    return _format_of(filled) or _format_of(row)


def _format_of(row: Mapping[str, Any]) -> str | None:
    for name in NAMES["messages"]:
        turns = row.get(name)
        if isinstance(turns, list) and turns and all(isinstance(turn, str) for turn in turns):
            return "lima"
        if isinstance(turns, list) and turns and isinstance(turns[0], Mapping) and "from" in turns[0]:
            return "sharegpt"
        if name in row and (isinstance(turns, list) or name == "messages"):
            return "chat"
    question = next((name for name in NAMES["instruction"] if name in row), None)
    answer = next((name for name in NAMES["response"] if name in row), None)
    if question is None or answer is None:
        return None
    pairs = ((name, questions[0], answers[0]) for name, (questions, answers) in TASKS.items())
    return next((name for name, *pair in pairs if pair == [question, answer]), "question-answer")


def parse_row(row: Any, format: str = "auto", columns: Mapping[str, str] | None = None) -> ParsedRow:
    """What a row says, read as `format`, or as what its fields tell; `columns`: names or paths of fields by
    our names for them (`NAMES`). Raises `Unfit` for a row that is not of the format."""
    columns = columns or {}
    label: str | None = format
    if format == "auto":
        if "messages" in columns:
            turns = value_at(row, columns["messages"])
            texts = isinstance(turns, list) and bool(turns) and all(isinstance(turn, str) for turn in turns)
            label = "lima" if texts else "chat"
        else:
            label = "question-answer" if {"instruction", "response"} & columns.keys() else format_of(row)
    if label is None:
        raise Unfit(f"of no known format ({', '.join(FORMATS)}); --column says which fields hold what")
    if isinstance(row, list):
        row = {"messages": row}
    if not isinstance(row, Mapping):
        raise Unfit("not an object with named fields")
    names = dict(NAMES)
    if label in CONVERSATIONS:
        names["messages"] = CONVERSATIONS[label]
    elif format != "auto":
        names["instruction"], names["response"] = TASKS[label]
    reader = _Reader(row, names | {name: (path,) for name, path in columns.items()})
    return reader.conversation(label) if label in CONVERSATIONS else reader.task(label)


def messages_of(row: Any, format: str) -> list[Message]:
    """The messages of a row. Raises `Unfit` for one that is not of the format."""
    return parse_row(row, format).messages


class _Reader:
    def __init__(self, row: Mapping[str, Any], names: Mapping[str, tuple[str, ...]]) -> None:
        self.row, self.names, self.log = row, names, FieldLog()

    def conversation(self, label: str) -> ParsedRow:
        path, turns = self._take("messages")
        if label == "lima":
            if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
                raise Unfit(f"`{path}` is not a list of texts")
            roles = ("user", "assistant")
            messages: list[Message] = [
                {"role": roles[index % 2], "content": turn} for index, turn in enumerate(turns)
            ]
            self.log.use(path, "questions and answers")
        else:
            messages = read_turns(turns, path, self.log)
        return self._finish(label, messages)

    def task(self, label: str) -> ParsedRow:
        question, answer = self._take("instruction"), self._take("response")
        context = self._take("context", without=question[0])
        asked = self._turns(question, "question", learned=False)
        if context[1] not in EMPTY and text_of({context[0]: context[1]}, context[0]).strip():
            if asked[-1]["role"] != "user":
                raise Unfit(f"`{context[0]}` beside `{question[0]}`, which does not end in a question")
            asked[-1]["content"] += f"\n\n{context[1]}"
            self.log.use(context[0], "text under the question")
        messages = [*asked, *self._turns(answer, LEARNED, learned=True)]
        history = self._take("history")
        if history[1] not in EMPTY:
            messages = [*self._history(*history), *messages]
        thought = self._take("thought")
        if thought[1] not in EMPTY:
            messages[-1][THOUGHT] = text_of({thought[0]: thought[1]}, thought[0])
            self.log.use(thought[0], "thought before the answer")
        return self._finish(label, messages)

    def _turns(self, taken: tuple[str, Any], became: str, *, learned: bool) -> list[Message]:
        """A question or an answer: a text, or turns (TRL). An answer among the question is not learned."""
        path, value = taken
        if isinstance(value, list):
            turns = read_turns(value, path, self.log)
            for turn in turns:
                if turn["role"] == "assistant" and not learned:
                    turn["weight"] = 0
                    self.log.outcomes[f"{path}[].content"] = f"question, {CONTEXT}"
            return turns
        text = text_of({path: value} if value is not None or path in self.row else {}, path)
        if not learned and not text.strip():
            raise Unfit(f"an empty `{path}`")
        self.log.use(path, became)
        return [{"role": "assistant" if learned else "user", "content": text}]

    def _history(self, path: str, history: Any) -> list[Message]:
        history = parsed_json(history, path)
        if not isinstance(history, list):
            raise Unfit(f"`{path}` is not a list of questions and answers")
        self.log.use(path, "questions and answers before")
        messages = []
        for pair in history:
            if (
                not isinstance(pair, list)
                or len(pair) != 2
                or not all(isinstance(text, str) for text in pair)
            ):
                raise Unfit(f"`{path}` is not a list of pairs, question and answer")
            messages += [{"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[1]}]
        return messages

    def _finish(self, label: str, messages: list[Message]) -> ParsedRow:
        path, system = self._take("system")
        if system not in EMPTY:
            text = text_of({path: system}, path)
            if not messages or messages[0]["role"] != "system":
                messages = [{"role": "system", "content": text}, *messages]
                self.log.use(path, "system message")
            elif messages[0]["content"].strip() == text.strip():
                self.log.use(path, COPY)
            else:
                raise Unfit(f"`{path}` and the system message among the turns differ")
        path, tools = self._take("tools")
        tools = parsed_json(tools, path) if tools not in EMPTY else None
        if tools:
            if not isinstance(tools, list) or not all(isinstance(tool, Mapping) for tool in tools):
                raise Unfit(f"`{path}` is not a list of functions")
            self.log.use(path, "tools")
        self._account(messages)
        return ParsedRow(label, messages, tools or None, self.log.outcomes)

    def _take(self, name: str, without: str = "") -> tuple[str, Any]:
        """The name and value of the first field that stands for `name` and holds something. Raises `Unfit`
        where several do and say different things."""
        paths = [path for path in self.names[name] if path != without]
        if name == "instruction" and len(paths) > 1 and any(self._holds(path) for path in paths[:-1]):
            paths = [path for path in paths if path != "input"]
        filled = [path for path in paths if self._holds(path)]
        if not filled:
            path = next((path for path in paths if path in self.row), paths[0])
            return path, self.row.get(path)
        value = value_at(self.row, filled[0])
        if name in ("instruction", "response", "context", "system"):
            for path in filled[1:]:
                other = value_at(self.row, path)
                same = other == value or (
                    isinstance(other, str)
                    and isinstance(value, str)
                    and (value.strip() in other or other.strip() in value)
                )
                if not same:
                    raise Unfit(
                        f"both `{filled[0]}` and `{path}` hold text: say by --column {name}=NAME which is "
                        f"the {name}"
                    )
        return filled[0], value

    def _holds(self, path: str) -> bool:
        value = value_at(self.row, path)
        return value not in EMPTY and not (isinstance(value, str) and not value.strip())

    def _account(self, messages: Sequence[Message]) -> None:
        """The outcomes of the fields that were not used."""
        used = {path.partition("[]")[0] for path in self.log.outcomes}
        texts = {message["content"].strip() for message in messages}
        ends = (messages[-1]["content"].strip(), messages[-2]["content"].strip()) if len(messages) > 1 else ()
        for name, value in self.row.items():
            if name in used or value in EMPTY:
                continue
            if any(path.startswith(f"{name}.") for path in used):
                rest = [path for path, _ in leaves(value, name) if path not in used]
                for path in rest:
                    role = path.rpartition(".")[2] in ("role", "from")
                    self.log.use(path, METADATA if role else UNUSED)
                continue
            if name in IGNORED_FIELDS:
                outcome = METADATA
            elif isinstance(value, str) and (
                value.strip() in texts or (ends and all(end in value for end in ends))
            ):
                outcome = COPY
            else:
                outcome = UNUSED
            self.log.use(name, outcome)
