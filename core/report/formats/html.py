"""The report as one HTML page that needs nothing else: figures are inline SVG, and nothing is asked for.

What the page looks like is `page.html`, a Jinja template, and `page.css`; this module gives the template what
it writes: tables as columns, groups of columns and rows of cells, and figures as SVG elements.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from itertools import groupby

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from core.report.document import Report, Section, Table
from core.report.figures import Drawing
from core.report.formats.cell_text import CellText, Dialect, TableText, is_label

HTML = Dialect(
    escape=escape,
    bold=lambda text: f"<strong>{text}</strong>",
    raised=lambda letter: f"<sup>{letter}</sup>",
)

# Inches of a drawing up to which a phone shows it whole.
_SMALL = 4.5

# A learning rate, which a line must not break at its hyphen.
_POWER = re.compile(r"(?<![\w.&#])\d{1,9}(?:\.\d{1,9})?e-\d{1,3}(?!\w)")

_PROLOG = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_NOT_SHOWN = re.compile(r"<metadata>.*?</metadata>|<!--.*?-->\s*", re.DOTALL)
_ID = re.compile(r'(?<= id=")|(?<=href="#)|(?<=url\(#)')


@dataclass(frozen=True)
class PageColumn:
    """A column of a table. `stays`: it is the first, and stays in sight; `begins`: a group begins with it."""

    name: str
    is_label: bool
    stays: bool
    begins: bool


@dataclass(frozen=True)
class PageGroup:
    """`width` columns below one heading, or one column without a group, whose `name` is ""."""

    name: str
    first: PageColumn
    width: int


@dataclass(frozen=True)
class PageCell:
    """A cell in the parts of `CellText`, which are escaped."""

    value: Markup
    interval: Markup
    n: Markup


@dataclass(frozen=True)
class PageTable:
    """A table as the template writes it. `groups`: none where no column has a group; `notes` are escaped."""

    key: str
    title: str
    columns: Sequence[PageColumn]
    groups: Sequence[PageGroup]
    rows: Sequence[Sequence[tuple[PageColumn, PageCell]]]
    notes: Sequence[Markup]


@dataclass(frozen=True)
class PageFigure:
    """A drawn figure as the template writes it; `svg` is an element."""

    key: str
    title: str
    svg: Markup
    notes: Sequence[str]


@dataclass(frozen=True)
class PageSection:
    title: str
    text: Sequence[str]
    tables: Sequence[PageTable]
    figures: Sequence[PageFigure]


def report_html(report: Report, drawings: Mapping[str, Drawing]) -> str:
    """The page. `drawings`: each figure's key and what `draw` made of it."""
    return (
        page_environment()
        .get_template("page.html")
        .render(
            report=report,
            style=Markup(_asset("page.css").strip()),
            sections=[_section(section, drawings) for section in report.sections],
        )
    )


@cache
def page_environment() -> Environment:
    """Jinja with everything escaped, and with the filter `text` for what anybody may have written."""
    environment = Environment(
        loader=FunctionLoader(_asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["text"] = lambda text: Markup(HTML.text(text))
    return environment


@cache
def _asset(name: str) -> str:
    return files("core.report.formats").joinpath(name).read_text("utf-8")


def _section(section: Section, drawings: Mapping[str, Drawing]) -> PageSection:
    drawn = [drawings[figure.key] for figure in section.figures if figure.key in drawings]
    return PageSection(
        section.title,
        section.text,
        [_table(table) for table in section.tables],
        [
            PageFigure(drawing.figure.key, drawing.figure.title, Markup(inline_svg(drawing)), drawing.notes)
            for drawing in drawn
        ],
    )


def _table(table: Table) -> PageTable:
    text = TableText(table, HTML)
    columns = [
        PageColumn(
            column.name,
            is_label=is_label(column),
            stays=index == 0,
            begins=index > 0 and column.group != table.columns[index - 1].group,
        )
        for index, column in enumerate(table.columns)
    ]
    rows = [
        [
            (page_column, _cell(page_column, text.cell(column, cell)))
            for page_column, column, cell in zip(columns, table.columns, row, strict=True)
        ]
        for row in table.rows
    ]
    notes = [Markup(note) for note in text.notes()]
    return PageTable(table.key, table.title, columns, _groups(table, columns), rows, notes)


def _groups(table: Table, columns: Sequence[PageColumn]) -> list[PageGroup]:
    if not any(column.group for column in table.columns):
        return []
    groups: list[PageGroup] = []
    start = 0
    for name, members in groupby(table.columns, key=lambda column: column.group):
        width = len(list(members))
        if name:
            groups.append(PageGroup(name, columns[start], width))
        else:
            # One cell for each, so that the first column can stay in sight.
            groups += [PageGroup("", column, 1) for column in columns[start : start + width]]
        start += width
    return groups


def _cell(column: PageColumn, cell: CellText) -> PageCell:
    value = cell.value
    if column.is_label:
        value = _POWER.sub(r'<span class="whole">\g<0></span>', value)
    return PageCell(Markup(value), Markup(cell.interval), Markup(cell.n))


def inline_svg(drawing: Drawing) -> str:
    """The drawing as an SVG element, its ids made different from those of any other figure, and the figure's
    title and note as the text for those who can't see it."""
    svg = drawing.file("svg").decode("utf-8")
    svg = _NOT_SHOWN.sub("", _PROLOG.sub("", svg, count=1)).strip()
    svg = _ID.sub(f"{drawing.figure.key}-", svg)
    alternative = HTML.text(" ".join([drawing.figure.title, *drawing.notes]))
    small = ' class="small"' if drawing.canvas.get_figwidth() <= _SMALL else ""
    return svg.replace("<svg ", f'<svg{small} role="img" aria-label="{alternative}" ', 1)
