"""Suites, models, decodings, rubrics and raters of two stores; their responses, what was measured of them,
and what judges answered.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlmodel import Session, SQLModel, col, select

from store.merging.merge_context import MergeContext, columns_of, pages, run_of
from store.names import trimmed
from store.queries.models import other_model
from store.queries.responses import IDENTITY, text_digest
from store.tables import (
    Criterion,
    Decoding,
    Instruction,
    JudgeAnswer,
    Model,
    Rater,
    Response,
    ReviewerCode,
    Rubric,
    Suite,
    SurfaceMetric,
)
from store.upsert import insert_missing

_INSTRUCTION_KEY = ("suite_id", "language", "key")


Identity = tuple[int, int, int, int]


def merge_suites(context: MergeContext) -> None:
    """By name and version; instructions by language and key, and their texts must be the same."""
    for suite in context.source.exec(select(Suite).order_by(col(Suite.id))):
        label = f"{suite.name}/{suite.version}"
        existing = _same(context.target, Suite, name=trimmed(suite.name), version=suite.version)
        new = existing is None
        context.of(Suite)[_id(suite)] = (
            _id(existing)
            if existing is not None
            else _add_copy(context.target, Suite, suite, name=trimmed(suite.name))
        )
        context.count("suites", new, not new)
        _merge_instructions(context, _id(suite), context.of(Suite)[_id(suite)], label, new)


def _merge_instructions(context: MergeContext, source: int, target: int, label: str, new: bool) -> None:
    existing = {(row.language, row.key): row for row in _instructions(context.target, target)}
    ends: dict[str, int] = {}
    for row in existing.values():
        ends[row.language] = max(ends.get(row.language, 0), row.position + 1)
    added = []
    for row in _instructions(context.source, source):
        known = existing.get((row.language, row.key))
        if known is None:
            # In a suite that is there already, after its own: no position is taken twice.
            position = row.position if new else ends.get(row.language, 0)
            ends[row.language] = position + 1
            added.append({**columns_of(row), "suite_id": target, "position": position})
        elif known.text != row.text:
            context.conflict(_instruction(label, row), "another text", "its responses stay out")
        else:
            for part in ("task", "modifier", "check"):
                if getattr(known, part) != getattr(row, part):
                    context.conflict(_instruction(label, row), f"another {part}; the one here is kept")
            context.of(Instruction)[_id(row)] = _id(known)
            context.count("instructions", 0, 1)
    context.count("instructions", insert_missing(context.target, Instruction, added, _INSTRUCTION_KEY), 0)
    if added:
        fresh = {(row["language"], row["key"]) for row in added}
        now = {(row.language, row.key): _id(row) for row in _instructions(context.target, target)}
        for row in _instructions(context.source, source):
            if (row.language, row.key) in fresh:
                context.of(Instruction)[_id(row)] = now[row.language, row.key]


def _instructions(session: Session, suite: int) -> list[Instruction]:
    statement = select(Instruction).where(Instruction.suite_id == suite)
    return list(session.exec(statement.order_by(col(Instruction.language), col(Instruction.position))))


def _instruction(label: str, row: Instruction) -> str:
    return f"suite {label}, instruction {row.key} ({row.language})"


def merge_models(context: MergeContext) -> None:
    """By name, and they must be one model (`store.queries.models.other_model`). Decodings by their digest."""
    for row in context.source.exec(select(Model).order_by(col(Model.id))):
        existing = _same(context.target, Model, name=trimmed(row.name))
        if existing is not None:
            if (reason := other_model(existing, row)) is not None:
                context.conflict(f"model {row.name}", reason, "its responses stay out")
                continue
            for part, value in columns_of(row, "weights").items():
                if getattr(existing, part) is None:
                    setattr(existing, part, value)
            existing.weights = {**row.weights, **existing.weights}
        context.of(Model)[_id(row)] = (
            _id(existing)
            if existing is not None
            else _add_copy(context.target, Model, row, name=trimmed(row.name))
        )
        context.count("models", existing is None, existing is not None)
    for decoding in context.source.exec(select(Decoding).order_by(col(Decoding.id))):
        same = _same(context.target, Decoding, digest=decoding.digest)
        decoding_id = _id(same) if same is not None else _add_copy(context.target, Decoding, decoding)
        context.of(Decoding)[_id(decoding)] = decoding_id


def merge_rubrics(context: MergeContext) -> None:
    """By name and version; their criteria must be the same in everything."""
    for rubric in context.source.exec(select(Rubric).order_by(col(Rubric.id))):
        existing = _same(context.target, Rubric, name=rubric.name, version=rubric.version)
        own = _criteria(context.source, _id(rubric))
        rubric_id = _id(existing) if existing is not None else _add_copy(context.target, Rubric, rubric)
        if existing is None:
            for row in own:
                _add_copy(context.target, Criterion, row, rubric_id=rubric_id)
            context.target.flush()
        others = _criteria(context.target, rubric_id)
        if [columns_of(row, "rubric_id") for row in own] != [columns_of(row, "rubric_id") for row in others]:
            label = f"rubric {rubric.name}/{rubric.version}"
            context.conflict(label, "other criteria", "what was scored on it stays out")
            continue
        context.of(Rubric)[_id(rubric)] = rubric_id
        context.of(Criterion).update({_id(row): _id(other) for row, other in zip(own, others, strict=True)})


def merge_raters(context: MergeContext) -> None:
    """By kind, name and version; people whose codes differ are taken to be two of the same name."""
    codes, known = _codes(context.source), _codes(context.target)
    strangers = {name for name in codes.keys() & known.keys() if codes[name] != known[name]}
    for name in sorted(strangers):
        context.conflict(f"reviewer {name}", "another code", "all that this reviewer did stays out")
    for row in context.source.exec(select(Rater).order_by(col(Rater.id))):
        if row.kind == "human" and row.name in strangers:
            continue
        existing = _same(context.target, Rater, kind=row.kind, name=trimmed(row.name), version=row.version)
        rater_id = (
            _id(existing)
            if existing is not None
            else _add_copy(context.target, Rater, row, name=trimmed(row.name))
        )
        context.of(Rater)[_id(row)] = rater_id
        context.count("raters", existing is None, existing is not None)
    for kept in context.source.exec(select(ReviewerCode)):
        rater = context.of(Rater).get(kept.rater_id)
        if rater is not None and context.target.get(ReviewerCode, rater) is None:
            context.target.add(ReviewerCode(rater_id=rater, hashed=kept.hashed, created_at=kept.created_at))
            context.added["codes"] += 1
    context.target.flush()


def _codes(session: Session) -> dict[str, str]:
    statement = select(Rater.name, ReviewerCode.hashed).join(Rater, col(Rater.id) == ReviewerCode.rater_id)
    return dict(session.exec(statement).all())


def _criteria(session: Session, rubric: int) -> list[Criterion]:
    statement = select(Criterion).where(Criterion.rubric_id == rubric)
    return list(session.exec(statement.order_by(col(Criterion.position), col(Criterion.name))))


def _same(session: Session, table: Any, **key: Any) -> Any:
    return session.exec(select(table).filter_by(**key)).first()


def _add_copy(session: Session, table: Any, row: SQLModel, **other: Any) -> int:
    """Write a copy of a row; returns its id."""
    copy = table(**{**columns_of(row), **other})
    session.add(copy)
    session.flush()
    return _id(copy)


def _id(row: Any) -> int:
    return row.id or 0


def merge_responses(context: MergeContext) -> None:
    """By instruction, model, decoding and sample; their texts must be the same."""
    for page in pages(context.source, Response):
        rows = {row.id or 0: identity for row in page if (identity := _identity(context, row)) is not None}
        existing = _responses_to(context.target, {identity[0] for identity in rows.values()})
        new = [
            row
            for row in page
            if row.id in rows and rows[row.id] not in existing and row.text_digest == text_digest(row.text)
        ]
        added = [
            {**columns_of(row), **dict(zip(IDENTITY, rows[row.id or 0], strict=True)), "run_id": run}
            for row in new
            for run in [run_of(context, row.run_id)]
        ]
        insert_missing(context.target, Response, added, IDENTITY)
        now = _responses_to(context.target, {rows[row.id or 0][0] for row in new})
        for row in page:
            if row.id not in rows:
                continue
            if row.text_digest != text_digest(row.text):
                context.conflict(_name(context, row), "its digest is of another text", "it stays out")
                continue
            number, digest = (existing | now)[rows[row.id]]
            if digest == row.text_digest:
                context.of(Response)[row.id] = number
            else:
                context.conflict(_name(context, row), "another text", "it and what was said of it stay out")
        context.count("responses", len(new), sum(row.id in context.of(Response) for row in page) - len(new))
        _merge_metrics(context, [row.id for row in page if row.id in context.of(Response)])


def merge_judge_answers(context: MergeContext) -> None:
    """By the digest of the question: what was paid for is not paid for again."""
    rows = context.source.exec(select(JudgeAnswer).order_by(col(JudgeAnswer.digest)))
    new = [
        {**row.model_dump(), "rater_id": rater}
        for row in rows
        if (rater := context.of(Rater).get(row.rater_id)) is not None
    ]
    context.added["judge answers"] += insert_missing(context.target, JudgeAnswer, new, ["digest"])


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


def _identity(context: MergeContext, row: Response) -> Identity | None:
    """What a response is in the target; None: its instruction or its model stays out."""
    instruction = context.of(Instruction).get(row.instruction_id)
    model = context.of(Model).get(row.model_id)
    if instruction is None or model is None:
        return None
    return instruction, model, context.of(Decoding)[row.decoding_id], row.sample


def _responses_to(session: Session, instructions: Collection[int]) -> dict[Identity, tuple[int, str]]:
    """The responses to these instructions: what they are to their ids and the digests of their texts."""
    statement = select(
        Response.id, Response.instruction_id, Response.model_id, Response.decoding_id, Response.sample,
        Response.text_digest,
    ).where(col(Response.instruction_id).in_(instructions))  # type: ignore[call-overload]  # fmt: skip
    return {tuple(row[1:5]): (row[0], row[5]) for row in session.connection().execute(statement)}


def _name(context: MergeContext, row: Response) -> str:
    return response_name(context.source, row.id or 0)


def _merge_metrics(context: MergeContext, response_ids: Sequence[int]) -> None:
    """By response, metric and tool."""
    ids = context.of(Response)
    rows = list(context.source.exec(_metrics(response_ids)))
    existing = {
        (row.response_id, row.metric, row.tool): (row.value, row.label, row.detail)
        for row in context.target.exec(_metrics([ids[response_id] for response_id in response_ids]))
    }
    new = []
    for row in rows:
        key = ids[row.response_id], row.metric, row.tool
        if key not in existing:
            new.append({**columns_of(row), "response_id": key[0], "run_id": run_of(context, row.run_id)})
        elif existing[key] != (row.value, row.label, row.detail):
            name = response_name(context.source, row.response_id)
            context.conflict(name, f"another {row.metric} by {row.tool}; the one here is kept")
    insert_missing(context.target, SurfaceMetric, new, ("response_id", "metric", "tool"))
    context.count("metrics", len(new), len(rows) - len(new))


def _metrics(response_ids: Sequence[int]) -> Any:
    return (
        select(SurfaceMetric)
        .where(col(SurfaceMetric.response_id).in_(response_ids))
        .order_by(col(SurfaceMetric.id))
    )
