"""`num_items_N`."""

import pytest

from core.judge.modifiers.items import Items, count_items

NAMES = {
    "en": ["Mars", "the Moon", "Venus", "Saturn", "Earth", "Jupiter"],
    "fr": ["Mars", "la Lune", "Vénus", "Saturne", "la Terre", "Jupiter"],
    "pt": ["Marte", "a Lua", "Vênus", "Saturno", "a Terra", "Júpiter"],
    "ru": ["Марс", "Луна", "Венера", "Сатурн", "Земля", "Юпитер"],
    "de": ["Mars", "der Mond", "Venus", "Saturn", "die Erde", "Jupiter"],
}
INTRODUCTION = {
    "en": "Sure! Here are some bodies, as you asked:",
    "fr": "Bien sûr ! Voici quelques astres :",
    "pt": "Claro! Aqui estão alguns astros:",
    "ru": "Конечно! Вот несколько небесных тел:",
    "de": "Gerne! Hier sind einige Himmelskörper:",
}
ENDING = {
    "en": "I hope that this list helps you.",
    "fr": "J'espère que cette liste vous aidera.",
    "pt": "Espero que esta lista ajude.",
    "ru": "Надеюсь, этот список вам поможет.",
    "de": "Ich hoffe, diese Liste hilft Ihnen.",
}
AND = {"en": "and", "fr": "et", "pt": "e", "ru": "и", "de": "und"}
CIRCLED = "①②③④⑤⑥"

STYLES = {
    "1.": lambda n, name: f"{n}. {name}",
    "1)": lambda n, name: f"{n}) {name}",
    "(1)": lambda n, name: f"({n}) {name}",
    "1:": lambda n, name: f"{n}: {name}",
    "1 -": lambda n, name: f"{n} - {name}",
    "escaped": lambda n, name: f"{n}\\. {name}",
    "bold": lambda n, name: f"**{n}. {name}**",
    "bold number": lambda n, name: f"**{n}.** {name}",
    "heading": lambda n, name: f"## {n}. {name}\n\n{name}.",
    "circled": lambda n, name: f"{CIRCLED[n - 1]} {name}",
    "keycap": lambda n, name: f"{n}\ufe0f\u20e3 {name}",
    "bullet and number": lambda n, name: f"- {n}. {name}",
    "word and number": lambda n, name: f"Option {n}: {name}",
    "word and number above": lambda n, name: f"**Option {n}**\n{name}\n",
    "number sign": lambda n, name: f"№ {n}. {name}",
    "letters": lambda n, name: f"{'abcdef'[n - 1]}) {name}",
    "-": lambda n, name: f"- {name}",
    "*": lambda n, name: f"* {name}",
    "•": lambda n, name: f"• {name}",
    "–": lambda n, name: f"– {name}",
    "—": lambda n, name: f"— {name}",
    "-->": lambda n, name: f"--> {name}",
    "indented": lambda n, name: f"   {n}. {name}",
    "blank lines": lambda n, name: f"{n}. {name}\n",
    "paragraphs between": lambda n, name: f"{n}. {name}\n\n{name}. {name}.\n",
    "next line": lambda n, name: f"{n}.\n{name}",
    "details below": lambda n, name: f"{n}. {name}\n   - {name}\n   - {name}\n   1. {name}",
    "details beside": lambda n, name: f"{n}. {name}\n- {name}\n- {name}",
    "steps beside": lambda n, name: f"- {name}\n1. {name}\n2. {name}",
    "all ones": lambda n, name: f"1. {name}",
    "quoted": lambda n, name: f"> {n}. {name}",
    "no marks": lambda n, name: name,
}


def listed(style, names):
    return "\n".join(STYLES[style](n, name) for n, name in enumerate(names, 1))


@pytest.mark.parametrize("language", NAMES)
@pytest.mark.parametrize("style", STYLES)
def test_six_items_are_six_in_every_style_with_an_introduction_and_an_ending(style, language):
    text = f"{INTRODUCTION[language]}\n\n{listed(style, NAMES[language])}\n\n{ENDING[language]}"
    assert count_items(text).count == 6
    assert Items(6).judge(text).fulfilled is True
    assert Items(5).judge(text).fulfilled is False
    fewer = f"{INTRODUCTION[language]}\n\n{listed(style, NAMES[language][:5])}"
    assert Items(6).judge(fewer).fulfilled is False


