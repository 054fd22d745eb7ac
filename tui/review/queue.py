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
    """What a reviewer reads in a campaign: `stops` by position, the positions that are `done`, and the
    `times` at which responses were committed. `views` has the view of each suite and language."""

    view: View
    views: dict[tuple[int, str], View]
    stops: dict[int, QueueItem]
    done: set[int]
    times: list[datetime]

    @property
    def left(self) -> int:
        """How many places are still to be done."""
        return len(self.stops) - len(self.done)

    def next_open(self, after: int) -> int | None:
        """The first place that is not done after a position, else from the start; None: all are done."""
        waiting = [position for position in self.stops if position not in self.done]
        return next((position for position in waiting if position > after), next(iter(waiting), None))


def open_queue(engine: Engine, *, campaign: str, reviewer: str, translation: str | None = "en") -> Queue:
    """The queue of a reviewer in a campaign.

    Raises `UsageError` when there is no such campaign, when it is closed, and when it has nothing for the
    reviewer.
    """
    with writing(engine) as session:
        wait_for_writer(session, WAIT_FOR_WRITER_MS)
        found, rater = member_of(session, campaign, reviewer)
        if found.closed_at is not None:
            raise UsageError(
                f"Campaign {campaign!r} is closed. `xlit-core campaign close --reopen` opens it."
            )
        stops = review_queue.queue_of(session, found.id or 0, rater)
        views = _views(session, found, stops, reviewer, rater, translation)
        first = stops[0]
        return Queue(
            view=views[first.suite_id, first.language],
            views=views,
            stops={stop.position: stop for stop in stops},
            done=review_queue.done_positions(session, found.id or 0, rater),
            times=review_queue.commit_times(session, found.id or 0, rater),
        )


def _views(
    session: Session,
    campaign: Campaign,
    stops: Sequence[QueueItem],
    reviewer: str,
    rater_id: int,
    translation: str | None,
) -> dict[tuple[int, str], View]:
    suites = {suite.id: suite for suite in list_suites(session)}
    shared = rubric_parts(session, campaign.rubric_id)
    found = {}
    for suite_id, language in dict.fromkeys((stop.suite_id, stop.language) for stop in stops):
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
        found[suite_id, language] = view if view.hides_judge else with_judge(session, view)
    return found


class QueueNavigator(Navigator):
    """Finds the way in a queue, whose rows go by their positions."""

    def __init__(self, engine: Engine, found: Queue) -> None:
        super().__init__(engine, found.view)
        self.queue = found

    def instructions(self) -> list[int]:
        """The positions of the queue."""
        return list(self.queue.stops)

    def start(self, keys: Sequence[int], bookmark: Bookmark | None) -> int:
        """Where the reviewer stopped; when that is done, the next place that is not, else the last one."""
        stops = self.queue.stops
        stopped = bookmark.response_id if bookmark else None
        here = [at for at in keys if stopped in stops[at].response_ids]
        waiting = [at for at in here if at not in self.queue.done]
        if waiting:
            return waiting[0]
        last = here[-1] if here else 0
        return self.queue.next_open(last) or last or keys[0]

    def load(self, session: Session, view: View, key: int, *, collapse: bool) -> tuple[Row, dict[int, int]]:
        """The row of a position: responses that read the same, as one."""
        stop = self.queue.stops[key]
        part = self.queue.views[stop.suite_id, stop.language]
        own = replace(part, rater_id=stop.rater_id, translation=view.translation)
        instruction = compare.instruction_of(session, stop.instruction_id)
        read = [
            (response, source)
            for response, source in compare.responses_to(session, stop.instruction_id)
            if response.id in stop.response_ids
        ]
        names = labels_by_key([source for _, source in read])
        label = "=".join(names[source.key] for _, source in read) if own.names_shown else "response"
        labels = dict.fromkeys(stop.response_ids, label)
        answers = answers_of(session, own, [(response, instruction) for response, _ in read], labels)
        committed = all(answer.committed for answer in answers)
        answer = replace(
            answers[0],
            response_ids=tuple(answer.response_id for answer in answers),
            committed=committed,
            revealed=own.open or (own.reveal and committed),
        )
        return row_of(session, own, instruction, (answer,), key, key), {}

    @property
    def raters(self) -> tuple[int, ...]:
        return tuple(sorted({stop.rater_id for stop in self.queue.stops.values()}))

    def key_of(self, session: Session, rater_id: int, response_id: int) -> int | None:
        for position, stop in self.queue.stops.items():
            if stop.rater_id == rater_id and response_id in stop.response_ids:
                return position
        return None

    def unscored(self, position: int) -> Destination:
        """The next place that is not done, else the first of all."""
        there = self.queue.next_open(position)
        return Destination(message=DONE) if there is None else Destination(there)

    def holding(self, words: str, position: int) -> Destination:
        """The first place after a position whose response, or whose instruction, holds some words; then from
        the start. Small and capital letters are the same, and so are composed and decomposed ones."""
        wanted, stops = folded(words), self.queue.stops
        later = [at for at in stops if at > position]
        with reading(self.engine) as session:
            for at in (*later, *(at for at in stops if at <= position)):
                response = stops[at].response_ids[0]
                question, text = review_queue.texts_of(session, response)
                if wanted in folded(text) or wanted in folded(question):
                    return Destination(at, response)
        return Destination(message=f"nothing holds “{words}”")


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
        finder = QueueNavigator(engine, queue)
        super().__init__(engine, queue.view, finder=finder, run_id=run_id, collapse=False, clock=clock)

    @property
    def pace(self) -> float | None:
        """Responses per hour of work; None: not known yet."""
        return per_hour(self.queue.times)

    def change_view(self, view: View, *, collapse: bool | None = None) -> ActionResult:
        """Show another translation; all else is the campaign's."""
        return super().change_view(replace(self.rows.view, translation=view.translation))

    def _commit(self, columns: list[int]) -> ActionResult:
        """Done with the response; unless there is now more to see of it, on to the next."""
        done = super()._commit(columns)
        self.queue.done.add(self.row.key)
        self.queue.times.append(self._now())
        if not self.queue.left:
            return ActionResult(DONE)
        if self.answer.revealed:
            return done
        try:
            there = self.go_to(self.finder.unscored(self.row.key))
            return replace(there, message=f"{len(self.queue.done)} done, {self.queue.left} left")
        except NotSaved:  # the response is committed; only the place is not written down
            return done
