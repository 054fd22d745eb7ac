"""`cap_template`: every word begins with a capital."""

import re
from dataclasses import dataclass

from core.judge.modifiers.verdict import Verdict
from core.judge.surface.words import APOSTROPHES, words

_APOSTROPHE = re.compile(f"[{APOSTROPHES}]")


@dataclass(frozen=True)
class Capitals:
    """At least `share` of the words begin with a capital, the small words of titles (`of`, `и`) too.

    Words are those of `surface.words`: code, addresses, tags and entities are none. Left out are words that
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
        for start, end in words(text):
            # Without soft hyphens and the like, the first of the characters is a letter or a digit.
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
