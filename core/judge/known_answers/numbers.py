"""The numbers of a response, and whether the right one is its answer.

How numbers are read. The digits may be of any script. 1,234.5 and 1 234,5 and 1.234,5 and 1234.5 are the same
number: groups of three digits are told apart by one of `,` `.` `'` or a space (no-break, thin or plain), and
the decimal mark is `,` or `.` (or the Arabic ones). A minus sign (- − –) belongs to the number right behind
it unless a word or another number stands right before the sign: `-5` is one, `10-5` are two. `3/4`, `1 3/4`
and `1½` are fractions; 12/05/2020 and 12.05.2020 are three numbers each. Digits right behind a letter, as in
`B12`, are a name and no number; words (forty-two, million) and powers of ten are not read.

What can be read in several ways counts in each of them: 1,234 is 1234 and 1.234, `12 345` is 12345 and also
12 and 345, 50% is 50 and 0.5. Models write numbers in one language after the custom of another, so that the
language can't decide; and a wrong answer is hardly ever just the other reading of the right one.

Which number is the answer. Numbers in a response are also operands, years, numbers of a list and repetitions
of the question, before the answer and after it, so neither the first nor the last will do. A *stated result*
is a number behind an equals sign (with no operator behind it, so that in 42 = 17 + 25 the 17 is none), in
\\boxed{}, or behind a word such as `answer` in the same sentence. Where results are stated, one of them or
the last number of the response must be right: `17 + 25 = 43` is not right for 17. Where none is, it is enough
that the right number is there: `42, as of 2024` and `In 2024 there were 42` are right for 42. So a response
that lists many numbers may be right by chance: forbid others with `none_of` where that matters.
"""

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

# Numbers of more digits are no answers, and costly to read.
MOST_DIGITS = 100

_MARKS = str.maketrans(
    dict.fromkeys("\u2007\u2009\u202f", "\u00a0")
    | dict.fromkeys("−﹣－‑‐", "-")
    | dict.fromkeys("'’ʼ", "'")
    | dict.fromkeys("％٪﹪", "%")
    | dict.fromkeys("⁄∕", "/")
    | {"٫": ".", "٬": ",", "＝": "="}
)
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
_VULGAR = re.compile(r"(\d?)([¼-¾⅐-⅞])")

# Repetitions are possessive and spaces bounded, so that hostile text can't make the search quadratic.
_NUMBER = re.compile(
    r"""
      (?<!/) (?:(?P<whole>[0-9]++)[ \u00a0]{1,2})?
      (?P<over>[0-9]++) [ ]?/[ ]? (?P<under>[0-9]++) (?![ ]?/[ ]?[0-9])
    | (?P<spaced>[0-9]{1,3}(?:[ ][0-9]{3}(?![0-9]))++(?:[.,][0-9]++(?![.,][0-9]))?)
    | (?P<run>[0-9]++(?:[.,'\u00a0][0-9]++)*+)
    """,
    re.VERBOSE,
)

# Words behind which the answer stands, in en, fr, pt, ru, de.
_RESULT_WORDS = (
    "answer|answers|result|equals|réponse|résultat|égal|égale|resposta|resultado|igual|"
    "ответ|результат|равно|равна|равен|равняется|antwort|lösung|ergebnis|gleich|ergibt"
)
# How far before a number its mark may begin, in characters.
_BEFORE = 60
_STATED = re.compile(
    rf"""(?: [=≈]\s{{0,3}}[^\w\s=≈]{{0,6}}\s?(?:\\\w{{1,10}}\{{)?
         | \\boxed\{{[^\w]{{0,3}}
         | (?<!\w)(?:{_RESULT_WORDS})(?!\w)[^\d\n.!?;=≈]{{0,40}} )\Z""",
    re.VERBOSE | re.IGNORECASE,
)
_OPERATOR = re.compile(r"\s?(?:[-–+*×·÷/^xх]\s?[\d(]|:\s?\d)", re.IGNORECASE)


@dataclass(frozen=True)
class FoundNumber:
    """A number of a text: all that it can be read as, and whether the text states it as a result."""

    readings: frozenset[Fraction]
    stated: bool


