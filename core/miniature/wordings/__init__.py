"""The sentences of the miniature: one TOML file a language, the same keys in all of them."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def wording(language: str) -> dict[str, Any]:
    """The tables of ``{language}.toml``: one a task (two wordings of ``ask``, ``answer``), events, words."""
    return tomllib.loads(files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8"))
