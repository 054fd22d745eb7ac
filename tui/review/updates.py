"""What generation, judging or another reviewer wrote while the room is open.

`look` only reads and may run beside the screen; `take` brings it in, without moving what is being read.
"""

from dataclasses import dataclass, replace

from sqlmodel import Session

from store.queries import compare, reviewers
from store.session import reading
from tui.review.navigation import Navigator
from tui.review.row import Row, load_row
from tui.review.saving import saving
from tui.review.scoring import ScoreCell
from tui.review.session import ActionResult, ReviewSession
from tui.review.view import View, with_judge


@dataclass(frozen=True)
class StoreUpdate:
    """What the store holds now; `seen` is the row that was on show when it was read."""

    contents: compare.HighestIds
    seen: Row
    view: View
    instructions: list[int] | None
    row: Row
    new_columns: dict[int, int]


def read_update(review: ReviewSession) -> StoreUpdate | None:
    """What is new in the store since the review looked last; None: nothing."""
    with reading(review.engine) as session:
        contents = compare.highest_ids(session)
        if contents == review.rows.contents:
            return None
        seen = review.row
        view = _view_now(session, review.view)
        instructions = None
        if not review.filter:
            instructions = Navigator(review.engine, view).instructions()
        row, new_columns = load_row(session, view, seen.key, collapse=review.rows.collapse)
        return StoreUpdate(contents, seen, view, instructions, row, new_columns)


def apply_update(review: ReviewSession, news: StoreUpdate) -> ActionResult | None:
    """Bring the news in. None: the reviewer has acted since, and it must be looked for again.

    Raises `NotSaved` when the places of new columns can't be written down.
    """
    if review.row is not news.seen:
        return None
    old, answer = review.row, review.answer
    if news.new_columns:
        with saving(review.engine) as session:
            reviewers.present(session, news.view.rater_id, news.new_columns)
    review.finder.view = news.view
    review.rows.change(news.view, collapse=review.rows.collapse)
    review.rows.contents = news.contents
    before = len(review.instructions)
    if news.instructions is not None:
        review.instructions = news.instructions
    review.row = news.row
    column = news.row.column_of(answer.response_id)
    review.place = ScoreCell(column or 0, review.place.criterion)
    more = sum(len(it.response_ids) for it in news.row.answers) - sum(
        len(it.response_ids) for it in old.answers
    )
    said = []
    if more > 0:
        said.append(f"{more} more response{'s' if more > 1 else ''} to this instruction")
    if len(review.instructions) > before:
        said.append(f"{len(review.instructions) - before} more answered")
    return ActionResult(
        "new: " + ", ".join(said) if said else "", new_row=len(news.row.answers) != len(old.answers)
    )


def _view_now(session: Session, view: View) -> View:
    """The view with models that have answered since at its end, and with a judge if there is one now.

    A view of chosen models stays as it was chosen.
    """
    if view.by == "model" and not view.chosen:
        known = {source.key for source in view.sources}
        now = compare.sources_of(session, view.suite.id, view.language)
        view = replace(view, sources=(*view.sources, *(it for it in now if it.key not in known)))
    return view if view.judge or view.hides_judge else with_judge(session, view)