@dataclass(frozen=True)
class RightNumber:
    """The answer `value`, give or take `tolerance` (absolute)."""

    value: Fraction
    tolerance: Fraction

    def holds(self, response: str) -> bool:
        """Whether the response gives this number as its answer, by the module's rules."""
        numbers = numbers_in(response)
        stated = [number for number in numbers if number.stated]
        answers = [*stated, numbers[-1]] if stated else numbers
        return any(
            abs(reading - self.value) <= self.tolerance for number in answers for reading in number.readings
        )


def numbers_in(text: str) -> list[FoundNumber]:
    """The numbers of a text in its order, read by the module's rules."""
    plain = _plain(text)
    numbers = []
    for match in _NUMBER.finditer(plain):
        start = match.start()
        if start and _is_name(plain[start - 1]):
            continue
        first, *others = _readings(match) or [set()]
        if first and match[0].isdigit() and plain[start - 1 : start] == "." and _opens(plain, start - 1):
            first, start = {_decimal("0", match[0])}, start - 1
        if plain[start - 1 : start] in ("-", "–") and _opens(plain, start - 1):
            first = {-value for value in first}
        if plain[match.end() : match.end() + 2].lstrip().startswith("%"):
            first |= {value / 100 for value in first}
        stated = _STATED.search(plain[max(0, start - _BEFORE) : start])
        followed = _OPERATOR.match(plain, match.end())
        numbers.append(FoundNumber(frozenset(first), bool(stated and not followed)))
        numbers += [FoundNumber(frozenset(values), False) for values in others]
    return numbers


def _plain(text: str) -> str:
    """The text with the digits 0-9 only, one sign for each mark, and 1½ as 1 1/2."""
    whole = _VULGAR.sub(_spelt_out, text)
    plain = unicodedata.normalize("NFC", whole).translate(_MARKS)
    return _OTHER_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), plain)


def _spelt_out(match: re.Match[str]) -> str:
    fraction = unicodedata.normalize("NFKC", match[2])
    return f"{match[1]} {fraction}" if match[1] else fraction


def _is_name(before: str) -> bool:
    """Whether digits behind this character are part of a name: letters of scripts with capitals only, for
    others write numbers and words together."""
    return before == "_" or (before.isalpha() and before.lower() != before.upper())


def _opens(text: str, index: int) -> bool:
    """Whether nothing that a number can be subtracted from, or be part of, ends before `index`."""
    return index == 0 or not (text[index - 1].isalnum() or text[index - 1] in ")]}%.")


def _readings(match: re.Match[str]) -> list[set[Fraction]]:
    """The readings of each number of a match; a date is three numbers, anything else is one."""
    if sum(map(str.isdigit, match[0])) > MOST_DIGITS:
        return []
    if match["under"]:
        over, under, whole = Fraction(match["over"]), Fraction(match["under"]), Fraction(match["whole"] or 0)
        if not under:
            return []
        return [{over / under, whole + over / under, whole} if match["whole"] else {over / under}]
    if match["spaced"]:
        merged = _read_run(match[0].replace(" ", "\u00a0"))
        return [merged.union(*(_read_run(piece) for piece in match[0].split(" ")))]
    readings = _read_run(match[0])
    if readings:
        return [readings]
    return [{Fraction(digits)} for digits in re.findall("[0-9]+", match[0])]


def _read_run(run: str) -> set[Fraction]:
    """All readings of digits with marks between them as one number; none when they are no one number."""
    pieces = re.split(r"([.,'\u00a0])", run)
    digits, marks = pieces[0::2], pieces[1::2]
    if not marks:
        return {Fraction(run)}
    readings = set()
    if _is_grouped(digits, marks):
        readings.add(Fraction("".join(digits)))
    before = marks[:-1]
    if marks[-1] in ".," and marks[-1] not in before and (not before or _is_grouped(digits[:-1], before)):
        readings.add(_decimal("".join(digits[:-1]), digits[-1]))
    return readings


def _is_grouped(digits: list[str], marks: list[str]) -> bool:
    """Whether these are groups of three digits behind a first one of up to three, with one mark between."""
    first, *others = digits
    return (
        len(set(marks)) == 1
        and len(first) <= 3
        and not first.startswith("0")
        and all(len(group) == 3 for group in others)
    )


def _decimal(whole: str, decimals: str) -> Fraction:
    return Fraction(f"{whole}.{decimals}")
