"""What generation, judging or another reviewer wrote while the room is open.

`read_update` only reads and may run beside the screen; `apply_update` shows what it read, without moving what
the reviewer is reading.
"""

from dataclasses import dataclass, replace

from sqlmodel import Session

from store.file_identity import check_file
from store.queries import compare, reviewers
from store.session import reading
from tui.review.navigation import Navigator, RowList
from tui.review.row import Row, load_row
from tui.review.saving import saving
from tui.review.scoring import ScoreCell
from tui.review.session import ActionResult, ReviewSession
from tui.review.view import View, with_judge


@dataclass(frozen=True)
class StoreUpdate:
    """What the store holds now: its highest row numbers, the view, the keys of its rows (None while a filter
    is on), and the row on show, read again. `shown` is that row as it was on show when this was read."""

    contents: compare.HighestIds
    shown: Row
    view: View
    instructions: list[int] | None
    row: Row
    new_columns: dict[int, int]


def read_update(review: ReviewSession) -> StoreUpdate | None:
    """What the store holds now; None: nothing was written since the review read last, or the review itself
    is about to write. Raises `StoreReplaced` when the store's file is another one."""
    check_file(review.engine)
    shown = review.row
    if review.unsaved or review.busy:
        return None
    with reading(review.engine) as session:
        contents = compare.highest_ids(session)
        if contents == review.loader.contents:
            return None
        view = _view_now(session, review.view)
        instructions = None
        if not review.rows.filter:
            instructions = Navigator(review.engine, view).instructions()
        row, new_columns = load_row(session, view, shown.key, collapse=review.loader.collapse)
        return StoreUpdate(contents, shown, view, instructions, row, new_columns)


def write_columns(review: ReviewSession, update: StoreUpdate) -> StoreUpdate:
    """Write down the order of columns that are new; the update without them. Raises `NotSaved`."""
    if update.new_columns:
        with saving(review.engine) as session:
            reviewers.present(session, update.view.rater_id, update.new_columns)
    return replace(update, new_columns={})


def apply_update(review: ReviewSession, update: StoreUpdate) -> ActionResult | None:
    """Go on with what the store holds now. None: the reviewer has acted since, and it must be read again.

    Raises `NotSaved` when the order of new columns can't be written down; `write_columns` may have done it.
    """
    if review.row is not update.shown or review.unsaved or review.busy:
        return None
    old, response_id = review.row, review.answer.response_id
    update = write_columns(review, update)
    review.navigator.view = update.view
    review.loader.change(update.view, collapse=review.loader.collapse)
    review.loader.contents = update.contents
    before = len(review.rows.keys)
    if update.instructions is not None:
        review.rows = RowList(update.instructions)
    review.row = update.row
    column = update.row.column_of(response_id)
    review.cursor = ScoreCell(column or 0, review.cursor.criterion)
    more = _response_count(update.row) - _response_count(old)
    parts = []
    if more > 0:
        parts.append(f"{more} more response{'s' if more > 1 else ''} to this instruction")
    if len(review.rows.keys) > before:
        parts.append(f"{len(review.rows.keys) - before} more answered")
    message = "new: " + ", ".join(parts) if parts else ""
    return ActionResult(message, new_row=len(update.row.answers) != len(old.answers))


def _response_count(row: Row) -> int:
    return sum(len(answer.response_ids) for answer in row.answers)


def _view_now(session: Session, view: View) -> View:
    """The view with models that have answered since at its end, and with a judge if there is one now.

    A view of chosen models stays as it was chosen.
    """
    if view.by == "model" and not view.chosen:
        known = {source.key for source in view.sources}
        sources = compare.sources_of(session, view.suite.id, view.language)
        new = [source for source in sources if source.key not in known]
        view = replace(view, sources=(*view.sources, *new))
    return view if view.judge or view.hides_judge else with_judge(session, view)
