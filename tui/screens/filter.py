"""Choosing which responses are shown: by task, modifier, score and state."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from textual.events import Resize

from core.text.visible import visible
from core.text.wrapping import pad
from store.queries.filters import STATUSES, Filter
from tui import keymap
from tui.review.view import View
from tui.screens.page import PageScreen
from tui.theme import Look
from tui.widgets.lines import Piece
from tui.widgets.page import Cell

GROUPS = {
    "statuses": "state",
    "scores": "your score",
    "tasks": "task",
    "modifiers": "modifier",
    "identified": "language of the response, as identified",
}
STATUS_WORDS = {
    "unscored": "not scored on every criterion",
    "scored": "scored on every criterion",
    "committed": "committed",
    "commented": "with a comment or a marked error",
    "disagreement": "you and the judge differ",
}


class FilterScreen(PageScreen[Filter]):
    """Lines to choose, in groups: one of the chosen lines of each group must fit."""

    NAME = "filter"
    BINDINGS = keymap.bindings(keymap.FILTER)

    def __init__(self, view: View, counts: Mapping[str, Mapping[Any, int]], chosen: Filter) -> None:
        super().__init__("filter", "Space chooses, Enter shows what fits, x chooses nothing, Esc goes back")
        self.view = view
        self.counts = counts
        self.chosen = replace(chosen, responses=None)

    def on_resize(self, event: Resize) -> None:
        self._put(self.page.cell_index)

    def _put(self, cell_index: int) -> None:
        lines: list[list[Piece]] = []
        cells: list[Cell] = []
        for group, title in GROUPS.items():
            members = self._members(group)
            if not members:
                continue
            hidden = group == "identified" and not self.view.open
            note = " (only what you have committed)" if hidden else ""
            lines.append([(f" {title}{note}", Look.HEADING)])
            for member, words in members:
                chosen = member in getattr(self.chosen, group)
                cells.append(Cell(len(lines), 1, 4, (group, member)))
                count = self.counts[group].get(member, 0)
                lines.append(
                    [
                        (" [x] " if chosen else " [ ] ", Look.STRONG if chosen else Look.PLAIN),
                        (pad(visible(words), 44), Look.PLAIN),
                        (f"{count:>7}", Look.QUIET),
                    ]
                )
        self.page.put(lines, cells, cell_index=cell_index)

    def _members(self, group: str) -> list[tuple[Any, str]]:
        if group == "statuses":
            return [
                (name, STATUS_WORDS[name]) for name in STATUSES if name != "disagreement" or self.view.judge
            ]
        if group == "scores":
            return [
                ((criterion, score), f"{name} {score}")
                for criterion, name in zip(self.view.criterion_ids, self.view.criteria, strict=True)
                for score in sorted(score for scored, score in self.counts["scores"] if scored == criterion)
            ]
        return [(member, str(member)) for member in sorted(self.counts[group])]

    def action_choose(self) -> None:
        cell = self.page.cell
        if cell is not None:
            group, member = cell.value
            chosen = getattr(self.chosen, group) ^ {member}
            self.chosen = replace(self.chosen, **{group: chosen})
            self._put(self.page.cell_index)

    def action_clear(self) -> None:
        self.chosen = Filter()
        self._put(self.page.cell_index)

    def action_apply(self) -> None:
        self.dismiss(self.chosen)
