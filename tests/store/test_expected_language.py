"""The language that a response is expected in: the instruction's, or the one that its modifier demands."""

import pytest
from sqlalchemy import select

from store import open_store
from store.languages import normal_language
from store.queries import models, responses, scores, suites, surface
from store.queries.expected_language import (
    expected_in_sql,
    expected_label_in_sql,
    expected_language,
    is_language,
)
from store.session import reading, writing
from store.tables import Instruction

pytestmark = pytest.mark.parts


EXPECTED = [
    ("en", None, "en"),
    ("en", "", "en"),
    ("en", "short", "en"),
    ("en", "num_items_6", "en"),
    ("en", "lang_ru", "ru"),
    ("ru", "lang_de", "de"),
    ("pt-BR", "lang_fr", "fr"),
    ("pt-BR", "long", "pt-BR"),
    ("en", "LANG_RU", "ru"),
    ("en", "lang-ru", "ru"),
    ("en", "lang ru", "ru"),
    ("en", "language_ru", "ru"),
    ("en", "lang_pt_BR", "pt-br"),
    ("en", "lang_yue", "yue"),
    ("en", "short lang_ru", "ru"),
    ("en", "lang_ru, short", "ru"),
    ("en", "short,lang_ru,html_template", "ru"),
    ("en", "short+lang_pt", "pt"),
    ("en", "short + lang_pt", "pt"),
    ("en", "short\tlang_pt\nlong", "pt"),
    ("en", "lang_ru lang_fr", "ru"),
    ("en", "lang", "en"),
    ("en", "lang_", "en"),
    ("en", "lang_russian", "en"),
    ("en", "slang_ru", "en"),
    ("en", "my_lang_ru", "en"),
    ("en", "%_' ; drop table", "en"),
    ("en", "очень lang_ru, коротко", "ru"),
]


@pytest.mark.parametrize(("language", "modifier", "expected"), EXPECTED)
def test_the_modifier_decides_when_it_demands_a_language(language, modifier, expected):
    assert expected_language(language, modifier) == expected


@pytest.mark.parametrize(
    ("label", "expected", "same"),
    [
        ("ru", "ru", True),
        ("pt", "pt-BR", True),
        ("pt", "pt_br", True),
        ("en", "ru", False),
        ("p", "pt", False),
        ("pt", "ptx", False),
        ("pt", "por", True),
        ("ru", "rus_Cyrl", True),
        ("no", "nn", True),
    ],
)
def test_an_identified_language_is_compared_without_the_country(label, expected, same):
    assert is_language(label, expected) is same


def test_the_expressions_say_the_same_on_both_databases(new_store):
    engine = open_store(new_store, create=True)
    with writing(engine) as session:
        new = [
            suites.NewInstruction(f"k{number:02}", language, "?", modifier=modifier)
            for number, (language, modifier, _) in enumerate(EXPECTED)
        ]
        suites.add_suite(session, "s", "1", new)
    with reading(engine) as session:
        asked = select(Instruction.modifier, expected_in_sql(session)).order_by(Instruction.key)
        assert [tuple(row) for row in session.connection().execute(asked)] == [
            (modifier, expected) for _, modifier, expected in EXPECTED
        ]
        labels = select(expected_label_in_sql(session)).select_from(Instruction).order_by(Instruction.key)
        assert list(session.connection().execute(labels).scalars()) == [
            normal_language(expected) for _, _, expected in EXPECTED
        ]
    engine.dispose()


@pytest.fixture
def answered(new_store):
    """Responses to instructions in en, two of which ask for ru; all identified as ru."""
    engine = open_store(new_store, create=True)
    with writing(engine) as session:
        modifiers = ["lang_ru", "short+lang_ru", None]
        new = [suites.NewInstruction(f"k{n}", "en", "?", modifier=it) for n, it in enumerate(modifiers)]
        suite, _ = suites.add_suite(session, "s", "1", new)
        source = {
            "model_id": models.model_id(session, "m"),
            "decoding_id": models.decoding_id(session, "imported", None, {}),
        }
        asked = suites.instructions_of(session, suite, "en")
        responses.add_responses(session, [{**source, "instruction_id": it.id, "text": "…"} for it in asked])
        ids = sorted(found for found, _ in surface.responses_without(session, "none", "none"))
        labels = ["ru", "ru", "ru"]
        surface.add_metrics(
            session,
            [
                {"response_id": found, "metric": "language", "tool": "t", "value": 0.9, "label": label}
                for found, label in zip(ids, labels, strict=True)
            ],
        )
    yield engine, suite
    engine.dispose()


def test_the_share_of_the_right_language_counts_against_what_is_expected(answered):
    engine, suite = answered
    with reading(engine) as session:
        (shares,) = scores.surface_shares(session, suite)
    assert (shares.language, shares.responses) == ("en", 3)
    assert shares.right_language == pytest.approx(2 / 3)


def test_what_is_not_measured_is_found_by_the_language_expected(answered):
    engine, _ = answered
    with reading(engine) as session:
        assert surface.expected_languages(session) == ["en", "ru"]
        assert surface.expected_languages(session, ["fr"]) == []
        missing = sorted(surface.responses_without(session, "spelling", "t"))
        assert [language for _, language in missing] == ["ru", "ru", "en"]
        russian = sorted(surface.responses_without(session, "spelling", "t", expected="ru"))
        assert russian == missing[:2]
        assert list(surface.responses_without(session, "language", "t")) == []
        assert len(list(surface.responses_without(session, "language", "another"))) == 3


def test_metrics_are_written_once(answered):
    engine, _ = answered
    row = {"response_id": 1, "metric": "spelling", "tool": "t", "value": 0.5}
    with writing(engine) as session:
        row["response_id"] = min(found for found, _ in surface.responses_without(session, "none", "none"))
        assert surface.add_metrics(session, [row, {**row, "tool": "u"}]) == 2
        assert surface.add_metrics(session, [{**row, "value": 1.0}]) == 0
        assert surface.add_metrics(session, []) == 0
