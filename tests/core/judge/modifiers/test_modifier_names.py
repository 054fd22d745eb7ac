"""What modifiers are called, and which of them a rule decides."""

from pathlib import Path

import pytest

from core.analysis.modifier_names import NAMES, group_of, known_names, read_names
from core.judge.modifiers.registry import read_modifier
from core.judge.surface.language import LanguageIdentifier

PAPER = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "paper"


@pytest.mark.parametrize(
    ("written", "canonical", "by"),
    [
        ("short", "short", "rule"), ("long", "long", "rule"), ("num_items_6", "num_items_6", "rule"),
        ("lang_ru", "lang_ru", "rule"), ("markdown_template", "markdown_template", "rule"),
        ("html_template", "html_template", "rule"), ("arrow_template", "arrow_template", "rule"),
        ("cap_template", "cap_template", "rule"), ("scientific_style", "scientific_style", "judge"),
        ("simple_style", "simple_style", "judge"), ("complex_inst", "complex_inst", "judge"),
        # The names of the paper's table 1, and plain ones.
        ("markdown", "markdown_template", "rule"), ("HTML", "html_template", "rule"),
        ("Arrow", "arrow_template", "rule"), ("cap", "cap_template", "rule"),
        ("items_5", "num_items_5", "rule"), ("Num-Items 10", "num_items_10", "rule"),
        ("num_items_02", "num_items_2", "rule"), ("two-hop", "complex_inst", "judge"),
        ("two hop", "complex_inst", "judge"), ("simple", "simple_style", "judge"),
        ("scientific", "scientific_style", "judge"), (" lang_pt_BR ", "lang_pt", "rule"),
        ("html page", "html_template", "rule"), ("language de", "lang_de", "rule"),
        # Several, joined.
        ("short markdown", "short + markdown_template", "rule"),
        ("Short, items_3", "short + num_items_3", "rule"),
        ("html+lang_fr", "html_template + lang_fr", "rule"),
        ("lang fr long", "lang_fr + long", "rule"),
        ("short short", "short", "rule"), ("short + simple", "short + simple_style", "judge"),
    ],
)  # fmt: skip
def test_names_are_read_in_any_case_and_joined_in_any_way(written, canonical, by):
    modifier = read_modifier(written)
    assert modifier is not None
    assert (modifier.name, modifier.by) == (canonical, by)
    assert modifier.demand
    assert (modifier.definition is None) == (by == "judge")


@pytest.mark.parametrize(
    "unknown",
    ["", " ", "+", "rhyme", "short rhyme", "shorter", "num_items", "num_items_0",
     "num_items_101", "num_items_x", "num_items_-3", "lang", "lang_", "lang_russian",
     "items_٣", "short\x00", "\ud800"],
)  # fmt: skip
def test_an_unknown_name_is_never_guessed(unknown):
    assert read_names(unknown) is None
    assert read_modifier(unknown) is None


def test_a_language_that_the_identifier_cannot_tell_is_unknown():
    identifier = LanguageIdentifier()
    assert read_modifier("lang_ru", identifier) is not None
    assert read_modifier("lang_xx", identifier) is None
    verdict = read_modifier("lang_xx").judge("Bonjour à tous")
    assert verdict.fulfilled is None
    assert "xx" in verdict.reason


def test_groups_are_those_of_the_papers_table():
    assert list(NAMES) == [
        "short", "long", "num_items", "lang", "markdown", "html", "arrow", "cap",
        "scientific", "simple", "two-hop",
    ]  # fmt: skip
    assert {group_of(name) for name in ("num_items_2", "items_9")} == {"num_items"}
    assert {group_of(name) for name in ("lang_ru", "lang_pt_BR")} == {"lang"}
    assert group_of("complex_inst") == "two-hop"
    assert group_of("long html_template") == "long + html"
    assert group_of("in rhyme") == "in rhyme"


def test_a_message_names_every_modifier_so_that_it_can_be_typed():
    for name in known_names().split(", "):
        assert read_names(name.replace("_N", "_2").replace("_XX", "_fr")), name


def test_of_several_demands_all_must_be_fulfilled():
    both = read_modifier("markdown + items_2")
    assert both.judge("* **un**\n* deux").fulfilled is True
    assert both.judge("* **un**\n* deux\n* trois").fulfilled is False
    assert both.judge("1) один, 2) два").fulfilled is False
    assert "3 bulleted items, not 2" in both.judge("* **un**\n* deux\n* trois").reason


def test_one_undecided_demand_leaves_all_undecided_unless_another_fails():
    both = read_modifier("lang_fr items_2")
    assert both.judge("1. 100\n2. 200").fulfilled is None
    assert both.judge("1. 100\n2. 200\n3. 300").fulfilled is False


@pytest.mark.parametrize(
    "name",
    [
        "short",
        "long",
        "items_2",
        "lang_ru",
        "markdown",
        "html",
        "arrow",
        "cap",
        "simple",
        "two-hop",
        "short cap",
    ],
)
@pytest.mark.parametrize("empty", ["", " \n\t", "\x00\x01", "\u200b\u2060\ufeff"])
def test_an_empty_response_fulfils_nothing(name, empty):
    assert read_modifier(name).judge(empty).fulfilled is False


@pytest.mark.parametrize("name", ["scientific_style", "simple_style", "complex_inst"])
def test_what_takes_a_judge_is_left_undecided(name):
    verdict = read_modifier(name).judge("Some answer.")
    assert verdict.fulfilled is None
    assert "judge" in verdict.reason


@pytest.mark.parametrize("language", ["en", "fr", "pt", "ru"])
def test_every_modifier_of_the_papers_release_is_known(language):
    types = PAPER / f"modifiers.{language}.types"
    if not types.is_file():
        pytest.skip(f"no {types.name} of the paper's release beside the checkout")
    names = types.read_text(encoding="utf-8").split()
    assert len(names) == 251
    assert [read_modifier(name).name for name in names] == names
