"""Decodings beside their reference, on a store small enough to count by hand."""

import json
from io import StringIO

import pytest
from rich.console import Console

from core.analysis.decodings import ALL, common_start, compare_decodings
from core.report.formats.terminal import table_renderable
from core.report.sections.decodings import decodings_table
from store import UsageError
from store.queries import models, responses
from store.session import writing
from tests.core.analysis.made_suite import MadeSuite

pytestmark = pytest.mark.parts


GREEDY = {"strategy": "greedy", "repetition_penalty": 1.1}
PLAIN = {"strategy": "greedy", "repetition_penalty": 1.0}
FULL, SMALL = ("transformers", "f32"), ("llama.cpp", "q4_k_m")


@pytest.fixture
def made(tmp_path):
    suite = MadeSuite(tmp_path / "s.db", ("a", "b", "c"), ("en", "ru"), modifiers={"c": "lang_fr"})
    yield suite
    suite.engine.dispose()


def answer(made, decoding, key, language, text, *, model="m", parameters=GREEDY, **columns):
    """A response under a decoding (engine, number format); returns its id."""
    with writing(made.engine) as session:
        row = {
            "instruction_id": made.instructions[key, language],
            "model_id": models.model_id(session, model),
            "decoding_id": models.decoding_id(session, *decoding, parameters),
            "text": text,
            **columns,
        }
        responses.add_responses(session, [row])
        return session.connection().exec_driver_sql("SELECT max(id) FROM response").scalar()


@pytest.fixture
def filled(made):
    """Two languages, of which the second has one pair; by hand:

    | | en a | en b | en c (French is demanded) | ru a |
    | transformers f32 | "same text" | "0123456789" | "en français" | "привет" |
    | llama.cpp q4_k_m | "same text" | "01234xx" | "" | "пока" |
    """
    first = answer(made, FULL, "a", "en", "same text", tokens_out=3, finish_reason="stop")
    second = answer(made, FULL, "b", "en", "0123456789", tokens_out=11, finish_reason="stop")
    third = answer(made, FULL, "c", "en", "en français", tokens_out=4, finish_reason="stop")
    fourth = answer(made, FULL, "a", "ru", "привет", tokens_out=6, finish_reason="stop")
    answer(made, FULL, "b", "ru", "только здесь", tokens_out=100, finish_reason="length")
    made.measure(first, language="en", spelling=1.0, relevance=1.0)
    made.measure(second, language="en", spelling=0.5, relevance=1.0)
    made.measure(third, language="fr", spelling=0.9, relevance=1.0)
    made.measure(fourth, language="ru", spelling=1.0, relevance=1.0)
    first = answer(made, SMALL, "a", "en", "same text", tokens_out=3, finish_reason="stop")
    second = answer(made, SMALL, "b", "en", "01234xx", tokens_out=8, finish_reason="length")
    third = answer(made, SMALL, "c", "en", " \n", tokens_out=1, finish_reason="stop")
    fourth = answer(made, SMALL, "a", "ru", "пока", tokens_out=5, finish_reason="stop")
    answer(made, SMALL, "a", "ru", "hello", sample=1, tokens_out=500, finish_reason="length")
    made.measure(first, language="en", spelling=1.0, relevance=1.0)
    made.measure(second, language="en", spelling=0.25, relevance=0.0)
    made.measure(third, language=None, spelling=None)
    made.measure(fourth, language="uk", spelling=0.0, relevance=1.0)
    made.measure(fourth, tool="newer", language="ru", relevance=0.0)
    return made


def test_pairs_are_counted_as_by_hand(filled):
    (model,) = compare_decodings(filled.engine).models
    assert (model.model, model.reference, model.parameters) == ("m", "transformers f32", GREEDY)
    (small,) = model.decodings
    assert small.name == "llama.cpp q4_k_m"
    everything, english, russian = small.rows
    assert [row.language for row in small.rows] == [ALL, "en", "ru"]
    assert [row.n for row in small.rows] == [4, 3, 1]
    assert english.identical == pytest.approx(1 / 3)
    assert english.common_start == pytest.approx((1 + 5 / 10 + 0) / 3)
    assert (russian.identical, russian.common_start) == (0, pytest.approx(1 / 6))  # "п" of 6
    assert everything.identical == pytest.approx(1 / 6)
    assert everything.common_start == pytest.approx((0.5 + 1 / 6) / 2)


def test_measures_of_both_sides_are_over_the_pairs(filled):
    (model,) = compare_decodings(filled.engine).models
    (small,) = model.decodings
    everything, english, russian = small.rows
    own, reference = english.own, english.reference
    assert (own.right_language, reference.right_language) == (1.0, 1.0)  # one can't be told
    assert (own.spelling, reference.spelling) == (pytest.approx(0.625), pytest.approx(0.8))
    assert (own.relevant, reference.relevant) == (0.5, 1.0)
    assert (own.tokens_out, reference.tokens_out) == (4.0, 6.0)
    assert (own.cut, reference.cut) == (pytest.approx(1 / 3), 0.0)
    assert (own.empty, reference.empty) == (pytest.approx(1 / 3), 0.0)
    assert (russian.own.right_language, russian.own.relevant) == (1.0, 0.0)  # the latest measurement counts
    assert (russian.reference.tokens_out, russian.own.tokens_out) == (6.0, 5.0)  # no other sample
    assert everything.own.tokens_out == 4.5
    assert [one.n for one in model.measures.values()] == [5, 3, 2]
    assert model.measures["ru"].tokens_out == 53.0  # the reference by itself: all that it answered


