"""Suites and their instructions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, select

from store.errors import UsageError
from store.languages import same_languages
from store.names import trimmed
from store.tables import Instruction, Suite
from store.upsert import insert_missing, row_id


@dataclass(frozen=True)
class NewInstruction:
    """An instruction to be written: see `store.tables.Instruction`."""

    key: str
    language: str
    text: str
    task: str | None = None
    modifier: str | None = None
    check: dict[str, Any] | None = None


@dataclass(frozen=True)
class SuiteSummary:
    """What a suite is, and how many instructions it has: `languages` maps a language to their number."""

    id: int
    name: str
    version: str
    languages: dict[str, int]
    licence: str | None = None
    source: str | None = None

    @property
    def label(self) -> str:
        return f"{self.name}/{self.version}"


def add_suite(
    session: Session,
    name: str,
    version: str,
    instructions: Sequence[NewInstruction],
    *,
    licence: str | None = None,
    source: str | None = None,
) -> tuple[int, int]:
    """Write a suite; what is there already stays. Returns (suite id, how many instructions were new).

    Raises `UsageError` when an instruction is there under the same key with another text: a suite that
    changes needs a new version, or old responses would answer a question that they were never asked.
    """
    name, version = trimmed(name), trimmed(version)
    suite_id = row_id(session, Suite, {"name": name, "version": version}, licence=licence, source=source)
    known = {
        (row.language, row.key): (row.text, row.position)
        for row in session.exec(select(Instruction).where(Instruction.suite_id == suite_id))
    }
    ends: dict[str, int] = {}
    for (language, _), (_, position) in known.items():
        ends[language] = max(ends.get(language, 0), position + 1)
    rows = []
    for new in instructions:
        old = known.get((new.language, new.key))
        if old is not None:
            if old[0] != new.text:
                raise UsageError(
                    f"Suite {name}/{version} already holds instruction {new.key} ({new.language}) "
                    "with another text. Import the changed suite under a new version."
                )
            continue
        position = ends.get(new.language, 0)
        ends[new.language] = position + 1
        known[(new.language, new.key)] = (new.text, position)
        rows.append({"suite_id": suite_id, "position": position, **new.__dict__})
    return suite_id, insert_missing(session, Instruction, rows, ["suite_id", "language", "key"])


def list_suites(session: Session) -> list[SuiteSummary]:
    """All suites in the order they came."""
    counts: dict[int, dict[str, int]] = {}
    statement = (
        select(Instruction.suite_id, Instruction.language, func.count())
        .group_by(Instruction.suite_id, Instruction.language)  # type: ignore[arg-type]
        .order_by(Instruction.language)
    )
    for suite_id, language, count in session.exec(statement):
        counts.setdefault(suite_id, {})[language] = count
    return [
        SuiteSummary(
            suite.id or 0,
            suite.name,
            suite.version,
            counts.get(suite.id or 0, {}),
            suite.licence,
            suite.source,
        )
        for suite in session.exec(select(Suite).order_by(Suite.id))  # type: ignore[arg-type]
    ]


def language_held(session: Session, code: str) -> str:
    """The code under which the store holds the language that is asked for (`rus`: `ru`), else that code."""
    if session.exec(select(Instruction.id).where(Instruction.language == code).limit(1)).first() is not None:
        return code
    held = session.exec(select(Instruction.language).distinct())
    return next(iter(same_languages(code, sorted(held))), code)


def instructions_of(session: Session, suite_id: int, language: str) -> list[Instruction]:
    """The instructions of a suite in a language, in the suite's order."""
    statement = (
        select(Instruction)
        .where(Instruction.suite_id == suite_id, Instruction.language == language)
        .order_by(Instruction.position)  # type: ignore[arg-type]
    )
    return list(session.exec(statement))


def suite_by_id(session: Session, suite_id: int) -> SuiteSummary:
    """The suite with this id, which must be there."""
    return next(suite for suite in list_suites(session) if suite.id == suite_id)


def find_suite(session: Session, label: str | None) -> SuiteSummary:
    """The suite named `name` or `name/version`; without a label, the only one (or the last that came).

    Raises `UsageError` that lists what there is.
    """
    suites = list_suites(session)
    if not suites:
        raise UsageError("The store holds no suite yet. `xlit-core import` or `xlit-core demo` brings one.")
    if label is None:
        return suites[-1]
    name, slash, version = map(trimmed, label.rpartition("/"))
    wanted = {trimmed(label), f"{name}{slash}{version}"}
    matches = [suite for suite in suites if wanted & {suite.name, suite.label}]
    if not matches:
        known = ", ".join(suite.label for suite in suites)
        raise UsageError(f"No suite {label!r} in the store. It holds: {known}.")
    return matches[-1]
