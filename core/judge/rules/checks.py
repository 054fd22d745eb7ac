"""Known answers: the `check` of an instruction, and how much of it a response fulfils.

A check is `{"groups": [{"any_of": ["Euro", "EUR"], "at_least": 1}, ...], "in_order": false}`. A group is
found when at least `at_least` *different* strings of `any_of` stand in the response; with `in_order`, a group
counts only when it is found behind the group before it.

Strings are compared in small letters (casefold) and composed (NFC), with any white space as one space, plain
apostrophes and hyphens, and ё as е; they must stand on word boundaries. A string inside a longer one of the
same group counts only by itself: `Equatorial Guinea` does not say `Guinea`.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from core.judge.surface.words import unify_marks


class BadCheck(Exception):
    """The check has another shape than the one above; the message says where."""


@dataclass(frozen=True)
class Group:
    """`pattern` finds any of the group's strings, in a text made comparable by `comparable`."""

    pattern: re.Pattern[str]
    at_least: int

    def end_in(self, text: str, start: int) -> int | None:
        """Where the last string ends that is needed to find the group from `start` on; None if it is not."""
        found: set[str] = set()
        for match in self.pattern.finditer(text, start):
            found.add(match[0])
            if len(found) >= self.at_least:
                return match.end()
        return None


@dataclass(frozen=True)
class Check:
    """A check ready for use."""

    groups: tuple[Group, ...]
    in_order: bool

    def score(self, response: str) -> int:
        """2 when every group is found, 1 when some are, 0 when none is."""
        text = comparable(response)
        found, start = 0, 0
        for group in self.groups:
            end = group.end_in(text, start)
            if end is not None:
                found += 1
                start = end if self.in_order else 0
        return 2 if found == len(self.groups) else min(found, 1)


def comparable(text: str) -> str:
    """The text as checks compare it; see the module's rules."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return " ".join(unify_marks(folded).replace("ё", "е").split())


def read_check(check: Any) -> Check:
    """Read a check as it stands in the store; raises `BadCheck`."""
    if not isinstance(check, dict) or not set(check) <= {"groups", "in_order"}:
        raise BadCheck("a check is an object with `groups` and `in_order` and nothing else")
    groups, in_order = check.get("groups"), check.get("in_order", False)
    if not isinstance(groups, list) or not groups:
        raise BadCheck("`groups` must be a list of at least one group")
    if not isinstance(in_order, bool):
        raise BadCheck("`in_order` must be true or false")
    return Check(tuple(_read_group(group, place) for place, group in enumerate(groups, 1)), in_order)


def _read_group(group: Any, place: int) -> Group:
    if not isinstance(group, dict) or not set(group) <= {"any_of", "at_least"}:
        raise BadCheck(f"group {place} must be an object with `any_of` and `at_least` and nothing else")
    any_of, at_least = group.get("any_of"), group.get("at_least", 1)
    if not isinstance(any_of, list) or not all(isinstance(string, str) for string in any_of):
        raise BadCheck(f"`any_of` of group {place} must be a list of strings")
    strings = {comparable(string) for string in any_of}
    if not strings or "" in strings:
        raise BadCheck(f"`any_of` of group {place} must hold at least one string and no empty one")
    if not isinstance(at_least, int) or isinstance(at_least, bool) or not 1 <= at_least <= len(strings):
        raise BadCheck(f"`at_least` of group {place} must be a number from 1 to {len(strings)}")
    longest_first = sorted(strings, key=lambda string: (-len(string), string))
    return Group(re.compile("|".join(_on_word_boundaries(string) for string in longest_first)), at_least)


def _on_word_boundaries(string: str) -> str:
    before = r"(?<!\w)" if re.match(r"\w", string) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", string) else ""
    return before + re.escape(string) + after
