"""Rows for export, read in pages of responses: a fixed amount of memory, the same order every time."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sqlmodel import Session, col, select

from store.tables import (
    Criterion,
    Decoding,
    Entry,
    Instruction,
    Model,
    Rater,
    Rating,
    Response,
    Rubric,
    Suite,
    SurfaceMetric,
)

PAGE = 500

# What a response is an answer to, and whose it is: the columns that ratings and responses share.
_RESPONSE: tuple[Any, ...] = (
    col(Suite.name).label("suite_name"),
    col(Suite.version).label("suite_version"),
    col(Instruction.key),
    col(Instruction.language),
    col(Instruction.task),
    col(Instruction.modifier),
    col(Instruction.text).label("instruction"),
    col(Model.name).label("model"),
    col(Decoding.engine),
    col(Decoding.quantization),
    col(Decoding.parameters),
    col(Response.sample),
    col(Response.id).label("response_id"),
    col(Response.text).label("response"),
)


def rating_rows(
    session: Session, *, suite_id: int | None = None, language: str | None = None, journal: bool = False
) -> Iterator[dict[str, Any]]:
    """The current ratings (skipped ones included, cleared ones not), one a row; with `journal` every row of
    the journal, with the entry that made it.

    `revision` counts the journal's rows for the same response, rater and criterion, from 0. The order is by
    response, rater, criterion (in the rubric's order) and revision.
    """
    for ids in _pages(session, suite_id, language):
        statement = (
            select(  # type: ignore[call-overload]
                *_RESPONSE,
                col(Rating.rater_id),
                col(Rating.criterion_id),
                col(Rater.kind).label("rater_kind"),
                col(Rater.name).label("rater"),
                col(Rater.version).label("rater_version"),
                col(Rubric.name).label("rubric_name"),
                col(Rubric.version).label("rubric_version"),
                col(Criterion.name).label("criterion"),
                col(Rating.score),
                col(Rating.skipped),
                col(Entry.judge_shown),
                col(Entry.names_shown),
                col(Entry.looked_ms),
                col(Entry.created_at),
                col(Rating.entry_id),
                col(Entry.kind).label("entry_kind"),
            )
            .select_from(Rating)
            .join(Entry, col(Entry.id) == Rating.entry_id)
            .join(Rater, col(Rater.id) == Rating.rater_id)
            .join(Criterion, col(Criterion.id) == Rating.criterion_id)
            .join(Rubric, col(Rubric.id) == Criterion.rubric_id)
            .join(Response, col(Response.id) == Rating.response_id)
            .join(Instruction, col(Instruction.id) == Response.instruction_id)
            .join(Suite, col(Suite.id) == Instruction.suite_id)
            .join(Model, col(Model.id) == Response.model_id)
            .join(Decoding, col(Decoding.id) == Response.decoding_id)
            .where(col(Rating.response_id).in_(ids))
            .order_by(
                Rating.response_id,
                Rating.rater_id,
                Criterion.rubric_id,
                Criterion.position,
                Rating.criterion_id,
                Rating.id,
            )
        )
        rows = session.exec(statement).mappings()
        for _, history in groupby(
            rows, key=lambda row: (row["response_id"], row["rater_id"], row["criterion_id"])
        ):
            revisions = list(enumerate(history))
            if not journal:
                last = revisions[-1][1]
                revisions = revisions[-1:] if last["score"] is not None or last["skipped"] else []
            for revision, row in revisions:
                yield _rating(row, revision, journal)


def response_rows(
    session: Session, *, suite_id: int | None = None, language: str | None = None
) -> Iterator[dict[str, Any]]:
    """The responses in the order of their ids. `surface` holds the surface metrics of each: dictionaries of
    metric, tool, value, label, in the order they were measured."""
    for ids in _pages(session, suite_id, language):
        metrics: dict[int, list[dict[str, Any]]] = {}
        for found in session.exec(
            select(SurfaceMetric)
            .where(col(SurfaceMetric.response_id).in_(ids))
            .order_by(col(SurfaceMetric.id))
        ):
            metrics.setdefault(found.response_id, []).append(
                {"metric": found.metric, "tool": found.tool, "value": found.value, "label": found.label}
            )
        statement = (
            select(  # type: ignore[call-overload]
                *_RESPONSE,
                col(Response.finish_reason),
                col(Response.tokens_in),
                col(Response.tokens_out),
                col(Response.seconds),
                col(Response.created_at),
            )
            .select_from(Response)
            .join(Instruction, col(Instruction.id) == Response.instruction_id)
            .join(Suite, col(Suite.id) == Instruction.suite_id)
            .join(Model, col(Model.id) == Response.model_id)
            .join(Decoding, col(Decoding.id) == Response.decoding_id)
            .where(col(Response.id).in_(ids))
            .order_by(col(Response.id))
        )
        for row in session.exec(statement).mappings():
            yield {
                **_response(row),
                "finish_reason": row["finish_reason"],
                "tokens_in": row["tokens_in"],
                "tokens_out": row["tokens_out"],
                "seconds": row["seconds"],
                "created_at": _iso(row["created_at"]),
                "surface": metrics.get(row["response_id"], []),
            }
        session.expunge_all()


def measured_metrics(session: Session) -> list[str]:
    """The surface metrics that the store holds a measurement of, sorted."""
    return sorted(session.exec(select(SurfaceMetric.metric).distinct()))


def _pages(session: Session, suite_id: int | None, language: str | None) -> Iterator[Sequence[int]]:
    statement = select(Response.id).order_by(col(Response.id)).limit(PAGE)
    if suite_id is not None or language is not None:
        statement = statement.join(Instruction)
    if suite_id is not None:
        statement = statement.where(Instruction.suite_id == suite_id)
    if language is not None:
        statement = statement.where(Instruction.language == language)
    last = 0
    while ids := [found or 0 for found in session.exec(statement.where(col(Response.id) > last))]:
        yield ids
        last = ids[-1]


def _response(row: Any) -> dict[str, Any]:
    return {
        "suite": f"{row['suite_name']}/{row['suite_version']}",
        **{name: row[name] for name in ("key", "language", "task", "modifier", "instruction", "model")},
        **{name: row[name] for name in ("engine", "quantization", "parameters", "sample", "response_id")},
        "response": row["response"],
    }


def _rating(row: Any, revision: int, journal: bool) -> dict[str, Any]:
    rating = {
        **_response(row),
        **{name: row[name] for name in ("rater_kind", "rater", "rater_version")},
        "rubric": f"{row['rubric_name']}/{row['rubric_version']}",
        **{name: row[name] for name in ("criterion", "score")},
        **{name: bool(row[name]) for name in ("skipped", "judge_shown", "names_shown")},
        "looked_ms": row["looked_ms"],
        "created_at": _iso(row["created_at"]),
        "revision": revision,
    }
    del rating["parameters"]
    return {**rating, "entry_id": row["entry_id"], "entry_kind": row["entry_kind"]} if journal else rating


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
