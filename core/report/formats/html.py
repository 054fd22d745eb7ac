"""The report as one HTML page that needs nothing else: figures are inline SVG, and nothing is asked for."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from itertools import groupby
from string import Template

from core.report.document import Column, Report, Section, Table
from core.report.figures import Drawing
from core.report.formats.cell_text import CellText, Dialect, TableText, is_label

HTML = Dialect(
    escape=escape,
    bold=lambda text: f"<strong>{text}</strong>",
    raised=lambda letter: f"<sup>{letter}</sup>",
)

# Columns above which a printed table needs a page on its side.
_WIDE = 9

# Inches of a drawing up to which a phone shows it whole.
_SMALL = 4.5

# A learning rate, which a line must not break at its hyphen.
_POWER = re.compile(r"(?<![\w.&#])\d{1,9}(?:\.\d{1,9})?e-\d{1,3}(?!\w)")

_PROLOG = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_NOT_SHOWN = re.compile(r"<metadata>.*?</metadata>|<!--.*?-->\s*", re.DOTALL)
_ID = re.compile(r'(?<= id=")|(?<=href="#)|(?<=url\(#)')


def report_html(report: Report, drawings: dict[str, Drawing]) -> str:
    """The page. `drawings`: each figure's key and what `draw` made of it."""
    page = Template(_asset("page.html"))
    return page.substitute(
        title=HTML.text(report.title),
        style=_asset("page.css").strip(),
        about="\n".join(_list(report.about, "about")),
        contents="\n".join(_contents(report)),
        sections="\n".join(
            line
            for place, section in enumerate(report.sections, 1)
            for line in _section(place, section, drawings)
        ),
    )


@cache
def _asset(name: str) -> str:
    return files("core.report.formats").joinpath(name).read_text("utf-8")


def _contents(report: Report) -> Iterator[str]:
    yield "<ul>"
    for place, section in enumerate(report.sections, 1):
        yield f'<li><a href="#section-{place}" dir="auto">{HTML.text(section.title)}</a></li>'
    yield "</ul>"


def _list(texts: Sequence[str], kind: str) -> Iterator[str]:
    if texts:
        yield f'<ul class="{kind}">'
        yield from (f'<li dir="auto">{HTML.text(text)}</li>' for text in texts)
        yield "</ul>"


def _section(place: int, section: Section, drawings: dict[str, Drawing]) -> Iterator[str]:
    yield f'<section id="section-{place}" aria-labelledby="heading-{place}">'
    yield f'<h2 id="heading-{place}" dir="auto">{HTML.text(section.title)}</h2>'
    for paragraph in section.text:
        yield f'<p dir="auto">{HTML.text(paragraph)}</p>'
    for table in section.tables:
        yield from _table(table)
    for figure in section.figures:
        if figure.key in drawings:
            yield from _figure(drawings[figure.key])
    yield "</section>"


def _table(table: Table) -> Iterator[str]:
    text = TableText(table, HTML)
    key = f"table-{table.key}"
    kind = "table wide" if len(table.columns) > _WIDE else "table"
    yield f'<div class="{kind}" id="{key}">'
    yield f'<p class="title" id="{key}-title" dir="auto">{HTML.text(table.title)}</p>'
    if not table.rows:
        yield "<p>No rows.</p>"
    else:
        yield f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{key}-title">'
        yield f'<table aria-labelledby="{key}-title">'
        yield from _headings(table.columns)
        yield "<tbody>"
        for row in table.rows:
            cells = (text.cell(column, cell) for column, cell in zip(table.columns, row, strict=True))
            written = (_cell(place, table.columns, cell) for place, cell in enumerate(cells))
            yield f"<tr>{''.join(written)}</tr>"
        yield "</tbody>"
        yield "</table>"
        yield "</div>"
    notes = text.notes()
    if notes:
        yield '<ul class="notes">'
        yield from (f'<li dir="auto">{note}</li>' for note in notes)
        yield "</ul>"
    yield "</div>"


def _headings(columns: Sequence[Column]) -> Iterator[str]:
    yield "<thead>"
    if any(column.group for column in columns):
        cells: list[str] = []
        start = 0
        for group, members in groupby(columns, key=lambda column: column.group):
            width = len(list(members))
            kind = _class(start, columns)
            if group:
                cells.append(
                    f'<th class="group {kind}" colspan="{width}" scope="colgroup">{HTML.text(group)}</th>'
                )
            else:
                # One cell for each, so that the first can stay in its place.
                cells += [f'<td class="{_class(start + place, columns)}"></td>' for place in range(width)]
            start += width
        yield f"<tr>{''.join(cells)}</tr>"
    names = (
        f'<th class="{_class(place, columns)}" scope="col" dir="auto">{HTML.text(column.name)}</th>'
        for place, column in enumerate(columns)
    )
    yield f"<tr>{''.join(names)}</tr>"
    yield "</thead>"


def _class(place: int, columns: Sequence[Column]) -> str:
    column = columns[place]
    kinds = ["name" if is_label(column) else "number"]
    if place == 0:
        kinds.append("stays")
    elif column.group != columns[place - 1].group:
        kinds.append("begins")
    return " ".join(kinds)


def _cell(place: int, columns: Sequence[Column], cell: CellText) -> str:
    interval = f'<span class="interval">{cell.interval}</span>' if cell.interval else ""
    number = f'<span class="n">n = {cell.n}</span>' if cell.n else ""
    tag, scope = ("th", ' scope="row"') if place == 0 else ("td", "")
    kind = _class(place, columns)
    if is_label(columns[place]):
        value = _POWER.sub(r'<span class="whole">\g<0></span>', cell.value)
        return f'<{tag}{scope} class="{kind}" dir="auto">{value}{interval}{number}</{tag}>'
    return f'<{tag}{scope} class="{kind}">{cell.value}{interval}{number}</{tag}>'


def _figure(drawing: Drawing) -> Iterator[str]:
    figure = drawing.figure
    title = HTML.text(figure.title)
    yield f'<figure id="figure-{figure.key}">'
    yield f'<div class="drawing" role="region" tabindex="0" aria-label="{title}">'
    yield inline_svg(drawing)
    yield "</div>"
    yield f'<figcaption><p class="title" dir="auto">{title}</p>'
    yield from (f'<p dir="auto">{HTML.text(note)}</p>' for note in drawing.notes)
    yield "</figcaption>"
    yield "</figure>"


def inline_svg(drawing: Drawing) -> str:
    """The drawing as an SVG element, its ids made different from those of any other figure, and the figure's
    title and note as the text for those who can't see it."""
    svg = drawing.file("svg").decode("utf-8")
    svg = _NOT_SHOWN.sub("", _PROLOG.sub("", svg, count=1)).strip()
    svg = _ID.sub(f"{drawing.figure.key}-", svg)
    alternative = HTML.text(" ".join([drawing.figure.title, *drawing.notes]))
    small = ' class="small"' if drawing.canvas.get_figwidth() <= _SMALL else ""
    return svg.replace("<svg ", f'<svg{small} role="img" aria-label="{alternative}" ', 1)
