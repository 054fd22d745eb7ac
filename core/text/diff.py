"""What differs between the columns of a row: every text compared word by word with one of them, the base.

* Only words are compared (`core.text.words` says what a word is): a changed comma, quotation mark or line
  break is no difference.
* Two words are equal when they are the same after Unicode's NFC normalisation, letter case included: `é` is
  `é` however it is stored, `Мир` is not `мир`. Apostrophes and hyphens inside a word count in any of their
  forms, as punctuation does not count outside of one; invisible hints on line breaking count for nothing.
* Words are aligned by a longest common subsequence. Where a passage was rewritten, that also pairs words that
  stand there by chance, and the marks fall to pieces around them. So an **island** is marked with the
  passage: one aligned word of at most `ISLAND` characters, between two changed stretches of at least `SHORE`
  words each (in that of the two texts where the stretch has more).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from unicodedata import normalize

from rapidfuzz.distance import LCSseq

from core.text.words import each_word

# Aligning takes time and memory by the product of two lengths: about 10 ms and 5 MB for two texts of this
# many words. An answer of 2,000 tokens has fewer, also where every character is a word.
MOST_WORDS = 6000

# Finding the words takes time by the length of the text, even if that is a single word.
MOST_CHARACTERS = 100_000

# Function words (и, не, the, de, und, 的) have up to this many characters. With fewer changed words beside it
# than `SHORE`, one is the place where two phrases meet (the new cat / the old dog), and has its partner.
ISLAND = 3
SHORE = 3

# The longest word, in code points, that is normalised before it is compared: a flood of marks is put in order
# in the square of its length.
LONGEST_NORMALISED = 64

_PLAIN = str.maketrans(
    dict.fromkeys("’‘\uff07", "'") | dict.fromkeys("\u2010\u2011", "-") | dict.fromkeys("\u00ad\u2060", "")
)


@dataclass(frozen=True, slots=True)
class Differences:
    """What is to be marked in one text.

    `spans` are [start, end) offsets in code points, sorted and apart from each other; each begins and ends
    with a word, and marked words that follow each other share a span with what stands between them. `missing`
    is how many words of the base have no partner in this text (0 for the base itself). `words` is how many
    words the text has, `differing` how many of them are marked. Where `comparable` is false no comparison was
    made: having no marks says nothing, and `words` counts only as far as the text was read.
    """

    spans: tuple[tuple[int, int], ...]
    missing: int
    words: int
    comparable: bool
    differing: int = 0


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a text, as far as they are compared: their offsets, their plain forms, and a number for
    each that equal words share."""

    spans: list[tuple[int, int]]
    plain: list[str]
    numbers: list[int]
    too_long: bool


@dataclass(frozen=True, slots=True)
class _Run:
    """Words of the base aligned one by one with words of a text: which is the first in both, and how many."""

    base: int
    text: int
    count: int


def compare_to_base(texts: Sequence[str], base: int) -> list[Differences]:
    """Compare every text with the one at the index `base`: one item per text, in their order.

    In the other texts, the marked words are those not aligned with an equal word of the base. In the base,
    they are those aligned with a word of *none* of the others; a base without others has no marks.

    A text of more than `MOST_WORDS` words or `MOST_CHARACTERS` code points is not comparable, nor is anything
    with such a base, because marks in a part of a text would be taken for all there are. Nor is a word of the
    base said to be in no other text while one of them was not compared. Texts that are the same code points
    are always comparable.

    The offsets are those of the texts as given: give it the text that is drawn. `base` outside of the texts
    raises IndexError.
    """
    if not 0 <= base < len(texts):
        raise IndexError(f"There is no text {base} among {len(texts)}")
    numbers: dict[str, int] = {}
    texts_in_words = [_find_words(text, numbers) for text in texts]
    ours = texts_in_words[base]
    shared = bytearray(len(ours.spans))
    differences = []
    for index, (text, theirs) in enumerate(zip(texts, texts_in_words, strict=True)):
        if index == base:
            continue
        if text == texts[base]:
            runs = [_Run(0, 0, len(ours.spans))]
        elif ours.too_long or theirs.too_long:
            differences.append(Differences((), 0, len(theirs.spans), False))
            continue
        else:
            runs = _without_islands(_aligned(ours, theirs), ours, theirs)
        aligned = bytearray(len(theirs.spans))
        for run in runs:
            aligned[run.text : run.text + run.count] = b"\1" * run.count
            shared[run.base : run.base + run.count] = b"\1" * run.count
        missing = len(ours.spans) - sum(aligned)
        differing = len(theirs.spans) - sum(aligned)
        differences.append(Differences(_rest(theirs, aligned), missing, len(theirs.spans), True, differing))
    comparable = all(shared) or all(other.comparable for other in differences)
    spans = _rest(ours, shared) if comparable and differences else ()
    differing = len(ours.spans) - sum(shared) if spans else 0
    differences.insert(base, Differences(spans, 0, len(ours.spans), comparable, differing))
    return differences


def _find_words(text: str, numbers: dict[str, int]) -> _Words:
    """The words of a text as far as they are compared; `numbers` holds the number of every word so far."""
    spans = list(islice(each_word(text[:MOST_CHARACTERS]), MOST_WORDS + 1))
    plain = [_plain(text[start:end]) for start, end in spans]
    return _Words(
        spans,
        plain,
        [numbers.setdefault(word, len(numbers)) for word in plain],
        len(spans) > MOST_WORDS or len(text) > MOST_CHARACTERS,
    )


def _plain(word: str) -> str:
    """What all words that are equal to this one become."""
    composed = normalize("NFC", word) if len(word) <= LONGEST_NORMALISED else word
    return composed.translate(_PLAIN)


def _aligned(ours: _Words, theirs: _Words) -> list[_Run]:
    """The runs of words in a longest common subsequence, in order.

    Their numbers are compared and not the words, because rapidfuzz takes equal hashes for equality.
    """
    return [
        _Run(step.src_start, step.dest_start, step.src_end - step.src_start)
        for step in LCSseq.opcodes(ours.numbers, theirs.numbers)
        if step.tag == "equal"
    ]


def _without_islands(runs: list[_Run], ours: _Words, theirs: _Words) -> list[_Run]:
    """The runs that are no islands; the docstring of the module says what those are."""
    edges = [_Run(0, 0, 0), *runs, _Run(len(ours.spans), len(theirs.spans), 0)]
    # How many words changed before each run, and after the last.
    changed = [
        max(after.base - before.base - before.count, after.text - before.text - before.count)
        for before, after in pairwise(edges)
    ]
    return [
        run
        for run, shores in zip(runs, pairwise(changed), strict=True)
        if run.count > 1 or len(ours.plain[run.base]) > ISLAND or min(shores) < SHORE
    ]


def _rest(text_words: _Words, aligned: bytearray) -> tuple[tuple[int, int], ...]:
    """The spans of the words that are not aligned, those that follow each other as one."""
    spans = []
    first = aligned.find(0)
    while first >= 0:
        end = aligned.find(1, first)
        end = len(aligned) if end < 0 else end
        spans.append((text_words.spans[first][0], text_words.spans[end - 1][1]))
        first = aligned.find(0, end)
    return tuple(spans)
