"""What the store remembers of a reviewer besides scores: the order of the columns, and the bookmarks."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlmodel import Session, col, select

from store.tables import Bookmark, Presentation, utc_now
from store.upsert import insert_missing


def presented(session: Session, rater_id: int, response_ids: Sequence[int]) -> dict[int, int]:
    """The column (from 0) in which each of these responses stood when the reviewer first saw it."""
    statement = select(Presentation.response_id, Presentation.position).where(
        Presentation.rater_id == rater_id, col(Presentation.response_id).in_(list(response_ids))
    )
    return dict(session.exec(statement).all())


def present(session: Session, rater_id: int, positions: dict[int, int]) -> None:
    """Write down the columns of responses that are shown to a reviewer for the first time."""
    rows = [
        {"rater_id": rater_id, "response_id": response, "position": position}
        for response, position in positions.items()
    ]
    if rows:
        insert_missing(session, Presentation, rows, ("rater_id", "response_id"))


def bookmark_of(session: Session, rater_id: int, view: str) -> Bookmark | None:
    """Where the reviewer stopped in this view."""
    return session.exec(select(Bookmark).where(Bookmark.rater_id == rater_id, Bookmark.view == view)).first()


def save_bookmark(
    session: Session,
    rater_id: int,
    view: str,
    instruction_id: int,
    response_id: int | None,
    criterion: str | None,
) -> None:
    """Remember where the reviewer is in this view."""
    insert_missing(
        session,
        Bookmark,
        [{"rater_id": rater_id, "view": view, "instruction_id": instruction_id}],
        ("rater_id", "view"),
    )
    mark = session.exec(select(Bookmark).where(Bookmark.rater_id == rater_id, Bookmark.view == view)).one()
    mark.instruction_id = instruction_id
    mark.response_id = response_id
    mark.criterion = criterion
    mark.updated_at = utc_now()
    session.add(mark)


def wait_for_writer(session: Session, milliseconds: int) -> None:
    """How long this connection waits for another program's write (SQLite; other databases queue by row)."""
    if session.get_bind().dialect.name == "sqlite":
        session.connection().execute(text(f"PRAGMA busy_timeout={int(milliseconds)}"))
