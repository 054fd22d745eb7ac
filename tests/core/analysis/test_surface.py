"""Surface metrics with intervals: by hand, and beside the means that the room shows."""

import pytest

from core.analysis.bootstrap import draw_resamples
from core.analysis.surface import surface_shares
from store.queries.scores import surface_shares as shown_shares
from store.queries.surface import surface_measures
from store.session import reading
from tests.core.analysis.made_suite import MadeSuite

pytestmark = pytest.mark.parts


@pytest.fixture
def made(tmp_path):
    suite = MadeSuite(tmp_path / "s.db", tuple("abcd"), ("en", "ru"), modifiers={"d": "lang_fr"})
    yield suite
    suite.engine.dispose()


def load(made):
    with reading(made.engine) as session:
        measured = surface_measures(session, made.suite)
    scored = made.load()
    return surface_shares(scored, measured, draw_resamples(len(scored.keys), number=500))


def test_shares_are_over_what_was_measured_and_against_the_language_expected(made):
    for key, text, metrics in (
        ("a", "good", {"language": "en", "spelling": 0.5, "relevance": 1.0}),
        ("b", " \n\t", {"language": None, "relevance": 0.0}),
        ("c", "\0rest", {"spelling": 1.0}),
        ("d", "bon", {"language": "fr"}),
    ):
        made.measure(made.answer("m", key, "en", text=text), **metrics)
    made.measure(made.answer("m", "a", "ru", text="the"), language="en")
    found = load(made)

    def at(metric, language_group):
        mean = found.at(metric, 0, language_group)
        return None if mean is None else (pytest.approx(mean.value), mean.n)

    assert at("right language", "en") == (100.0, 2)  # a and d (French is asked for); b can't be told
    assert at("spelling", "en") == (75.0, 2)
    assert at("relevant", "en") == (50.0, 2)
    assert at("empty", "en") == (25.0, 4)
    assert at("right language", "non-English") == (0.0, 1)
    assert at("right language", "all languages") == (50.0, 3)
    assert at("spelling", "ru") is None
    assert at("spelling", "all languages") == (75.0, 2)
    mean = found.at("right language", 0, "en")
    assert 0 <= mean.low <= mean.value <= mean.high <= 100


def test_they_are_the_shares_that_the_room_shows(made):
    for place, (key, language) in enumerate(made.instructions):
        found = made.answer("m", key, language)
        made.measure(found, language=("en", "ru", "fr")[place % 3], spelling=place / 10)
    ours = load(made)
    with reading(made.engine) as session:
        for theirs in shown_shares(session, made.suite):
            right = ours.at("right language", 0, theirs.language)
            assert right.value == pytest.approx(100 * theirs.right_language)
            assert ours.at("spelling", 0, theirs.language).value == pytest.approx(100 * theirs.spelling)


def test_nothing_measured_and_nothing_at_all(made):
    assert load(made).language_groups == ()
    made.answer("m", "a", "en")
    found = load(made)
    assert [found.measured(metric) for metric in ("right language", "relevant", "empty")] == [
        False, False, True
    ]  # fmt: skip
