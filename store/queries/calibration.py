"""What humans and judges said of the same responses: the scores that a judge is calibrated by.

Which scores take part is said by the ledger (`store.queries.ledger`). Each question here is asked once for
all responses, and answered by the index `ix_rating_rater`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlmodel import Session, col
from sqlmodel import select as select_model

from store.labels import versioned_name
from store.queries.ledger import REPEAT, is_paired
from store.queries.raters import split_version
from store.tables import LEDGER, Criterion, Instruction, Rater, Rating, Response, Rubric

# The scores on one criterion: rater's id -> response's id -> score.
CriterionScores = dict[int, dict[int, int]]

# The responses in the wrong language: (criterion's id, rater's id) -> ids.
WrongLanguage = Mapping[tuple[int, int], Collection[int]]


@dataclass(frozen=True)
class Judge:
    """An LLM judge or a rule. `rater_ids` maps the how-many-th time it was asked, from 1, to the rater."""

    kind: str
    name: str
    version: str
    rater_ids: dict[int, int]

    @property
    def label(self) -> str:
        return versioned_name(self.name, self.version)


@dataclass(frozen=True)
class Scale:
    """A criterion with its rubric (`name/version`) and the scores that it has."""

    criterion_id: int
    rubric_id: int
    rubric: str
    criterion: str
    minimum: int
    maximum: int


@dataclass(frozen=True)
class Length:
    """The language of a response's instruction, and the response's length in characters."""

    language: str
    length: int


@dataclass(frozen=True)
class Subset:
    """The responses in question: to this suite, in these languages (None: any)."""

    suite_id: int | None = None
    languages: tuple[str, ...] | None = None


def judges(session: Session) -> list[Judge]:
    """The LLM judges, then the rules, by name and version; a judge's repeats are one with it."""
    repeats: dict[tuple[str, str, str], dict[int, int]] = {}
    for rater in _raters(session, ("llm", "rule")):
        version, repeat = split_version(rater.version)
        repeats.setdefault((rater.kind, rater.name, version), {})[repeat] = rater.id or 0
    return [Judge(*identity, repeats[identity]) for identity in sorted(repeats)]


def humans(session: Session) -> dict[int, str]:
    """The human raters by their ids, in the order of their names; without repeats."""
    raters = _raters(session, ("human",))
    return {rater.id or 0: rater.name for rater in raters if split_version(rater.version)[1] == 1}


def scales(session: Session, criterion_ids: Iterable[int]) -> list[Scale]:
    """The scales of these criteria, in the order of their rubrics."""
    statement = (
        select_model(Criterion, Rubric)
        .join(Rubric, col(Rubric.id) == Criterion.rubric_id)
        .where(col(Criterion.id).in_(list(criterion_ids)))
        .order_by(col(Rubric.id), col(Criterion.position))
    )
    return [
        Scale(row.id or 0, row.rubric_id, f"{of.name}/{of.version}", row.name, row.minimum, row.maximum)
        for row, of in session.exec(statement)
    ]


def scores(session: Session, rater_ids: Iterable[int], within: Subset) -> dict[int, CriterionScores]:
    """Every score of these raters, each by its own (also as one who was asked again), that takes part in
    agreement, by criterion."""
    given = LEDGER.c
    statement = _within(
        select(given.criterion_id, given.rater_id, given.response_id, given.score)
        .select_from(LEDGER)
        .join(Response, col(Response.id) == given.response_id)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .where(given.rater_id.in_(list(rater_ids)), or_(is_paired(), given.left_out == REPEAT)),
        within,
    )
    scores_by_criterion: dict[int, CriterionScores] = {}
    for criterion, rater, response, score in session.connection().execute(statement):
        scores_by_criterion.setdefault(criterion, {}).setdefault(rater, {})[response] = score
    return scores_by_criterion


def in_wrong_language(session: Session, rater_ids: Iterable[int], within: Subset) -> WrongLanguage:
    """The responses whose scores these raters' means leave out, since they are in the wrong language."""
    given = LEDGER.c
    statement = _within(
        select(given.criterion_id, given.rater_id, given.response_id)
        .select_from(LEDGER)
        .join(Response, col(Response.id) == given.response_id)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .where(given.rater_id.in_(list(rater_ids)), given.stands, given.wrong_language),
        within,
    )
    wrong: dict[tuple[int, int], set[int]] = {}
    for criterion, rater, response in session.connection().execute(statement):
        wrong.setdefault((criterion, rater), set()).add(response)
    return wrong


def lengths(session: Session, rater_ids: Iterable[int], within: Subset) -> dict[int, Length]:
    """The responses that these raters rated, by their ids."""
    rated = select_model(Rating.id).where(
        col(Rating.rater_id).in_(list(rater_ids)), col(Rating.response_id) == col(Response.id)
    )
    statement = _within(
        select(col(Response.id), col(Instruction.language), func.length(Response.text))
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .where(rated.correlate(Response).exists()),
        within,
    )
    return {
        response: Length(language, length)
        for response, language, length in session.connection().execute(statement)
    }


def _raters(session: Session, kinds: Sequence[str]) -> list[Rater]:
    statement = select_model(Rater).where(col(Rater.kind).in_(list(kinds)))
    return list(session.exec(statement.order_by(col(Rater.kind), col(Rater.name), col(Rater.version))))


def _within(statement: Select[Any], within: Subset) -> Select[Any]:
    if within.suite_id is not None:
        statement = statement.where(col(Instruction.suite_id) == within.suite_id)
    if within.languages is not None:
        statement = statement.where(col(Instruction.language).in_(within.languages))
    return statement
