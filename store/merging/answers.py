"""Responses of two stores, what was measured of them, and what judges answered."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlmodel import Session, col, select

from store.merging.runs import run_of
from store.merging.uniting import Uniting, columns_of, pages
from store.queries.responses import IDENTITY
from store.tables import Decoding, Instruction, JudgeAnswer, Model, Rater, Response, SurfaceMetric
from store.upsert import insert_missing

Identity = tuple[int, int, int, int]


def unite_responses(it: Uniting) -> None:
    """By instruction, model, decoding and sample; their texts must be the same."""
    for page in pages(it.source, Response):
        rows = {row.id or 0: identity for row in page if (identity := _identity(it, row)) is not None}
        there = _known(it.target, {identity[0] for identity in rows.values()})
        new = [row for row in page if row.id in rows and rows[row.id] not in there]
        added = [
            {**columns_of(row), **dict(zip(IDENTITY, rows[row.id or 0], strict=True)), "run_id": run}
            for row in new
            for run in [run_of(it, row.run_id)]
        ]
        insert_missing(it.target, Response, added, IDENTITY)
        now = _known(it.target, {rows[row.id or 0][0] for row in new})
        for row in page:
            if row.id not in rows:
                continue
            number, digest = (there | now)[rows[row.id]]
            if digest == row.text_digest:
                it.of(Response)[row.id] = number
            else:
                it.conflict(_name(it, row), "another text", "it and what was said of it stay out")
        it.count("responses", len(new), sum(row.id in it.of(Response) for row in page) - len(new))
        _unite_metrics(it, [row.id for row in page if row.id in it.of(Response)])


def unite_judge_answers(it: Uniting) -> None:
    """By the digest of the question: what was paid for is not paid for again."""
    rows = it.source.exec(select(JudgeAnswer).order_by(col(JudgeAnswer.digest)))
    new = [
        {**row.model_dump(), "rater_id": rater}
        for row in rows
        if (rater := it.of(Rater).get(row.rater_id)) is not None
    ]
    it.added["judge answers"] += insert_missing(it.target, JudgeAnswer, new, ["digest"])


def response_name(session: Session, response_id: int) -> str:
    """A response as a person names it."""
    statement = (
        select(Instruction.key, Instruction.language, Model.name)
        .join(Response, col(Response.instruction_id) == Instruction.id)
        .join(Model, col(Model.id) == Response.model_id)
        .where(Response.id == response_id)
    )
    key, language, model = session.exec(statement).one()
    return f"response of {model} to {key} ({language})"


def _identity(it: Uniting, row: Response) -> Identity | None:
    """What a response is in the target; None: its instruction stays out."""
    instruction = it.of(Instruction).get(row.instruction_id)
    if instruction is None:
        return None
    return instruction, it.of(Model)[row.model_id], it.of(Decoding)[row.decoding_id], row.sample


def _known(session: Session, instructions: Collection[int]) -> dict[Identity, tuple[int, str]]:
    """The responses to these instructions: what they are to their ids and the digests of their texts."""
    statement = select(
        Response.id, Response.instruction_id, Response.model_id, Response.decoding_id, Response.sample,
        Response.text_digest,
    ).where(col(Response.instruction_id).in_(instructions))  # type: ignore[call-overload]  # fmt: skip
    return {tuple(row[1:5]): (row[0], row[5]) for row in session.connection().execute(statement)}


def _name(it: Uniting, row: Response) -> str:
    return response_name(it.source, row.id or 0)


def _unite_metrics(it: Uniting, response_ids: Sequence[int]) -> None:
    """By response, metric and tool."""
    ids = it.of(Response)
    rows = list(it.source.exec(_metrics(response_ids)))
    there = {
        (row.response_id, row.metric, row.tool): (row.value, row.label, row.detail)
        for row in it.target.exec(_metrics([ids[found] for found in response_ids]))
    }
    new = []
    for row in rows:
        key = ids[row.response_id], row.metric, row.tool
        if key not in there:
            new.append({**columns_of(row), "response_id": key[0], "run_id": run_of(it, row.run_id)})
        elif there[key] != (row.value, row.label, row.detail):
            name = response_name(it.source, row.response_id)
            it.conflict(name, f"another {row.metric} by {row.tool}; the one here is kept")
    insert_missing(it.target, SurfaceMetric, new, ("response_id", "metric", "tool"))
    it.count("metrics", len(new), len(rows) - len(new))


def _metrics(response_ids: Sequence[int]) -> Any:
    return (
        select(SurfaceMetric)
        .where(col(SurfaceMetric.response_id).in_(response_ids))
        .order_by(col(SurfaceMetric.id))
    )
