"""Suites, models, decodings, rubrics and raters of two stores."""

from typing import Any

from sqlmodel import Session, SQLModel, col, select

from store.merging.uniting import Uniting, columns_of
from store.tables import Criterion, Decoding, Instruction, Model, Rater, ReviewerCode, Rubric, Suite
from store.upsert import insert_missing

_PLACE = ("suite_id", "language", "key")


def unite_suites(it: Uniting) -> None:
    """By name and version; instructions by language and key, and their texts must be the same."""
    for suite in it.source.exec(select(Suite).order_by(col(Suite.id))):
        label = f"{suite.name}/{suite.version}"
        there = _same(it.target, Suite, name=suite.name, version=suite.version)
        new = there is None
        it.of(Suite)[_id(suite)] = _id(there) if there is not None else _add(it.target, Suite, suite)
        it.count("suites", new, not new)
        _unite_instructions(it, _id(suite), it.of(Suite)[_id(suite)], label, new)


def _unite_instructions(it: Uniting, source: int, target: int, label: str, new: bool) -> None:
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
    it.count("instructions", insert_missing(it.target, Instruction, added, _PLACE), 0)
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


def unite_models(it: Uniting) -> None:
    """By name. Decodings by their digest."""
    for row in it.source.exec(select(Model).order_by(col(Model.id))):
        there = _same(it.target, Model, name=row.name)
        if there is not None:
            for part, value in columns_of(row).items():
                known = getattr(there, part)
                if None not in (value, known) and value != known:
                    it.conflict(f"model {row.name}", f"another {part}; the one here is kept")
        it.of(Model)[_id(row)] = _id(there) if there is not None else _add(it.target, Model, row)
        it.count("models", there is None, there is not None)
    for decoding in it.source.exec(select(Decoding).order_by(col(Decoding.id))):
        same = _same(it.target, Decoding, digest=decoding.digest)
        found = _id(same) if same is not None else _add(it.target, Decoding, decoding)
        it.of(Decoding)[_id(decoding)] = found


def unite_rubrics(it: Uniting) -> None:
    """By name and version; their criteria must be the same in everything."""
    for rubric in it.source.exec(select(Rubric).order_by(col(Rubric.id))):
        there = _same(it.target, Rubric, name=rubric.name, version=rubric.version)
        own = _criteria(it.source, _id(rubric))
        found = _id(there) if there is not None else _add(it.target, Rubric, rubric)
        if there is None:
            for row in own:
                _add(it.target, Criterion, row, rubric_id=found)
            it.target.flush()
        others = _criteria(it.target, found)
        if [columns_of(row, "rubric_id") for row in own] != [columns_of(row, "rubric_id") for row in others]:
            label = f"rubric {rubric.name}/{rubric.version}"
            it.conflict(label, "other criteria", "what was scored on it stays out")
            continue
        it.of(Rubric)[_id(rubric)] = found
        it.of(Criterion).update({_id(row): _id(other) for row, other in zip(own, others, strict=True)})


def unite_raters(it: Uniting) -> None:
    """By kind, name and version; people whose codes differ are taken to be two of the same name."""
    codes, known = _codes(it.source), _codes(it.target)
    strangers = {name for name in codes.keys() & known.keys() if codes[name] != known[name]}
    for name in sorted(strangers):
        it.conflict(f"reviewer {name}", "another code", "all that this reviewer did stays out")
    for row in it.source.exec(select(Rater).order_by(col(Rater.id))):
        if row.kind == "human" and row.name in strangers:
            continue
        there = _same(it.target, Rater, kind=row.kind, name=row.name, version=row.version)
        found = _id(there) if there is not None else _add(it.target, Rater, row)
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


def _add(session: Session, table: Any, row: SQLModel, **other: Any) -> int:
    """Write a copy of a row; returns its id."""
    copy = table(**{**columns_of(row), **other})
    session.add(copy)
    session.flush()
    return _id(copy)


def _id(row: Any) -> int:
    return row.id or 0
