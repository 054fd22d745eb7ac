"""From the name of a modifier to the rule that counts it, or to what an LLM judge is asked about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from core.analysis.modifier_names import ModifierName, read_names
from core.judge.modifiers.arrow import Arrow
from core.judge.modifiers.brevity import Brevity
from core.judge.modifiers.by_judge import DEMANDS
from core.judge.modifiers.capitals import Capitals
from core.judge.modifiers.detail import Detail
from core.judge.modifiers.html import HtmlPage
from core.judge.modifiers.items import Items
from core.judge.modifiers.language import Language
from core.judge.modifiers.markdown import Markdown
from core.judge.modifiers.verdict import EMPTY, Rule, Verdict, is_empty
from core.judge.surface.language import LanguageIdentifier
from core.text.scripts import normal_language

# Part of the rater's name: a change of any rule needs a new version.
RULES_VERSION = "1"

_RULES: dict[str, Callable[[], Rule]] = {
    "short": Brevity,
    "long": Detail,
    "markdown": Markdown,
    "html": HtmlPage,
    "arrow": Arrow,
    "cap": Capitals,
}


@dataclass(frozen=True)
class Modifier:
    """What an instruction demands besides its task: one demand or several.

    `name` is the canonical name, `group` that of the paper's table 1; several are joined by ` + `. `by` says
    who can tell whether it is fulfilled: `rule`, or `judge` (an LLM or a person) as soon as one of the
    demands needs one. `demand` is for a judge to read; `definition` is what the rules count, None with
    `judge`.
    """

    name: str
    group: str
    by: Literal["rule", "judge"]
    demand: str
    rules: tuple[Rule, ...]

    @property
    def definition(self) -> str | None:
        return None if self.by == "judge" else " ".join(rule.definition for rule in self.rules)

    def judge(self, response: str) -> Verdict:
        """What the rules say: fulfilled when all are. Undecided (None) when none says no and one can't be
        decided, or when it takes a judge. An empty response fulfils nothing."""
        if is_empty(response):
            return EMPTY
        if self.by == "judge":
            return Verdict(None, f"{self.name} needs a judge")
        verdicts = [rule.judge(response) for rule in self.rules]
        said = {verdict.fulfilled for verdict in verdicts}
        fulfilled = False if False in said else None if None in said else True
        return Verdict(fulfilled, "; ".join(verdict.reason for verdict in verdicts))


def read_modifier(name: str, identifier: LanguageIdentifier | None = None) -> Modifier | None:
    """The modifier of this name (see `core.analysis.modifier_names`); None when it is not known.

    `identifier` tells languages (default: `LanguageIdentifier()`, loaded when it is first needed); a language
    that a given one can't tell is not known either.
    """
    names = read_names(name)
    if names is None:
        return None
    codes = [found.parameter or "" for found in names if found.group == "lang"]
    if identifier is not None and not {normal_language(code) for code in codes} <= identifier.languages:
        return None
    get = _default_identifier if identifier is None else lambda: identifier
    rules = tuple(rule for found in names if (rule := _rule(found, get)) is not None)
    return Modifier(
        name=" + ".join(found.canonical for found in names),
        group=" + ".join(dict.fromkeys(found.group for found in names)),
        by="rule" if len(rules) == len(names) else "judge",
        demand=_demand(names, get),
        rules=rules,
    )


@lru_cache(maxsize=1)
def _default_identifier() -> LanguageIdentifier:
    return LanguageIdentifier()


def _rule(name: ModifierName, identifier: Callable[[], LanguageIdentifier]) -> Rule | None:
    if name.group == "num_items":
        return Items(int(name.parameter or 0))
    if name.group == "lang":
        return Language(name.parameter or "", identifier)
    rule = _RULES.get(name.group)
    return rule() if rule else None


def _demand(names: Sequence[ModifierName], identifier: Callable[[], LanguageIdentifier]) -> str:
    demands = (rule.demand if (rule := _rule(name, identifier)) else DEMANDS[name.group] for name in names)
    return " ".join(demands)
