"""A reviewer's queue in a campaign: it is opened by name, and its responses are scored one at a time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from core.analysis.reviewers import per_hour
from store.errors import UsageError
from store.labels import labels_by_key
from store.queries import compare, review_queue
from store.queries.review_queue import QueueItem
from store.queries.suites import SuiteSummary, list_suites
from store.session import reading, wait_for_writer, writing
from store.tables import Bookmark, Campaign, utc_now
from tui.review.navigation import Destination, Navigator, folded
from tui.review.row import Row, answers_of, row_of
from tui.review.saving import NotSaved
from tui.review.session import ActionResult, ReviewSession
from tui.review.view import WAIT_FOR_WRITER_MS, View, member_of, rubric_parts, with_judge

DONE = "everything is done, thank you (q leaves)"


@dataclass
class Queue:
    """What a reviewer reads in a campaign: its `items` by position, the positions that are `done`, and the
    `times` at which responses were committed. `views` has the view of each suite and language."""

    view: View
    views: dict[tuple[int, str], View]
    items: dict[int, QueueItem]
    done: set[int]
    times: list[datetime]

    @property
    def left(self) -> int:
        """How many items are still to be done."""
        return len(self.items) - len(self.done)

    def next_open(self, after: int) -> int | None:
        """The first position after this one that is not done, else the first of all; None: all are done."""
        waiting = [position for position in self.items if position not in self.done]
        return next((position for position in waiting if position > after), next(iter(waiting), None))


def open_queue(engine: Engine, *, campaign: str, reviewer: str, translation: str | None = "en") -> Queue:
    """The queue of a reviewer in a campaign.

    Raises `UsageError` when there is no such campaign, when it is closed, and when it has nothing for the
    reviewer.
    """
    with writing(engine) as session:
        wait_for_writer(session, WAIT_FOR_WRITER_MS)
        row, rater = member_of(session, campaign, reviewer)
        if row.closed_at is not None:
            raise UsageError(
                f"Campaign {campaign!r} is closed. `xlit-core campaign close --reopen` opens it."
            )
        items = review_queue.queue_of(session, row.id or 0, rater)
        views = _views(session, row, items, reviewer, rater, translation)
        first = items[0]
        return Queue(
            view=views[first.suite_id, first.language],
            views=views,
            items={item.position: item for item in items},
            done=review_queue.done_positions(session, row.id or 0, rater),
            times=review_queue.commit_times(session, row.id or 0, rater),
        )


def _views(
    session: Session,
    campaign: Campaign,
    items: Sequence[QueueItem],
    reviewer: str,
    rater_id: int,
    translation: str | None,
) -> dict[tuple[int, str], View]:
    suites = {suite.id: suite for suite in list_suites(session)}
    shared = rubric_parts(session, campaign.rubric_id)
    views = {}
    for suite_id, language in dict.fromkeys((item.suite_id, item.language) for item in items):
        suite: SuiteSummary = suites[suite_id]
        # What one campaign hides, no other shows.
        names = not campaign.blind and review_queue.open_campaign_of(session, reviewer, suite_id) is None
        sealed = review_queue.open_campaign_of(session, reviewer, suite_id, sealed=True) is not None
        view = View(
            suite=suite,
            language=language,
            sources=tuple(compare.sources_of(session, suite_id, language)),
            reviewer=reviewer,
            rater_id=rater_id,
            **shared,
            languages=(language,),
            by="queue",
            names_shown=names,
            open=names,
            reveal=campaign.reveal and not sealed,
            campaign=campaign.name,
            campaign_id=campaign.id,
            translation=translation,
        )
        views[suite_id, language] = view if view.hides_judge else with_judge(session, view)
    return views


class QueueNavigator(Navigator):
    """Finds the way in a queue, whose rows go by their positions."""

    def __init__(self, engine: Engine, queue: Queue) -> None:
        super().__init__(engine, queue.view)
        self.queue = queue

    def instructions(self) -> list[int]:
        """The positions of the queue."""
        return list(self.queue.items)

    def start(self, keys: Sequence[int], bookmark: Bookmark | None) -> int:
        """Where the reviewer stopped; when that is done, the next position that is not, else the last one."""
        items = self.queue.items
        last_read = bookmark.response_id if bookmark else None
        positions = [position for position in keys if last_read in items[position].response_ids]
        waiting = [position for position in positions if position not in self.queue.done]
        if waiting:
            return waiting[0]
        last = positions[-1] if positions else 0
        return self.queue.next_open(last) or last or keys[0]

    def load(self, session: Session, view: View, key: int, *, collapse: bool) -> tuple[Row, dict[int, int]]:
        """The row of a position. Responses that read the same are one column."""
        item = self.queue.items[key]
        item_view = self.queue.views[item.suite_id, item.language]
        item_view = replace(item_view, rater_id=item.rater_id, translation=view.translation)
        instruction = compare.instruction_of(session, item.instruction_id)
        same = [
            (response, source)
            for response, source in compare.responses_to(session, item.instruction_id)
            if response.id in item.response_ids
        ]
        names = labels_by_key([source for _, source in same])
        label = "=".join(names[source.key] for _, source in same) if item_view.names_shown else "response"
        labels = dict.fromkeys(item.response_ids, label)
        answers = answers_of(session, item_view, [(response, instruction) for response, _ in same], labels)
        committed = all(answer.committed for answer in answers)
        answer = replace(
            answers[0],
            response_ids=tuple(answer.response_id for answer in answers),
            committed=committed,
            revealed=item_view.open or (item_view.reveal and committed),
        )
        return row_of(session, item_view, instruction, (answer,), key, key), {}

    @property
    def raters(self) -> tuple[int, ...]:
        return tuple(sorted({item.rater_id for item in self.queue.items.values()}))

    def key_of(self, session: Session, rater_id: int, response_id: int) -> int | None:
        for position, item in self.queue.items.items():
            if item.rater_id == rater_id and response_id in item.response_ids:
                return position
        return None

    def next_unscored(self, position: int) -> Destination:
        """The next position that is not done, else the first of all."""
        waiting = self.queue.next_open(position)
        return Destination(message=DONE) if waiting is None else Destination(waiting)

    def find_words(self, words: str, position: int) -> Destination:
        """The first position after this one whose response, or whose instruction, holds some words; then from
        the start. Small and capital letters are the same, and so are composed and decomposed ones."""
        wanted, items = folded(words), self.queue.items
        later = [other for other in items if other > position]
        earlier = [other for other in items if other <= position]
        with reading(self.engine) as session:
            for other in (*later, *earlier):
                response = items[other].response_ids[0]
                question, text = review_queue.texts_of(session, response)
                if wanted in folded(text) or wanted in folded(question):
                    return Destination(other, response)
        return Destination(message=f"nothing holds “{words}”")


class QueueSession(ReviewSession):
    """A `ReviewSession` whose rows are the items of a queue, with one response each."""

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
        navigator = QueueNavigator(engine, queue)
        super().__init__(engine, queue.view, navigator=navigator, run_id=run_id, collapse=False, clock=clock)

    @property
    def pace(self) -> float | None:
        """Responses per hour of work; None: not known yet."""
        return per_hour(self.queue.times)

    def change_view(self, view: View, *, collapse: bool | None = None) -> ActionResult:
        """Show another translation; all else is the campaign's."""
        return super().change_view(replace(self.loader.view, translation=view.translation))

    def _commit(self, columns: list[int]) -> ActionResult:
        """Done with the response; unless there is now more to see of it, on to the next."""
        committed = super()._commit(columns)
        self.queue.done.add(self.row.key)
        self.queue.times.append(self._now())
        if not self.queue.left:
            return ActionResult(DONE)
        if self.answer.revealed:
            return committed
        try:
            moved = self.go_to(self.navigator.next_unscored(self.row.key))
            return replace(moved, message=f"{len(self.queue.done)} done, {self.queue.left} left")
        except NotSaved:  # the response is committed; only the bookmark is not written down
            return committed
