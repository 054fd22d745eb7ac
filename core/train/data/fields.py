"""What becomes of the fields of a row, and columns by other names.

Every field of a row is used, known to say nothing that a model should learn (`IGNORED_FIELDS`), a copy of
what is used, or counted as not used, by name.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

UNUSED, COPY, METADATA, DROPPED = "not used", "copy of what is used", "metadata", "left out by option"

IGNORED_FIELDS = frozenset(
    {
        *(
            "id",
            "row",
            "idx",
            "index",
            "uuid",
            "guid",
            "uid",
            "hash",
            "prompt_id",
            "question_id",
            "message_id",
        ),
        *("conversation_id", "conversation_hash", "template_id", "source_hash", "__index_level_0__"),
        *("source", "data_source", "dataset", "dataset_name", "sub_dataset", "sub_dataset_name", "split"),
        *("url", "link", "license", "licence", "author", "user", "user_id", "annotation_type", "origin"),
        *("category", "categories", "task", "task_type", "task_name", "type", "topic", "topics", "domain"),
        *("subset", "tags", "date", "time", "timestamp", "created", "created_at", "updated_at"),
        *("model", "model_name", "generator", "teacher", "translator", "redacted", "toxic"),
        *("script", "num_turns", "language", "language_code", "lang", "source_language"),
    }
)

EMPTY: tuple[Any, ...] = (None, "", [], {})


class FieldLog:
    """The outcome of each field of one row, by its path."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}

    def use(self, path: str, outcome: str) -> None:
        """Of a field that comes several times in a row (in several turns), all outcomes are kept."""
        before = self.outcomes.get(path)
        if before is None:
            self.outcomes[path] = outcome
        elif outcome not in before.split(", "):
            self.outcomes[path] = f"{before}, {outcome}"


def value_at(row: Any, path: str) -> Any:
    """The value under a name, or under a path of names and list indices such as `conversations.0.value`; None
    where there is none."""
    if isinstance(row, Mapping) and path in row:
        return row[path]
    for step in path.split("."):
        if isinstance(row, Mapping):
            row = row.get(step)
        elif isinstance(row, list) and step.isdecimal() and int(step) < len(row):
            row = row[int(step)]
        else:
            return None
    return row


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The paths and values below a value that hold something."""
    if value in EMPTY:
        return
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}.{index}")
    else:
        yield path, value


def without_fields(row: Any, names: Sequence[str], log: FieldLog) -> Any:
    """The row without these fields, be they its own or those of its turns."""
    if isinstance(row, list):
        return [without_fields(turn, names, log) if isinstance(turn, Mapping) else turn for turn in row]
    if not isinstance(row, Mapping):
        return row
    kept = {}
    for name, value in row.items():
        if name in names:
            log.use(name, DROPPED)
        else:
            kept[name] = without_fields(value, names, log) if isinstance(value, list) else value
    return kept
