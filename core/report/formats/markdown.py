"""The report as Markdown: sections, tables, and links to the drawn figures."""

import re
from collections.abc import Iterator, Mapping

from core.report.document import Figure, Report, Table
from core.report.formats.cell_text import Dialect, TableText, heading, is_label

# Whatever could begin something in Markdown or HTML, and what would make a link of an address.
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~#&$!]|:(?=//)|(?<=www)\.", re.IGNORECASE)

# What begins a list, or a line that makes a heading of the one above.
_LIST = re.compile(r"^(?:[-+=](?=[-+=\s]|$)|\d{1,9}(?=[.)]))")


def escape(text: str) -> str:
    """The text as Markdown that shows just it, wherever it stands in a line."""
    escaped = _SPECIAL.sub(r"\\\g<0>", text)
    return _LIST.sub(_harmless, escaped)


def _harmless(match: re.Match[str]) -> str:
    sign = match.group()
    return f"\\{sign}" if not sign.isdigit() else f"{sign}\\"


MARKDOWN = Dialect(
    escape=escape,
    bold=lambda text: f"**{text}**",
    raised=lambda letter: f"<sup>{letter}</sup>",
)


def report_markdown(
    report: Report, links: Mapping[str, str] | None = None, captions: Mapping[str, str] | None = None
) -> str:
    """The whole report. `links`: for each figure's key the path of its picture; figures without one are left
    out. `captions`: the texts below them by key, by default their notes."""
    links, captions = links or {}, captions or {}
    lines = [f"# {MARKDOWN.text(report.title)}", ""]
    lines += [f"* {MARKDOWN.text(line)}" for line in report.about]
    for section in report.sections:
        lines += ["", f"## {MARKDOWN.text(section.title)}"]
        for paragraph in section.text:
            lines += ["", MARKDOWN.text(paragraph)]
        for table in section.tables:
            lines += ["", table_markdown(table).rstrip()]
        for figure in section.figures:
            if figure.key in links:
                lines += ["", *_figure(figure, links[figure.key], captions.get(figure.key, figure.note))]
    return "\n".join(lines) + "\n"


def table_markdown(table: Table) -> str:
    """A table with its title above it and its notes below; the groups of columns stand in the headings."""
    return "\n".join(_table(table)) + "\n"


def _table(table: Table) -> Iterator[str]:
    text = TableText(table, MARKDOWN)
    yield f"### {MARKDOWN.text(table.title)}"
    yield ""
    if not table.rows:
        yield "No rows."
    else:
        yield _row(MARKDOWN.text(heading(column)) for column in table.columns)
        yield _row(":--" if is_label(column) else "--:" for column in table.columns)
        for row in table.rows:
            yield _row(str(text.cell(column, cell)) for column, cell in zip(table.columns, row, strict=True))
    for note in text.notes():
        yield ""
        yield note


def _row(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figure(figure: Figure, link: str, caption: str) -> Iterator[str]:
    title = MARKDOWN.text(figure.title)
    yield f"### {title}"
    yield ""
    yield f"![{title}]({link})"
    if caption:
        yield ""
        yield MARKDOWN.text(caption)
