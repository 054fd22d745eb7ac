"""What a database can hold: any text without a NUL character and without half of a surrogate pair.

PostgreSQL refuses NUL, and no database holds half of a pair. Who reads a file refuses such a row and names
the reason (`unstorable`), as whoever made the file can mend it. What models answer, what is sent to them,
and what reviewers type or paste is kept with U+FFFD in that position (`storable`).

    unstorable("a\\x00")         "holds a NUL character"
    storable("a\\x00\\ud800b")    "a\\ufffd\\ufffdb"
"""

from collections.abc import Iterator, Mapping
from typing import Any


def unstorable(text: str) -> str | None:
    """Why no database can hold a text; None when all can."""
    if "\x00" in text:
        return "holds a NUL character"
    if text.isascii():
        return None
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return f"holds half of a surrogate pair at character {error.start + 1}"
    return None


def storable(text: str) -> str:
    """The text with U+FFFD for every NUL and every half of a surrogate pair. Two halves that follow
    each other, as JSON can escape them, become the character that they stand for."""
    if unstorable(text) is None:
        return text
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\x00", "\ufffd")


def strings_in(value: Any) -> Iterator[str]:
    """All texts in a JSON value, the names in objects too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from strings_in(key)
            yield from strings_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_in(inner)
