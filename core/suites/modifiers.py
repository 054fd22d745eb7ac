"""A suite of instructions with modifiers, made from one without (the paper's table 1 and appendix B).

How modifiers are worded stands in `modifiers.toml` beside this file, or in one's own file of that form. For
every modifier so many keys are drawn as its `count` says, out of those that it fits, each once, spread evenly
over the tasks. A key is drawn for all languages alike, with the same number of items and the same wording;
only the language that `lang` asks for depends on the instruction's own, as nobody is asked in French to
answer in French. The wording stands behind the instruction's text.

What is drawn depends on the seed, the modifier and the keys alone, through SHA-256: not on the process, the
machine or the other modifiers.
"""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.analysis.modifier_names import NAMES, ModifierName
from core.suites.format import SuiteLine, SuiteMeta, fitting_group
from core.suites.loader import WholeSuite
from store.errors import UsageError, XlitError

SHIPPED_WORDINGS = Path(__file__).parent / "modifiers.toml"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wording(BaseModel):
    """The text that is put behind an instruction, by language. It is for instructions of `tasks`, or for any
    when there are none."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Annotated[str, Field(min_length=1)]] = Field(init=False)

    tasks: tuple[str, ...] = ()

    @property
    def texts(self) -> Mapping[str, str]:
        return self.__pydantic_extra__


class ModifierWordings(_Part):
    """One modifier: how many instructions get it, and how it is worded.

    In a wording, `{n}` stands for one of `numbers`. `{language}` stands for one of `targets`, which holds,
    for each language of an instruction, the codes of other languages with the words for `in` that language.
    `keeps_check` says whether the known answer of an instruction still holds with the modifier.
    """

    count: Annotated[int, Field(ge=1)]
    keeps_check: bool
    numbers: tuple[Annotated[int, Field(ge=1, le=100)], ...] = ()
    targets: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    wordings: Annotated[tuple[Wording, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _wordings_for_any_task(self) -> "ModifierWordings":
        if all(wording.tasks for wording in self.wordings):
            raise ValueError("one wording must be for any task, without `tasks`")
        return self

    def for_task(self, task: str | None) -> list[Wording]:
        """The wordings for a task: those of its own, or else those for any task."""
        own = [wording for wording in self.wordings if task in wording.tasks]
        return own or [wording for wording in self.wordings if not wording.tasks]

    def speaks(self, language: str) -> bool:
        """Whether every wording is there in a language."""
        return all(language in wording.texts for wording in self.wordings) and (
            not self.targets or bool(self.targets.get(language))
        )


class Wordings(_Part):
    """All modifiers by their group (`core.analysis.modifier_names`), in the file's order.

    `allow` are words in their wordings that no dictionary need know.
    """

    version: str
    allow: tuple[str, ...] = ()
    modifiers: Mapping[str, ModifierWordings]

    @model_validator(mode="after")
    def _known_modifiers(self) -> "Wordings":
        for group, modifier in self.modifiers.items():
            if group not in NAMES:
                raise ValueError(f"no modifier is called {group!r}; there are {', '.join(NAMES)}")
            if (group == "num_items") != bool(modifier.numbers):
                raise ValueError(f"{group}: `numbers` are what `num_items` has, and it alone")
            if (group == "lang") != bool(modifier.targets):
                raise ValueError(f"{group}: `targets` are what `lang` has, and it alone")
            mark = {"num_items": "{n}", "lang": "{language}"}.get(group, "")
            for wording in modifier.wordings:
                without = next((text for text in wording.texts.values() if mark not in text), None)
                if without is not None:
                    raise ValueError(f"{group}: {mark} is missing in {without!r}")
        return self


def read_wordings(path: Path = SHIPPED_WORDINGS) -> Wordings:
    """Read a file of wordings. Raises `UsageError` when it is not there, and `XlitError` that names the key
    that is wrong."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        facts = {name: content.pop(name) for name in ("version", "allow") if name in content}
        return Wordings.model_validate({**facts, "modifiers": content})
    except FileNotFoundError:
        raise UsageError(f"No wordings of modifiers at {path}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise XlitError(f"{path}: not valid TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"] if part != "modifiers")
        raise XlitError(f"{path}: {key + ': ' if key else ''}{first['msg']}.") from None


_ENDS = (".", "!", "?", "…", "»", "”", "“", '"', ")")


def modified_suite(
    suite: WholeSuite,
    wordings: Wordings,
    *,
    seed: int = 1,
    only: Sequence[str] = (),
    count: int | None = None,
) -> WholeSuite:
    """The suite `NAME-modifiers`. Its keys are such as `email-1+short`, and the modifiers have the order of
    `wordings`.

    `only` names the modifiers to take (default: all). `count` is the most instructions for each of them
    instead of its own count. Languages in which a modifier has no wording are left out. So are keys that are
    missing in one of the other languages or that have a modifier already. A subset of `suite` holds here
    whatever was made of its keys.

    Raises `UsageError` for a modifier that is not in `wordings`, and `XlitError` when the suite does not say
    which modifiers fit, or when nothing can be made of it.
    """
    groups = _chosen_groups(wordings, only)
    languages = tuple(
        language
        for language in suite.meta.languages
        if all(modifier.speaks(language) for modifier in groups.values())
    )
    if not languages:
        suite_languages = ", ".join(suite.meta.languages)
        raise XlitError(
            f"The modifiers have no wordings in any language of {suite.meta.label} ({suite_languages})."
        )
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


def modifier_counts(suite: WholeSuite) -> dict[str, int]:
    """How many keys of a suite that was made here have each modifier, by group."""
    keys = dict.fromkeys(line.new.key for line in suite.lines)
    groups = [key.rpartition("+")[2] for key in keys]
    return {group: groups.count(group) for group in dict.fromkeys(groups)}


def _chosen_groups(wordings: Wordings, only: Sequence[str]) -> dict[str, ModifierWordings]:
    groups = {name: fitting_group(name) for name in only}
    unknown = next((name for name, group in groups.items() if group not in wordings.modifiers), None)
    if unknown is not None:
        raise UsageError(f"No modifier {unknown!r}. There are: {', '.join(wordings.modifiers)}.")
    return {
        group: wordings_of_group
        for group, wordings_of_group in wordings.modifiers.items()
        if not only or group in groups.values()
    }


def _aligned(suite: WholeSuite, languages: Sequence[str]) -> dict[str, list[SuiteLine]]:
    """The lines of each key that is there in all `languages` and has no modifier, in the order of
    `languages`."""
    by_key: dict[str, dict[str, SuiteLine]] = {}
    for line in suite.lines:
        if line.new.language in languages and line.new.modifier is None:
            by_key.setdefault(line.new.key, {})[line.new.language] = line
    return {
        key: [lines[language] for language in languages]
        for key, lines in by_key.items()
        if len(lines) == len(languages)
    }


def _drawn(aligned: dict[str, list[SuiteLine]], group: str, count: int, seed: int) -> list[str]:
    """The keys that were drawn for a modifier, in the suite's order."""
    by_task: dict[str, list[str]] = {}
    for key, lines in aligned.items():
        if all(group in (line.modifiers or ()) for line in lines):
            by_task.setdefault(lines[0].new.task or "", []).append(key)
    rounds = [
        (position, _seeded_rank(seed, group, task), key)
        for task, keys in by_task.items()
        for position, key in enumerate(sorted(keys, key=lambda key: _seeded_rank(seed, group, key)))
    ]
    drawn = {key for _, _, key in sorted(rounds)[:count]}
    return [key for key in aligned if key in drawn]


def _with_modifier(
    lines: Sequence[SuiteLine], group: str, modifier: ModifierWordings, seed: int
) -> Iterator[SuiteLine]:
    key = lines[0].new.key
    choices = modifier.for_task(lines[0].new.task)
    wording = choices[_seeded_rank(seed, group, key, "wording") % len(choices)]
    parameter = _seeded_rank(seed, group, key, "parameter")
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
            text=_with_demand(line.new.text, demand),
            modifier=name.canonical,
            check=line.new.check if modifier.keeps_check else None,
        )
        yield replace(line, new=new, modifiers=None)


def _with_demand(text: str, demand: str) -> str:
    """The text with the demand behind it: on a line of its own when the text has several lines or does not
    end a sentence."""
    text = text.rstrip()
    return f"{text} {demand}" if text.endswith(_ENDS) and "\n" not in text else f"{text}\n\n{demand}"


def _seeded_rank(seed: int, *what: str) -> int:
    return int.from_bytes(hashlib.sha256("\0".join([str(seed), *what]).encode()).digest()[:8])


def _meta(
    meta: SuiteMeta, languages: tuple[str, ...], lines: Sequence[SuiteLine], wordings: Wordings, seed: int
) -> SuiteMeta:
    keys_made: dict[str, list[str]] = {}
    for key in dict.fromkeys(line.new.key for line in lines):
        keys_made.setdefault(key.rpartition("+")[0], []).append(key)

    def expanded(keys: Sequence[str]) -> tuple[str, ...]:
        return tuple(new for key in keys for new in keys_made.get(key, ()))

    tasks = {line.new.task for line in lines}
    subsets = {name: subset_keys for name, keys in meta.subsets.items() if (subset_keys := expanded(keys))}
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
