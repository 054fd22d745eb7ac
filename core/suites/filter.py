"""A part of a suite: a subset, some languages, some tasks, or some modifiers."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from core.analysis.modifier_names import group_of
from core.suites.format import SuiteLine
from core.suites.loader import WholeSuite
from store.errors import UsageError, XlitError


def filter_suite(
    suite: WholeSuite,
    *,
    subset: str | None = None,
    languages: Sequence[str] = (),
    tasks: Sequence[str] = (),
    modifiers: Sequence[str] = (),
) -> WholeSuite:
    """The lines of `suite` that fit all of these filters, in the suite's order. A filter that is not given
    fits all.

    `modifiers` are groups, or names with their parameter, of the modifiers that instructions carry. The
    subsets of the part hold those of their keys that are left.

    Raises `UsageError` for a subset, language, task or modifier that the suite does not have, or when nothing
    is left, and `XlitError` when the subset names a key that the suite does not have.
    """
    keys = set(suite.meta.subset(subset)) if subset is not None else None
    _check_known(suite, "language", languages, set(suite.meta.languages))
    _check_known(suite, "task", tasks, {line.new.task for line in suite.lines})
    carried = [name for line in suite.lines if (name := line.new.modifier)]
    _check_known(suite, "modifier", modifiers, {*carried, *(group_of(name) for name in carried)})
    if keys is not None:
        missing = sorted(keys - {line.new.key for line in suite.lines})
        if missing:
            raise XlitError(
                f"Subset {subset!r} of {suite.meta.label} names {missing[0]!r}, which is no key of the suite."
            )
    lines = tuple(
        line
        for line in suite.lines
        if (keys is None or line.new.key in keys)
        and (not languages or line.new.language in languages)
        and (not tasks or line.new.task in tasks)
        and (not modifiers or {line.new.modifier, group_of(line.new.modifier or "")} & set(modifiers))
    )
    if not lines:
        raise UsageError(f"Nothing of suite {suite.meta.label} is all of what was asked for.")
    if len(lines) == len(suite.lines):
        return suite
    return WholeSuite(replace(suite.meta, **_remaining_meta(suite, lines, languages)), lines)


def _check_known(suite: WholeSuite, what: str, names: Sequence[str], known: Collection[str | None]) -> None:
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        listed = ", ".join(sorted(name for name in known if name)) or "none"
        raise UsageError(f"Suite {suite.meta.label} has no {what} {unknown!r}. It has: {listed}.")


def _remaining_meta(
    suite: WholeSuite, lines: Sequence[SuiteLine], languages: Sequence[str]
) -> dict[str, Any]:
    """The fields of the suite's description that change when only `lines` are left of it."""
    meta = suite.meta
    keys = {line.new.key for line in lines}
    names = keys | {line.new.task for line in lines}
    left = tuple(language for language in meta.languages if not languages or language in languages)
    subsets = {
        name: tuple(key for key in subset_keys if key in keys) for name, subset_keys in meta.subsets.items()
    }
    return {
        "description": f"A part of {meta.label}",
        "languages": left,
        "answer_in_text": tuple(name for name in meta.answer_in_text if name in names),
        "subsets": {name: subset_keys for name, subset_keys in subsets.items() if subset_keys},
        "allowed": {language: words for language, words in meta.allowed.items() if language in left},
    }
