"""`arrow_template`."""

import pytest

from core.judge.modifiers.templates import Arrow

POINTS = {
    "en": ("Some tips for you:", "Salt the meat", "Heat the pan", "Enjoy your meal!"),
    "fr": ("Voici des conseils :", "Salez la viande", "Chauffez la poêle", "Bon appétit !"),
    "pt": ("Algumas dicas:", "Salgue a carne", "Aqueça a frigideira", "Bom apetite!"),
    "ru": ("Несколько советов:", "Посолите мясо", "Разогрейте сковороду", "Приятного аппетита!"),
    "de": ("Einige Tipps:", "Salzen Sie das Fleisch", "Erhitzen Sie die Pfanne", "Guten Appetit!"),
}


@pytest.mark.parametrize("language", POINTS)
@pytest.mark.parametrize(
    "style",
    [
        "--> {}",
        "-->{}",
        "---> {}",
        "–> {}",
        "—> {}",
        "→ {}",
        "⟶ {}",
        "--&gt; {}",
        "- --> {}",
        "1. --> {}",
        "**--> {}**",
    ],
)
def test_points_that_begin_with_the_arrow_with_an_introduction_and_an_end(style, language):
    before, one, two, after = POINTS[language]
    points = f"{style.format(one)}\n{style.format(two)}"
    assert Arrow().judge(points).fulfilled is True
    assert Arrow().judge(f"{before}\n\n{points}\n\n{after}").fulfilled is True


@pytest.mark.parametrize("language", POINTS)
@pytest.mark.parametrize(
    "style", ["- {}", "1. {}", "{}", "-> {}", "=> {}", "> {}", "<-- {}", "{} -->", "* {} --> x"]
)
def test_other_signs_are_no_arrow(style, language):
    _, one, two, _ = POINTS[language]
    assert Arrow().judge(f"{style.format(one)}\n{style.format(two)}").fulfilled is False


@pytest.mark.parametrize("language", POINTS)
def test_every_point_must_begin_with_it(language):
    before, one, two, after = POINTS[language]
    assert Arrow().judge(f"--> {one}\n--> {two}\n- {after}").fulfilled is False
    assert Arrow().judge(f"1. {one}\n--> {one}\n--> {two}\n2. {after}").fulfilled is False
    assert Arrow().judge(f"--> {one}\n--> {two}\n" + f"{after}\n" * 4).fulfilled is False
    assert Arrow().judge(f"{before}\n" * 4 + f"--> {one}\n--> {two}").fulfilled is False
    assert Arrow().judge(f"--> {one}").fulfilled is False


def test_a_point_may_go_on_below_and_all_may_stand_on_one_line():
    assert Arrow().judge("--> a\n\nmore about it\n\n--> b\n\nmore about it").fulfilled is True
    assert Arrow().judge("--> a --> b --> c").fulfilled is True
    assert Arrow().judge("a --> b --> c").fulfilled is False
    assert Arrow().judge("--> a\n2. b").reason == "1 point with an arrow, 1 with another mark"
