"""Suites, and the findings of a check, as tables for a person and as plain data for programs."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine

from core.analysis.modifier_names import group_of
from core.judge.modifiers.verdict import counted
from core.suites.checking.findings import SuiteReport
from core.suites.format import SuiteLine
from core.suites.loader import WholeSuite, read_suite, shipped_suites
from core.text.visible import visible
from store.queries.suites import list_suites
from store.session import reading


def suite_rows(engine: Engine | None) -> list[dict[str, Any]]:
    """The shipped suites and those of a store: where, name, version, instructions by language, licence."""
    rows = []
    for name in shipped_suites():
        meta, lines = read_suite(name)
        numbers = Counter(new.language for new in lines)
        instructions = {language: numbers[language] for language in meta.languages}
        rows.append(_suite_row("shipped", meta.name, meta.version, instructions, meta.licence))
    if engine is not None:
        with reading(engine) as session:
            for stored in list_suites(session):
                rows.append(
                    _suite_row("store", stored.name, stored.version, stored.languages, stored.licence)
                )
    return rows


def list_table(rows: Sequence[dict[str, Any]]) -> Table:
    languages = list(dict.fromkeys(language for row in rows for language in row["instructions"]))
    table = _table("Suites", "suite", "where", *languages, "licence", right=languages)
    for row in rows:
        cells = [str(row["instructions"].get(language, "")) for language in languages]
        table.add_row(
            _visible_text(f"{row['name']}/{row['version']}"),
            row["where"],
            *cells,
            _visible_text(row["licence"] or "–"),
        )
    return table


def describe_suite(suite: WholeSuite) -> dict[str, Any]:
    """What a suite holds, as plain data: its description and its tasks.

    A task has its keys, how many of them have a check, how many instructions each language has, and the first
    in each.
    """
    meta = suite.meta
    tasks = []
    for task in dict.fromkeys(line.new.task for line in suite.lines):
        lines = [line for line in suite.lines if line.new.task == task]
        numbers = Counter(line.new.language for line in lines)
        examples = {line.new.language: line.new.text for line in reversed(lines)}
        tasks.append(
            {
                "task": task,
                "keys": list(dict.fromkeys(line.new.key for line in lines)),
                "checked": len({line.new.key for line in lines if line.new.check is not None}),
                "instructions": {language: numbers[language] for language in meta.languages},
                "examples": {code: examples[code] for code in meta.languages if code in examples},
            }
        )
    return {
        "name": meta.name,
        "version": meta.version,
        "languages": list(meta.languages),
        "licence": meta.licence,
        "source": meta.source,
        "description": meta.description,
        "tasks": tasks,
        "subsets": {name: list(keys) for name, keys in meta.subsets.items()},
        "tags": _keys_with(suite, lambda line: line.tags),
        "modifiers": _keys_with(suite, _carried),
        "fitting_modifiers": _keys_with(suite, lambda line: line.modifiers or ()),
    }


def description_tables(suite: WholeSuite, *, full: bool = False) -> RenderableType:
    """What a suite holds, with an example of every task, or with `full` every instruction."""
    description = describe_suite(suite)
    languages = description["languages"]
    facts = Table.grid(padding=(0, 2))
    for name in ("licence", "source", "description"):
        if description[name]:
            facts.add_row(name, _visible_text(description[name]))
    for name, numbers in (
        ("subsets", {subset: len(keys) for subset, keys in description["subsets"].items()}),
        ("tags", description["tags"]),
        ("modifiers", description["modifiers"]),
        ("modifiers that fit", description["fitting_modifiers"]),
    ):
        if numbers:
            facts.add_row(
                name, _visible_text(", ".join(f"{item} {number}" for item, number in numbers.items()))
            )
    title = Text.assemble((visible(suite.meta.label), "bold"))
    return Group(title, facts, _texts(suite) if full else _tasks(description, languages))


def report_tables(report: SuiteReport) -> RenderableType:
    """The findings of a check, and what could not be checked."""
    parts: list[RenderableType] = []
    if report.findings:
        table = _table("Findings", "", "where", "what")
        for finding in report.findings:
            style = "bold" if finding.level == "error" else ""
            table.add_row(
                Text(finding.level, style=style), _visible_text(finding.where), _visible_text(finding.message)
            )
        parts.append(table)
    parts += [Text.assemble("not done: ", visible(reason)) for reason in report.not_done]
    meta = report.suite.meta
    parts.append(
        _visible_text(
            f"{meta.label}: {len(report.suite.lines)} instructions in {len(meta.languages)} languages, "
            f"{counted(report.errors, 'errors')}, {counted(report.warnings, 'warnings')}."
        )
    )
    return Group(*parts)


def _suite_row(
    where: str, name: str, version: str, instructions: dict[str, int], licence: str | None
) -> dict[str, Any]:
    return {
        "where": where,
        "name": name,
        "version": version,
        "instructions": instructions,
        "licence": licence,
    }


def _keys_with(suite: WholeSuite, values: Callable[[SuiteLine], Sequence[str]]) -> dict[str, int]:
    """How many keys of a suite have each of the values that `values` gives for a line."""
    pairs = dict.fromkeys((value, line.new.key) for line in suite.lines for value in values(line))
    return dict(Counter(value for value, _ in pairs))


def _carried(line: SuiteLine) -> tuple[str, ...]:
    return () if line.new.modifier is None else (group_of(line.new.modifier),)


def _tasks(description: dict[str, Any], languages: Sequence[str]) -> Table:
    table = _table("Tasks", "task", *languages, "checked", "example", right=[*languages, "checked"])
    for task in description["tasks"]:
        cells = [str(task["instructions"][language] or "") for language in languages]
        example = next(iter(task["examples"].values()))
        table.add_row(
            _visible_text(task["task"] or "–"), *cells, str(task["checked"] or ""), _visible_text(example)
        )
    return table


def _texts(suite: WholeSuite) -> Table:
    table = _table("Instructions", "key", "", "text")
    for line in _by_key(suite.lines):
        table.add_row(
            _visible_text(line.new.key), _visible_text(line.new.language), _visible_lines(line.new.text)
        )
    return table


def _by_key(lines: Iterable[SuiteLine]) -> list[SuiteLine]:
    by_key: dict[str, list[SuiteLine]] = {}
    for line in lines:
        by_key.setdefault(line.new.key, []).append(line)
    return [line for lines_of_key in by_key.values() for line in lines_of_key]


def _table(title: str, *headings: str, right: Sequence[str] = ()) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(
            _visible_text(heading), justify="right" if heading in right else "left", overflow="fold"
        )
    return table


def _visible_text(text: str) -> Text:
    """A text that may come from anywhere, with everything visible that a terminal would obey."""
    return Text(visible(text))


def _visible_lines(text: str) -> Text:
    return Text("\n").join(map(_visible_text, text.splitlines()))
