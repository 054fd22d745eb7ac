"""What the compare screen shows: the view (suite, language, sources), and the rows of one instruction."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import func, text, tuple_
from sqlmodel import Session, col, select

from store.errors import UsageError
from store.queries.responses import IDS_AT_ONCE
from store.queries.suites import SuiteSummary, list_suites
from store.tables import (
    CURRENT_METRIC,
    Comment,
    Decoding,
    Entry,
    ErrorSpan,
    Instruction,
    Model,
    Response,
    Suite,
    SurfaceMetric,
)

SourceKey = tuple[int, int, int]

# A loose index scan (https://wiki.postgresql.org/wiki/Loose_indexscan), which the databases don't plan by
# themselves: `first_response` leaps over ix_response_source from a response to the first one of the next
# source, and to NULL after the last. SQLite looks up all three columns only where the other side isn't one,
# hence `+ 0`, and only by `>=`: with `>` it would walk over all that equal the last.
# Then the instructions come first: a join might begin with all responses of a source.
SOURCES = """
WITH RECURSIVE first_response(id) AS (
    SELECT (SELECT id FROM response ORDER BY model_id, decoding_id, sample LIMIT 1)
    UNION ALL
    SELECT (SELECT later.id FROM response AS later
            WHERE (later.model_id, later.decoding_id, later.sample)
                  >= (response.model_id + 0, response.decoding_id + 0, response.sample + 1)
            ORDER BY later.model_id, later.decoding_id, later.sample LIMIT 1)
    FROM first_response JOIN response ON response.id = first_response.id)
SELECT response.model_id, response.decoding_id, response.sample
FROM first_response JOIN response ON response.id = first_response.id
WHERE EXISTS (
    SELECT 1 FROM instruction
    WHERE instruction.suite_id = :suite AND instruction.language = :language AND EXISTS (
        SELECT 1 FROM response AS answer
        WHERE answer.instruction_id = instruction.id AND answer.model_id = response.model_id
          AND answer.decoding_id = response.decoding_id AND answer.sample = response.sample))
