"""Labels of figures put in lines and shortened until they fit, measured with the font that draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import regex

from core.text.scripts import WIDE
from core.text.visible import visible

if TYPE_CHECKING:
    from matplotlib.backends.backend_agg import RendererAgg

LINE_HEIGHT = 1.25

# Dots an inch of what is not drawn in vectors, and of what texts are measured with.
DPI = 200

# Where a line may break: at blanks and around each letter of a script without blanks; where that isn't enough
# also behind these signs in a word.
_WORDS = regex.compile(rf"[{WIDE}]|[^\s{WIDE}]+\s*|\s+")
_PARTS = regex.compile(rf"[{WIDE}]|[^\s/_\-.,{WIDE}]*[\s/_\-.,]+|[^\s/_\-.,{WIDE}]+")

# Longer names can't be fitted apart by reading, and would only cost time to measure.
_LONGEST = 400


@dataclass(frozen=True)
class Label:
    """A label as drawn. `full` is the whole name where `text` is not all of it."""

    text: str
    full: str = ""

    @property
    def lines(self) -> int:
        return self.text.count("\n") + 1


class Ruler:
    """How wide texts are, in inches."""

    def __init__(self, families: Sequence[str]) -> None:
        self.families = list(families)
        self._known: dict[tuple[str, float, bool], float] = {}

    @cached_property
    def _renderer(self) -> RendererAgg:
        from matplotlib.backends.backend_agg import RendererAgg

        return RendererAgg(8, 8, DPI)

    def width(self, text: str, size: float, bold: bool = False) -> float:
        """Of the widest line, in inches, `size` being in points."""
        return max(self._line(line, size, bold) for line in text.split("\n"))

    def _line(self, line: str, size: float, bold: bool) -> float:
        known = self._known.get((line, size, bold))
        if known is None:
            from matplotlib.font_manager import FontProperties

            font = FontProperties(family=self.families, size=size, weight="bold" if bold else "normal")
            width, _, _ = self._renderer.get_text_width_height_descent(line, font, False)
            known = self._known[line, size, bold] = float(width) / DPI
        return known

    def fit(self, text: str, width: float, size: float, lines: int = 1, bold: bool = False) -> Label:
        """The text in at most `lines` lines of at most `width` inches; what is too long loses its middle."""
        full = visible(text)
        wrapped: list[str] = []
        for breaks in (_WORDS, _PARTS):
            pieces = breaks.findall(full[:_LONGEST])
            is_enough = breaks is _PARTS or all(self.width(p.rstrip(), size, bold) <= width for p in pieces)
            pieces = [part for piece in pieces for part in self._broken(piece, width, size, bold)]
            wrapped = self._wrapped(pieces, width, size, bold)
            if is_enough and len(wrapped) <= lines and len(full) <= _LONGEST:
                return Label("\n".join(self._even(pieces, wrapped, width, size, bold)))
        head = wrapped[: lines - 1]
        end = full[-_LONGEST:]
        if lines == 1:
            keep = self._longest(full[:_LONGEST], width * 0.5, size, bold)
            first = full[:keep].rstrip() + "…"
            room = width - self.width(first, size, bold)
        else:
            first, room = "…", width - self.width("…", size, bold)
        tail = self._longest(end[::-1], room, size, bold)
        last = first + (end[len(end) - tail :].lstrip() if tail else "")
        return Label("\n".join([*head, last]), full)

    def fit_all(
        self, texts: Sequence[str], width: float, size: float, lines: int = 1, bold: bool = False
    ) -> list[Label]:
        """Each text as `fit` makes it; those that come out alike are numbered."""
        labels = [self.fit(text, width, size, lines, bold) for text in texts]
        seen: dict[str, int] = {}
        fitted: list[Label] = []
        for text, label in zip(texts, labels, strict=True):
            number = seen[label.text] = seen.get(label.text, 0) + 1
            if number > 1 and label.full:
                sign = f" ({number})"
                label = self.fit(text, width - self.width(sign, size, bold), size, lines, bold)
                label = Label(label.text + sign, label.full)
            fitted.append(label)
        return fitted

    def _wrapped(self, pieces: Sequence[str], width: float, size: float, bold: bool) -> list[str]:
        lines: list[str] = []
        line = ""
        for piece in pieces:
            if line and self.width((line + piece).rstrip(), size, bold) > width:
                lines.append(line.rstrip())
                line = piece.lstrip()
            else:
                line += piece
        return [*lines, line.rstrip()] if line.rstrip() or not lines else lines

    def _even(
        self, pieces: Sequence[str], wrapped: list[str], width: float, size: float, bold: bool
    ) -> list[str]:
        """The pieces in as many lines as `wrapped`, of about one length."""
        narrow, wide = width / max(len(wrapped), 1), width
        for _ in range(5 if len(wrapped) > 1 else 0):
            middle = (narrow + wide) / 2
            lines = self._wrapped(pieces, middle, size, bold)
            if len(lines) == len(wrapped) and all(self.width(line, size, bold) <= width for line in lines):
                wrapped, wide = lines, middle
            else:
                narrow = middle
        return wrapped

    def _broken(self, piece: str, width: float, size: float, bold: bool) -> list[str]:
        """A piece that is wider than a line in parts that are not."""
        parts: list[str] = []
        while self.width(piece.rstrip(), size, bold) > width and len(piece) > 1:
            keep = max(self._longest(piece, width, size, bold), 1)
            parts.append(piece[:keep])
            piece = piece[keep:]
        return [*parts, piece]

    def _longest(self, text: str, width: float, size: float, bold: bool) -> int:
        """How many of the text's first letters fit."""
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self.width(text[:middle], size, bold) <= width:
                low = middle
            else:
                high = middle - 1
        return low


def in_full(labels: Sequence[Label]) -> list[str]:
    """What a figure's note must say about its labels: the whole names of those that were shortened."""
    shortened = dict.fromkeys(
        f"“{label.text.replace(chr(10), ' ')}” is {label.full}" for label in labels if label.full
    )
    return [f"Shortened: {'; '.join(shortened)}."] if shortened else []
