"""What a suite is: its `NAME.toml`.

* `name`, `version`, `languages` (a list of codes): needed;
* `licence`, `source`, `description`: texts;
* `answer_in_text`: tasks, or keys of instructions, whose answer is meant to stand in the instruction itself
  (something is to be extracted from it);
* `[subsets]`: names of parts of the suite, each a list of keys;
* `[spelling.allow]`: per language, the words (names, invented ones) that no dictionary need know.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.errors import UsageError, XlitError

NEEDED_TEXTS = ("name", "version")
TEXTS = (*NEEDED_TEXTS, "licence", "source", "description")
OTHERS = ("languages", "answer_in_text", "subsets", "spelling")

_BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class SuiteMeta:
    """The content of a suite's TOML file; `allowed` are the words of `[spelling.allow]`."""

    name: str
    version: str
    languages: tuple[str, ...]
    licence: str | None = None
    source: str | None = None
    description: str | None = None
    answer_in_text: tuple[str, ...] = ()
    subsets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    allowed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return f"{self.name}/{self.version}"

    def subset(self, name: str) -> tuple[str, ...]:
        """The keys of a subset; raises `UsageError` that lists the subsets there are."""
        if name not in self.subsets:
            known = ", ".join(self.subsets) or "none"
            raise UsageError(f"Suite {self.label} has no subset {name!r}. It has: {known}.")
        return self.subsets[name]


def read_meta(toml: Path) -> SuiteMeta:
    """Read a suite's TOML file; raises `XlitError` that names the file and the key that is wrong."""
    try:
        content: dict[str, Any] = tomllib.loads(toml.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise XlitError(f"{toml}: not valid TOML: {error}.") from None
    if not content.get("languages") or not _is_texts(content["languages"]):
        raise XlitError(f'{toml}: `languages` must list the suite\'s languages, such as ["en", "ru"].')
    languages = tuple(content["languages"])
    for name, value in content.items():
        if name not in TEXTS + OTHERS:
            raise XlitError(f"{toml}: unknown key {name!r}. A suite has {', '.join(TEXTS + OTHERS)}.")
        if name in TEXTS and not (isinstance(value, str) and value.strip()):
            raise XlitError(f"{toml}: `{name}` must be a text in quotes.")
    missing = next((name for name in NEEDED_TEXTS if name not in content), None)
    if missing is not None:
        raise XlitError(f"{toml}: `{missing}` is missing.")
    answer_in_text = content.get("answer_in_text", [])
    if not _is_texts(answer_in_text):
        raise XlitError(f"{toml}: `answer_in_text` must list tasks or keys.")
    return SuiteMeta(
        languages=languages,
        answer_in_text=tuple(answer_in_text),
        subsets=_lists(toml, "subsets", content.get("subsets", {}), "keys"),
        allowed=_allowed(toml, content.get("spelling", {}), languages),
        **{name: content[name] for name in TEXTS if name in content},
    )


def meta_toml(meta: SuiteMeta) -> str:
    """The text of a TOML file that reads as `meta`."""
    lines = [f"{name} = {_text(value)}" for name in TEXTS if (value := getattr(meta, name)) is not None]
    lines.append(f"languages = {_texts(meta.languages)}")
    if meta.answer_in_text:
        lines.append(f"answer_in_text = {_texts(meta.answer_in_text)}")
    for title, lists in (("subsets", meta.subsets), ("spelling.allow", meta.allowed)):
        if lists:
            lines += ["", f"[{title}]", *(f"{_key(name)} = {_texts(some)}" for name, some in lists.items())]
    return "\n".join(lines) + "\n"


def _allowed(toml: Path, spelling: Any, languages: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    if not isinstance(spelling, dict) or not set(spelling) <= {"allow"}:
        raise XlitError(f"{toml}: `spelling` holds `allow` and nothing else: write [spelling.allow].")
    allowed = _lists(toml, "spelling.allow", spelling.get("allow", {}), "words")
    unknown = next((language for language in allowed if language not in languages), None)
    if unknown is not None:
        known = ", ".join(languages)
        raise XlitError(f"{toml}: `spelling.allow`: {unknown!r} is none of the suite's languages ({known}).")
    return allowed


def _lists(toml: Path, name: str, value: Any, what: str) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict) or not all(map(_is_texts, value.values())):
        raise XlitError(f"{toml}: `{name}` must give every name in it a list of {what}.")
    return {key: tuple(some) for key, some in value.items()}


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one.strip() for one in value)


def _text(value: str) -> str:
    # JSON's strings are TOML's, but for a delete character that stands as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _texts(values: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)
