"""What an import asks of the store, a batch of rows at a time."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from store.queries.responses import IDENTITY
from store.tables import Instruction, Response
from store.tables.columns import utc_now


def known_instructions(
    session: Session, suite_id: int, language: str, keys: Collection[str]
) -> dict[str, tuple[int, str]]:
    """Of these keys, the ones the suite holds in this language: key to (instruction id, text)."""
    statement = select(Instruction.key, Instruction.id, Instruction.text).where(
        Instruction.suite_id == suite_id, Instruction.language == language, col(Instruction.key).in_(keys)
    )
    return {key: (found or 0, text) for key, found, text in session.exec(statement)}


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
        _add(session, Instruction, names, values, ("suite_id", "language", "key"))


def add_answers(session: Session, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write responses that are not there: instruction, model, decoding, sample, text, its digest, and run."""
    now = utc_now()
    names = (*IDENTITY, "text", "text_digest", "run_id", "created_at")
    _add(session, Response, names, [(*row, now) for row in rows], IDENTITY)


def _add(
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
    for place, name in enumerate(names):
        process = table.__table__.c[name].type.dialect_impl(dialect).bind_processor(dialect)
        if process is not None:
            processed = {id(row[place]): process(row[place]) for row in rows}  # one time, few checks
            rows = [(*row[:place], processed[id(row[place])], *row[place + 1 :]) for row in rows]
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    columns, unique = (", ".join(f'"{name}"' for name in these) for these in (names, key))
    connection.exec_driver_sql(
        f"INSERT INTO {table.__tablename__} ({columns}) VALUES ({', '.join([mark] * len(names))}) "
        f"ON CONFLICT ({unique}) DO NOTHING",
        rows,
    )
