"""The legend above a figure: as many columns as its names leave room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.report.charts.labels import Label, Ruler
from core.report.charts.style import PAGE, TEXT_SIZE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_HANDLE = 0.42
_GAP = 0.2
_LINE = 0.17
_TOP = 0.04


class Legend:
    """Names of series, fitted. `height` in inches; nothing where there is only one nameless series."""

    def __init__(self, names: Sequence[str], ruler: Ruler, width: float = PAGE) -> None:
        widest = max(
            (ruler.width(label.text, TEXT_SIZE) for label in ruler.fit_all(names, width, TEXT_SIZE)),
            default=0,
        )
        self.columns = max(min(int(width / (widest + _HANDLE + _GAP)), len(names)), 1)
        self.labels: list[Label] = ruler.fit_all(names, width / self.columns - _HANDLE - _GAP, TEXT_SIZE)
        rows = -(-len(names) // self.columns)
        self.height = rows * _LINE + 0.08 + _TOP if names else 0.0

    def draw(self, figure: Figure, handles: Sequence[Any], left: float) -> None:
        """`handles`: what stands before each name, in order. `left` in inches."""
        if not self.labels:
            return
        across, down = figure.get_size_inches()
        figure.legend(
            handles=list(handles),
            labels=[label.text for label in self.labels],
            loc="upper left",
            bbox_to_anchor=(left / across, 1 - _TOP / down),
            ncols=self.columns,
            frameon=False,
            fontsize=TEXT_SIZE,
            borderaxespad=0.1,
            borderpad=0.1,
            labelspacing=0.35,
            handlelength=2.6,
            handletextpad=0.6,
            columnspacing=1.4,
        )
