"""The overview: how far the reviewers are, mean scores, people against the judge, and what is behind them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from textual.events import Resize
from textual.screen import Screen

from core.text.visible import visible
from store.queries.filters import Filter
from tui import keymap
from tui.app_protocol import Leaving, app_of
from tui.review.overview import (
    Overview,
    OverviewQuery,
    group_by_language,
    load_overview,
    query_of_view,
    responses_behind,
)
from tui.review.saving import reason_of
from tui.review.session import ReviewSession
from tui.screens.choice import ChoiceScreen
from tui.screens.overview_lines import overview_lines
from tui.screens.page import PageScreen

T = TypeVar("T")
OpenResponses = Callable[[Sequence[tuple[int, int]]], Screen[None]]


class OverviewScreen(PageScreen[Filter]):
    """Numbers with a cursor on them. Enter gives back a filter for the responses behind the cell; with
    `opened`, it shows the screen that this function makes of them (instruction and response of each)."""

    NAME = "overview"
    BINDINGS = keymap.bindings(keymap.OVERVIEW)

    def __init__(
        self, engine: Engine, query: OverviewQuery, title: str, opened: OpenResponses | None = None
    ) -> None:
        super().__init__(title, "counting ...")
        self.opened = opened
        self.engine = engine
        self.overview_query = query
        self.overview: Overview | None = None
        self._counted = asyncio.Event()

    @classmethod
    def of_review(cls, review: ReviewSession) -> "OverviewScreen":
        """The overview that a reviewer at work may see."""
        view = review.view
        title = f"overview · {visible(view.suite.label)} · {view.language}"
        return cls(review.engine, query_of_view(view), title)

    async def on_screen_resume(self) -> None:
        """Count, at first and again after what was opened has been read and perhaps scored."""
        await self._load()

    def on_resize(self, event: Resize) -> None:
        self._put()

    async def _load(self) -> None:
        loaded = await self._read(lambda: load_overview(self.engine, self.overview_query))
        self._counted.set()
        if loaded is None:
            return
        self.overview = loaded
        note = " (names hidden, committed responses only)" if self.overview_query.hidden_for else ""
        rater = "" if self.overview_query.hidden_for else "  r whose means"
        end = "leave" if self.opened else "back"
        self.page.hint = f"Enter opens the responses{note}{rater}  g judge  q {end}"
        self._put()

    async def _read(self, question: Callable[[], T]) -> T | None:
        """What the store answers; None: the reader is told why it does not, or leaves."""
        try:
            return await app_of(self).beside(question)
        except DBAPIError as error:
            self.page.hint = f"✗ the store could not be read: {reason_of(error)}"
            self.page.redraw()
        except Leaving:
            pass
        return None

    def _put(self) -> None:
        if self.overview is not None:
            lines, cells = overview_lines(self.overview, self.size.width)
            self.page.put(lines, cells, cell_index=self.page.cell_index)

    async def action_next_rater(self) -> None:
        await self._counted.wait()
        if self.overview is None or self.overview_query.hidden_for is not None:
            return
        raters = [*self.overview.raters, *self.overview.judges]
        await self._ask(rater=_next(self.overview_query.rater, [None, *(rater.rater_id for rater in raters)]))

    async def action_next_judge(self) -> None:
        await self._counted.wait()
        if self.overview is None or self.overview.judge is None:
            return
        await self._ask(
            judge=_next(self.overview.judge.rater_id, [judge.rater_id for judge in self.overview.judges])
        )

    async def _ask(self, **other: int | None) -> None:
        self.overview_query = replace(self.overview_query, **other)  # type: ignore[arg-type]
        await self._load()

    async def action_open(self) -> None:
        await self._counted.wait()
        cell = self.page.cell
        if cell is None or self.overview is None:
            return
        overview = self.overview
        pairs = await self._read(lambda: responses_behind(self.engine, overview, cell.value))
        if pairs is None:
            return
        if self.opened is None:
            self.dismiss(Filter(responses=frozenset(response for _, response in pairs)))
            return
        by_language = await self._read(lambda: group_by_language(self.engine, pairs))
        if by_language is None:
            return
        if len(by_language) > 1:
            choices = [(code, f"{len(pairs)} responses") for code, pairs in by_language.items()]
            choose = ChoiceScreen("responses in which language", choices)
            self.app.push_screen(choose, lambda code: self._show(by_language[code]) if code else None)
        elif pairs:
            self._show(pairs)

    def _show(self, pairs: Sequence[tuple[int, int]]) -> None:
        if self.opened is not None:
            self.app.push_screen(self.opened(pairs))

    def action_close(self) -> None:
        self.app.exit() if self.opened is not None else self.dismiss(None)


def _next(current: int | None, choices: Sequence[int | None]) -> int | None:
    index = choices.index(current) if current in choices else -1
    return choices[(index + 1) % len(choices)]
