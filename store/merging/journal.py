"""The journals of two stores: a rater's actions are merged one by one, and none is done twice.

Actions are compared by what they say, not by their row numbers. Of one rater, what was done about a response
in both stores since they parted contradicts each other: the last row of a journal counts, so that whatever is
added would win. It is added only when all of it is later than what the target has of its own; else it stays
out, and is named.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select
from sqlmodel import Session, col
from sqlmodel import select as select_model

from store.labels import versioned_name
from store.merging.content import response_name
from store.merging.merge_context import PAGE, MergeContext, run_of
from store.queries.journal import ROW_TABLES, append_entries
from store.row_checks import score_problem, time_problem
from store.tables import Criterion, Entry, Rater, Response

_OWN = ("id", "entry_id", "rater_id")


@dataclass(frozen=True)
class Action:
    """An entry of a rater with the rows it set (table and columns, without ids of their own)."""

    id: int
    target_id: int | None
    columns: dict[str, Any]
    rows: tuple[tuple[Any, dict[str, Any]], ...]

    @property
    def created_at(self) -> datetime:
        created_at: datetime = self.columns["created_at"]
        return created_at

    @property
    def response_ids(self) -> tuple[int, ...]:
        """The responses that it is about."""
        own = self.columns["response_id"]
        named = [] if own is None else [own]
        return tuple(dict.fromkeys([*named, *(row["response_id"] for _, row in self.rows)]))

    def digest(self) -> bytes:
        """The same for two actions that say the same; the run that wrote it does not count."""
        head = [self.target_id, *(value for name, value in self.columns.items() if name != "run_id")]
        rows = sorted(repr((part.__name__, *row.values())) for part, row in self.rows)
        return hashlib.blake2b(repr((head, rows)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


@dataclass
class _Comparison:
    """Two journals of one rater beside each other: how many of the source's actions the target knows, which
    are new (by their ids), how many stay out because of what they are about; for each response, when it was
    last acted on in the target alone, and first among what is new."""

    known: int = 0
    new: list[int] = field(default_factory=list)
    out: int = 0
    last_here: dict[int, datetime] = field(default_factory=dict)
    first_new: dict[int, datetime] = field(default_factory=dict)

    def contradicts(self, response: int) -> bool:
        """Whether both have acted on a response (of the target), and not one after the other."""
        last = self.last_here.get(response)
        return last is not None and response in self.first_new and self.first_new[response] <= last


def actions_of(session: Session, rater_id: int) -> Iterator[Action]:
    """The actions of a rater in their order, `PAGE` at a time."""
    last = 0
    entry = Entry.__table__  # type: ignore[attr-defined]
    statement = select(entry).where(entry.c.rater_id == rater_id).order_by(entry.c.id).limit(PAGE)
    while entries := session.connection().execute(statement.where(entry.c.id > last)).mappings().all():
        yield from _whole(session, entries)
        last = entries[-1]["id"]


def actions_by_id(session: Session, ids: Sequence[int]) -> Iterator[Action]:
    """These actions, in the order of their ids."""
    entry = Entry.__table__  # type: ignore[attr-defined]
    for first in range(0, len(ids), PAGE):
        wanted = ids[first : first + PAGE]
        statement = select(entry).where(entry.c.id.in_(wanted)).order_by(entry.c.id)
        yield from _whole(session, session.connection().execute(statement).mappings().all())


def _whole(session: Session, entries: Sequence[RowMapping]) -> Iterator[Action]:
    ids = [entry["id"] for entry in entries]
    rows: dict[int, list[tuple[Any, dict[str, Any]]]] = {}
    for part in ROW_TABLES:
        table = part.__table__
        statement = select(table).where(table.c.entry_id.in_(ids)).order_by(col(part.id))
        names = [column.name for column in table.c if column.name not in _OWN]
        for row in session.connection().execute(statement).mappings():
            rows.setdefault(row["entry_id"], []).append((part, {name: row[name] for name in names}))
    for entry in entries:
        columns = {
            name: value for name, value in entry.items() if name not in ("id", "rater_id", "target_id")
        }
        yield Action(entry["id"], entry["target_id"], columns, tuple(rows.get(entry["id"], ())))


def merge_journals(context: MergeContext) -> None:
    """The actions of all raters that both stores know by now."""
    for source, target in context.of(Rater).items():
        comparison = _compare(context, source, target)
        _add_actions(context, source, target, comparison)


def _compare(context: MergeContext, source: int, target: int) -> _Comparison:
    existing: dict[bytes, list[int]] = {}
    acted: dict[int, tuple[datetime, tuple[int, ...]]] = {}
    for action in actions_of(context.target, target):
        existing.setdefault(action.digest(), []).append(action.id)
        acted[action.id] = action.created_at, action.response_ids
    comparison = _Comparison()
    entries = context.of(Entry)
    waiting: set[int] = set()
    criteria = {criterion.id: criterion for criterion in context.source.exec(select_model(Criterion))}
    for action in actions_of(context.source, source):
        if (problem := _problem(action, criteria)) is not None:
            rater = context.source.get_one(Rater, source)
            name = versioned_name(rater.name, rater.version)
            context.conflict(name, f"entry {action.id} can't be true ({problem})", "it stays out")
            continue
        if action.target_id in waiting:  # what it takes back is new, and so is this
            matches = None
            translated = _translated(context, replace(action, target_id=None))
        else:
            translated = _translated(context, action)
            matches = existing.get(translated.digest()) if translated is not None else None
        if translated is None:
            comparison.out += 1
        elif matches:
            entries[action.id] = matches.pop(0)
            del acted[entries[action.id]]
            comparison.known += 1
        else:
            comparison.new.append(action.id)
            waiting.add(action.id)
            for response in translated.response_ids:
                earliest = comparison.first_new.get(response, action.created_at)
                comparison.first_new[response] = min(earliest, action.created_at)
    for created_at, responses in acted.values():
        for response in responses:
            comparison.last_here[response] = max(created_at, comparison.last_here.get(response, created_at))
    return comparison


def _problem(action: Action, criteria: Mapping[int | None, Criterion]) -> str | None:
    """Why an action can't be what a rater did; None when it can."""
    problems = [time_problem(action.created_at)]
    for _, row in action.rows:
        criterion = criteria.get(row.get("criterion_id"))
        if criterion is not None:
            problems.append(score_problem(row["score"], criterion))
    return next(filter(None, problems), None)


