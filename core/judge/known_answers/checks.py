"""Known answers: the `check` of an instruction, and how much of it a response fulfils.

A check is an object that asks for one or more things, each a requirement of its own:

* `{"groups": [{"any_of": ["Euro", "EUR"], "at_least": 1}, ...], "in_order": false}`: every group is a
  requirement. A group is found when at least `at_least` *different* strings of `any_of` stand in the
  response; with `in_order`, a group counts only when it is found behind the group before it.
* `{"references": ["the euro", "euros"]}`: right answers in words; one of them must stand in the response.
* `{"number": 42, "tolerance": 0.5}`: the answer must be this number, give or take the tolerance (absolute,
  default 0). How numbers are read, and which number of a response is its answer:
  `core.judge.known_answers.numbers`.
* `{"choice": "positive", "of": ["positive", "negative"]}`: a class. The right label must stand in the
  response and no other may: a response that names several has not chosen. Labels may be lists of wordings,
  for example in several languages: `{"choice": 0, "of": [["positiv", "positive"], ["negativ"]]}`; `choice` is
  the right label's position from 0, or any wording of it. A label inside a longer one counts only by itself,
  and `not negative` names `negative`: give such wordings to the label that they mean.
* `{"pattern": "^\\w+ing\\b"}`: a regular expression (package `regex`) that must be found in the response, in
  small or capital letters; `^` and `$` are the ends of lines. See `core.judge.known_answers.matching`.
* `{"each_word": {"starts_with": "а", "at_least": 5}}`: so many different words must begin with this, and with
  `ends_with` end with that; without `at_least`, every word of the response must.

And one that asks for nothing, and so only goes with others:

* `{"none_of": ["dollar"]}`: where one of these stands in the response, the response is wrong, whatever else
  is found. A string inside a right one does not count: `Guinea` is not forbidden in `Equatorial Guinea`.

Strings are compared in small letters (casefold) and composed (NFC), with any white space as one space, plain
apostrophes and hyphens, and ё as е; they must stand on word boundaries. A string inside a longer one of the
same group counts only by itself: `Equatorial Guinea` does not say `Guinea`.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol, TypeGuard

import regex

from core.judge.known_answers.matching import EachWord, any_of, comparable, compile_pattern
from core.judge.known_answers.numbers import RightNumber

# Keys that ask for something, and those that go with one of them.
ASKING = ("groups", "references", "number", "choice", "pattern", "each_word")
BESIDE = {"in_order": "groups", "tolerance": "number", "of": "choice"}
MOST_PATTERN = 1000


class BadCheck(Exception):
    """The check has another shape than this module describes; the message says where."""


class Requirement(Protocol):
    """One thing that a check asks for."""

    def holds(self, response: str) -> bool:
        """Whether the response, as it was given, has it; may raise `TooSlow`."""
        ...


@dataclass(frozen=True)
class Group:
    """`pattern` finds any of the group's strings, in a text made comparable by `comparable`."""

    pattern: re.Pattern[str]
    at_least: int

    def end_in(self, text: str, start: int) -> int | None:
        """Where the last string ends that is needed to find the group from `start` on; None if it is not."""
        strings_found: set[str] = set()
        for match in self.pattern.finditer(text, start):
            strings_found.add(match[0])
            if len(strings_found) >= self.at_least:
                return match.end()
        return None


@dataclass(frozen=True)
class References:
    """`pattern` finds any of the right answers in words."""

    pattern: re.Pattern[str]

    def holds(self, response: str) -> bool:
        return self.pattern.search(comparable(response)) is not None


@dataclass(frozen=True)
class Choice:
    """`pattern` finds any wording of any label, of which `right` are those of the right one."""

    pattern: re.Pattern[str]
    right: frozenset[str]

    def holds(self, response: str) -> bool:
        named = set(self.pattern.findall(comparable(response)))
        return bool(named) and named <= self.right


@dataclass(frozen=True)
class Forbidden:
    """`pattern` finds any of the `strings`, and the right ones which they may be part of."""

    pattern: re.Pattern[str]
    strings: frozenset[str]

    def stand_in(self, response: str) -> bool:
        return any(match[0] in self.strings for match in self.pattern.finditer(comparable(response)))


@dataclass(frozen=True)
class Check:
    """A check ready for use."""

    groups: tuple[Group, ...]
    in_order: bool
    others: tuple[Requirement, ...] = ()
    forbidden: Forbidden | None = None

    def score(self, response: str) -> int:
        """2 when every requirement is fulfilled, 1 when some are, 0 when none is or something is forbidden.

        Raises `TooSlow` when a pattern can't be searched in time: then the response has no score.
        """
        if self.forbidden and self.forbidden.stand_in(response):
            return 0
        text = comparable(response)
        fulfilled, start = 0, 0
        for group in self.groups:
            end = group.end_in(text, start)
            if end is not None:
                fulfilled += 1
                start = end if self.in_order else 0
        fulfilled += sum(requirement.holds(response) for requirement in self.others)
        return 2 if fulfilled == len(self.groups) + len(self.others) else min(fulfilled, 1)


def read_check(check: Any) -> Check:
    """Read a check as it stands in a suite or in the store; raises `BadCheck`."""
    known = {*ASKING, *BESIDE, "none_of"}
    if not isinstance(check, dict) or not set(check) <= known:
        raise BadCheck(f"a check is an object with {', '.join(f'`{key}`' for key in sorted(known))} only")
    if not any(key in check for key in ASKING):
        raise BadCheck(f"a check must ask for something: {', '.join(f'`{key}`' for key in ASKING)}")
    for key, beside in BESIDE.items():
        if key in check and beside not in check:
            raise BadCheck(f"`{key}` goes with `{beside}`, which is missing")
    groups, right = _read_groups(check)
    others: list[Requirement] = []
    for key, read in _READERS.items():
        if key in check:
            requirement, strings = read(check)
            others.append(requirement)
            right |= strings
    return Check(tuple(groups), check.get("in_order", False), tuple(others), _read_none_of(check, right))


