"""The modifiers `arrow_template` (points begin with `-->`) and `cap_template` (every word with a capital)."""

import re
from dataclasses import dataclass

from core.judge.modifiers.list_marks import read_mark
from core.judge.modifiers.verdict import Verdict, counted
from core.text.words import APOSTROPHES, words_to_spell

# `-->` and what editors and HTML make of it. `->`, `=>` and `>` are other signs.
_SIGN = r"(?:-{2,3}>|[–—]-?>|-{2}&gt;|[→⟶])"
_AT_START = re.compile(rf"\s*(?:[-*+•]\s{{1,3}}|[0-9]{{1,3}}[.)]\s{{0,3}})?[*_`]{{0,3}}{_SIGN}")
_ANYWHERE = re.compile(rf"(?:\A|(?<=\s)){_SIGN}")


@dataclass(frozen=True)
class Arrow:
    """At least `points` points, all of which begin with the arrow.

    Points are the lines from the first arrow on that begin with an arrow or with another mark of a list
    (`- --> X` and `1. --> X` begin with an arrow). Lines without any mark are the continuation of a point or
    an end; there may be one more of them than points. An introduction stands before the first arrow: at most
    `introduction` lines, without marks. On a single line every arrow after white space begins a point.
    """

    points: int = 2
    introduction: int = 3

    @property
    def definition(self) -> str:
        return (
            f"At least {self.points} points begin with `-->` (or `--->`, `–>`, `—>`, `→`, `⟶`; not `->`) "
            f"and none with another mark of a list; an introduction of at most {self.introduction} lines "
            "may stand before them, and at most one more line without any mark than there are points may "
            "stand among and after them."
        )

    @property
    def demand(self) -> str:
        return (
            "Every point of the response begins with the sign `-->`; an introduction and an ending need none."
        )

    def judge(self, text: str) -> Verdict:
        arrows = introduction = marked = plain = 0
        first = ""
        for line in text.splitlines():
            if not any(map(str.isalnum, line)):
                continue
            if _AT_START.match(line):
                arrows += 1
                first = first or line
            elif _other_mark(line):
                marked += 1
            elif arrows:
                plain += 1
            else:
                introduction += 1
        if arrows == 1:
            arrows = max(1, len(_ANYWHERE.findall(first)))
        reason = f"{counted(arrows, 'points')} with an arrow, {marked} with another mark"
        if arrows < self.points or marked:
            return Verdict(False, reason)
        if introduction > self.introduction:
            return Verdict(False, f"{reason}, {counted(introduction, 'lines')} before the first")
        return Verdict(plain <= arrows + 1, f"{reason}, {counted(plain, 'lines')} without one")


def _other_mark(line: str) -> bool:
    mark = read_mark(line)
    return mark is not None and mark.kind != "heading"


_APOSTROPHE = re.compile(f"[{APOSTROPHES}]")


@dataclass(frozen=True)
class Capitals:
    """At least `share` of the words begin with a capital, the small words of titles (`of`, `и`) too.

    Words are those of `core.text.words`: code, addresses, tags and entities are none. Left out are words that
    begin with a digit or with a letter that has no capital. A word with an apostrophe is right when any of
    its parts begins with a capital: `l'Arbre` and `L'arbre`. Hyphened words are one word: `Какой-то`.
    """

    share: float = 0.9

    @property
    def definition(self) -> str:
        return (
            f"At least {self.share:.0%} of the words begin with a capital, small ones such as `of` "
            "included; code, addresses, numbers and scripts without capitals are left out. `l'Arbre` and "
            "`L'arbre` are both right, and so is a text all in capitals."
        )

    @property
    def demand(self) -> str:
        return "Every word of the response begins with a capital letter."

    def judge(self, text: str) -> Verdict:
        capital = cased = 0
        for start, end in words_to_spell(text):
            # Words begin with a letter or a digit, never with a soft hyphen or the like.
            firsts = [part[0] for part in _APOSTROPHE.split(text[start:end]) if part]
            if not firsts or not _has_case(firsts[0]):
                continue
            cased += 1
            capital += any(first != first.lower() for first in firsts)
        if not cased:
            return Verdict(None, "no word in a script with capitals")
        return Verdict(
            capital >= self.share * cased,
            f"{capital} of {cased} words begin with a capital ({capital / cased:.0%})",
        )


def _has_case(letter: str) -> bool:
    # Georgian letters have capitals in Unicode that no word begins with: `title()` knows.
    return letter.title() != letter.lower()
