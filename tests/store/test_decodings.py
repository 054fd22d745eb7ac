"""Responses under two decodings, paired and averaged by every database alike."""

import pytest

from store import open_store
from store.queries import models, responses, suites, surface
from store.queries.decodings import Side, answered_in, differing_in, identical_in, measures_of
from store.session import reading, writing

pytestmark = pytest.mark.parts


@pytest.fixture
def engine(new_store):
    """Four instructions in English, one of which demands Russian, under two decodings of one model."""
    opened = open_store(new_store, create=True)
    with writing(opened) as session:
        new = [
            suites.NewInstruction(f"k{n}", "en", "?", modifier="lang_ru" if n == 3 else None)
            for n in range(4)
        ]
        suites.add_suite(session, "s", "1", new)
        model = models.model_id(session, "m")
        decodings = [models.decoding_id(session, "llama.cpp", name, {}) for name in ("f16", "q4_0")]
        texts = (("same", "one", "  ", "да"), ("same", "two", "there", "нет"))
        rows = [
            {
                "instruction_id": place + 1,
                "model_id": model,
                "decoding_id": decoding,
                "text": text,
                "tokens_out": 10 + place,
                "finish_reason": "length" if place == 0 else None,
            }
            for decoding, own in zip(decodings, texts, strict=True)
            for place, text in enumerate(own)
        ]
        responses.add_responses(session, rows)
        found = [
            {"response_id": 1, "metric": "language", "tool": "old", "label": "fr"},
            {"response_id": 1, "metric": "language", "tool": "new", "label": "en"},
            {"response_id": 2, "metric": "language", "tool": "new", "label": None},
            {"response_id": 4, "metric": "language", "tool": "new", "label": "ru"},
            {"response_id": 1, "metric": "spelling", "tool": "new", "value": 0.5},
            {"response_id": 2, "metric": "spelling", "tool": "new", "value": None},
            {"response_id": 1, "metric": "relevance", "tool": "old", "value": 0.0},
            {"response_id": 1, "metric": "relevance", "tool": "new", "value": 1.0},
        ]
        surface.add_metrics(session, found)
    yield opened
    opened.dispose()


def test_measures_are_those_of_the_latest_measurements(engine):
    with reading(engine) as session:
        measured = measures_of(session, Side(1, 1, 1, 2, ["en"]))["en"]
        others = measures_of(session, Side(1, 1, 2, 1, ["en"]))["en"]
    assert measured.n == others.n == 4
    assert measured.right_language == 1.0  # of the two whose language was told
    assert (measured.spelling, measured.relevant) == (0.5, 1.0)
    assert (measured.tokens_out, measured.cut, measured.empty) == (11.5, 1.0, 0.25)
    assert (others.right_language, others.spelling, others.relevant, others.empty) == (None, None, None, 0.0)


def test_pairs_are_the_same_or_differ(engine):
    with reading(engine) as session:
        assert [(one.engine, one.quantization, one.responses) for one in answered_in(session, 1)] == [
            ("llama.cpp", "f16", 4),
            ("llama.cpp", "q4_0", 4),
        ]
        side = Side(1, 1, 1, 2, ["en", "ru"])
        assert identical_in(session, side) == {"en": 1}
        assert sorted(differing_in(session, side)) == [
            ("en", "  ", "there"),
            ("en", "one", "two"),
            ("en", "да", "нет"),
        ]
        assert measures_of(session, Side(1, 1, 1, 2, ["ru"])) == {}
