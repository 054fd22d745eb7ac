"""Right and wrong forms of four languages, through everything that a response goes through.

`words/LANGUAGE.right.txt` and `.wrong.txt` hold one form a line, written without a look at a dictionary. What
a dictionary takes although it is listed as wrong is left in the list, unless it is a word after all.
"""

from pathlib import Path

import pytest

from core.judge.surface.spelling import Speller, find_dictionary, what_to_install

WORDS = Path(__file__).parent / "words"
SENTENCES = {
    "fr": "Ici se trouve « {} », et voilà.",
    "pt": "Aqui se encontra “{}”, e pronto.",
    "ru": "Здесь стоит «{}», и всё.",
    "de": "Hier steht „{}“, und fertig.",
}
LEAST_FORMS = 320
ACCEPTED, REFUSED = 0.98, 0.90


def forms(language: str, kind: str) -> list[str]:
    return (WORDS / f"{language}.{kind}.txt").read_text(encoding="utf-8").split("\n")[:-1]


def passes(speller: Speller, language: str, form: str) -> bool:
    """Whether a form passes inside a sentence; the words around it do."""
    before, after = SENTENCES[language].split("{}")
    found = speller.check(before + form + after)
    around = range(len(before), len(before) + len(form))
    assert all(start in around for start, _ in found.misspelt)
    return not found.misspelt


@pytest.mark.parametrize("language", SENTENCES)
def test_right_forms_pass_and_wrong_forms_do_not(language):
    dictionary = find_dictionary(language)
    if dictionary is None:
        pytest.skip(what_to_install(language))
    speller = Speller(language, dictionary)
    right, wrong = forms(language, "right"), forms(language, "wrong")
    refused = [form for form in right if not passes(speller, language, form)]
    accepted = [form for form in wrong if passes(speller, language, form)]
    print(
        f"\n{language} ({speller.tool}): {len(right) - len(refused)} of {len(right)} right forms pass, all "
        f"but {refused}; {len(wrong) - len(accepted)} of {len(wrong)} wrong ones do not, all but {accepted}"
    )
    assert len(refused) <= (1 - ACCEPTED) * len(right)
    assert len(accepted) <= (1 - REFUSED) * len(wrong)


@pytest.mark.parametrize("language", SENTENCES)
def test_the_lists_are_long_enough_and_hold_every_form_once(language):
    right, wrong = forms(language, "right"), forms(language, "wrong")
    for listed in (right, wrong):
        assert len(listed) >= LEAST_FORMS
        assert len(set(listed)) == len(listed)
        assert all(form == form.strip() != "" for form in listed)
    assert not set(right) & set(wrong)
