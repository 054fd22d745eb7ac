"""Strings as checks compare them: in small letters and one spelling, on word boundaries."""

import re
import unicodedata
from collections.abc import Iterable

from core.judge.surface.words import unify_marks


def comparable(text: str) -> str:
    """The text in small letters (casefold) and composed (NFC), with any white space as one space, plain
    apostrophes and hyphens, and ё as е."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return " ".join(unify_marks(folded).replace("ё", "е").split())


def any_of(strings: Iterable[str]) -> re.Pattern[str]:
    """What finds any of these strings (made `comparable`) on word boundaries, the longest at each place."""
    longest_first = sorted(set(strings), key=lambda string: (-len(string), string))
    return re.compile("|".join(_on_word_boundaries(string) for string in longest_first))


def _on_word_boundaries(string: str) -> str:
    before = r"(?<!\w)" if re.match(r"\w", string) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", string) else ""
    return before + re.escape(string) + after