def test_languages_models_and_the_reference_can_be_chosen(filled):
    answer(filled, FULL, "a", "en", "x", model="alone")
    (model,) = compare_decodings(filled.engine, "s", models=["m"], languages=["ru"]).models
    assert [row.language for row in model.decodings[0].rows] == [ALL, "ru"]
    for name in ("llama.cpp q4_k_m", "llama.cpp", "q4_k_m"):
        found = compare_decodings(filled.engine, reference=name)
        assert [(one.model, one.reference) for one in found.models] == [("m", "llama.cpp q4_k_m")]
        assert found.models[0].decodings[0].name == "transformers f32"
        assert found.models[0].decodings[0].rows[1].identical == pytest.approx(1 / 3)
    assert "alone answered under one decoding only." in compare_decodings(filled.engine).notes


@pytest.mark.parametrize(
    ("decodings", "reference"),
    [
        ([("llama.cpp", "f32"), ("transformers", "bf16"), ("llama.cpp", "q8_0")], "transformers bf16"),
        ([("transformers", "bf16"), ("transformers", "f32")], "transformers f32"),
        ([("llama.cpp", "q4_0"), ("llama.cpp", "q8_0"), ("openai", None)], "llama.cpp q8_0"),
        ([("llama.cpp", "q2_k"), ("llama.cpp", "q3_k_m"), ("llama.cpp", "bf16")], "llama.cpp bf16"),
    ],
)
def test_the_reference_is_that_of_transformers_or_the_least_quantised(made, decodings, reference):
    for decoding in decodings:
        answer(made, decoding, "a", "en", "x")
    (model,) = compare_decodings(made.engine).models
    assert model.reference == reference
    assert len(model.decodings) == len(decodings) - 1


def test_decodings_of_one_engine_and_format_are_told_apart_by_their_parameters(made):
    answer(made, FULL, "a", "en", "x")
    answer(made, FULL, "a", "en", "x y", parameters=PLAIN)
    (model,) = compare_decodings(made.engine).models
    assert model.reference == "transformers f32 (repetition_penalty 1.1)"
    assert [one.name for one in model.decodings] == ["transformers f32 (repetition_penalty 1.0)"]


def test_nothing_to_compare_is_a_sentence(made):
    found = compare_decodings(made.engine)
    assert found.models == ()
    assert found.notes[0] == "No model answered s/1 under two decodings: nothing to compare."
    answer(made, FULL, "a", "en", "x")
    answer(made, SMALL, "b", "en", "x")
    (model,) = compare_decodings(made.engine).models
    assert model.decodings == ()
    assert model.notes == ("m: llama.cpp q4_k_m and transformers f32 answered no instruction in common.",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"suite": "t"}, "No suite 't'"),
        ({"models": ["n"]}, "No response of 'n' to s/1.*: m"),
        ({"languages": ["xx"]}, "no instructions in xx"),
        ({"reference": "q5"}, "No model has a decoding 'q5'. There are: llama.cpp q4_k_m, transformers f32"),
    ],
)
def test_what_is_not_there_is_told(filled, options, message):
    with pytest.raises(UsageError, match=message):
        compare_decodings(filled.engine, **options)


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ("", "", 1.0),
        ("a", "", 0.0),
        ("abc", "abc", 1.0),
        ("abcd", "abXd", 0.5),
        ("ab", "abcd", 0.5),
        ("я" * 999 + "x", "я" * 999 + "y", 0.999),
    ],
)
def test_the_common_start_is_a_share_of_the_longer_text(one, other, share):
    assert common_start(one, other) == pytest.approx(share)
    assert common_start(other, one) == pytest.approx(share)


def test_the_table_has_the_reference_first_and_the_whole_is_plain_data(filled):
    found = compare_decodings(filled.engine)
    table = decodings_table(found)
    assert [(row[1].value, row[2].value, row[3].value) for row in table.rows] == [
        ("transformers f32", ALL, 5),
        ("transformers f32", "en", 3),
        ("transformers f32", "ru", 2),
        ("llama.cpp q4_k_m", ALL, 4),
        ("llama.cpp q4_k_m", "en", 3),
        ("llama.cpp q4_k_m", "ru", 1),
    ]
    assert table.rows[4][4].value == pytest.approx(100 / 3)
    one = decodings_table(compare_decodings(filled.engine, languages=["ru"]))
    assert [row[2].value for row in one.rows] == ["ru", "ru"]
    console = Console(file=StringIO(), width=160)
    console.print(table_renderable(table))
    assert "llama.cpp q4_k_m" in console.file.getvalue()
    plain = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert plain["models"][0]["decodings"][0]["rows"][1]["own"]["n"] == 3
