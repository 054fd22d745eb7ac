"""What a command of the room opens, and what it leaves behind: the store, the run, the first screen.

Everything here needs the database libraries; `tui.run` paints the first frame before it imports this.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from textual.screen import Screen

from store import StoreError, open_store
from store.provenance import record_run
from store.queries.compare import instruction_of
from store.queries.filters import Filter
from store.session import reading
from store.time_limit import TimeLimit
from tui.identity import require_code
from tui.review.overview import query_of_suite
from tui.review.queue import QueueSession, open_queue
from tui.review.saving import NotSaved, reason_of
from tui.review.session import ReviewSession
from tui.review.view import open_view
from tui.screens.compare import CompareScreen
from tui.screens.overview import OverviewScreen
from tui.screens.score import ScoreScreen

FirstScreen = Callable[[], Screen[Any]]


@contextmanager
def review_session(
    store: str,
    *,
    collapse: bool = True,
    code: str | None = None,
    time_limit: TimeLimit | None = None,
    **view: Any,
) -> Iterator[FirstScreen]:
    """A reviewer in a view, from opening the store to keeping the bookmark; a run is written down for it.

    `view` are the options of `tui.review.view.open_view`. Raises `UsageError` for a language, suite, model
    or judge that is not there, `CodeNeeded` without the reviewer's code, `StoreError` for the store.
    """
    with _opened(store, time_limit) as engine:
        require_code(engine, view["reviewer"], code)
        opened = open_view(engine, **view)
        parameters = {**view, "suite": opened.suite.label, "collapse": collapse}
        with record_run(engine, "xlit-tui compare", parameters, libraries=["textual"]) as run:
            session = ReviewSession(engine, opened, run_id=run.id, collapse=collapse)
            yield lambda: CompareScreen(session)
            _leave(session)


@contextmanager
def queue_session(
    store: str,
    *,
    campaign: str,
    reviewer: str,
    translation: str | None = "en",
    code: str | None = None,
    time_limit: TimeLimit | None = None,
) -> Iterator[FirstScreen]:
    """A reviewer in their queue of a campaign; a run is written down for it.

    Raises `UsageError` for a campaign that is not there, is closed or has nothing for the reviewer,
    `CodeNeeded` without the reviewer's code, `StoreError` for the store.
    """
    with _opened(store, time_limit) as engine:
        require_code(engine, reviewer, code)
        opened = open_queue(engine, campaign=campaign, reviewer=reviewer, translation=translation)
        parameters = {"campaign": campaign, "reviewer": reviewer, "translation": translation}
        with record_run(engine, "xlit-tui score", parameters, libraries=["textual"]) as run:
            session = QueueSession(engine, opened, run_id=run.id)
            yield lambda: ScoreScreen(session)
            _leave(session)


@contextmanager
def overview_session(
    store: str,
    *,
    language: str | None,
    suite: str | None,
    reviewer: str,
    code: str | None = None,
    time_limit: TimeLimit | None = None,
) -> Iterator[FirstScreen]:
    """The overview of a suite, with all names; what is opened from it can be scored, openly.

    A reviewer in an open, blind campaign on the suite stays blind. A run is written down only when something
    is opened: looking at numbers leaves no trace. Raises `UsageError` for a language or suite without
    responses, `CodeNeeded` without the reviewer's code, `StoreError` for the store.
    """
    with _opened(store, time_limit) as engine, ExitStack() as ending:
        require_code(engine, reviewer, code)
        query, label = query_of_suite(engine, language=language, suite=suite, reviewer=reviewer)
        open = query.hidden_for is None

        def reading_behind(pairs: Sequence[tuple[int, int]]) -> CompareScreen:
            run = ending.enter_context(record_run(engine, "xlit-tui overview", {"suite": label}))
            with reading(engine) as session:
                lead = instruction_of(session, pairs[0][0]).language
            view = open_view(engine, language=lead, reviewer=reviewer, suite=label, open=open)
            wanted = Filter(responses=frozenset(response for _, response in pairs))
            return CompareScreen(ReviewSession(engine, view, run_id=run.id, remember=False), wanted)

        yield lambda: OverviewScreen(engine, query, f"overview · {label}", reading_behind)


def _leave(session: ReviewSession) -> None:
    sentence = session.close()
    if sentence:
        raise StoreError(f"{sentence.rstrip('.')}.")


@contextmanager
def _opened(store: str, time_limit: TimeLimit | None) -> Iterator[Engine]:
    """The store. Raises `StoreError`, which says why, when it can't be written."""
    engine = open_store(store, time_limit=time_limit)
    try:
        yield engine
    except (DBAPIError, NotSaved) as error:
        reason = reason_of(error)
        raise StoreError(f"The store could not be written: {reason}. Try again.") from None
    finally:
        engine.dispose()
