"""Why a text can't be kept by a database."""

from collections.abc import Iterator, Mapping
from typing import Any


def unstorable(text: str) -> str | None:
    """Why no database can hold a text (PostgreSQL refuses NUL, neither holds half a surrogate pair)."""
    if "\x00" in text:
        return "holds a NUL character"
    if text.isascii():
        return None
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return f"holds half of a surrogate pair at character {error.start + 1}"
    return None


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
