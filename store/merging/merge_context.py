"""What merging two stores knows on its way: which rows are the same, what was added, what contradicts, and
which runs wrote the rows that come along.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, SQLModel, col, select

from store.tables import Failure, Run

PAGE = 500


@dataclass(frozen=True)
class Conflict:
    """Something that can't be united. `what` names it, `why` says how the two differ, `out` what stays out
    because of it ("" when only the target's version of it is kept)."""

    what: str
    why: str
    out: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.why}" + (f"; {self.out}" if self.out else "")


@dataclass
class MergeContext:
    """A source, read, and a target, written. `ids` maps the ids of the source's rows to the target's, table
    by table; a row that stays out has none. `added` and `known` count rows, by what they are; `notes` say
    what is no conflict."""

    source: Session
    target: Session
    ids: dict[type[SQLModel], dict[int, int]] = field(default_factory=dict)
    added: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    conflicts: list[Conflict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def of(self, table: type[SQLModel]) -> dict[int, int]:
        """The ids of a table's rows, to be read and filled."""
        return self.ids.setdefault(table, {})

    def conflict(self, what: str, why: str, out: str = "") -> None:
        self.conflicts.append(Conflict(what, why, out))

    def count(self, name: str, added: int, known: int) -> None:
        self.added[name] += added
        self.known[name] += known


def columns_of(row: SQLModel, *without: str) -> dict[str, Any]:
    """The columns of a row but its id and those left out."""
    return row.model_dump(exclude={"id", *without})


def pages(session: Session, table: Any, *conditions: Any) -> Iterator[Sequence[Any]]:
    """The rows of a table by their ids, `PAGE` at a time."""
    last = 0
    statement = select(table).where(*conditions).order_by(col(table.id)).limit(PAGE)
    while rows := list(session.exec(statement.where(col(table.id) > last))):
        yield rows
        last = rows[-1].id
        session.expunge_all()


def run_of(context: MergeContext, run_id: int | None) -> int | None:
    """The run in the target that is a run of the source: the same command on the same host at the same time.
    One that is not there comes along, with its failures."""
    if run_id is None:
        return None
    known = context.of(Run)
    if run_id not in known:
        known[run_id] = _find_or_copy(context, run_id)
    return known[run_id]


def _find_or_copy(context: MergeContext, run_id: int) -> int:
    row = context.source.get_one(Run, run_id)
    statement = select(Run.id).where(
        Run.command == row.command, Run.host == row.host, Run.started_at == row.started_at
    )
    existing_id = context.target.exec(statement).first()
    if existing_id is not None:
        return existing_id
    copy = Run(**columns_of(row))
    context.target.add(copy)
    context.target.flush()
    for failure in context.source.exec(select(Failure).where(Failure.run_id == run_id).order_by(Failure.id)):  # type: ignore[arg-type]
        context.target.add(Failure(**{**columns_of(failure), "run_id": copy.id}))
    context.count("runs", 1, 0)
    return copy.id or 0
