"""A reviewer at work in a queue: one response at a time, from the first that is not done to the last."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Engine

from core.analysis.reviewing import per_hour
from store.tables import utc_now
from tui.review.queue import DONE, Queue, QueueFinder
from tui.review.saving import NotSaved
from tui.review.session import Outcome, ReviewSession
from tui.review.view import View


class QueueSession(ReviewSession):
    """A `ReviewSession` whose rows are the places of a queue, with one response each."""

    UNIT = "response"
    ROW_SCORED = "scored: Enter is done with it, and goes on"

    def __init__(
        self,
        engine: Engine,
        queue: Queue,
        *,
        run_id: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.queue = queue
        self._now = now
        finder = QueueFinder(engine, queue)
        super().__init__(engine, queue.view, finder=finder, run_id=run_id, collapse=False, clock=clock)

    @property
    def pace(self) -> float | None:
        """Responses per hour of work; None: not known yet."""
        return per_hour(self.queue.times)

    def change_view(self, view: View, *, collapse: bool | None = None) -> Outcome:
        """Show another translation; all else is the campaign's."""
        return super().change_view(replace(self.rows.view, translation=view.translation))

    def _commit(self, columns: list[int]) -> Outcome:
        """Done with the response; unless there is now more to see of it, on to the next."""
        done = super()._commit(columns)
        self.queue.done.add(self.row.key)
        self.queue.times.append(self._now())
        if not self.queue.left:
            return Outcome(DONE)
        if self.answer.revealed:
            return done
        try:
            there = self.go_to(self.finder.unscored(self.row.key))
            return replace(there, message=f"{len(self.queue.done)} done, {self.queue.left} left")
        except NotSaved:  # the response is committed; only the place is not written down
            return done
