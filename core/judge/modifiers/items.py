"""`num_items_N`: the answer lists exactly N items."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.judge.modifiers.length import length_of, sentences_of
from core.judge.modifiers.list_marks import Mark, read_mark
from core.judge.modifiers.verdict import Verdict, counted
from core.text.prose import blank_code
from core.text.sentences import sentences

# Columns by which an item may stand further right than the outermost one and is not nested yet.
_SAME_LEVEL = 2
_SHORT_LINE, _SHORT_LINE_INTRODUCED = 12, 40
_SHORT_PIECE, _FIRST_PIECE = 6, 10
_FEW_SENTENCES, _FEW_WORDS = 3, 60

_INLINE_NUMBER = re.compile(r"(?:\A|(?<=[\s:;,.]))\(?([0-9]{1,3})(?:\.(?=\s)|\))(?=\s*+[^\s0-9])|([①-⑳])")
_INLINE_SIGN = re.compile(r"(?:\A|(?<=\s))(?:-->|→|[•●▪■])(?=\s?\S)")
_TABLE_LINE = re.compile(r"\s*\|?[\s:|-]*-[\s:|-]*\|[\s:|-]*\Z")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+\S")
_COMMAS = re.compile(r"\s*[,;，、；]\s*")
_AND = re.compile(r"\s+(?:and|or|et|ou|e|и|или|und|oder|y|&)\s+", re.IGNORECASE)
_LEADING_AND = re.compile(r"\A(?:and|or|et|ou|e|и|или|und|oder|y|&)\s+", re.IGNORECASE)
_ENDS_SENTENCE = re.compile(r"[.!?…。！？]['\"»”)]{0,3}\s*\Z")
_ENDS_INTRODUCTION = re.compile(r"[:：][*_]{0,3}\s*\Z")


@dataclass(frozen=True)
class ItemCount:
    """How many items were found, and what sort of items they are, in the plural."""

    count: int
    sort: str


@dataclass(frozen=True)
class Items:
    """Exactly `number` items, as `count_items` counts them."""

    number: int

    @property
    def definition(self) -> str:
        return (
            f"Exactly {self.number} items at the top level of the list. Items are lines with a number, "
            "letter or bullet; if there are none, then numbers in running text, rows of a table, headings "
            "of one level, lines without marks after an introduction, or what commas separate. Two lists "
            "are counted together when both are numbered or both bulleted; beside a numbered one a "
            "bulleted one is not counted."
        )

    @property
    def demand(self) -> str:
        return f"The response lists exactly {self.number} items, no more and no fewer."

    def judge(self, text: str) -> Verdict:
        items = count_items(text)
        reason = counted(items.count, items.sort)
        return Verdict(
            items.count == self.number,
            reason if items.count == self.number else f"{reason}, not {self.number}",
        )


def count_items(text: str) -> ItemCount:
    """Count the items that a response lists; the first of these that finds two or more decides:

    1. lines that begin with a mark (`list_marks`). Only the outermost level counts: by indentation, and
       where marks of several kinds stand at one level, the kind of the first mark when it comes again after
       another (`1. - - 2. - -`); otherwise numbers before letters before bullets (six numbered items, then
       bulleted tips: six). A mark without anything behind it (the text was cut off) is no item. Paragraphs
       between the items, before and after them don't matter, and two lists of the chosen kind are one;
    2. numbers that count up from 1, or repeated signs, in running text: `1) Mars 2) Venus`, `• Mars • Venus`;
    3. rows of a table, without its head;
    4. headings, of the outermost level that has two;
    5. where no line has a mark, lines, or paragraphs of one line: all of them short (12 words, or 40 behind a
       line that ends in a colon); a first or last one that ends as a sentence does is no item where most
       others don't;
    6. where no line has a mark, in a response of at most 3 sentences and 60 words, what commas, semicolons
       and `and` separate in the sentence that has most of them, or behind its colon, when the pieces are
       short (6 words; the first one, that may begin the sentence, 10).
    """
    lines = text.splitlines()
    marks = _marks(lines)
    chosen = _outermost([mark for mark in marks if mark is not None])
    by_mark = ItemCount(len(chosen), _sort(chosen))
    inline = _in_running_text(text)
    numbers = [mark.number for mark in chosen]
    # `1. Mars 2. Venus` on one line, `3. Earth 4. Saturn` on the next.
    skips = any(a is not None and b is not None and b > a + 1 for a, b in pairwise(numbers))
    if by_mark.count >= 2 and not (skips and inline.count > by_mark.count):
        return by_mark
    others: list[Callable[[], ItemCount]] = [
        lambda: inline,
        lambda: ItemCount(_table_rows(lines), "rows"),
        lambda: ItemCount(_headings(lines), "headings"),
    ]
    if not by_mark.count:
        # `Windows 95` alone on its line is an item, `3.` is not.
        unmarked = [line for line in lines if (mark := read_mark(line)) is None or mark.kind == "worded"]
        others.append(lambda: ItemCount(_plain_lines(unmarked), "lines"))
        others.append(lambda: ItemCount(_separated(text), "pieces between commas"))
    for count in others:
        items = count()
        if items.count >= 2:
            return items
    return by_mark if by_mark.count else ItemCount(min(1, sum(map(_is_visible, lines))), "items")


def _marks(lines: Sequence[str]) -> list[Mark | None]:
    """The mark of each line, None for lines without one and for marks with nothing behind them."""
    marks = [read_mark(line) for line in lines]
    for index, mark in enumerate(marks):
        if mark is None or _is_visible(mark.rest):
            continue
        below = index + 1
        if below >= len(lines) or marks[below] is not None or not _is_visible(lines[below]):
            marks[index] = None
    return marks


def _outermost(marks: Sequence[Mark]) -> list[Mark]:
    edge = min((mark.indent for mark in marks), default=0) + _SAME_LEVEL
    level = [mark for mark in marks if mark.indent < edge]
    if not level:
        return []
    first = level[0].kind
    kinds = [mark.kind for mark in level]
    last_of_first = len(kinds) - 1 - kinds[::-1].index(first)
    if any(kind != first for kind in kinds[:last_of_first]):
        return [mark for mark in level if mark.kind == first]
    for kind in ("heading", "worded", "number", "letter"):
        if kinds.count(kind) >= 2 or (kind in kinds and len(set(kinds)) == 1):
            return [mark for mark in level if mark.kind == kind]
    return [mark for mark in level if mark.is_bullet]


def _sort(marks: Sequence[Mark]) -> str:
    if not marks:
        return "items"
    return (
        "bulleted items"
        if marks[0].is_bullet
        else "lettered items"
        if marks[0].kind == "letter"
        else "numbered items"
    )


def _in_running_text(text: str) -> ItemCount:
    reached, together, last_line = 0, False, -1
    for line_number, line in enumerate(blank_code(text).splitlines()):
        for match in _INLINE_NUMBER.finditer(line):
            number = int(match[1]) if match[1] else ord(match[2]) - 0x245F
            if number == reached + 1:
                together = together or line_number == last_line
                reached, last_line = number, line_number
    # Numbers that each begin a line of their own are marks, or the `(Verse 1)` of a song.
    if together:
        return ItemCount(reached, "numbers in running text")
    return ItemCount(len(_INLINE_SIGN.findall(text)), "signs in running text")


def _table_rows(lines: Sequence[str]) -> int:
    for index, line in enumerate(lines):
        if index and "|" in lines[index - 1] and _TABLE_LINE.match(line):
            rows = 0
            while index + 1 + rows < len(lines) and "|" in lines[index + 1 + rows]:
                rows += 1
            return rows
    return 0


def _headings(lines: Sequence[str]) -> int:
    levels = [len(match[1]) for line in lines if (match := _HEADING.match(line))]
    return next((count for level in sorted(set(levels)) if (count := levels.count(level)) >= 2), 0)


def _plain_lines(lines: Sequence[str]) -> int:
    blocks: list[list[str]] = [[]]
    for line in lines:
        if _is_visible(line):
            blocks[-1].append(line)
        elif blocks[-1] and not line.strip():
            blocks.append([])
    blocks = [block for block in blocks if block]
    if not blocks:
        return 0
    longest = max(blocks, key=len)
    before = blocks[: blocks.index(longest)]
    introduced = bool(before) and _ENDS_INTRODUCTION.search(before[-1][-1]) is not None
    if len(longest) == 1:  # every item is a paragraph
        longest, introduced = [block[0] for block in blocks], False
    if _ENDS_INTRODUCTION.search(longest[0]):
        longest, introduced = longest[1:], True
    longest = _without_sentences_at_the_ends(longest)
    most = _SHORT_LINE_INTRODUCED if introduced else _SHORT_LINE
    return len(longest) if all(len(line.split()) <= most for line in longest) else 0


def _without_sentences_at_the_ends(lines: list[str]) -> list[str]:
    ends = [_ENDS_SENTENCE.search(line) is not None for line in lines]
    if 2 * sum(ends) >= len(lines):
        return lines
    return lines[1 if ends[0] else 0 : len(lines) - 1 if ends[-1] else None]


def _separated(text: str) -> int:
    if len(sentences_of(text)) > _FEW_SENTENCES or length_of(text).words > _FEW_WORDS:
        return 0
    most = 0
    for start, end in sentences(text):
        sentence = text[start:end].rstrip(" .!?…。！？")
        _, colon, behind = sentence.rpartition(": ")
        pieces = [piece for piece in _COMMAS.split(behind if colon else sentence) if _is_visible(piece)]
        if not pieces:
            continue
        pieces[-1] = _LEADING_AND.sub("", pieces[-1], count=1)
        if len(parts := _AND.split(pieces[-1])) == 2:
            pieces[-1:] = parts
        short = [
            len(piece.split()) <= (_SHORT_PIECE if n or colon else _FIRST_PIECE)
            for n, piece in enumerate(pieces)
        ]
        if all(short):
            most = max(most, len(pieces))
    return most


def _is_visible(text: str) -> bool:
    return any(character not in " \t-–—*_=#|~`.·:" and character.isprintable() for character in text)
