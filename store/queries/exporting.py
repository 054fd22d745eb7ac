"""Rows for export, read in pages of responses: a fixed amount of memory, the same order every time."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from heapq import merge
from itertools import groupby
from typing import Any

from sqlalchemy import TableClause, union
from sqlmodel import Session, col, select

from store.tables import (
    CURRENT_COMMENT,
    CURRENT_ERROR_SPAN,
    Comment,
    Criterion,
    Decoding,
    Entry,
    ErrorSpan,
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
        statement = _joined(
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
    metric, tool, value, label and the reason why there is none, in the order they were measured."""
    for ids in _pages(session, suite_id, language):
        metrics: dict[int, list[dict[str, Any]]] = {}
        for measurement in session.exec(
            select(SurfaceMetric)
            .where(col(SurfaceMetric.response_id).in_(ids))
            .order_by(col(SurfaceMetric.id))
        ):
            metrics.setdefault(measurement.response_id, []).append(
                {
                    "metric": measurement.metric,
                    "tool": measurement.tool,
                    "value": measurement.value,
                    "label": measurement.label,
                    "reason": measurement.detail.get("reason"),
                }
            )
        statement = _joined(
            select(  # type: ignore[call-overload]
                *_RESPONSE,
                col(Response.finish_reason),
                col(Response.tokens_in),
                col(Response.tokens_out),
                col(Response.seconds),
                col(Response.created_at),
            )
            .select_from(Response)
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


def note_rows(
    session: Session, *, suite_id: int | None = None, language: str | None = None
) -> Iterator[dict[str, Any]]:
    """The current comments and error spans of human raters, one a row, in the order of response and rater, a
    comment before the spans, those by start.

    `kind` is `comment` or `span`. `text` is the comment, or what was noted on the span; `start`, `end` (code
    points of the response, `end` not included), `excerpt`, `category` and `severity` are None for a comment.
    """
    noted = union(select(Comment.response_id), select(ErrorSpan.response_id))
    for ids in _pages(session, suite_id, language, among=noted):
        both = (session.exec(_notes(view, ids)).mappings() for view in (CURRENT_COMMENT, CURRENT_ERROR_SPAN))
        for row in merge(*both, key=_note_order):
            yield _note(row)


def measured_metrics(session: Session) -> list[str]:
    """The surface metrics that the store holds a measurement of, sorted."""
    return sorted(session.exec(select(SurfaceMetric.metric).distinct()))


def _pages(
    session: Session, suite_id: int | None, language: str | None, among: Any = None
) -> Iterator[Sequence[int]]:
    """The ids of the responses that are asked for (and are in the subquery `among`), some at a time."""
    statement = select(Response.id).order_by(col(Response.id)).limit(PAGE)
    if among is not None:
        statement = statement.where(col(Response.id).in_(among))
    if suite_id is not None or language is not None:
        statement = statement.join(Instruction)
    if suite_id is not None:
        statement = statement.where(Instruction.suite_id == suite_id)
    if language is not None:
        statement = statement.where(Instruction.language == language)
    last = 0
    while ids := [number or 0 for number in session.exec(statement.where(col(Response.id) > last))]:
        yield ids
        last = ids[-1]


def _joined(statement: Any) -> Any:
    """A statement on responses with the tables that `_RESPONSE` needs besides."""
    return (
        statement.join(Instruction, col(Instruction.id) == Response.instruction_id)
        .join(Suite, col(Suite.id) == Instruction.suite_id)
        .join(Model, col(Model.id) == Response.model_id)
        .join(Decoding, col(Decoding.id) == Response.decoding_id)
    )


def _notes(view: TableClause, response_ids: Sequence[int]) -> Any:
    # A comment has no columns of its own for the order.
    offsets = [column for column in view.c if column.name in ("start_offset", "end_offset")]
    return _joined(
        select(  # type: ignore[call-overload]
            *_RESPONSE,
            *(column for column in view.c if column.name not in ("id", "response_id")),
            col(Rater.name).label("rater"),
            col(Entry.judge_shown),
            col(Entry.names_shown),
            col(Entry.created_at),
        )
        .select_from(view)
        .join(Entry, col(Entry.id) == view.c.entry_id)
        .join(Rater, col(Rater.id) == view.c.rater_id)
        .join(Response, col(Response.id) == view.c.response_id)
        .where(view.c.response_id.in_(response_ids), Rater.kind == "human")
        .order_by(view.c.response_id, view.c.rater_id, *offsets, view.c.id)
    )


def _note_order(row: Any) -> tuple[Any, ...]:
    # -1: a comment comes before the spans, which are in their own order already.
    return row["response_id"], row["rater_id"], row.get("start_offset", -1)


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
    return {**rating, "entry_id": row["entry_id"], "entry_kind": row["entry_kind"]} if journal else rating


def _note(row: Any) -> dict[str, Any]:
    start, end = row.get("start_offset"), row.get("end_offset")
    is_comment = start is None
    note = {
        **_response(row),
        "rater": row["rater"],
        "kind": "comment" if is_comment else "span",
        "start": start,
        "end": end,
        "excerpt": None if is_comment else row["response"][start:end],
        "category": row.get("category"),
        "severity": row.get("severity"),
        "text": row["text"] if is_comment else row["note"],
        **{name: bool(row[name]) for name in ("judge_shown", "names_shown")},
        "created_at": _iso(row["created_at"]),
    }
    return note


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