def _add_actions(context: MergeContext, source: int, target: int, comparison: _Comparison) -> None:
    batch: list[Action] = []
    waiting: set[int] = set()
    contradicting: dict[int, int] = {}
    added = 0
    for action in actions_by_id(context.source, comparison.new):
        if action.target_id in waiting:
            _write(context, target, batch)
            batch, waiting = [], set()
        translated = _translated(context, action)
        contradicted = [
            response
            for response in (translated.response_ids if translated else ())
            if comparison.contradicts(response)
        ]
        if contradicted:
            contradicting[contradicted[0]] = contradicting.get(contradicted[0], 0) + 1
            continue
        if translated is None:  # it takes back what stays out
            comparison.out += 1
            continue
        batch.append(translated)
        waiting.add(action.id)
        added += 1
        if len(batch) == PAGE:
            _write(context, target, batch)
            batch, waiting = [], set()
    _write(context, target, batch)
    _report(context, source, comparison, contradicting)
    context.count("actions", added, comparison.known)


def _report(
    context: MergeContext, source: int, comparison: _Comparison, contradicting: dict[int, int]
) -> None:
    rater = context.source.exec(select_model(Rater).where(Rater.id == source)).one()
    name = versioned_name(rater.name, rater.version)
    if comparison.out:
        context.conflict(name, "acted on what stays out", f"{comparison.out} actions stay out")
    for response, count in contradicting.items():
        context.conflict(
            f"{name}, {response_name(context.target, response)}",
            "acted on in both stores since they parted",
            f"{count} actions stay out (into a new store, merge the one that is older there first)",
        )


def _translated(context: MergeContext, action: Action) -> Action | None:
    """The action in the ids of the target; None when it is about something that stays out."""
    responses, criteria = context.of(Response), context.of(Criterion)
    if action.target_id is not None and action.target_id not in context.of(Entry):
        return None
    own = action.columns["response_id"]
    if own is not None and own not in responses:
        return None
    rows = []
    for part, row in action.rows:
        changed = {"response_id": responses.get(row["response_id"])}
        if "criterion_id" in row:
            changed["criterion_id"] = criteria.get(row["criterion_id"])
        if None in changed.values():
            return None
        rows.append((part, {**row, **changed}))
    return replace(
        action,
        target_id=None if action.target_id is None else context.of(Entry)[action.target_id],
        columns={**action.columns, "response_id": None if own is None else responses[own]},
        rows=tuple(rows),
    )


def _write(context: MergeContext, rater: int, batch: Sequence[Action]) -> None:
    """Append actions that are in the target's ids already, but for their own."""
    if not batch:
        return
    entries = [
        {
            **action.columns,
            "rater_id": rater,
            "target_id": action.target_id,
            "run_id": run_of(context, action.columns["run_id"]),
        }
        for action in batch
    ]
    ids = append_entries(context.target, entries, [action.rows for action in batch])
    context.of(Entry).update({action.id: entry_id for action, entry_id in zip(batch, ids, strict=True)})
    for action in batch:
        for table, _ in action.rows:
            context.added[f"{table.__tablename__}s".replace("_", " ")] += 1
