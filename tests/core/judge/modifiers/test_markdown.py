"""`markdown_template`."""

import pytest

from core.judge.modifiers.markdown import Markdown


@pytest.mark.parametrize(
    ("text", "element"),
    [
        ("# Ice hockey\n\nA game on ice.", "heading"),
        ("Titre\n=====\n\nUn texte.", "heading"),
        ("* ovos\n* leite", "list"),
        ("1. яйца\n2. молоко", "list"),
        ("Das ist **wichtig** hier.", "emphasis"),
        ("C'est *important*, non ?", "emphasis"),
        ("Isto é __importante__.", "emphasis"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "table"),
        ("```python\nprint(1)\n```", "code block"),
        ("Вызовите `print()` здесь.", "code"),
        ("> Ein Zitat.", "quote"),
        ("Voir [le site](https://example.com).", "link"),
        ("![um gato](gato.png)", "image"),
        ("- a\n  - b\n  - c", "list"),
    ],
)
def test_one_element_of_structure_is_enough(text, element):
    verdict = Markdown().judge(text)
    assert verdict.fulfilled is True
    assert element in verdict.reason.split(", ")


@pytest.mark.parametrize(
    "text",
    [
        "Plain text. Nothing more.",
        "Un texte simple, sans rien d'autre.",
        "- Olá! — disse ela.",
        "- Привет, — сказал он.",
        "— Привет.\n— Здравствуй.",
        "Das ist 2 * 3 * 4 und 5*6*7.",
        "f(x) = a*b*c + d*e*f",
        "Ein Brief\n---\nMit freundlichen Grüßen",
        "#1 in the world, #hashtag",
        "Voir https://example.com/a_b_c et <https://example.com>.",
        "snake_case_name and another_one",
        "    eingerückt wie Code",
        "<b>HTML</b> is not <i>Markdown</i>",
        "***\n\n---",
        "#",
        "1. only one",
        "( o.o )\n\n> ^ <",
    ],
)
def test_plain_text_is_not_markdown(text):
    assert Markdown().judge(text).fulfilled is False
