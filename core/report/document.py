"""What a report's tables are, before any format: titled rows of cells with intervals and counts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["text", "score", "percent", "number", "count"]


@dataclass(frozen=True)
class Cell:
    """A number or a text. `low` and `high` are the ends of its 95% interval; `n`: over how many scores, pairs
    or responses; `mark`: a sign behind it (such as `*`), explained in the table's notes; `why`: in words, why
    there is no value. `best`: the best of its column."""

    value: float | int | str | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    mark: str = ""
    why: str = ""
    best: bool = False


@dataclass(frozen=True)
class Column:
    """A column; `group` is the heading above several columns. `kind` says how values are written: `score` and
    `number` with 2 decimals, `percent` (0 to 100) with none, `count` whole. `signed`: with a plus sign, for
    differences."""

    name: str
    kind: Kind = "text"
    group: str = ""
    signed: bool = False


@dataclass(frozen=True)
class Table:
    """A table of the report. `key` names its files (small letters and hyphens); `source`: where in the paper
    its like stands; `notes`: what a reader must know, a sentence each."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.key}: a row of {len(row)} cells for {len(self.columns)} columns")


@dataclass(frozen=True)
class HeatMap:
    """A figure: `panels` side by side, each a grid of numbers that are written into it.

    `values[panel][row][column]`, None where there is nothing; `minimum` to `maximum` is the range of colours.
    `decimals` of the numbers written. The paper's figures 2 and 5 have this arrangement.
    """

    key: str
    title: str
    panels: tuple[str, ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[tuple[float | None, ...], ...], ...]
    minimum: float
    maximum: float
    decimals: int = 2
    row_label: str = ""
    column_label: str = ""
    diverging: bool = False
    note: str = ""


@dataclass(frozen=True)
class Series:
    """A line of a chart: `points` are (x, y, low, high); `chosen` marks points by their indices."""

    name: str
    points: tuple[tuple[float, float | None, float | None, float | None], ...]
    chosen: tuple[int, ...] = ()


@dataclass(frozen=True)
class LineChart:
    """A figure: panels side by side of lines over a common x (logarithmic for learning rates)."""

    key: str
    title: str
    panels: tuple[tuple[str, tuple[Series, ...]], ...]
    x_label: str
    y_label: str
    logarithmic: bool = False
    y_range: tuple[float, float] | None = None
    note: str = ""


@dataclass(frozen=True)
class BarChart:
    """A figure: for every row of `rows` one dot or bar of each series, with its interval, ordered as given.
    `series[name][row]` is (value, low, high) or None. The paper's figure 3 (right) has this arrangement."""

    key: str
    title: str
    rows: tuple[str, ...]
    series: dict[str, tuple[tuple[float, float | None, float | None] | None, ...]]
    x_label: str
    x_range: tuple[float, float] | None = None
    note: str = ""


Figure = HeatMap | LineChart | BarChart


@dataclass(frozen=True)
class Section:
    """A part of the report: `text` are paragraphs in plain words above its tables and figures."""

    title: str
    text: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True)
class Report:
    """All of it. `about`: lines on what it was made from (suite, raters, counts, seed, version)."""

    title: str
    about: tuple[str, ...]
    sections: Sequence[Section] = field(default_factory=tuple)

    def as_dict(self) -> dict[str, Any]:
        """Tables as plain data, for `--json`."""
        return {
            "title": self.title,
            "about": list(self.about),
            "sections": [
                {
                    "title": section.title,
                    "text": list(section.text),
                    "tables": [_plain(t) for t in section.tables],
                }
                for section in self.sections
            ],
        }


def _plain(table: Table) -> dict[str, Any]:
    columns = [f"{column.group} {column.name}".strip() for column in table.columns]
    rows = [
        {
            name: {key: value for key, value in cell.__dict__.items() if _has_content(value)}
            for name, cell in zip(columns, row, strict=True)
        }
        for row in table.rows
    ]
    return {"key": table.key, "title": table.title, "rows": rows, "notes": list(table.notes)}


def _has_content(value: Any) -> bool:
    """Whether it says anything; a 0 does."""
    return value is not None and value is not False and value != ""