@pytest.mark.parametrize("language", NAMES)
def test_items_on_one_line(language):
    names = NAMES[language]
    numbered = " ".join(f"{n}) {name}," for n, name in enumerate(names, 1))
    assert count_items(f"{INTRODUCTION[language]} {numbered}").count == 6
    dotted = " ".join(f"{n}. {name}" for n, name in enumerate(names, 1))
    assert count_items(dotted).count == 6
    assert count_items(" ".join(f"• {name}" for name in names)).count == 6
    assert count_items(" ".join(f"--> {name}" for name in names)).count == 6
    commas = ", ".join(names[:-1]) + f" {AND[language]} {names[-1]}."
    assert count_items(commas).count == 6
    assert count_items(f"{INTRODUCTION[language]} {commas}").count == 6
    assert count_items(f"{names[0]} {AND[language]} {names[1]}").count == 2
    assert Items(5).judge(commas).fulfilled is False


@pytest.mark.parametrize("language", NAMES)
def test_prose_is_no_list(language):
    names = NAMES[language]
    prose = f"{names[0]}, {names[1]}, {names[2]}. " + f"{ENDING[language]} " * 3
    for number in range(2, 11):
        assert Items(number).judge(prose).fulfilled is False
    assert Items(2).judge(f"{ENDING[language]}\n\n{ENDING[language] * 12}").fulfilled is False


def test_two_lists_of_a_kind_are_counted_together():
    text = "Films:\n1. Dune\n2. Alien\n\nSeries:\n1. Lost\n2. Dark"
    assert Items(4).judge(text).fulfilled is True
    assert Items(2).judge(text).reason == "4 numbered items, not 2"
    assert Items(4).judge("За:\n- раз\n- два\n\nПротив:\n* три\n* четыре").fulfilled is True


def test_bulleted_tips_after_a_numbered_list_are_not_counted():
    assert count_items("1. a\n2. b\n3. c\n\nTips:\n- x\n- y\n- z\n- u").count == 3
    assert count_items("- note\n- remark\n\n1. a\n2. b\n3. c").count == 3


def test_only_the_outer_level_is_counted():
    assert count_items("- a\n  - b\n    - c\n- d\n\t- e").count == 2
    assert count_items("• a\n- b\n- c\n• d\n- e").count == 2
    assert count_items("## 1. a\n1. b\n2. c\n## 2. d\n1. e").count == 2
    assert count_items(" 1. a\n2. b\n  - c").count == 2


def test_a_mark_with_nothing_behind_it_is_no_item():
    assert count_items("1. a\n2. b\n3.").count == 2
    assert count_items("1. a\n2. b\n3. **\n\nEnd.").count == 2
    assert count_items("- a\n- b\n---\n* * *\n- c").count == 3
    assert count_items("1. a\n2.").count == 1


def test_numbers_that_mark_nothing_are_no_items():
    assert count_items("1.5 litres\n2.5 litres\n1. a\n2. b").count == 2
    assert count_items("1. a\n2024. b\n2. c").count == 2
    assert count_items("In 1. Mose 2 steht viel geschrieben.").count == 1
    assert count_items("(Verse 1)\nla la la la\n(Verse 2)\nla la la la").sort != "numbers in running text"
    assert count_items("as in verse 1) la la\nas in verse 2) la la").sort != "numbers in running text"
    assert count_items("x = f(a, 1) * g(b, 2)").sort != "numbers in running text"


def test_numbered_items_on_several_lines_two_on_each():
    assert count_items("1. a 2. b\n3. c 4. d").count == 4


def test_rows_headings_and_lines():
    assert count_items("| n | x |\n|---|:-:|\n| 1 | a |\n| 2 | b |\n\nEnd.").count == 2
    assert count_items("# Title\n\n## Dune\nBook.\n### x\n### y\n### z\n\n## Alien\nFilm.").count == 2
    assert count_items("Dune (1965)\nAlien (1979)\nDark (2017)\n\nEnjoy these!").count == 3
    assert count_items("Dune (1965)\n\nAlien (1979)\n\nDark (2017)\n\nEnjoy these!").count == 3


def test_a_number_in_a_name_marks_nothing():
    assert count_items("- Windows 95\n- Windows 98\n- Windows 10").count == 3
    assert count_items("Windows 95\nWindows 98\nWindows 10").count == 3


def test_paragraphs_of_prose_are_no_items_even_behind_a_colon():
    prose = "word " * 41
    assert count_items(f"A story:\n\n{prose}\n\n{prose}\n\n{prose}").count == 1
    assert count_items(f"Ideas:\n\n1. **First**\n\n{'word ' * 30}\n\n{'word ' * 30}").count == 1


def test_one_item():
    assert Items(1).judge("Dune").fulfilled is True
    assert Items(1).judge("1. Dune").fulfilled is True
    assert Items(2).judge("Dune").reason == "1 item, not 2"
