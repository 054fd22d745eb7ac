"""`lang_XX`: the answer is in another language than the instruction."""

from collections.abc import Callable
from dataclasses import dataclass

from core.judge.modifiers.verdict import Verdict
from core.judge.surface.language import LanguageIdentifier
from core.text.scripts import normal_language


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
        found = identifier.identify(text)
        if found.label is None:
            return Verdict(None, f"no language identified: {found.reason}")
        said = found.label if found.label == wanted else f"{found.label}, not {wanted}"
        return Verdict(found.label == wanted, f"{said} ({found.probability:.2f})")
