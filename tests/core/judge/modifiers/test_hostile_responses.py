"""No response stops the rules, however long, deep or broken. Each of these is done in a second or three; a
rule that were quadratic would be at it for hours."""

import pytest

from core.judge.modifiers.registry import read_modifier

LONG = 1_000_000
RULES = ("short", "long", "items_6", "lang_ru", "markdown", "html", "arrow", "cap")
HOSTILE = {
    "one letter": "a" * LONG,
    "words": "ab " * (LONG // 3),
    "line breaks": "\n" * LONG,
    "spaces": " " * LONG + "a",
    "dots": ". " * (LONG // 2),
    "abbreviations": "z. B. " * (LONG // 6),
    "numbers": "1) a " * (LONG // 5),
    "commas": "a, " * (LONG // 3),
    "ands": "a and " * (LONG // 6),
    "bars": "|-" * (LONG // 2) + "\n" + "|-" * (LONG // 2),
    "arrows": "--> " * (LONG // 4),
    "dashes": "-" * LONG,
    "stars": "*a " * (LONG // 3),
    "brackets": "[" * LONG,
    "backticks": "`" * LONG,
    "fences": "```html\n<p>\n```\n" * (LONG // 16),
    "elements 10,000 deep": "<div>" * 10_000,
    "overlapping 10,000 deep": "<b><i>" * 5_000 + "</b></i>" * 5_000,
    "quotes 10,000 deep": "> " * 10_000 + "a",
    "lists 10,000 deep": "- " * 10_000 + "a",
    "tags": "<html>" * (LONG // 6),
    "signs": "<" * LONG,
    "attributes": "<a " + " ".join(f"a{n}" for n in range(8_000)) + ">",
    "NULs": "\0" * LONG,
    "NULs and words": "a\0b " * (LONG // 4),
    "lone surrogates": "\ud800a \udfff " * 1_000,
    "elisions": "l'" * (LONG // 2),
    "characters": "火" * LONG,
    "overrides": "\u202e\x1b[31m abc" * 1_000,
}


SLOW = ("dots", "fences", "attributes", "abbreviations")  # 5 to 13 seconds each


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.thorough) if name in SLOW else name for name in HOSTILE]
)
def test_every_rule_comes_to_a_verdict_on_hostile_text(name):
    for rule in RULES:
        verdict = read_modifier(rule).judge(HOSTILE[name])
        assert verdict.fulfilled in (True, False, None)
        assert verdict.reason.isprintable()
        assert len(verdict.reason) < 300
