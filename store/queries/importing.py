"""What an import asks of the store, a batch of rows at a time, and how it writes instructions, responses,
ratings and notes.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from store.queries.journal import ROW_TABLES
from store.queries.responses import IDENTITY
from store.tables import (
    Criterion,
    Decoding,
    Entry,
    Instruction,
    Model,
    Response,
    Rubric,
    Suite,
)
from store.tables.columns import utc_now

EarlierState = tuple[datetime, tuple[Any, ...]]
"""When a rater said something about a thing, and what: the columns that a row sets, in their order."""


@dataclass(frozen=True)
class KnownResponse:
    """A response as an import looks for it."""

    id: int
    instruction_id: int
    model: str
    engine: str
    quantization: str | None
    parameters: dict[str, Any]
    sample: int
    text_digest: str


@dataclass(frozen=True)
class ResponseTexts:
    """A response with what it is an answer to."""

    id: int
    suite: str
    language: str
    key: str
    instruction: str
    text: str


def known_instructions(
    session: Session, suite_id: int, language: str, keys: Collection[str]
) -> dict[str, tuple[int, str]]:
    """Of these keys, the ones the suite holds in this language: key to (instruction id, text)."""
    statement = select(Instruction.key, Instruction.id, Instruction.text).where(
        Instruction.suite_id == suite_id, Instruction.language == language, col(Instruction.key).in_(keys)
    )
    return {key: (instruction_id or 0, text) for key, instruction_id, text in session.exec(statement)}


def languages_of(session: Session, suite_id: int) -> list[str]:
    """The languages in which a suite holds instructions, sorted."""
    statement = select(Instruction.language).where(Instruction.suite_id == suite_id).distinct()
    return sorted(session.exec(statement))


def next_position(session: Session, suite_id: int, language: str) -> int:
    """The position after the suite's last instruction in this language; 0 when it has none."""
    statement = select(func.max(Instruction.position)).where(
        Instruction.suite_id == suite_id, Instruction.language == language
    )
    last = session.exec(statement).one()
    return 0 if last is None else last + 1


def known_answers(session: Session, like: Iterable[tuple[int, ...]]) -> dict[tuple[int, ...], str]:
    """The answers to the same instructions of the same models under the same decodings as these (instruction,
    model, decoding, and more): instruction, model, decoding and sample to the digest of the text."""
    instructions, models, decodings = (set(ids) for ids in list(zip(*like, strict=True))[:3])
    statement = select(  # type: ignore[call-overload]
        Response.instruction_id,
        Response.model_id,
        Response.decoding_id,
        Response.sample,
        Response.text_digest,
    ).where(
        col(Response.instruction_id).in_(instructions),
        col(Response.model_id).in_(models),
        col(Response.decoding_id).in_(decodings),
    )
    return {tuple(row[:4]): row[4] for row in session.connection().execute(statement)}


