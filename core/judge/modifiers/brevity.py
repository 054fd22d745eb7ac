"""`short`: the answer is brief."""

from dataclasses import dataclass

from core.judge.modifiers.measure import CHARACTERS_PER_WORD, length_of, sentences_of
from core.judge.modifiers.verdict import Verdict, counted


@dataclass(frozen=True)
class Brevity:
    """At most `sentences` sentences and `words` words; see `modifiers.measure` for what counts as one."""

    sentences: int = 5
    words: int = 100

    @property
    def definition(self) -> str:
        return (
            f"At most {self.sentences} sentences, where every line and every item of a list is at least "
            f"one, and at most {self.words} words (in scripts without spaces "
            f"{self.words * CHARACTERS_PER_WORD} letters)."
        )

    @property
    def demand(self) -> str:
        return "The response is brief: it says what is asked in a few sentences and no more."

    def judge(self, text: str) -> Verdict:
        sentences, length = len(sentences_of(text)), length_of(text)
        if not sentences:
            return Verdict(False, "no words")
        said = f"{counted(sentences, 'sentences')}, {counted(length.amount, length.unit)}"
        return Verdict(sentences <= self.sentences and length.words <= self.words, said)