"""


@dataclass(frozen=True)
class Source:
    """Where a column of responses comes from: a model under a decoding, and the number of the sample."""

    model_id: int
    model: str
    decoding_id: int
    digest: str
    engine: str
    quantization: str | None
    parameters: str
    sample: int

    @property
    def key(self) -> SourceKey:
        return self.model_id, self.decoding_id, self.sample

    @property
    def order(self) -> tuple[str, str, str, str, int]:
        """By name; of one model, by its decodings and samples."""
        return self.model, self.engine, self.quantization or "", self.digest, self.sample

    @property
    def identity(self) -> tuple[str, str, int]:
        """The same in every store that holds the response, whatever its row numbers."""
        return self.model, self.digest, self.sample


class HighestIds(NamedTuple):
    """The highest id in each of the tables that the room reads while others write; 0 where one is empty."""

    response: int
    entry: int
    surface_metric: int
    comment: int
    error_span: int


@dataclass(frozen=True)
class MeasuredMetric:
    """A surface metric of a response; see `store.tables.SurfaceMetric`."""

    value: float | None
    label: str | None
    detail: dict[str, Any] = field(default_factory=dict)


def response_counts(session: Session) -> dict[str, dict[str, int]]:
    """How many responses each suite (`name/version`) has in each language."""
    statement = (
        select(Suite.name, Suite.version, Instruction.language, func.count())
        .join(Instruction, col(Instruction.suite_id) == Suite.id)
        .join(Response, col(Response.instruction_id) == Instruction.id)
        .group_by(Suite.name, Suite.version, col(Instruction.language))
        .order_by(Suite.name, Suite.version, col(Instruction.language))
    )
    counts: dict[str, dict[str, int]] = {}
    for name, version, language, count in session.exec(statement):
        counts.setdefault(f"{name}/{version}", {})[language] = count
    return counts


def highest_ids(session: Session) -> HighestIds:
    """By which the room sees that something was written: at least one of them is then higher.

    Each is one look at the end of a primary key. PostgreSQL gives ids when rows are written and shows them
    when they are committed, so that of two writers at once the one that ends last may raise nothing; its rows
    are then seen with the next write.
    """
    ends = [
        select(func.coalesce(func.max(col(table.id)), 0)).scalar_subquery()
        for table in (Response, Entry, SurfaceMetric, Comment, ErrorSpan)
    ]
    return HighestIds(*session.connection().execute(select(*ends)).one())


def suite_with_responses(session: Session, language: str | None, label: str | None) -> SuiteSummary:
    """The suite of this label (`name` or `name/version`; None: the last one) with responses in a language
    (None: in any).

    Raises `UsageError` that lists the languages, or the suites, which have responses.
    """
    suites = list_suites(session)
    named = [suite for suite in suites if label in (None, suite.name, suite.label)]
    if suites and not named:
        known = ", ".join(suite.label for suite in suites)
        raise UsageError(f"No suite {label!r} in the store. It holds: {known}.")
    for suite in reversed(named):
        wanted = [code for code in suite.languages if language in (None, code)]
        if any(_has_responses(session, suite.id, code) for code in wanted):
            return suite
    counts = response_counts(session)
    if not counts:
        raise UsageError(
            "The store holds no responses yet. `xlit-core import`, `generate` or `demo` brings them."
        )
    labels = {suite.label for suite in named}
    held = "; ".join(
        f"{suite}: " + ", ".join(f"{code} ({count})" for code, count in languages.items())
        for suite, languages in counts.items()
        if suite in labels
    )
    if not held:
        raise UsageError(f"Suite {label} has no responses yet. These have: {', '.join(counts)}.")
    raise UsageError(f"No responses in language {language!r}. Languages with responses: {held}.")


def _has_responses(session: Session, suite_id: int, language: str) -> bool:
    statement = (
        select(Response.id)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .where(Instruction.suite_id == suite_id, Instruction.language == language)
        .limit(1)
    )
    return session.exec(statement).first() is not None


def sources_of(session: Session, suite_id: int, language: str) -> list[Source]:
    """The sources that answered at least one instruction of the suite in the language, by name.

    A source that answered takes a few steps in the indexes, however many responses it has; one that answered
    only elsewhere takes a step for each instruction of the suite in the language.
    """
    rows = session.connection().execute(text(SOURCES), {"suite": suite_id, "language": language})
    keys = [(row.model_id, row.decoding_id, row.sample) for row in rows]
    models = {row.id: row for row in session.exec(_by_ids(Model, {key[0] for key in keys}))}
    decodings = {row.id: row for row in session.exec(_by_ids(Decoding, {key[1] for key in keys}))}
    sources = [_source(models[model], decodings[decoding], sample) for model, decoding, sample in keys]
    return sorted(sources, key=lambda source: source.order)


def _by_ids(kind: Any, ids: Iterable[int]) -> Any:
    return select(kind).where(col(kind.id).in_(list(ids)))


def _source(model: Model, decoding: Decoding, sample: int) -> Source:
    return Source(
        model_id=model.id or 0,
        model=model.name,
        decoding_id=decoding.id or 0,
        digest=decoding.digest,
        engine=decoding.engine,
        quantization=decoding.quantization,
        parameters=json.dumps(decoding.parameters, sort_keys=True),
        sample=sample,
    )


def from_sources(keys: Sequence[SourceKey]) -> Any:
    """The condition that a response comes from one of these sources."""
    return tuple_(col(Response.model_id), col(Response.decoding_id), col(Response.sample)).in_(list(keys))


def instruction_of(session: Session, instruction_id: int) -> Instruction:
    """One instruction by its id."""
    return session.get_one(Instruction, instruction_id)


def languages_of(session: Session, instruction_ids: Sequence[int]) -> dict[int, str]:
    """The language of each of these instructions."""
    wanted = sorted(set(instruction_ids))
    languages: dict[int, str] = {}
    for first in range(0, len(wanted), IDS_AT_ONCE):
        chunk = wanted[first : first + IDS_AT_ONCE]
        statement = select(Instruction.id, Instruction.language).where(col(Instruction.id).in_(chunk))
        languages |= {number or 0: language for number, language in session.exec(statement)}
    return languages


def instruction_in(session: Session, instruction: Instruction, language: str) -> Instruction | None:
    """The same instruction in a language; None when there is none."""
    if instruction.language == language:
        return instruction
    statement = select(Instruction).where(
        Instruction.suite_id == instruction.suite_id,
        Instruction.language == language,
        Instruction.key == instruction.key,
    )
    return session.exec(statement).first()


def translation_of(session: Session, instruction: Instruction, language: str) -> str | None:
    """The text of the same instruction in another language; None when there is none."""
    translated = instruction_in(session, instruction, language)
    return None if translated is None or translated is instruction else translated.text


def responses_to(session: Session, instruction_id: int) -> list[tuple[Response, Source]]:
    """All responses to one instruction with their sources, in the order they came."""
    statement = (
        select(Response, Model, Decoding)
        .join(Model, col(Model.id) == Response.model_id)
        .join(Decoding, col(Decoding.id) == Response.decoding_id)
        .where(Response.instruction_id == instruction_id)
        .order_by(col(Response.id))
    )
    return [
        (response, _source(model, decoding, response.sample))
        for response, model, decoding in session.exec(statement)
    ]


def first_texts(session: Session, instruction_id: int) -> dict[tuple[int, int], str]:
    """The texts of the first samples that answer an instruction, by model and decoding."""
    statement = (
        select(Response)
        .where(Response.instruction_id == instruction_id, Response.sample == 0)
        .order_by(col(Response.id))
    )
    return {(row.model_id, row.decoding_id): row.text for row in session.exec(statement)}


def surface_of(session: Session, response_ids: Sequence[int]) -> dict[int, dict[str, MeasuredMetric]]:
    """The surface metrics of these responses by response and metric; of several tools, the last one."""
    statement = CURRENT_METRIC.select().where(CURRENT_METRIC.c.response_id.in_(list(response_ids)))
    metrics: dict[int, dict[str, MeasuredMetric]] = {}
    for row in session.connection().execute(statement):
        metrics.setdefault(row.response_id, {})[row.metric] = MeasuredMetric(row.value, row.label, row.detail)
    return metrics
