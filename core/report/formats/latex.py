"""A table as LaTeX with booktabs, for a paper: grouped headings, caption, label and notes.

The file says at its head which packages it needs. It compiles with pdfLaTeX, XeLaTeX and LuaLaTeX, and so
does any text in it, which prints as it is.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import Literal

from core.report.document import Cell, Column, Table
from core.report.formats.cell_text import CellText, Dialect, TableText, is_label

Script = Literal["plain", "cyrillic", "other"]

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    # Behind the end of a row these two would be read as a part of it.
    "[": "{[}",
    "*": "{*}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "⟨": r"\textlangle{}",
    "⟩": r"\textrangle{}",
    "…": r"\dots{}",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "‘": r"\textquoteleft{}",
    "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
    "„": r"\quotedblbase{}",
    "«": r"\guillemotleft{}",
    "»": r"\guillemotright{}",
    "·": r"\textperiodcentered{}",
    "°": r"\textdegree{}",
    "\u2212": r"\ensuremath{-}",
    "×": r"\ensuremath{\times}",
    "±": r"\ensuremath{\pm}",
    "≥": r"\ensuremath{\geq}",
    "≤": r"\ensuremath{\leq}",
    "→": r"\ensuremath{\rightarrow}",
    "α": r"\ensuremath{\alpha}",
    "κ": r"\ensuremath{\kappa}",
    "ρ": r"\ensuremath{\rho}",
    "\u00a0": "~",
}

# Character sets whose letters are in the font encodings T1 and T2A.
_LATIN = ("latin-1", "iso8859-2", "iso8859-9")
_CYRILLIC = ("iso8859-5",)
_UKRAINIAN_G = "Ґґ"

# Two of these in a row are printed as one other sign.
_LIGATURES = re.compile(r"-(?=-)|,(?=,)")

# Longer words may be broken without a hyphen.
LONGEST = 18

MACROS: dict[Script, str] = {
    "cyrillic": (
        r"\providecommand{\textcyrillic}[1]"
        r"{{\ifdefined\Umathchar\else\fontencoding{T2A}\selectfont\fi #1}}"
    ),
    "other": r"\providecommand{\otherscript}[2]{\ifdefined\Umathchar#1\else#2\fi}",
}


def escape(text: str) -> str:
    """A visible text (see `visible`) as LaTeX.

    Cyrillic stands in `\\textcyrillic{...}` (babel's own where babel is loaded for Russian). Scripts that
    pdfLaTeX has no letters for stand in `\\otherscript{text}{code points}`; `MACROS` defines both.
    """
    written: list[str] = []
    since_blank = 0
    for script, characters in groupby(text, _script):
        parts: list[str] = []
        run = list(characters)
        for character in run:
            since_blank = 0 if character.isspace() else since_blank + 1
            if since_blank > LONGEST:
                parts.append(r"\hspace{0pt}")
                since_blank = 1
            parts.append(_SPECIAL.get(character, character))
        joined = "".join(parts)
        if script == "cyrillic":
            joined = rf"\textcyrillic{{{joined}}}"
        elif script == "other":
            codes = " ".join(f"U+{ord(character):04X}" for character in run)
            joined = rf"\otherscript{{{joined}}}{{[{codes}]}}"
        written.append(joined)
    return _LIGATURES.sub(r"\g<0>{}", "".join(written))


def macros_of(latex: str) -> list[str]:
    """The definitions that an escaped text needs."""
    needed: dict[str, Script] = {r"\textcyrillic": "cyrillic", r"\otherscript": "other"}
    return [MACROS[script] for macro, script in needed.items() if macro in latex]


@cache
def _script(character: str) -> Script:
    if character in _SPECIAL or " " <= character <= "~":
        return "plain"
    if character.isalpha() and _is_in(character, _LATIN):
        return "plain"
    if character in _UKRAINIAN_G or (character.isalpha() and _is_in(character, _CYRILLIC)):
        return "cyrillic"
    return "other"


def _is_in(character: str, codecs: tuple[str, ...]) -> bool:
    return any(character.encode(codec, "ignore") for codec in codecs)


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

# A value with its interval beneath it.
WITH_INTERVAL = (
    r"\providecommand{\withinterval}[2]"
    r"{\begin{tabular}[t]{@{}r@{}}#1\\[-1pt]{\scriptsize #2}\end{tabular}}"
)

# In characters: a column of a two-column page, a whole page, and a label that is put in lines.
_COLUMN = 48
_PAGE = 100
_LABEL = 40

# Headings are turned where that saves so much.
_SAVING = 24

# Lines of a page; what goes on does so in a table of its own.
_LINES = 60


def table_latex(table: Table) -> str:
    """The table as one or, where it is longer than a page, several `table` environments. Where it is wider
    than a page its groups of columns stand below each other."""
    text = TableText(table, LATEX)
    rows = [
        [text.cell(column, cell) for column, cell in zip(table.columns, row, strict=True)]
        for row in table.rows
    ]
    layout = _Layout(table)
    length = max(_LINES // (2 if layout.beneath else 1) // len(layout.blocks), 5)
    parts = [rows[start : start + length] for start in range(0, len(rows), length)] or [[]]
    body: list[str] = []
    for index, part in enumerate(parts):
        notes = text.notes(n_shown=False) if index == len(parts) - 1 else []
        body += _environment(table, layout, part, notes, continued=index > 0)
    needs = [f"% In the preamble: {line}" for line in PREAMBLE]
    macros = macros_of("\n".join(body)) + ([WITH_INTERVAL] if layout.beneath else [])
    return "\n".join([*needs, *macros, *body]) + "\n"


class _Layout:
    """What the width of the table decides, estimated in characters.

    `blocks`: the indices of the columns of each tabular. `beneath`: whether intervals stand below their
    values. `rotated`: whether headings are turned.
    """

    def __init__(self, table: Table) -> None:
        self.widths = [
            _Width(column, [row[index] for row in table.rows]) for index, column in enumerate(table.columns)
        ]
        columns = list(range(len(table.columns)))
        labels = [column for column in columns if self.widths[column].is_label]
        numbers = [column for column in columns if column not in labels]
        self.blocks = [columns]
        self.beneath = self._inline(columns) > _PAGE and any(w.interval for w in self.widths)
        if self._width(columns) > _PAGE and numbers:
            groups = groupby(numbers, key=lambda column: table.columns[column].group)
            self.blocks = [[*labels, *members] for _, members in groups]
        self.is_wide = max(map(self._width, self.blocks)) > _COLUMN
        widest = max(self.blocks, key=self._width)
        saving = sum(max(w.name - max(w.value, w.interval), 0) for w in (self.widths[p] for p in widest))
        self.rotated = self._width(widest) > _PAGE and saving > _SAVING

    def _inline(self, columns: Sequence[int]) -> int:
        return sum(max(w.name, w.value + w.interval) + 2 for w in (self.widths[column] for column in columns))

    def _width(self, columns: Sequence[int]) -> int:
        if not self.beneath:
            return self._inline(columns)
        return sum(max(w.name, w.value, w.interval) + 2 for w in (self.widths[column] for column in columns))


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
    for number, block in enumerate(layout.blocks):
        if number:
            yield r"\par\medskip"
        yield from _tabular(table, layout, block, rows)
    if notes:
        yield r"\par\smallskip"
        yield r"\begin{minipage}{\linewidth}\footnotesize\raggedright"
        yield "\\par\n".join(notes)
        yield r"\end{minipage}"
    yield rf"\end{{{name}}}"


def _tabular(
    table: Table, layout: _Layout, block: Sequence[int], rows: Sequence[Sequence[CellText]]
) -> Iterator[str]:
    columns = [table.columns[index] for index in block]
    # Narrower than the page it stays as it is; wider, it shrinks to it.
    yield r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    yield rf"\begin{{tabular}}{{{''.join(_column(layout.widths[index], len(block)) for index in block)}}}"
    yield r"\toprule"
    yield from _headings(columns, layout.rotated)
    yield r"\midrule"
    for row in rows:
        yield f"{' & '.join(_cell(row[index], layout.beneath) for index in block)} \\\\"
    if not rows:
        yield rf"\multicolumn{{{len(columns)}}}{{c}}{{No rows.}} \\"
    yield r"\bottomrule"
    yield r"\end{tabular}}"


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


def _cell(cell: CellText, beneath: bool) -> str:
    if not cell.interval:
        return cell.value
    if beneath:
        return rf"\withinterval{{{cell.value}}}{{{cell.interval}}}"
    return rf"{cell.value} {{\scriptsize {cell.interval}}}"
