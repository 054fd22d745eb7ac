"""Runs of two stores: what wrote the rows that come along."""

from sqlmodel import select

from store.merging.uniting import Uniting, columns_of
from store.tables import Failure, Run


def run_of(it: Uniting, run_id: int | None) -> int | None:
    """The run in the target that is a run of the source: the same command on the same host at the same time.
    One that is not there comes along, with its failures."""
    if run_id is None:
        return None
    known = it.of(Run)
    if run_id not in known:
        known[run_id] = _found(it, run_id)
    return known[run_id]


def _found(it: Uniting, run_id: int) -> int:
    row = it.source.get_one(Run, run_id)
    statement = select(Run.id).where(
        Run.command == row.command, Run.host == row.host, Run.started_at == row.started_at
    )
    there = it.target.exec(statement).first()
    if there is not None:
        return there
    copy = Run(**columns_of(row))
    it.target.add(copy)
    it.target.flush()
    for failure in it.source.exec(select(Failure).where(Failure.run_id == run_id).order_by(Failure.id)):  # type: ignore[arg-type]
        it.target.add(Failure(**{**columns_of(failure), "run_id": copy.id}))
    it.count("runs", 1, 0)
    return copy.id or 0
