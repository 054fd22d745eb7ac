"""The modifiers `short` and `long`, and how long a text is.

A text is measured in words, in characters where its script has no spaces, and in sentences.

* A word is a piece between white space that holds a letter or a digit.
* Where most letters are of a script written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese),
  the letters of such scripts are counted instead; two of them stand for a word.
* A sentence is what `core.text.sentences` finds, put together again after a number of one or two digits, a
  single letter or a common abbreviation (`Dr. Smith`, `z. B.`, `т. е.`). So every line is at least one
  sentence, and with it every item of a list; a line without a letter or digit is none.
"""

import re
from dataclasses import dataclass

import regex

from core.judge.modifiers.list_marks import read_mark
from core.judge.modifiers.verdict import Verdict, counted
from core.text.scripts import UNSPACED
from core.text.sentences import sentences

CHARACTERS_PER_WORD = 2

_UNSPACED = regex.compile(f"[{UNSPACED}]")
_ABBREVIATIONS = (
    "dr mr mrs ms prof sr sra dra vs nr vol approx ca bzw inkl mme mlle pág ул им гл стр рис проф"
)
_ABBREVIATED = re.compile(
    rf"(?:\A|(?<=[\s(«\"]))(?:[^\W_]|[0-9]{{2}}|{'|'.join(_ABBREVIATIONS.split())})\.\Z", re.IGNORECASE
)


@dataclass(frozen=True)
class Length:
    """`amount` of `unit` (`words` or `characters`), and the same in words."""

    amount: int
    unit: str
    words: float


def length_of(text: str) -> Length:
    """The length of a text in the unit that its script asks for."""
    unspaced = len(_UNSPACED.findall(text))
    if 2 * unspaced > sum(map(str.isalpha, text)):
        return Length(unspaced, "characters", unspaced / CHARACTERS_PER_WORD)
    words = sum(any(map(str.isalnum, piece)) for piece in text.split())
    return Length(words, "words", words)


def sentences_of(text: str) -> list[str]:
    """The sentences of a text, without the marks of lists."""
    sentence_pieces: list[list[str]] = []
    for line in text.splitlines():
        mark = read_mark(line)
        rest = line if mark is None or mark.kind == "worded" else mark.rest
        joined = False
        for start, end in sentences(rest):
            piece = rest[start:end]
            if joined:
                sentence_pieces[-1].append(piece)
            else:
                sentence_pieces.append([piece])
            joined = _ABBREVIATED.search(piece[-12:]) is not None
    joined_up = (" ".join(pieces) for pieces in sentence_pieces)
    return [sentence for sentence in joined_up if any(map(str.isalnum, sentence))]


@dataclass(frozen=True)
class Brevity:
    """At most `sentences` sentences and `words` words; see `modifiers.length` for what counts as one."""

    sentences: int = 5
    words: int = 100

    @property
    def definition(self) -> str:
        return (
            f"At most {self.sentences} sentences, where every line and every item of a list is at least "
            f"one, and at most {self.words} words (in scripts without spaces "
            f"{self.words * CHARACTERS_PER_WORD} letters)."
        )

    @property
    def demand(self) -> str:
        return "The response is brief: it says what is asked in a few sentences and no more."

    def judge(self, text: str) -> Verdict:
        sentences, length = len(sentences_of(text)), length_of(text)
        if not sentences:
            return Verdict(False, "no words")
        reason = f"{counted(sentences, 'sentences')}, {counted(length.amount, length.unit)}"
        return Verdict(sentences <= self.sentences and length.words <= self.words, reason)


@dataclass(frozen=True)
class Detail:
    """At least `words` words, or `letters` letters and digits, as some languages say the same in fewer,
    longer words; a sentence that comes again counts once."""

    words: int = 150
    letters: int = 750

    @property
    def definition(self) -> str:
        return (
            f"At least {self.words} words or {self.letters} letters and digits (in scripts without spaces "
            f"{self.words * CHARACTERS_PER_WORD} letters); a sentence that is repeated counts once."
        )

    @property
    def demand(self) -> str:
        return "The response is detailed: it goes into particulars instead of giving the outline alone."

    def judge(self, text: str) -> Verdict:
        different = {sentence.casefold(): sentence for sentence in sentences_of(text)}
        once = "\n".join(different.values())
        length = length_of(once)
        letters = sum(map(str.isalnum, once))
        enough = length.words >= self.words or (length.unit == "words" and letters >= self.letters)
        reason = counted(length.amount, length.unit)
        return Verdict(
            enough, f"{reason}, {counted(letters, 'letters')}" if length.unit == "words" else reason
        )
