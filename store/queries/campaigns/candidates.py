"""What a campaign can be made of: responses with all that tells them apart in any store."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import func
from sqlmodel import Session, col, select

from store.queries.raters import asked_first
from store.tables import CURRENT_RATING, Decoding, Entry, Instruction, Model, Rater, Response, Suite


@dataclass(frozen=True)
class Candidate:
    """A response: `suite` is the label, `decoding` the digest; with all but the row number it is the same in
    every store that holds it."""

    response_id: int
    suite: str
    key: str
    language: str
    task: str | None
    model: str
    decoding: str
    sample: int
    text_digest: str

    @property
    def identity(self) -> tuple[str, str, str, str, str, int, str]:
        """What the response is, whatever its row number."""
        return (
            self.suite, self.key, self.language, self.model, self.decoding, self.sample, self.text_digest,
        )  # fmt: skip


def candidates(
    session: Session,
    suite_ids: Collection[int],
    languages: Collection[str] | None = None,
    models: Collection[str] | None = None,
) -> list[Candidate]:
    """The responses to these suites: in these languages, of the models of these names (None: all), by what
    they are."""
    statement = (
        select(  # type: ignore[call-overload]
            Response.id, Suite.name, Suite.version, Instruction.key, Instruction.language, Instruction.task,
            col(Model.name).label("model"), Decoding.digest, Response.sample, Response.text_digest,
        )
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .join(Suite, col(Suite.id) == Instruction.suite_id)
        .join(Model, col(Model.id) == Response.model_id)
        .join(Decoding, col(Decoding.id) == Response.decoding_id)
        .where(col(Instruction.suite_id).in_(suite_ids))
    )  # fmt: skip
    if languages is not None:
        statement = statement.where(col(Instruction.language).in_(languages))
    if models is not None:
        statement = statement.where(col(Model.name).in_(models))
    found = [
        Candidate(
            row.id, f"{row.name}/{row.version}", row.key, row.language, row.task, row.model, row.digest,
            row.sample, row.text_digest,
        )
        for row in session.connection().execute(statement)
    ]  # fmt: skip
    return sorted(found, key=lambda it: it.identity)


def rated_by(session: Session, rater_ids: Sequence[int], suite_ids: Collection[int]) -> set[int]:
    """The responses to these suites that one of these raters has scored, on whatever criterion."""
    current = CURRENT_RATING.c
    statement = (
        select(current.response_id)
        .select_from(CURRENT_RATING)
        .join(Response, col(Response.id) == current.response_id)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .where(
            current.rater_id.in_(rater_ids),
            current.score.is_not(None),
            col(Instruction.suite_id).in_(suite_ids),
        )
        .distinct()
    )
    return set(session.connection().execute(statement).scalars())


def looking_seconds(session: Session) -> float | None:
    """For how long people look at a response until they have scored it: the median; None: no time is known.

    The time of one person with one response is the longest that it had been on show when a score was set.
    """
    statement = (
        select(func.max(Entry.looked_ms))
        .join(Rater, col(Rater.id) == Entry.rater_id)
        .where(Rater.kind == "human", asked_first(), Entry.kind == "score")
        .group_by(col(Entry.rater_id), col(Entry.response_id))
    )
    times = [found for found in session.exec(statement) if found is not None]
    return median(times) / 1000 if times else None
