"""What a person reads on the compare screen: the place, the columns, their marks."""

import re
from dataclasses import dataclass, field
from itertools import pairwise

CRITERIA = ("helpfulness", "language", "fluency", "accuracy", "logic", "harmlessness")

_TITLE = re.compile(r"([▶─]) (\S+)  ?(\d)/6(.*)")
_ROW = re.compile(r"([▸ ])(" + "|".join(CRITERIA) + r") +([012·–])(?: |$)")
# The line under a text: what was measured of it, and a rule.
_BELOW = re.compile(r" .* ─{2,}")
_STATUS = re.compile(r"· (\d+)/(\d+) ")


@dataclass
class Column:
    """One column: its label, its marks by criterion, and what its title says."""

    label: str
    committed: bool
    commented: bool
    spans: int
    marks: dict[str, str] = field(default_factory=dict)
    text: str = ""

    @property
    def scores(self) -> dict[str, int]:
        return {name: int(mark) for name, mark in self.marks.items() if mark.isdecimal()}


@dataclass
class Seen:
    """`number`: the instruction's, from 1. `column`, `criterion`: where the cursor is, "" where not seen: the
    parts of the screen are drawn one after the other. A score that is not on disk yet is shown with a `?` and
    is not among the marks; the first line then says `saving`, not `saved`."""

    number: int
    columns: list[Column]
    column: str
    criterion: str
    saved: bool
    saving: bool

    @property
    def labels(self) -> list[str]:
        return [column.label for column in self.columns]

    @property
    def place(self) -> tuple[int, str, str]:
        return self.number, self.column, self.criterion


def compare_screen(text: str) -> Seen | None:
    """What stands on the compare screen; None when it is another screen, or not drawn yet."""
    lines = text.split("\n")
    status = _STATUS.search(lines[0])
    title = next((y for y, line in enumerate(lines) if _TITLE.match(line)), None)
    if status is None or title is None:
        return None
    edges = [-1, *(x for x, character in enumerate(lines[title]) if character == "┬"), None]
    seen = Seen(int(status[1]), [], "", "", "● saved" in lines[0], " saving" in lines[0])
    for left, right in pairwise(edges):
        part = slice((left or 0) + 1, right)
        head = _TITLE.match(lines[title][part])
        if head is None:
            return None
        spans = re.search(r"‹(\d+)›", head[4])
        column = Column(head[2], "◆" in head[4], "✎" in head[4], int(spans[1]) if spans else 0)
        below = [line[part] for line in lines[title + 1 :]]
        end = next((y for y, line in enumerate(below) if line.startswith("─") or _BELOW.match(line)), 0)
        column.text = "\n".join(line.rstrip() for line in below[:end])
        for line in below[end:]:
            row = _ROW.match(line)
            if row is not None:
                column.marks[row[2]] = row[3]
                if head[1] == "▶" and row[1] == "▸":
                    seen.criterion = row[2]
        if head[1] == "▶":
            seen.column = column.label
        seen.columns.append(column)
    return seen
