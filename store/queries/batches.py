"""The batches in which judges are asked through a server's Batch API, and the questions in them."""

import secrets
from collections.abc import Collection, Iterable, Sequence

from sqlmodel import Session, col, select, update
from sqlmodel.sql.expression import SelectOfScalar

from store.tables import JudgeBatch, JudgeBatchItem, Rater, utc_now

NEW, WAITING = "new", "waiting"

# Digests in one statement.
_CHUNK = 10_000


def plan(
    session: Session,
    digests: Iterable[str],
    *,
    rater: int,
    endpoint: str,
    run_id: int | None,
    attempt: int = 1,
    status: str = NEW,
) -> int | None:
    """Write down a batch that is to be sent, of those of these questions that are in no batch on its way.
    Returns its id; None when all of them are.

    Until the session ends, no other plans for the same rater: PostgreSQL lets several write at once, and the
    same questions would be paid for twice."""
    session.exec(select(Rater.id).where(Rater.id == rater).with_for_update(key_share=True)).one()
    wanted = _not_on_their_way(session, rater, list(dict.fromkeys(digests)))
    if not wanted:
        return None
    batch = JudgeBatch(
        rater_id=rater, endpoint=endpoint, tag=secrets.token_hex(16), status=status, requests=len(wanted),
        attempt=attempt, run_id=run_id,
    )  # fmt: skip
    session.add(batch)
    session.flush()
    rows = [{"batch_id": batch.id, "digest": digest} for digest in wanted]
    session.connection().execute(JudgeBatchItem.__table__.insert(), rows)  # type: ignore[attr-defined]
    return batch.id


def open_batches(session: Session, raters: Collection[int]) -> list[JudgeBatch]:
    """The batches of these raters that have not ended, oldest first."""
    statement = select(JudgeBatch).where(
        col(JudgeBatch.rater_id).in_(raters), col(JudgeBatch.ended_at).is_(None)
    )
    return list(session.exec(statement.order_by(col(JudgeBatch.id))))


def on_their_way(session: Session, rater: int) -> set[str]:
    """The digests of the questions of a rater that are in a batch which has not ended."""
    return set(session.exec(_on_their_way(rater)))


def _not_on_their_way(session: Session, rater: int, digests: Sequence[str]) -> list[str]:
    taken: set[str] = set()
    for first in range(0, len(digests), _CHUNK):
        chosen = col(JudgeBatchItem.digest).in_(digests[first : first + _CHUNK])
        taken.update(session.exec(_on_their_way(rater).where(chosen)))
    return [digest for digest in digests if digest not in taken]


def _on_their_way(rater: int) -> SelectOfScalar[str]:
    return (
        select(JudgeBatchItem.digest)
        .join(JudgeBatch, col(JudgeBatch.id) == JudgeBatchItem.batch_id)
        .where(JudgeBatch.rater_id == rater, col(JudgeBatch.ended_at).is_(None))
    )


def batch_of(session: Session, batch_id: int) -> JudgeBatch:
    """The batch with this id."""
    return session.get_one(JudgeBatch, batch_id)


def digests_of(session: Session, batch_id: int) -> set[str]:
    """The digests of the questions of a batch."""
    return set(session.exec(select(JudgeBatchItem.digest).where(JudgeBatchItem.batch_id == batch_id)))


def take_over(session: Session, batch_id: int, run_id: int) -> None:
    """From now on this run sends the batch."""
    session.exec(update(JudgeBatch).where(col(JudgeBatch.id) == batch_id).values(run_id=run_id))


def is_to_send(session: Session, batch_id: int, run_id: int) -> bool:
    """Whether a batch has not been sent and it is for this run to do so."""
    batch = session.get_one(JudgeBatch, batch_id)
    return batch.run_id == run_id and batch.remote_id is None and batch.ended_at is None


def measure(session: Session, batch_id: int, requests: int, tokens_in: int) -> None:
    """Write down how many requests a batch has, and the most tokens in them."""
    values = {"requests": requests, "tokens_in": tokens_in}
    session.exec(update(JudgeBatch).where(col(JudgeBatch.id) == batch_id).values(**values))


def sent(session: Session, batch_id: int, remote_id: str, status: str) -> bool:
    """Write down as what a batch was made at the server; False when it had been made by then."""
    statement = update(JudgeBatch).where(
        col(JudgeBatch.id) == batch_id,
        col(JudgeBatch.remote_id).is_(None),
        col(JudgeBatch.ended_at).is_(None),
    )
    return session.exec(statement.values(remote_id=remote_id, status=status)).rowcount == 1


def note_status(session: Session, batch_id: int, status: str) -> None:
    """Write down the server's word for how far a batch is."""
    session.exec(update(JudgeBatch).where(col(JudgeBatch.id) == batch_id).values(status=status))


def end(session: Session, batch_id: int, status: str) -> bool:
    """A batch has ended, its questions are free again; False when it had ended before."""
    statement = update(JudgeBatch).where(col(JudgeBatch.id) == batch_id, col(JudgeBatch.ended_at).is_(None))
    return session.exec(statement.values(status=status, ended_at=utc_now())).rowcount == 1


def hand_on(session: Session, batch: JudgeBatch, digests: Sequence[str]) -> None:
    """Move questions of a batch that was not sent into a new one, which is to be sent like it."""
    table = JudgeBatchItem.__table__  # type: ignore[attr-defined]
    for first in range(0, len(digests), _CHUNK):
        chosen = col(JudgeBatchItem.digest).in_(digests[first : first + _CHUNK])
        session.connection().execute(table.delete().where(col(JudgeBatchItem.batch_id) == batch.id, chosen))
    plan(
        session, digests, rater=batch.rater_id, endpoint=batch.endpoint, run_id=batch.run_id,
        attempt=batch.attempt, status=batch.status,
    )  # fmt: skip
