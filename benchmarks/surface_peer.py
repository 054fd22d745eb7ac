"""The peer of `surface.py`: a plain loop, as a script would have it.

fastText's `predict` once for each response and Hunspell's `spell` once for each word, with the same
preparation of the text and the same words as ours, so that the values are the same; nothing remembered, one
process, nothing written. It locates no stretches in other languages.
"""

import os
import sys
from collections.abc import Iterable
from typing import Any

import fasttext
import hunspell

from core.judge.surface.language import find_model, prepared_line
from core.judge.surface.spelling import CLITICS, find_dictionary
from core.text.prose import blank_code, has_letters
from core.text.scripts import script_of
from core.text.words import is_checked, is_of_script, plain_word, word_parts, words_to_spell_in
from store.languages import normal_language

ENCODING = "UTF-8" if os.name == "nt" else sys.getfilesystemencoding()

# Label and probability as fastText gives them (None: no letters), how many words, where the misspelt stand.
Values = tuple[tuple[str, float] | None, int, list[list[int]]]


def measure(rows: Iterable[tuple[str, str]]) -> list[Values]:
    """The values of (language, response) after response, with the models loaded for it."""
    model = fasttext.load_model(str(find_model()))
    spellers: dict[str, Any] = {}
    values = []
    for language, text in rows:
        if language not in spellers:
            dictionary = find_dictionary(language)
            assert dictionary is not None
            spellers[language] = hunspell.Hunspell(dictionary.name, str(dictionary.folder), ENCODING)
        blanked = blank_code(text)
        found = None
        if has_letters(blanked):
            labels, probabilities = model.predict(prepared_line(blanked), k=1)
            found = labels[0].removeprefix("__label__"), float(probabilities[0])
        count, misspelt = _spelling(language, blanked, spellers[language])
        values.append((found, count, misspelt))
    return values


def _spelling(language: str, prose: str, speller: Any) -> tuple[int, list[list[int]]]:
    script, clitics = script_of(language), CLITICS.get(normal_language(language), frozenset())

    def takes(word: str) -> bool:
        try:
            return len(word) <= 100 and speller.spell(word)
        except UnicodeEncodeError:
            return False

    count, misspelt = 0, []
    for match in words_to_spell_in(prose):
        if is_checked(match[0]):
            count += 1
            if not is_of_script(match[0], script):
                continue
            word = plain_word(match[0])
            if not takes(word):
                pieces = word_parts(word)
                if len(pieces) < 2 or not all(
                    len(piece) == 1 or piece.casefold() in clitics or takes(piece) for piece in pieces
                ):
                    misspelt.append(list(match.span()))
    return count, misspelt
