"""How known answers are compared with a response: strings on word boundaries, patterns, the ends of words."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import regex

from core.text.words import unify_marks


class TooSlow(Exception):
    """The check's pattern was not done with a response in the time it has; the message is the reason."""


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


# Seconds for one pattern on one response, however hostile either is.
SECONDS = 1.0

_WORD = regex.compile(r"[\w\p{M}]+(?:-[\w\p{M}]+)*")


@dataclass(frozen=True)
class RightPattern:
    """A regular expression of the package `regex`, as `compile_pattern` makes it."""

    compiled: Any

    def holds(self, response: str) -> bool:
        """Whether the pattern is found anywhere in the response; raises `TooSlow`."""
        try:
            return self.compiled.search(_composed(response), timeout=SECONDS) is not None
        except TimeoutError:
            raise TooSlow(
                f"its check's pattern was not done after {SECONDS:g} s: write it so that no part of a text "
                "can be matched in many ways"
            ) from None


def compile_pattern(pattern: str) -> RightPattern:
    """The pattern for texts as they are but for their composition (NFC), plain apostrophes and hyphens: small
    and capital letters are the same, `^` and `$` are the ends of lines. Raises what `regex.compile` does:
    `regex.error`, and `RecursionError` or `OverflowError` for a monstrous one."""
    return RightPattern(regex.compile(_composed(pattern), regex.IGNORECASE | regex.MULTILINE))


@dataclass(frozen=True)
class EachWord:
    """Words that begin with `starts_with` and end with `ends_with` (both `comparable`; empty: any).

    `at_least`: so many different ones must stand in the response, among whatever others; None: every word of
    the response must be one, and there must be a word. Words hold a letter; hyphens join (`какой-то`) and
    apostrophes part (`l'arbre` is `l` and `arbre`).
    """

    starts_with: str
    ends_with: str
    at_least: int | None

    def holds(self, response: str) -> bool:
        words = {word for word in _WORD.findall(comparable(response)) if any(map(str.isalpha, word))}
        right = {
            word for word in words if word.startswith(self.starts_with) and word.endswith(self.ends_with)
        }
        return bool(words) and right == words if self.at_least is None else len(right) >= self.at_least


def _composed(text: str) -> str:
    return unify_marks(unicodedata.normalize("NFC", text))
