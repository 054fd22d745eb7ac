"""A suite of instructions with modifiers, made from one without (the paper's table 1 and appendix B).

For every modifier so many keys are drawn as its `count` says, out of those that it fits, each once, spread
evenly over the tasks. A key is drawn for all languages alike, with the same number of items and the same
wording; only the language that `lang` asks for depends on the instruction's own, as nobody is asked in French
to answer in French. The wording stands behind the instruction's text.

What is drawn depends on the seed, the modifier and the keys alone, through SHA-256: not on the process, the
machine or the other modifiers.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from core.analysis.modifier_names import ModifierName
from core.suites.lines import SuiteLine, fitting_group
from core.suites.loader import WholeSuite
from core.suites.meta import SuiteMeta
from core.suites.wordings import ModifierWordings, Wordings
from store.errors import UsageError, XlitError

_ENDS = (".", "!", "?", "…", "»", "”", "“", '"', ")")


def modified_suite(
    suite: WholeSuite,
    wordings: Wordings,
    *,
    seed: int = 1,
    only: Sequence[str] = (),
    count: int | None = None,
) -> WholeSuite:
    """The suite `NAME-modifiers`, its keys such as `email-1+short`, the modifiers in the order of `wordings`.

    `only` names the modifiers to take (default: all), `count` the most instructions for each instead of its
    own count. Languages in which a modifier has no wording are left out, and so are keys that are not there
    in all the others or that have a modifier already. A subset of `suite` holds here whatever was made of
    its keys.

    Raises `UsageError` for a modifier that is not in `wordings`, and `XlitError` when the suite does not say
    which modifiers fit, or nothing can be made of it.
    """
    groups = _chosen_groups(wordings, only)
    languages = tuple(
        language
        for language in suite.meta.languages
        if all(modifier.speaks(language) for modifier in groups.values())
    )
    if not languages:
        asked = ", ".join(suite.meta.languages)
        raise XlitError(f"The modifiers have no wordings in any language of {suite.meta.label} ({asked}).")
    aligned = _aligned(suite, languages)
    lines = [
        line
        for group, modifier in groups.items()
        for key in _drawn(aligned, group, count or modifier.count, seed)
        for line in _with_modifier(aligned[key], group, modifier, seed)
    ]
    if not lines:
        raise XlitError(
            f"No instruction of {suite.meta.label} says that one of these modifiers fits it: give its lines "
            'the field `modifiers`, such as ["short", "num_items"].'
        )
    return WholeSuite(_meta(suite.meta, languages, lines, wordings, seed), tuple(lines))


def counts(made: WholeSuite) -> dict[str, int]:
    """How many keys of a suite made here have each modifier, by group."""
    keys = dict.fromkeys(line.new.key for line in made.lines)
    groups = [key.rpartition("+")[2] for key in keys]
    return {group: groups.count(group) for group in dict.fromkeys(groups)}


def _chosen_groups(wordings: Wordings, only: Sequence[str]) -> dict[str, ModifierWordings]:
    groups = {name: fitting_group(name) for name in only}
    unknown = next((name for name, group in groups.items() if group not in wordings.modifiers), None)
    if unknown is not None:
        raise UsageError(f"No modifier {unknown!r}. There are: {', '.join(wordings.modifiers)}.")
    return {
        group: found for group, found in wordings.modifiers.items() if not only or group in groups.values()
    }


def _aligned(suite: WholeSuite, languages: Sequence[str]) -> dict[str, list[SuiteLine]]:
    """The lines of each key that is there in all `languages` and has no modifier, in the order of these."""
    found: dict[str, dict[str, SuiteLine]] = {}
    for line in suite.lines:
        if line.new.language in languages and line.new.modifier is None:
            found.setdefault(line.new.key, {})[line.new.language] = line
    return {
        key: [lines[language] for language in languages]
        for key, lines in found.items()
        if len(lines) == len(languages)
    }


def _drawn(aligned: dict[str, list[SuiteLine]], group: str, count: int, seed: int) -> list[str]:
    """The keys for a modifier, in the suite's order."""
    by_task: dict[str, list[str]] = {}
    for key, lines in aligned.items():
        if all(group in (line.modifiers or ()) for line in lines):
            by_task.setdefault(lines[0].new.task or "", []).append(key)
    rounds = [
        (place, _rank(seed, group, task), key)
        for task, keys in by_task.items()
        for place, key in enumerate(sorted(keys, key=lambda key: _rank(seed, group, key)))
    ]
    drawn = {key for _, _, key in sorted(rounds)[:count]}
    return [key for key in aligned if key in drawn]


def _with_modifier(
    lines: Sequence[SuiteLine], group: str, modifier: ModifierWordings, seed: int
) -> Iterator[SuiteLine]:
    key = lines[0].new.key
    choices = modifier.for_task(lines[0].new.task)
    wording = choices[_rank(seed, group, key, "wording") % len(choices)]
    parameter = _rank(seed, group, key, "parameter")
    for line in lines:
        demand, name = wording.texts[line.new.language], ModifierName(group)
        if modifier.numbers:
            number = modifier.numbers[parameter % len(modifier.numbers)]
            demand, name = demand.replace("{n}", str(number)), ModifierName(group, str(number))
        elif modifier.targets:
            targets = modifier.targets[line.new.language]
            code = list(targets)[parameter % len(targets)]
            demand, name = demand.replace("{language}", targets[code]), ModifierName(group, code)
        new = replace(
            line.new,
            key=f"{key}+{group}",
            text=_joined(line.new.text, demand),
            modifier=name.canonical,
            check=line.new.check if modifier.keeps_check else None,
        )
        yield replace(line, new=new, modifiers=None)


def _joined(text: str, demand: str) -> str:
    """On a line of its own where the text has several, or does not end as a sentence does."""
    text = text.rstrip()
    return f"{text} {demand}" if text.endswith(_ENDS) and "\n" not in text else f"{text}\n\n{demand}"


def _rank(seed: int, *what: str) -> int:
    return int.from_bytes(hashlib.sha256("\0".join([str(seed), *what]).encode()).digest()[:8])


def _meta(
    meta: SuiteMeta, languages: tuple[str, ...], lines: Sequence[SuiteLine], wordings: Wordings, seed: int
) -> SuiteMeta:
    made: dict[str, list[str]] = {}
    for key in dict.fromkeys(line.new.key for line in lines):
        made.setdefault(key.rpartition("+")[0], []).append(key)

    def expanded(keys: Sequence[str]) -> tuple[str, ...]:
        return tuple(new for key in keys for new in made.get(key, ()))

    tasks = {line.new.task for line in lines}
    subsets = {name: some for name, keys in meta.subsets.items() if (some := expanded(keys))}
    return SuiteMeta(
        name=f"{meta.name}-modifiers",
        version=f"{meta.version}-seed{seed}",
        languages=languages,
        licence=meta.licence,
        source=f"{meta.source or meta.label}, with modifiers",
        description=f"Instructions of {meta.label} with modifiers: wordings {wordings.version}, seed {seed}",
        answer_in_text=tuple(name for name in meta.answer_in_text if name in tasks)
        + expanded(meta.answer_in_text),
        subsets=subsets,
        allowed={language: (*meta.allowed.get(language, ()), *wordings.allow) for language in languages},
    )
