"""Which responses a third reviewer has settled: their final scores are that reviewer's, where there are any,
and of all others the mean of the reviewers' scores."""

from sqlmodel import Session, col, select

from store.tables import Assignment, Entry, Instruction, Response


def settled_by(session: Session, suite_id: int) -> dict[int, int]:
    """The responses to a suite whose adjudication is committed, with the rater whose scores are final; of
    several adjudications (in several campaigns) the last one counts."""
    done = select(Entry.id).where(
        Entry.response_id == Assignment.response_id,
        Entry.rater_id == Assignment.rater_id,
        Entry.kind == "commit",
    )
    statement = (
        select(Assignment.response_id, Assignment.rater_id)
        .join(Response, col(Response.id) == Assignment.response_id)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .where(Assignment.kind == "adjudication", Instruction.suite_id == suite_id, done.exists())
        .order_by(col(Assignment.id))
    )
    return dict(session.exec(statement).all())
