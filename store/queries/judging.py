"""What a judge has still to rate, and the answers that judges gave before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from store.tables import Entry, Instruction, JudgeAnswer, Model, Response, Suite, SurfaceMetric
from store.upsert import insert_missing


@dataclass(frozen=True)
class Unrated:
    """A response that a rater has not rated, with what it answers; `check` and `modifier` are the
    instruction's."""

    response_id: int
    instruction_id: int
    instruction: str
    name: str
    language: str
    check: dict[str, Any] | None
    model: str
    text: str
    modifier: str | None = None

    @property
    def unit(self) -> str:
        """The response as a person names it: suite, instruction, language and model."""
        return f"{self.name} · {self.model}"


def unrated(
    session: Session,
    rater: int,
    languages: Sequence[str] | None = None,
    *,
    with_check: bool = False,
    modifiers: Sequence[str] | None = None,
    after: int = 0,
    limit: int | None = None,
    among: Sequence[int] | None = None,
) -> list[Unrated]:
    """The responses without an entry of this rater, by id from the one after `after`, at most `limit`.

    `with_check`: only those to instructions that carry a check; `modifiers`: one of these modifiers; `among`:
    only responses with these ids.
    """
    return _found(session, _conditions(rater, languages, with_check, modifiers), after, limit, among)


def count_unrated(
    session: Session,
    rater: int,
    languages: Sequence[str] | None = None,
    *,
    with_check: bool = False,
    modifiers: Sequence[str] | None = None,
) -> int:
    """How many responses `unrated` would give."""
    statement = select(func.count()).select_from(Response)
    statement = statement.join(Instruction, col(Instruction.id) == Response.instruction_id)
    return session.exec(statement.where(*_conditions(rater, languages, with_check, modifiers))).one()


def without_metric(
    session: Session,
    metric: str,
    tool: str,
    languages: Sequence[str] | None = None,
    *,
    after: int = 0,
    limit: int | None = None,
    among: Sequence[int] | None = None,
) -> list[Unrated]:
    """The responses without this surface metric of this tool; order and `among` as in `unrated`."""
    return _found(session, _unmeasured(metric, tool, languages), after, limit, among)


def count_without_metric(
    session: Session, metric: str, tool: str, languages: Sequence[str] | None = None
) -> int:
    """How many responses `without_metric` would give."""
    statement = select(func.count()).select_from(Response)
    statement = statement.join(Instruction, col(Instruction.id) == Response.instruction_id)
    return session.exec(statement.where(*_unmeasured(metric, tool, languages))).one()


def rated_by(session: Session, rater: int, response_ids: Iterable[int]) -> set[int]:
    """Which of these responses this rater has an entry for."""
    statement = select(Entry.response_id).where(
        Entry.rater_id == rater, col(Entry.response_id).in_(list(response_ids))
    )
    return {response for response in session.exec(statement) if response is not None}


def known_answers(session: Session, digests: Sequence[str]) -> dict[str, str]:
    """The answers that judges gave to these questions before, by the questions' digests."""
    statement = select(JudgeAnswer.digest, JudgeAnswer.answer).where(col(JudgeAnswer.digest).in_(digests))
    return dict(session.exec(statement).all())


def keep_answer(session: Session, digest: str, rater: int, answer: str, **tokens: int | None) -> None:
    """Keep a judge's answer (`tokens_in` and `tokens_out` as the server counted them)."""
    row = {"digest": digest, "rater_id": rater, "answer": answer, **tokens}
    insert_missing(session, JudgeAnswer, [row], ["digest"])


def mean_tokens_out(session: Session, rater: int) -> int | None:
    """The mean length, in tokens, of the answers that a judge gave before; None when there are none."""
    statement = select(func.avg(JudgeAnswer.tokens_out)).where(JudgeAnswer.rater_id == rater)
    mean = session.exec(statement).one()
    return None if mean is None else max(1, round(mean))


def _found(
    session: Session,
    conditions: Sequence[ColumnElement[bool]],
    after: int,
    limit: int | None,
    among: Sequence[int] | None,
) -> list[Unrated]:
    if among is not None:
        conditions = [*conditions, col(Response.id).in_(among)]
    statement = (
        select(Response, Instruction, Suite, Model)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .join(Suite, col(Suite.id) == Instruction.suite_id)
        .join(Model, col(Model.id) == Response.model_id)
        .where(col(Response.id) > after, *conditions)
        .order_by(col(Response.id))
        .limit(limit)
    )
    return [
        Unrated(
            response_id=response.id or 0,
            instruction_id=instruction.id or 0,
            instruction=instruction.text,
            name=f"{suite.name}/{suite.version} {instruction.key} {instruction.language}",
            language=instruction.language,
            check=instruction.check,
            modifier=instruction.modifier,
            model=model.name,
            text=response.text,
        )
        for response, instruction, suite, model in session.exec(statement)
    ]


def _unmeasured(metric: str, tool: str, languages: Sequence[str] | None) -> list[ColumnElement[bool]]:
    measured = select(SurfaceMetric.id).where(
        SurfaceMetric.response_id == Response.id, SurfaceMetric.metric == metric, SurfaceMetric.tool == tool
    )
    conditions: list[ColumnElement[bool]] = [~measured.exists()]
    if languages is not None:
        conditions.append(col(Instruction.language).in_(languages))
    return conditions


def _conditions(
    rater: int, languages: Sequence[str] | None, with_check: bool, modifiers: Sequence[str] | None
) -> list[ColumnElement[bool]]:
    entry = select(Entry.id).where(Entry.response_id == Response.id, Entry.rater_id == rater)
    conditions: list[ColumnElement[bool]] = [~entry.exists()]
    if languages is not None:
        conditions.append(col(Instruction.language).in_(languages))
    if with_check:
        conditions.append(col(Instruction.check).is_not(None))
    if modifiers is not None:
        conditions.append(col(Instruction.modifier).in_(modifiers))
    return conditions
