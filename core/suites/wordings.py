"""How modifiers are worded: `modifiers.toml` beside this file, or one's own file of that form."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.analysis.modifier_names import NAMES
from store.errors import UsageError, XlitError

SHIPPED_WORDINGS = Path(__file__).parent / "modifiers.toml"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wording(BaseModel):
    """What is put behind an instruction, by language: of these `tasks`, or of any when there are none."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Annotated[str, Field(min_length=1)]] = Field(init=False)

    tasks: tuple[str, ...] = ()

    @property
    def texts(self) -> Mapping[str, str]:
        return self.__pydantic_extra__


class ModifierWordings(_Part):
    """One modifier: to how many instructions it is put, and how it is worded.

    `{n}` stands for one of `numbers`, `{language}` for one of `targets`: per language of the instruction, the
    codes of other languages with the words for `in` that language. `keeps_check`: whether the known answer of
    an instruction still holds with the modifier.
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
        """The wordings for a task: its own ones, or else those for any."""
        own = [wording for wording in self.wordings if task in wording.tasks]
        return own or [wording for wording in self.wordings if not wording.tasks]

    def speaks(self, language: str) -> bool:
        """Whether every wording is there in a language."""
        return all(language in wording.texts for wording in self.wordings) and (
            not self.targets or bool(self.targets.get(language))
        )


class Wordings(_Part):
    """All modifiers, by their group (`core.analysis.modifier_names`), in the file's order; `allow` are words
    in their wordings that no dictionary need know."""

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
    """Read a file of wordings. Raises `UsageError` when it is not there, `XlitError` that names the key that
    is wrong."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        facts = {name: content.pop(name) for name in ("version", "allow") if name in content}
        return Wordings.model_validate({**facts, "modifiers": content})
    except FileNotFoundError:
        raise UsageError(f"No wordings of modifiers at {path}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise XlitError(f"{path}: not valid TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"] if part != "modifiers")
        raise XlitError(f"{path}: {key + ': ' if key else ''}{first['msg']}.") from None
