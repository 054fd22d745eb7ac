"""`long`: the answer is detailed."""

from dataclasses import dataclass

from core.judge.modifiers.measure import CHARACTERS_PER_WORD, length_of, sentences_of
from core.judge.modifiers.verdict import Verdict, counted


@dataclass(frozen=True)
class Detail:
    """At least `words` words, or `letters` letters and digits, as some languages say the same in fewer,
    longer words; a sentence that comes again counts once."""

    words: int = 150
    letters: int = 750

    @property
    def definition(self) -> str:
        return (
            f"At least {self.words} words or {self.letters} letters and digits (in scripts without spaces "
            f"{self.words * CHARACTERS_PER_WORD} letters); a sentence that is repeated counts once."
        )

    @property
    def demand(self) -> str:
        return "The response is detailed: it goes into particulars instead of giving the outline alone."

    def judge(self, text: str) -> Verdict:
        different = {sentence.casefold(): sentence for sentence in sentences_of(text)}
        once = "\n".join(different.values())
        length = length_of(once)
        letters = sum(map(str.isalnum, once))
        enough = length.words >= self.words or (length.unit == "words" and letters >= self.letters)
        said = counted(length.amount, length.unit)
        return Verdict(enough, f"{said}, {counted(letters, 'letters')}" if length.unit == "words" else said)