def _read_groups(check: dict[str, Any]) -> tuple[list[Group], set[str]]:
    """The groups, and all their strings."""
    if "groups" not in check:
        return [], set()
    if not isinstance(check["groups"], list) or not check["groups"]:
        raise BadCheck("`groups` must be a list of at least one group")
    if not isinstance(check.get("in_order", False), bool):
        raise BadCheck("`in_order` must be true or false")
    groups, right = [], set()
    for number, group in enumerate(check["groups"], 1):
        if not isinstance(group, dict) or not set(group) <= {"any_of", "at_least"}:
            raise BadCheck(f"group {number} must be an object with `any_of` and `at_least` and nothing else")
        strings = _strings(group.get("any_of"), f"`any_of` of group {number}")
        at_least = group.get("at_least", 1)
        if not _is_whole(at_least) or not 1 <= at_least <= len(strings):
            raise BadCheck(f"`at_least` of group {number} must be a number from 1 to {len(strings)}")
        groups.append(Group(any_of(strings), at_least))
        right |= strings
    return groups, right


def _read_references(check: dict[str, Any]) -> tuple[Requirement, set[str]]:
    strings = _strings(check["references"], "`references`")
    return References(any_of(strings)), strings


def _read_number(check: dict[str, Any]) -> tuple[Requirement, set[str]]:
    value, tolerance = check["number"], check.get("tolerance", 0)
    if not _is_finite(value):
        raise BadCheck("`number` must be a number, such as 42 or 0.5")
    if not _is_finite(tolerance) or tolerance < 0:
        raise BadCheck("`tolerance` must be a number from 0 on")
    # Read from its decimal digits: 0.1 is a tenth, and not the nearest binary number.
    return RightNumber(Fraction(str(value)), Fraction(str(tolerance))), set()


def _read_choice(check: dict[str, Any]) -> tuple[Requirement, set[str]]:
    labels = check.get("of")
    if not isinstance(labels, list) or len(labels) < 2:
        raise BadCheck("`of` must be a list of at least two labels")
    wordings = [
        _strings([label] if isinstance(label, str) else label, f"label {number} of `of`")
        for number, label in enumerate(labels)
    ]
    seen: set[str] = set()
    for strings in wordings:
        if shared := sorted(seen & strings):
            raise BadCheck(f"{shared[0]!r} is a wording of two labels of `of`")
        seen |= strings
    right = _chosen(check["choice"], wordings)
    return Choice(any_of(seen), frozenset(right)), set(right)


def _chosen(choice: Any, wordings: list[set[str]]) -> set[str]:
    if isinstance(choice, str):
        for strings in wordings:
            if comparable(choice) in strings:
                return strings
        raise BadCheck(f"`choice` {choice!r} is none of the labels of `of`")
    if not _is_whole(choice) or not 0 <= choice < len(wordings):
        raise BadCheck(f"`choice` must be a label of `of`, or its place from 0 to {len(wordings) - 1}")
    return wordings[choice]


def _read_pattern(check: dict[str, Any]) -> tuple[Requirement, set[str]]:
    pattern = check["pattern"]
    if not isinstance(pattern, str) or not 0 < len(pattern) <= MOST_PATTERN:
        raise BadCheck(f"`pattern` must be a regular expression of at most {MOST_PATTERN} characters")
    try:
        requirement = compile_pattern(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        raise BadCheck(f"`pattern` is no regular expression: {error}") from None
    if requirement.holds(""):
        raise BadCheck("`pattern` is found even in an empty response")
    return requirement, set()


def _read_each_word(check: dict[str, Any]) -> tuple[Requirement, set[str]]:
    asked = check["each_word"]
    ends = ("starts_with", "ends_with")
    if not isinstance(asked, dict) or not set(asked) <= {*ends, "at_least"} or not set(asked) & set(ends):
        raise BadCheck(
            "`each_word` must be an object with `starts_with`, `ends_with` or both, and `at_least`"
        )
    letters = {}
    for end in ends:
        value = asked.get(end)
        if end in asked and (not isinstance(value, str) or len(value.split()) != 1):
            raise BadCheck(f"`{end}` of `each_word` must be letters without a space")
        letters[end] = comparable(value or "")
    at_least = asked.get("at_least")
    if "at_least" in asked and (not _is_whole(at_least) or at_least < 1):
        raise BadCheck("`at_least` of `each_word` must be a number from 1 on")
    return EachWord(letters["starts_with"], letters["ends_with"], at_least), set()


def _read_none_of(check: dict[str, Any], right: set[str]) -> Forbidden | None:
    if "none_of" not in check:
        return None
    strings = _strings(check["none_of"], "`none_of`")
    if both := sorted(strings & right):
        raise BadCheck(f"{both[0]!r} is both right and in `none_of`")
    return Forbidden(any_of(strings | right), frozenset(strings))


_READERS: dict[str, Callable[[dict[str, Any]], tuple[Requirement, set[str]]]] = {
    "references": _read_references,
    "number": _read_number,
    "choice": _read_choice,
    "pattern": _read_pattern,
    "each_word": _read_each_word,
}


def _strings(value: Any, name: str) -> set[str]:
    """A list of strings, comparable."""
    if not isinstance(value, list) or not all(isinstance(string, str) for string in value):
        raise BadCheck(f"{name} must be a list of strings")
    strings = {comparable(string) for string in value}
    if not strings or "" in strings:
        raise BadCheck(f"{name} must hold at least one string and no empty one")
    return strings


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_finite(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
