"""The journal of ratings: append, undo, redo, and the current scores. Nothing is ever overwritten."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from sqlalchemy import text
from sqlmodel import Session, col, select

from store.errors import XlitError
from store.tables import Entry, Rating

APP_VERSION = version("xlit")


@dataclass(frozen=True)
class Score:
    """One score to be set. `score` None with `skipped`: left out on purpose; None without: cleared."""

    response_id: int
    criterion_id: int
    score: int | None
    skipped: bool = False


@dataclass(frozen=True)
class Shown:
    """What was on the screen when a rater acted; `looked_ms` is how long the response had been on show."""

    looked_ms: int | None = None
    judge: bool = False
    names: bool = False


NOTHING_SHOWN = Shown()


def append(
    session: Session,
    rater_id: int,
    scores: Sequence[Score],
    shown: Shown = NOTHING_SHOWN,
    *,
    kind: str = "score",
    target_id: int | None = None,
    response_id: int | None = None,
    run_id: int | None = None,
) -> int:
    """Append one action of a rater with the scores it set; returns the entry's id."""
    entry = Entry(
        rater_id=rater_id,
        kind=kind,
        target_id=target_id,
        response_id=response_id if response_id is not None or not scores else scores[0].response_id,
        looked_ms=shown.looked_ms,
        judge_shown=shown.judge,
        names_shown=shown.names,
        app_version=APP_VERSION,
        run_id=run_id,
    )
    session.add(entry)
    session.flush()
    if entry.id is None:
        raise XlitError("The store gave the entry no number.")
    session.add_all(
        Rating(
            entry_id=entry.id,
            response_id=new.response_id,
            rater_id=rater_id,
            criterion_id=new.criterion_id,
            score=new.score,
            skipped=new.skipped,
        )
        for new in scores
    )
    session.flush()
    return entry.id


def commit_response(session: Session, rater_id: int, response_id: int, shown: Shown = NOTHING_SHOWN) -> int:
    """Write down that the reviewer is done with a response; from here on the judge may be shown."""
    return append(session, rater_id, [], shown, kind="commit", response_id=response_id)


def committed_responses(session: Session, rater_id: int, response_ids: Iterable[int]) -> set[int]:
    """Which of these responses the reviewer has committed."""
    statement = select(Entry.response_id).where(
        Entry.rater_id == rater_id, Entry.kind == "commit", col(Entry.response_id).in_(list(response_ids))
    )
    return {found for found in session.exec(statement) if found is not None}


def undo(session: Session, rater_id: int, shown: Shown = NOTHING_SHOWN) -> int | None:
    """Take back the rater's last action that is not yet taken back; works across restarts.

    Returns the response concerned, or None when there is nothing to undo.
    """
    undone = 0
    for entry in _actions_backwards(session, rater_id):
        if entry.kind == "undo":
            undone += 1
        elif entry.kind == "redo" or undone:
            undone -= 1
        else:
            before = [_value_before(session, rating) for rating in _ratings_of(session, entry.id)]
            append(
                session,
                rater_id,
                before,
                shown,
                kind="undo",
                target_id=entry.id,
                response_id=entry.response_id,
            )
            return entry.response_id
    return None


def redo(session: Session, rater_id: int, shown: Shown = NOTHING_SHOWN) -> int | None:
    """Do again what was undone last, unless something was scored since. Returns the response, or None."""
    redone = 0
    for entry in _actions_backwards(session, rater_id):
        if entry.kind == "score":
            return None
        if entry.kind == "redo":
            redone += 1
        elif redone:
            redone -= 1
        else:
            again = [
                Score(rating.response_id, rating.criterion_id, rating.score, rating.skipped)
                for rating in _ratings_of(session, entry.target_id)
            ]
            append(
                session, rater_id, again, shown,
                kind="redo", target_id=entry.target_id, response_id=entry.response_id,
            )  # fmt: skip
            return entry.response_id
    return None


def current_ratings(session: Session, rater_id: int, response_ids: Iterable[int]) -> list[Score]:
    """The current scores (skipped ones included, cleared ones not) of a rater for these responses."""
    ids = list(response_ids)
    if not ids:
        return []
    marks = ", ".join(f":id{place}" for place in range(len(ids)))
    rows = session.connection().execute(
        text(
            "SELECT response_id, criterion_id, score, skipped FROM current_rating "
            f"WHERE rater_id = :rater AND response_id IN ({marks})"
        ),
        {"rater": rater_id, **{f"id{place}": found for place, found in enumerate(ids)}},
    )
    return [Score(row.response_id, row.criterion_id, row.score, bool(row.skipped)) for row in rows]


def _actions_backwards(session: Session, rater_id: int) -> Iterable[Entry]:
    statement = (
        select(Entry)
        .where(Entry.rater_id == rater_id, col(Entry.kind).in_(("score", "undo", "redo")))
        .order_by(col(Entry.id).desc())
        .execution_options(yield_per=100)
    )
    return session.exec(statement)


def _ratings_of(session: Session, entry_id: int | None) -> list[Rating]:
    return list(session.exec(select(Rating).where(Rating.entry_id == entry_id).order_by(col(Rating.id))))


def _value_before(session: Session, rating: Rating) -> Score:
    statement = (
        select(Rating)
        .where(
            Rating.response_id == rating.response_id,
            Rating.rater_id == rating.rater_id,
            Rating.criterion_id == rating.criterion_id,
            col(Rating.id) < rating.id,
        )
        .order_by(col(Rating.id).desc())
        .limit(1)
    )
    before = session.exec(statement).first()
    if before is None:
        return Score(rating.response_id, rating.criterion_id, None)
    return Score(rating.response_id, rating.criterion_id, before.score, before.skipped)
