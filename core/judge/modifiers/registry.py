"""From the name of a modifier to the rule that counts it, or to what an LLM judge is asked about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from core.analysis.modifier_names import ModifierName, read_names
from core.judge.modifiers.html import HtmlPage
from core.judge.modifiers.items import Items
from core.judge.modifiers.length import Brevity, Detail
from core.judge.modifiers.markdown import Markdown
from core.judge.modifiers.templates import Arrow, Capitals
from core.judge.modifiers.verdict import EMPTY, Rule, Verdict, is_empty
from core.judge.surface.language import LanguageIdentifier
from store.languages import normal_language


@dataclass(frozen=True)
class Language:
    """The language `code`, told by the identifier that `identifier` gives when it is needed."""

    code: str
    identifier: Callable[[], LanguageIdentifier]

    @property
    def definition(self) -> str:
        return f"fastText tells `{self.code}` as the language of the whole response, code left out."

    @property
    def demand(self) -> str:
        return f"The response as a whole is written in the language with the ISO 639 code `{self.code}`."

    def judge(self, text: str) -> Verdict:
        identifier = self.identifier()
        wanted = normal_language(self.code)
        if wanted not in identifier.languages:
            return Verdict(None, f"{identifier.tool} does not know `{self.code}`")
        identified = identifier.identify(text)
        if identified.label is None:
            return Verdict(None, f"no language identified: {identified.reason}")
        reason = identified.label if identified.label == wanted else f"{identified.label}, not {wanted}"
        return Verdict(identified.label == wanted, f"{reason} ({identified.probability:.2f})")


DEMANDS = {
    "scientific": (
        "The response is written the way a scientific text is: an impersonal, matter-of-fact tone, "
        "precise terms of the field, and claims that are argued for rather than advertised."
    ),
    "simple": (
        "A child of about ten can follow the response: everyday words, short sentences, and an "
        "explanation or a comparison wherever a difficult term can't be avoided."
    ),
    "two-hop": (
        "The instruction asks for two things, one after the other. The response does both of them, and "
        "the second one builds on what the first one says."
    ),
}


# Part of the rater's name: a change of any rule needs a new version.
RULES_VERSION = "2"

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
        opinions = {verdict.fulfilled for verdict in verdicts}
        fulfilled = False if False in opinions else None if None in opinions else True
        return Verdict(fulfilled, "; ".join(verdict.reason for verdict in verdicts))


def read_modifier(name: str, identifier: LanguageIdentifier | None = None) -> Modifier | None:
    """The modifier of this name (see `core.analysis.modifier_names`); None when it is not known.

    `identifier` tells languages (default: `LanguageIdentifier()`, loaded when it is first needed); a language
    that a given one can't tell is not known either.
    """
    names = read_names(name)
    if names is None:
        return None
    codes = [part.parameter or "" for part in names if part.group == "lang"]
    if identifier is not None and not {normal_language(code) for code in codes} <= identifier.languages:
        return None
    get = _default_identifier if identifier is None else lambda: identifier
    rules = tuple(rule for part in names if (rule := _rule(part, get)) is not None)
    return Modifier(
        name=" + ".join(part.canonical for part in names),
        group=" + ".join(dict.fromkeys(part.group for part in names)),
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
