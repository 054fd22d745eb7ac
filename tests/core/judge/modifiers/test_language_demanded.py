"""`lang_XX`."""

import pytest

from core.judge.modifiers.registry import read_modifier

TEXT = {
    "en": "Season the meat well before you put it into a hot pan, and let it rest afterwards.",
    "fr": "Salez bien la viande avant de la poser dans une poêle chaude, puis laissez-la reposer.",
    "pt": "Tempere bem a carne antes de a colocar numa frigideira quente e deixe-a descansar depois.",
    "ru": "Хорошо посолите мясо, положите его на горячую сковороду, а затем дайте ему отдохнуть.",
    "de": "Würzen Sie das Fleisch gut, legen Sie es in die heiße Pfanne und lassen Sie es ruhen.",
}


@pytest.mark.parametrize("demanded", TEXT)
@pytest.mark.parametrize("written", TEXT)
def test_the_language_of_the_response_must_be_the_one_demanded(demanded, written):
    verdict = read_modifier(f"lang_{demanded}").judge(TEXT[written])
    assert verdict.fulfilled is (demanded == written)
    assert verdict.reason.startswith(written)


@pytest.mark.parametrize("text", ["42", "+ - =", "😀 😀"])
def test_without_letters_nothing_can_be_decided(text):
    assert read_modifier("lang_fr").judge(text).fulfilled is None
