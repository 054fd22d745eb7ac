"""How things look: roles that text may play, and the palettes that give each role a style.

Every palette leaves the terminal's own background alone, so that a change of style costs few bytes on a slow
line. No meaning hangs on a colour alone: each role that means something also has an attribute of its own
(bold, underlined, reversed ...) or stands beside a glyph or a word.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Flag, auto

from rich.style import Style

# Textual's theme that draws with the terminal's palette and leaves its background alone.
TEXTUAL_THEME = "ansi-dark"


class Look(Flag):
    """The roles of a piece of text; a piece may play several at once (`Look.MISSPELT | Look.DIFFERENT`)."""

    PLAIN = 0
    QUIET = auto()
    STRONG = auto()
    HEADING = auto()
    DONE = auto()
    DIFFERS = auto()  # a score that is not the judge's
    FAILED = auto()
    LOW = auto()  # mean scores of the heat map, from low to high
    MIDDLE = auto()
    HIGH = auto()
    DIFFERENT = auto()  # words that the base column has not
    MISSPELT = auto()
    FOREIGN = auto()  # a stretch in another language
    ERROR = auto()  # an error span of the reviewer's
    HIT = auto()  # what was searched for
    CURRENT = auto()  # under the cursor
    CHOSEN = auto()  # the stretch of text that is chosen


@dataclass(frozen=True)
class Palette:
    """A style for each role; of several roles the styles add up, the later ones in `Look` win."""

    name: str
    help: str
    styles: Mapping[Look, str]
    _made: dict[Look, Style] = field(default_factory=dict, compare=False)

    def style(self, look: Look) -> Style:
        """The style of a piece that plays these roles."""
        if look not in self._made:
            parts = [Style.parse(self.styles[role]) for role in look]
            self._made[look] = Style.combine(parts) if parts else Style.null()
        return self._made[look]


_SHAPES = {
    Look.QUIET: "dim",
    Look.STRONG: "bold",
    Look.HEADING: "bold",
    Look.DONE: "not bold",
    Look.DIFFERS: "bold",
    Look.FAILED: "bold",
    Look.LOW: "bold",
    Look.MIDDLE: "",
    Look.HIGH: "",
    Look.DIFFERENT: "bold",
    Look.MISSPELT: "underline",
    Look.FOREIGN: "italic",
    Look.ERROR: "reverse",
    Look.HIT: "reverse bold",
    Look.CURRENT: "bold reverse",
    Look.CHOSEN: "bold underline reverse",
}


def _coloured(name: str, help: str, colours: Mapping[Look, str]) -> Palette:
    return Palette(name, help, {look: f"{shape} {colours.get(look, '')}" for look, shape in _SHAPES.items()})


PALETTES = {
    palette.name: palette
    for palette in (
        _coloured(
            "dark",
            "for a dark background",
            {
                Look.HEADING: "cyan",
                Look.DONE: "green",
                Look.DIFFERS: "yellow",
                Look.FAILED: "bright_red",
                Look.LOW: "bright_red",
                Look.MIDDLE: "yellow",
                Look.HIGH: "green",
                Look.DIFFERENT: "bright_yellow",
                Look.MISSPELT: "bright_red",
                Look.FOREIGN: "bright_magenta",
                Look.ERROR: "bright_red",
                Look.HIT: "cyan",
            },
        ),
        # On white, the bright half of the 16 colours fades: the dark ones of the 256 are used instead.
        _coloured(
            "light",
            "for a light background",
            {
                Look.QUIET: "not dim color(240)",
                Look.HEADING: "color(25)",
                Look.DONE: "color(22)",
                Look.DIFFERS: "color(94)",
                Look.FAILED: "color(124)",
                Look.LOW: "color(124)",
                Look.MIDDLE: "color(94)",
                Look.HIGH: "color(22)",
                Look.DIFFERENT: "color(130)",
                Look.MISSPELT: "color(124)",
                Look.FOREIGN: "color(90)",
                Look.ERROR: "color(124)",
                Look.HIT: "color(25)",
            },
        ),
        # Blue, orange and their mixtures with grey stay apart in every common colour vision deficiency
        # (Okabe & Ito 2008, jfly.uni-koeln.de/color); here their nearest neighbours of the 256.
        _coloured(
            "colour-blind",
            "blue and orange only, told apart in every common colour vision",
            {
                Look.HEADING: "color(74)",
                Look.DONE: "color(74)",
                Look.DIFFERS: "color(214)",
                Look.FAILED: "color(208)",
                Look.LOW: "color(208)",
                Look.MIDDLE: "",
                Look.HIGH: "color(74)",
                Look.DIFFERENT: "color(214)",
                Look.MISSPELT: "color(208)",
                Look.FOREIGN: "color(74)",
                Look.ERROR: "color(208)",
                Look.HIT: "color(74)",
            },
        ),
        _coloured("monochrome", "no colours at all; also chosen by NO_COLOR", {}),
    )
}


def default_palette() -> Palette:
    """Monochrome where the environment asks for it (no-color.org: NO_COLOR set and not empty), else dark."""
    return PALETTES["monochrome" if os.environ.get("NO_COLOR") else "dark"]


def next_palette(palette: Palette) -> Palette:
    """The palette after this one, round and round."""
    names = list(PALETTES)
    return PALETTES[names[(names.index(palette.name) + 1) % len(names)]]