def add_instructions(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Write instructions that are not there; `rows` hold every column but the id."""
    if rows:
        names = tuple(rows[0])
        values = [tuple(row[name] for name in names) for row in rows]
        _insert_rows(session, Instruction, names, values, ("suite_id", "language", "key"))


def add_answers(session: Session, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write responses that are not there: instruction, model, decoding, sample, text, its digest, and run."""
    now = utc_now()
    names = (*IDENTITY, "text", "text_digest", "run_id", "created_at")
    _insert_rows(session, Response, names, [(*row, now) for row in rows], IDENTITY)


def _insert_rows(
    session: Session,
    table: Any,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    key: Sequence[str],
) -> None:
    """Hand rows to the driver: what SQLAlchemy does for every row of an `executemany` takes as long as
    writing it, and `store.upsert`, which makes an object of each, several times as long."""
    if not rows:
        return
    connection = session.connection()
    dialect = connection.dialect
    for index, name in enumerate(names):
        process = table.__table__.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        if process is not None:
            processed = {id(row[index]): process(row[index]) for row in rows}  # one time, few checks
            rows = [(*row[:index], processed[id(row[index])], *row[index + 1 :]) for row in rows]
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    columns, unique = (", ".join(f'"{name}"' for name in group) for group in (names, key))
    connection.exec_driver_sql(
        f"INSERT INTO {table.__tablename__} ({columns}) VALUES ({', '.join([mark] * len(names))}) "
        f"ON CONFLICT ({unique}) DO NOTHING",
        rows,
    )


def responses_to(session: Session, instruction_ids: Collection[int]) -> dict[int, list[KnownResponse]]:
    """The responses to these instructions, by instruction."""
    statement = (
        select(  # type: ignore[call-overload]
            Response.id, Response.instruction_id, Model.name, Decoding.engine, Decoding.quantization,
            Decoding.parameters, Response.sample, Response.text_digest,
        )
        .join(Model, col(Model.id) == Response.model_id)
        .join(Decoding, col(Decoding.id) == Response.decoding_id)
        .where(col(Response.instruction_id).in_(instruction_ids))
    )  # fmt: skip
    responses: dict[int, list[KnownResponse]] = {}
    for row in session.exec(statement):
        responses.setdefault(row[1], []).append(KnownResponse(*row))
    return responses


def texts_with_digest(session: Session, text_digest: str) -> list[ResponseTexts]:
    """The responses whose text has this digest."""
    return _texts(session, Response.text_digest == text_digest)


def texts_of(session: Session, response_ids: Collection[int]) -> list[ResponseTexts]:
    """These responses."""
    return _texts(session, col(Response.id).in_(response_ids))


def texts_to(session: Session, suite_id: int, language: str, text: str) -> list[ResponseTexts]:
    """The responses to the instructions of a suite that have this text in a language."""
    return _texts(
        session, Instruction.suite_id == suite_id, Instruction.language == language, Instruction.text == text
    )


def instruction_texts(session: Session, suite_id: int, language: str) -> Iterator[tuple[str, str]]:
    """Key and text of every instruction of a suite in a language."""
    statement = select(Instruction.key, Instruction.text).where(
        Instruction.suite_id == suite_id, Instruction.language == language
    )
    yield from session.exec(statement)


def criteria_by_rubric(session: Session) -> dict[str, list[Criterion]]:
    """The criteria of every rubric in its order, by `name/version`."""
    statement = (
        select(Rubric.name, Rubric.version, Criterion)
        .join(Criterion, col(Criterion.rubric_id) == Rubric.id)
        .order_by(col(Rubric.id), col(Criterion.position))
    )
    criteria: dict[str, list[Criterion]] = {}
    for name, version, criterion in session.exec(statement):
        criteria.setdefault(f"{name}/{version}", []).append(criterion)
    return criteria


def earlier_states(
    session: Session, rater_ids: Collection[int], response_ids: Collection[int]
) -> dict[tuple[Any, ...], list[EarlierState]]:
    """All that these raters said about these responses, the last of each last. The key holds the table, the
    rater, the response, and what else the row is about."""
    states: dict[tuple[Any, ...], list[EarlierState]] = {}
    for table, (about, cleared) in ROW_TABLES.items():
        columns = [getattr(table, name) for name in (*about, *cleared)]
        statement = (
            select(table.rater_id, Entry.created_at, *columns)
            .join(Entry, col(Entry.id) == table.entry_id)
            .where(table.rater_id.in_(rater_ids), table.response_id.in_(response_ids))
            .order_by(table.id)
        )
        for rater, created_at, *values in session.exec(statement):
            key = (table, rater, *values[: len(about)])
            states.setdefault(key, []).append((created_at, tuple(values[len(about) :])))
    return states


def _texts(session: Session, *conditions: Any) -> list[ResponseTexts]:
    statement = (
        select(  # type: ignore[call-overload]
            Response.id, Suite.name, Suite.version, Instruction.language, Instruction.key, Instruction.text,
            Response.text,
        )
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .join(Suite, col(Suite.id) == Instruction.suite_id)
        .where(*conditions)
        .order_by(col(Response.id))
    )  # fmt: skip
    return [
        ResponseTexts(response_id, f"{name}/{version}", language, key, instruction, text)
        for response_id, name, version, language, key, instruction, text in session.exec(statement)
    ]
