"""Suites, models, decodings, rubrics and raters of two stores; their responses, what was measured of them,
and what judges answered.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlmodel import Session, SQLModel, col, select

from store.merging.merge_context import MergeContext, columns_of, pages, run_of
from store.queries.responses import IDENTITY
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


def merge_suites(it: MergeContext) -> None:
    """By name and version; instructions by language and key, and their texts must be the same."""
    for suite in it.source.exec(select(Suite).order_by(col(Suite.id))):
        label = f"{suite.name}/{suite.version}"
        there = _same(it.target, Suite, name=suite.name, version=suite.version)
        new = there is None
        it.of(Suite)[_id(suite)] = _id(there) if there is not None else _add_copy(it.target, Suite, suite)
        it.count("suites", new, not new)
        _merge_instructions(it, _id(suite), it.of(Suite)[_id(suite)], label, new)


def _merge_instructions(it: MergeContext, source: int, target: int, label: str, new: bool) -> None:
    there = {(row.language, row.key): row for row in _instructions(it.target, target)}
    ends: dict[str, int] = {}
    for row in there.values():
        ends[row.language] = max(ends.get(row.language, 0), row.position + 1)
    added = []
    for row in _instructions(it.source, source):
        known = there.get((row.language, row.key))
        if known is None:
            # In a suite that is there already, after its own: no position is taken twice.
            position = row.position if new else ends.get(row.language, 0)
            ends[row.language] = position + 1
            added.append({**columns_of(row), "suite_id": target, "position": position})
        elif known.text != row.text:
            it.conflict(_instruction(label, row), "another text", "its responses stay out")
        else:
            for part in ("task", "modifier", "check"):
                if getattr(known, part) != getattr(row, part):
                    it.conflict(_instruction(label, row), f"another {part}; the one here is kept")
            it.of(Instruction)[_id(row)] = _id(known)
            it.count("instructions", 0, 1)
    it.count("instructions", insert_missing(it.target, Instruction, added, _INSTRUCTION_KEY), 0)
    if added:
        fresh = {(row["language"], row["key"]) for row in added}
        now = {(row.language, row.key): _id(row) for row in _instructions(it.target, target)}
        for row in _instructions(it.source, source):
            if (row.language, row.key) in fresh:
                it.of(Instruction)[_id(row)] = now[row.language, row.key]


def _instructions(session: Session, suite: int) -> list[Instruction]:
    statement = select(Instruction).where(Instruction.suite_id == suite)
    return list(session.exec(statement.order_by(col(Instruction.language), col(Instruction.position))))


def _instruction(label: str, row: Instruction) -> str:
    return f"suite {label}, instruction {row.key} ({row.language})"


def merge_models(it: MergeContext) -> None:
    """By name. Decodings by their digest."""
    for row in it.source.exec(select(Model).order_by(col(Model.id))):
        there = _same(it.target, Model, name=row.name)
        if there is not None:
            for part, value in columns_of(row).items():
                known = getattr(there, part)
                if None not in (value, known) and value != known:
                    it.conflict(f"model {row.name}", f"another {part}; the one here is kept")
        it.of(Model)[_id(row)] = _id(there) if there is not None else _add_copy(it.target, Model, row)
        it.count("models", there is None, there is not None)
    for decoding in it.source.exec(select(Decoding).order_by(col(Decoding.id))):
        same = _same(it.target, Decoding, digest=decoding.digest)
        found = _id(same) if same is not None else _add_copy(it.target, Decoding, decoding)
        it.of(Decoding)[_id(decoding)] = found


def merge_rubrics(it: MergeContext) -> None:
    """By name and version; their criteria must be the same in everything."""
    for rubric in it.source.exec(select(Rubric).order_by(col(Rubric.id))):
        there = _same(it.target, Rubric, name=rubric.name, version=rubric.version)
        own = _criteria(it.source, _id(rubric))
        found = _id(there) if there is not None else _add_copy(it.target, Rubric, rubric)
        if there is None:
            for row in own:
                _add_copy(it.target, Criterion, row, rubric_id=found)
            it.target.flush()
        others = _criteria(it.target, found)
        if [columns_of(row, "rubric_id") for row in own] != [columns_of(row, "rubric_id") for row in others]:
            label = f"rubric {rubric.name}/{rubric.version}"
            it.conflict(label, "other criteria", "what was scored on it stays out")
            continue
        it.of(Rubric)[_id(rubric)] = found
        it.of(Criterion).update({_id(row): _id(other) for row, other in zip(own, others, strict=True)})


def merge_raters(it: MergeContext) -> None:
    """By kind, name and version; people whose codes differ are taken to be two of the same name."""
    codes, known = _codes(it.source), _codes(it.target)
    strangers = {name for name in codes.keys() & known.keys() if codes[name] != known[name]}
    for name in sorted(strangers):
        it.conflict(f"reviewer {name}", "another code", "all that this reviewer did stays out")
    for row in it.source.exec(select(Rater).order_by(col(Rater.id))):
        if row.kind == "human" and row.name in strangers:
            continue
        there = _same(it.target, Rater, kind=row.kind, name=row.name, version=row.version)
        found = _id(there) if there is not None else _add_copy(it.target, Rater, row)
        it.of(Rater)[_id(row)] = found
        it.count("raters", there is None, there is not None)
    for kept in it.source.exec(select(ReviewerCode)):
        rater = it.of(Rater).get(kept.rater_id)
        if rater is not None and it.target.get(ReviewerCode, rater) is None:
            it.target.add(ReviewerCode(rater_id=rater, hashed=kept.hashed, created_at=kept.created_at))
            it.added["codes"] += 1
    it.target.flush()


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


Identity = tuple[int, int, int, int]


def merge_responses(it: MergeContext) -> None:
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
        _merge_metrics(it, [row.id for row in page if row.id in it.of(Response)])


def merge_judge_answers(it: MergeContext) -> None:
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


def _identity(it: MergeContext, row: Response) -> Identity | None:
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


def _name(it: MergeContext, row: Response) -> str:
    return response_name(it.source, row.id or 0)


def _merge_metrics(it: MergeContext, response_ids: Sequence[int]) -> None:
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
