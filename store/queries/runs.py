"""Runs (provenance) and the units of them that failed."""

from typing import Any

from sqlmodel import Session, col, select

from store.errors import XlitError
from store.secrets import json_without_secrets, without_secrets
from store.tables import Failure, Run, utc_now


def start_run(session: Session, **columns: Any) -> int:
    """Write the start of a run; `columns` as in `store.tables.Run`. Returns its id.

    No address in them keeps its secrets."""
    run = Run(**json_without_secrets(columns))
    session.add(run)
    session.flush()
    if run.id is None:
        raise XlitError("The store gave the run no number.")
    return run.id


def add_parameter(session: Session, run_id: int, name: str, value: Any) -> None:
    """Add to a run's parameters."""
    run = session.get_one(Run, run_id)
    run.parameters = {**run.parameters, name: json_without_secrets(value)}
    session.add(run)


def end_run(session: Session, run_id: int, status: str, counts: dict[str, Any]) -> None:
    """Write the end of a run: `done`, `failed` or `partly` (some units failed), and what it counted."""
    run = session.get_one(Run, run_id)
    run.ended_at = utc_now()
    run.status = status
    run.counts = counts
    session.add(run)


def forget_run(session: Session, run_id: int) -> None:
    """Take back the start of a run that wrote nothing."""
    session.delete(session.get_one(Run, run_id))


def add_failure(session: Session, run_id: int, unit: str, reason: str, attempts: int = 1) -> None:
    """Write down a unit that came to nothing. `unit` names it for a person, `reason` says why."""
    session.add(
        Failure(run_id=run_id, unit=without_secrets(unit), reason=without_secrets(reason), attempts=attempts)
    )


def failures_of(session: Session, run_id: int) -> list[Failure]:
    """The failed units of a run, in the order they failed."""
    return list(session.exec(select(Failure).where(Failure.run_id == run_id).order_by(col(Failure.id))))


def latest_runs(session: Session, limit: int = 10) -> list[Run]:
    """The last runs, newest first."""
    return list(session.exec(select(Run).order_by(col(Run.id).desc()).limit(limit)))
