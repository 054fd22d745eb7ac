"""What an import of ratings and notes asks of the store, and how it appends to the journal, in batches."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, col, select

from store.queries.journal import APP_VERSION
from store.tables import (
    Comment,
    Criterion,
    Decoding,
    Entry,
    ErrorSpan,
    Instruction,
    Model,
    Rating,
    Response,
    Rubric,
    Suite,
)

# For each table of the journal: what a row is about besides a response, and what it says of that.
PARTS: dict[Any, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Rating: (("criterion_id",), ("score", "skipped")),
    Comment: ((), ("text",)),
    ErrorSpan: (("start_offset", "end_offset", "category"), ("severity", "note", "present")),
}

Said = tuple[datetime, tuple[Any, ...]]
"""When a rater said something about a thing, and what (the second columns of `PARTS`)."""


@dataclass(frozen=True)
class Candidate:
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
class Texts:
    """A response with what it is an answer to."""

    id: int
    suite: str
    language: str
    key: str
    instruction: str
    text: str


def answers_to(session: Session, instruction_ids: Collection[int]) -> dict[int, list[Candidate]]:
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
    found: dict[int, list[Candidate]] = {}
    for row in session.exec(statement):
        found.setdefault(row[1], []).append(Candidate(*row))
    return found


def texts_with_digest(session: Session, text_digest: str) -> list[Texts]:
    """The responses whose text has this digest."""
    return _texts(session, Response.text_digest == text_digest)


def texts_of(session: Session, response_ids: Collection[int]) -> list[Texts]:
    """These responses."""
    return _texts(session, col(Response.id).in_(response_ids))


def texts_to(session: Session, suite_id: int, language: str, text: str) -> list[Texts]:
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
    found: dict[str, list[Criterion]] = {}
    for name, version, criterion in session.exec(statement):
        found.setdefault(f"{name}/{version}", []).append(criterion)
    return found


def said_before(
    session: Session, rater_ids: Collection[int], response_ids: Collection[int]
) -> dict[tuple[Any, ...], list[Said]]:
    """All that these raters said about these responses, the last of each last. The key holds the table, the
    rater, the response, and what else the row is about."""
    found: dict[tuple[Any, ...], list[Said]] = {}
    for part, (about, says) in PARTS.items():
        columns = [getattr(part, name) for name in (*about, *says)]
        statement = (
            select(part.rater_id, part.response_id, Entry.created_at, *columns)
            .join(Entry, col(Entry.id) == part.entry_id)
            .where(part.rater_id.in_(rater_ids), part.response_id.in_(response_ids))
            .order_by(part.id)
        )
        for row in session.exec(statement):
            rater, response, created_at, *more = row
            key = (part, rater, response, *more[: len(about)])
            found.setdefault(key, []).append((created_at, tuple(more[len(about) :])))
    return found


def append_entries(
    session: Session,
    entries: Sequence[Mapping[str, Any]],
    rows: Sequence[Sequence[tuple[Any, Mapping[str, Any]]]],
) -> None:
    """Append entries (columns of `store.tables.Entry` but for the version) with the rows that each of them
    sets: table and columns without entry and rater."""
    if not entries:
        return
    returning: Any = insert(Entry).returning(Entry.id, sort_by_parameter_order=True)  # type: ignore[call-overload]
    complete = [{**entry, "app_version": APP_VERSION} for entry in entries]
    ids = session.connection().execute(returning, complete).scalars().all()
    for part in PARTS:
        found = [
            {**columns, "entry_id": entry_id, "rater_id": entry["rater_id"]}
            for entry_id, entry, own in zip(ids, entries, rows, strict=True)
            for table, columns in own
            if table is part
        ]
        if found:
            session.connection().execute(insert(part), found)


def _texts(session: Session, *conditions: Any) -> list[Texts]:
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
        Texts(found, f"{name}/{version}", language, key, instruction, text)
        for found, name, version, language, key, instruction, text in session.exec(statement)
    ]
