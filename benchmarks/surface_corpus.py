"""Responses for the benchmark of the surface metrics where no real ones are given: the same ones every time.

The words are the tests' lists of right and wrong forms and the stems of the installed Hunspell dictionaries,
drawn with falling frequency as words of a language are (Zipf's law): some thousand different ones, most of
them seldom. Some responses leave their language for a sentence.
"""

import random
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from core.judge.surface.spelling import Dictionary, find_dictionary
from store import open_store
from store.queries import models, responses, suites
from store.session import writing

LANGUAGES = ("fr", "pt", "ru", "de")
WORDS = Path(__file__).parent.parent / "tests" / "core" / "judge" / "surface" / "words"
MODELS = 5
STEMS = 30_000
WRONG_EVERY = 30
SWITCH_EVERY = 12
SWITCH = "This sentence is in English, although the question was asked in another language."


def build_corpus(path: Path, number: int) -> None:
    """A store of at least `number` responses of `MODELS` models in four languages."""
    chance = random.Random(176)
    each = -(-number // (MODELS * len(LANGUAGES)))
    engine = open_store(path, create=True)
    with writing(engine) as session:
        new = [
            suites.NewInstruction(f"k{place}", language, "?")
            for language in LANGUAGES
            for place in range(each)
        ]
        suite, _ = suites.add_suite(session, "corpus", "1", new)
        decoding = models.decoding_id(session, "imported", None, {})
        for language in LANGUAGES:
            texts = _texts(language, chance)
            asked = suites.instructions_of(session, suite, language)
            for model in range(MODELS):
                source = {
                    "model_id": models.model_id(session, f"model {model}"),
                    "decoding_id": decoding,
                }
                responses.add_responses(
                    session, [{**source, "instruction_id": it.id, "text": next(texts)} for it in asked]
                )
    engine.dispose()


def _texts(language: str, chance: random.Random) -> Iterator[str]:
    words = _forms(language, "right")
    dictionary = find_dictionary(language)
    if dictionary is not None:
        stems = _stems(dictionary)
        words += chance.sample(stems, min(STEMS, len(stems)))
    wrong = _forms(language, "wrong")
    weights = list(accumulate(1 / (rank + 10) for rank in range(len(words))))
    while True:
        sentences = []
        for _ in range(chance.randint(2, 7)):
            drawn = chance.choices(words, cum_weights=weights, k=chance.randint(6, 16))
            if chance.randrange(WRONG_EVERY) < len(drawn):
                drawn[chance.randrange(len(drawn))] = chance.choice(wrong)
            sentences.append(" ".join(drawn).capitalize() + ".")
        if chance.randrange(SWITCH_EVERY) == 0:
            sentences.insert(chance.randrange(len(sentences)), SWITCH)
        yield " ".join(sentences)


def _forms(language: str, kind: str) -> list[str]:
    return (WORDS / f"{language}.{kind}.txt").read_text(encoding="utf-8").split()


def _stems(dictionary: Dictionary) -> list[str]:
    with (dictionary.folder / f"{dictionary.name}.aff").open("rb") as affixes:
        found = next((line.split()[1] for line in affixes if line.startswith(b"SET ")), b"UTF-8")
    text = (dictionary.folder / f"{dictionary.name}.dic").read_bytes().decode(found.decode(), "replace")
    stems = (line.split("/")[0].split("\t")[0].strip() for line in text.splitlines()[1:])
    return [stem for stem in stems if stem.isalpha()]
