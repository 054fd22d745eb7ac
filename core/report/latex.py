"""A table as LaTeX with booktabs, for a paper: grouped headings, caption, label and notes.

The file says at its head which packages it needs. It compiles with pdfLaTeX, XeLaTeX and LuaLaTeX.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from core.report.cell_text import CellText, Dialect, TableText, is_label
from core.report.latex_text import escape, macros_of
from core.report.table import Cell, Column, Table

LATEX = Dialect(
    escape=escape,
    bold=lambda text: rf"\textbf{{{text}}}",
    raised=lambda letter: rf"\textsuperscript{{{letter}}}",
    minus=r"\ensuremath{-}",
    dash=r"\textendash{}",
    percent=r"\%",
)

PREAMBLE = (
    r"\usepackage[T2A,T1]{fontenc}",
    r"\usepackage{booktabs,array,graphicx}",
)

# In characters: a column of a two-column page, a whole page, and a label that is put in lines.
_COLUMN = 48
_PAGE = 100
_LABEL = 40

# Rows of a page; what goes on does so in a table of its own.
_ROWS = 42


def table_latex(table: Table) -> str:
    """The table as one or, where it is longer than a page, several `table` environments."""
    text = TableText(table, LATEX)
    rows = [
        [text.cell(column, cell) for column, cell in zip(table.columns, row, strict=True)]
        for row in table.rows
    ]
    layout = _Layout(table)
    length = _ROWS // 2 if layout.beneath else _ROWS
    parts = [rows[start : start + length] for start in range(0, len(rows), length)] or [[]]
    body: list[str] = []
    for place, part in enumerate(parts):
        notes = text.notes(n_shown=False) if place == len(parts) - 1 else []
        body += _environment(table, layout, part, notes, continued=place > 0)
    needs = [f"% In the preamble: {line}" for line in PREAMBLE]
    return "\n".join([*needs, *macros_of("\n".join(body)), *body]) + "\n"


class _Layout:
    """What the width of the table decides, estimated in characters."""

    def __init__(self, table: Table) -> None:
        self.table = table
        widths = [
            _Width(column, [row[place] for row in table.rows]) for place, column in enumerate(table.columns)
        ]
        inline = sum(max(w.name, w.value + w.interval) + 2 for w in widths)
        self.beneath = inline > _PAGE and any(w.interval for w in widths)
        wide = sum(max(w.name, w.value, w.interval) + 2 for w in widths) if self.beneath else inline
        self.is_wide = wide > _COLUMN
        self.rotated = wide > _PAGE
        self.columns = "".join(_column(w, len(table.columns)) for w in widths)


class _Width:
    """How wide a column's heading, values and intervals are, at the size that they are set in."""

    def __init__(self, column: Column, cells: Sequence[Cell]) -> None:
        self.is_label = is_label(column)
        texts = [str(cell.value) for cell in cells if isinstance(cell.value, str)]
        self.longest = max([len(column.name), *map(len, texts)])
        self.name = min(len(column.name), _LABEL)
        self.value = min(max(map(len, texts), default=4), _LABEL) if self.is_label else 5
        has_interval = not self.is_label and any(cell.low is not None for cell in cells)
        self.interval = 9 if has_interval else 0


def _column(width: _Width, columns: int) -> str:
    if not width.is_label:
        return "r"
    if width.longest <= _LABEL:
        return "l"
    share = 0.3 if columns > 3 else 0.45
    return rf">{{\raggedright\arraybackslash}}p{{{share}\linewidth}}"


def _environment(
    table: Table, layout: _Layout, rows: Sequence[Sequence[CellText]], notes: Sequence[str], continued: bool
) -> Iterator[str]:
    name = "table*" if layout.is_wide else "table"
    caption = LATEX.text(table.title) + (" (continued)" if continued else "")
    yield rf"\begin{{{name}}}[tbp]"
    yield r"\centering\small"
    if continued:
        yield r"\addtocounter{table}{-1}"
    yield rf"\caption{{{caption}}}"
    if not continued:
        yield rf"\label{{tab:{table.key}}}"
    # Narrower than the page it stays as it is; wider, it shrinks to it.
    yield r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    yield rf"\begin{{tabular}}{{{layout.columns}}}"
    yield r"\toprule"
    yield from _headings(table.columns, layout.rotated)
    yield r"\midrule"
    for row in rows:
        yield from _row(row, layout.beneath)
    if not rows:
        yield rf"\multicolumn{{{len(table.columns)}}}{{c}}{{No rows.}} \\"
    yield r"\bottomrule"
    yield r"\end{tabular}}"
    if notes:
        yield r"\par\smallskip"
        yield r"\begin{minipage}{\linewidth}\footnotesize\raggedright"
        yield "\\par\n".join(notes)
        yield r"\end{minipage}"
    yield rf"\end{{{name}}}"


def _headings(columns: Sequence[Column], rotated: bool) -> Iterator[str]:
    if any(column.group for column in columns):
        cells: list[str] = []
        rules: list[str] = []
        start = 1
        for group, members in groupby(columns, key=lambda column: column.group):
            width = len(list(members))
            cells.append(rf"\multicolumn{{{width}}}{{c}}{{{LATEX.text(group)}}}")
            if group:
                rules.append(rf"\cmidrule(lr){{{start}-{start + width - 1}}}")
            start += width
        yield f"{' & '.join(cells)} \\\\"
        yield "".join(rules)
    yield f"{' & '.join(_heading(column, rotated) for column in columns)} \\\\"


def _heading(column: Column, rotated: bool) -> str:
    name = LATEX.text(column.name)
    if is_label(column):
        return name
    return rf"\rotatebox{{90}}{{{name}}}" if rotated else rf"\multicolumn{{1}}{{c}}{{{name}}}"


def _row(row: Sequence[CellText], beneath: bool) -> Iterator[str]:
    small = [rf"{{\scriptsize {cell.interval}}}" if cell.interval else "" for cell in row]
    if not beneath:
        cells = (" ".join(filter(None, (cell.value, part))) for cell, part in zip(row, small, strict=True))
        yield f"{' & '.join(cells)} \\\\"
        return
    yield f"{' & '.join(cell.value for cell in row)} \\\\"
    if any(small):
        yield f"{' & '.join(small)} \\\\[2pt]"
