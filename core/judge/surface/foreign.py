"""Where a response leaves the language that it is expected in: the stretches of code-switching.

That is the instruction's language, or the one that its modifier demands (`store.queries.expected_language`).

The rules, named by `RULES`:

1. The pieces are the sentences (`core.text.sentences`) of the text without code, addresses and markup, and
   the passages in another script (`core.text.scripts`), also inside a sentence. What stands in brackets or
   quotation marks (`blank_asides`) decides nothing: a foreign term, name or title is fine there.
2. fastText says a language of every piece. That is *sure*

   * when it is the expected one;
   * of a language that is easily taken for it (`confusable`), as `SURE_OF_NEIGHBOUR` says, and of any other,
     as `SURE` says: with so many letters, of which an ideograph or a kana counts for `PER_IDEOGRAPH`;
   * of a passage in another script, with `LIKELY`, however short it is;
   * of a piece next to one that is sure of the same language, with `LIKELY`;
   * of neighbours that are not sure each but have the same language, when it is sure of them put together,
     each text once: one word said ten times is no passage.
3. A piece that is not sure takes the language of the sure ones on both its sides when they agree, else that
   of the whole response when that is sure, else the expected one; but none that is written in other letters.
   A passage in another script which finds no language so is `UNDETERMINED` (BCP 47).
4. Neighbouring pieces in one foreign language are one stretch, with all that lies between them.

So a short foreign sentence in the same script goes unseen, and so does a switch inside a sentence that keeps
the script.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import NamedTuple

import regex

from core.judge.surface.language import Identified, LanguageIdentifier
from core.text.prose import blank_asides, blank_code, has_letters, without_marks
from core.text.scripts import HAN_AND_KANA, foreign_passages, has_letters_of
from core.text.sentences import sentences, trimmed
from store.languages import normal_language

RULES = "foreign-3"

# Pairs of a number of letters and a probability: a text that has at least both of one pair is sure.
SURE = ((30, 0.8), (20, 0.95))
SURE_OF_NEIGHBOUR = ((60, 0.95),)
LIKELY = 0.5
PER_IDEOGRAPH = 3
UNDETERMINED = "und"

# Of a text without end no more sentences are looked at, and no more stretches returned.
MOST_SENTENCES, MOST_STRETCHES = 2000, 500

_IDEOGRAPHS = regex.compile(f"[{HAN_AND_KANA}]")

# Languages that `lid.176` takes for one another in short texts; a language may stand in several groups.
_NEIGHBOURS = [
    frozenset(group.split())
    for group in (
        "pt gl es ast an mwl ca oc",
        "it co scn lmo vec pms nap sc rm eml",
        "fr oc ca wa frp",
        "ru uk be bg mk sr rue",
        "hr sr bs sh sl",
        "cs sk",
        "pl szl csb",
        "no nn da sv",
        "de als bar nds lb pfl ksh",
        "nl af li vls fy nds zea",
        "en sco",
        "id ms jv su min",
        "hi mr ne sa bh bho mai dty new gom",
        "bn as bpy",
        "ar arz ary",
        "fa azb mzn lrc glk",
        "ku ckb diq",
        "pa pnb ur",
        "tr az tk crh",
        "kk ky tt ba",
        "zh wuu yue ja",
        "fi et vep",
        "tl ceb ilo war bcl pam",
        "ka xmf",
    )
]


@dataclass(frozen=True)
class Stretch:
    """[start, end): offsets in the response, in code points. `label`: the code of the language."""

    start: int
    end: int
    label: str


class _Piece(NamedTuple):
    """`text` holds the letters that decide, `identified` what fastText says of them, and `sure` whether that
    counts; `passage`: in another script than the expected language."""

    start: int
    end: int
    text: str
    identified: Identified
    sure: bool
    passage: bool = False


def foreign_stretches(
    text: str, language: str, identifier: LanguageIdentifier, whole: Identified, blanked: str | None = None
) -> list[Stretch] | None:
    """The stretches of `text` in other languages than `language`, the one that it is expected in, by the
    rules above, in order; None when the model does not know that language. `whole` is what `identifier` says
    of the text, `blanked` as for it. Takes time linear in the length of the text."""
    own = normal_language(language)
    if own not in identifier.languages:
        return None
    return _Finder(own, identifier).find(blank_code(text) if blanked is None else blanked, whole)


def confusable(language: str, other: str) -> bool:
    """Whether two languages, by their bare codes, are easily taken for one another."""
    return any(language in group and other in group for group in _NEIGHBOURS)


class _Finder:
    """Finds the stretches that are not in the language `own`."""

    def __init__(self, own: str, identifier: LanguageIdentifier) -> None:
        self._own, self._identifier = own, identifier

    def find(self, prose: str, whole: Identified) -> list[Stretch]:
        pieces = list(islice(self._pieces(prose), MOST_SENTENCES))
        if all(piece.sure and piece.identified.label == self._own for piece in pieces):
            return []
        pieces = self._confirmed_by_neighbours(pieces)
        everywhere = whole.label if whole.label and self._is_sure(whole, prose) else self._own
        labelled = zip(self._languages_of(pieces, everywhere), pieces, strict=True)
        stretches = []
        for label, group in groupby(labelled, key=lambda pair: pair[0]):
            if label != self._own:
                parts = [piece for _, piece in group]
                stretches.append(Stretch(parts[0].start, parts[-1].end, label))
        return stretches[:MOST_STRETCHES]

    def _pieces(self, prose: str) -> Iterator[_Piece]:
        plain = blank_asides(prose)
        if not has_letters(plain):
            plain = prose
        for start, end in islice(sentences(plain), MOST_SENTENCES):
            sentence = plain[start:end]
            passages = list(foreign_passages(sentence, self._own))
            if not passages:
                if has_letters(sentence):
                    yield _Piece(start, end, sentence, *self._identified(sentence))
                continue
            rest = _without(sentence, passages)
            if not has_letters(rest):
                yield self._passage(start, end, sentence)
                continue
            identified, sure = self._identified(rest)
            last = 0
            for first, after in [*passages, (len(sentence), len(sentence))]:
                for left, right in trimmed(sentence, last, first):
                    if has_letters(sentence[left:right]):
                        yield _Piece(start + left, start + right, sentence[left:right], identified, sure)
                if first < after:
                    yield self._passage(start + first, start + after, sentence[first:after])
                last = after

    def _passage(self, start: int, end: int, text: str) -> _Piece:
        identified = self._identifier.identify_prose(without_marks(text))
        fits = identified.label is not None and has_letters_of(text, identified.label)
        return _Piece(start, end, text, identified, fits and _likely(identified), passage=True)

    def _identified(self, text: str) -> tuple[Identified, bool]:
        """The language of a text, and whether that is sure."""
        identified = self._identifier.identify_prose(without_marks(text))
        return identified, self._is_sure(identified, text)

    def _is_sure(self, identified: Identified, text: str) -> bool:
        if identified.label is None or identified.probability is None:
            return False
        if identified.label == self._own:
            return True
        thresholds = SURE_OF_NEIGHBOUR if confusable(identified.label, self._own) else SURE
        letters = _letters(text)
        return any(
            letters >= least and identified.probability >= probability for least, probability in thresholds
        )

    def _confirmed_by_neighbours(self, pieces: list[_Piece]) -> list[_Piece]:
        """The same pieces, with those sure that are so by their neighbours of the same language."""
        confirmed: list[_Piece] = []
        for label, group in groupby(pieces, key=lambda piece: piece.identified.label):
            parts = list(group)
            if label not in (None, self._own) and len(parts) > 1:
                parts = self._run_of_one_language(parts)
            confirmed.extend(parts)
        return confirmed

    def _run_of_one_language(self, parts: list[_Piece]) -> list[_Piece]:
        if any(part.sure for part in parts):
            return [part._replace(sure=part.sure or _likely(part.identified)) for part in parts]
        identified, sure = self._identified(" ".join(dict.fromkeys(part.text for part in parts)))
        return [part._replace(sure=sure and part.identified.label == identified.label) for part in parts]

    def _languages_of(self, pieces: list[_Piece], whole: str) -> list[str]:
        """The language of every piece; `whole` is that of the response."""
        labels: list[str] = []
        before = None
        for sure, group in groupby(pieces, key=lambda piece: piece.sure):
            parts = list(group)
            if sure:
                labels.extend(part.identified.label or self._own for part in parts)
            else:
                end = len(labels) + len(parts)
                after = pieces[end].identified.label if end < len(pieces) else None
                around = before if before is not None and before == after else whole
                labels.extend(self._taken(part, around) for part in parts)
            before = parts[-1].identified.label if sure else None
        return labels

    def _taken(self, piece: _Piece, around: str) -> str:
        """The language that a piece takes which is not sure of its own."""
        fits = has_letters_of(piece.text, around)
        if piece.passage:
            return around if fits and around != self._own else UNDETERMINED
        return around if fits else self._own


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with these spans, which are in order, turned into spaces."""
    last, kept = 0, []
    for start, end in spans:
        kept += [text[last:start], " " * (end - start)]
        last = end
    return "".join([*kept, text[last:]])


def _likely(identified: Identified) -> bool:
    return identified.probability is not None and identified.probability >= LIKELY


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text)) + (PER_IDEOGRAPH - 1) * len(_IDEOGRAPHS.findall(text))
