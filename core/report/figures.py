"""Figures drawn with matplotlib, for a page of paper: the same figure gives the same bytes."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, cast

from core.extras import needs_extra
from core.report.charts.bar_chart import draw_bar_chart
from core.report.charts.heat_map import draw_heat_map
from core.report.charts.labels import DPI, Ruler
from core.report.charts.line_chart import draw_line_chart
from core.report.charts.style import families_for, settings
from core.report.document import Figure, HeatMap, LineChart
from core.text.visible import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

Picture = Literal["png", "pdf", "svg"]

# The first that is written is the one that Markdown shows.
PICTURES: tuple[Picture, ...] = ("png", "svg", "pdf")

_PICTURES = re.compile("[\u2400-\u241f\u2421]")

# What would tell when and with what the file was made.
_NO_METADATA: dict[Picture, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Creator": None, "Date": None, "Format": None, "Type": None},
}


@dataclass(frozen=True)
class Drawing:
    """A drawn figure. `notes`: the figure's own note and what the drawing adds: shortened names in full."""

    figure: Figure
    canvas: Canvas
    notes: tuple[str, ...]
    families: tuple[str, ...]

    @property
    def caption(self) -> str:
        return " ".join(self.notes)

    def file(self, kind: Picture) -> bytes:
        """The picture's bytes; PNG with `DPI` dots an inch, SVG and PDF in vectors."""
        with _matplotlib(self.families):
            written = io.BytesIO()
            self.canvas.savefig(written, format=kind, dpi=DPI, metadata=_NO_METADATA[kind])
            return written.getvalue()


def draw(figure: Figure) -> Drawing:
    """Draw a figure. Needs the extra `report`; raises `XlitError` where it is missing.

    Letters come from DejaVu Sans, which comes with matplotlib and has Latin, Greek and Cyrillic; those of
    other scripts from a font that is installed, and are boxes where there is none: the note then names them.
    """
    rendered = _visible_figure(figure)
    texts = list(_texts(rendered))
    with needs_extra("report", "Drawing figures"):
        families, is_missing = families_for(texts)
    with _matplotlib(families):
        canvas, notes = _drawn(rendered, Ruler(families))
    if is_missing:
        names = (text for text in texts if families_for([text])[1])
        notes.append(f"No font that is installed has all letters of: {'; '.join(dict.fromkeys(names))}.")
    return Drawing(figure, canvas, tuple(filter(None, (rendered.note, *notes))), families)


def _drawn(figure: Figure, ruler: Ruler) -> tuple[Canvas, list[str]]:
    if isinstance(figure, HeatMap):
        return draw_heat_map(figure, ruler)
    if isinstance(figure, LineChart):
        return draw_line_chart(figure, ruler)
    return draw_bar_chart(figure, ruler)


def _visible_figure(figure: Figure) -> Figure:
    """The figure with all of its texts as they can be drawn."""
    if isinstance(figure, HeatMap):
        return replace(
            figure,
            panels=_all_drawable(figure.panels),
            rows=_all_drawable(figure.rows),
            columns=_all_drawable(figure.columns),
            row_label=_drawable(figure.row_label),
            column_label=_drawable(figure.column_label),
            note=_drawable(figure.note),
        )
    if isinstance(figure, LineChart):
        return replace(
            figure,
            panels=tuple(
                (_drawable(title), tuple(replace(line, name=_drawable(line.name)) for line in lines))
                for title, lines in figure.panels
            ),
            x_label=_drawable(figure.x_label),
            y_label=_drawable(figure.y_label),
            note=_drawable(figure.note),
        )
    return replace(
        figure,
        rows=_all_drawable(figure.rows),
        series={_drawable(name): dots for name, dots in figure.series.items()},
        x_label=_drawable(figure.x_label),
        note=_drawable(figure.note),
    )


def _all_drawable(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(_drawable, texts))


def _drawable(text: str) -> str:
    """The text made visible; the pictures of controls (`␛`), which hardly any font has, as `⟨U+001B⟩`."""
    return _PICTURES.sub(lambda picture: f"⟨U+{_control_of(picture.group()):04X}⟩", visible(text))


def _control_of(picture: str) -> int:
    return 0x7F if picture == "␡" else ord(picture) - 0x2400


def _texts(figure: Figure) -> Iterator[str]:
    """What is written into the figure."""
    if isinstance(figure, HeatMap):
        yield from (*figure.panels, *figure.rows, *figure.columns, figure.row_label, figure.column_label)
    elif isinstance(figure, LineChart):
        for title, lines in figure.panels:
            yield title
            yield from (line.name for line in lines)
        yield from (figure.x_label, figure.y_label)
    else:
        yield from (*figure.rows, *figure.series, figure.x_label)


@contextmanager
def _matplotlib(families: tuple[str, ...]) -> Iterator[None]:
    """matplotlib with the figures' settings, whatever the user's own are, and quiet about lacking letters."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(cast(Any, settings(families)))
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield
