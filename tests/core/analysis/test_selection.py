"""The choice of learning rates: each part of the rule on an example of its own."""

import json

import pytest

from core.analysis.selection import RULE, select
from store import UsageError, open_store
from tests.core.analysis.made_suite import MadeSuite

pytestmark = pytest.mark.parts


KEYS = tuple(f"k{n}" for n in range(10))
RATES = {"1e-6": 1e-6, "1e-5": 1e-5, "1e-4": 1e-4}


@pytest.fixture
def made(tmp_path):
    suite = MadeSuite(tmp_path / "s.db", KEYS, ("en", "ru"))
    yield suite
    suite.engine.dispose()


def train(made, rate, right, relevant=None, spelling=0.9, keys=KEYS, base="B", languages=("en", "ru")):
    """A candidate: in each language, the first `right` responses are in it, the last `relevant` relevant."""
    name = f"{base} / D / FT / {rate}"
    for language in languages:
        for place, key in enumerate(keys):
            found = made.answer(
                name, key, language, base=base, data="D", adaptation="FT", learning_rate=RATES[rate]
            )
            other = "ru" if language == "en" else "en"
            metrics = {"language": language if place < right else other}
            if spelling is not None:
                metrics["spelling"] = spelling
            if relevant is not None:
                metrics["relevance"] = float(place >= len(keys) - relevant)
            made.measure(found, **metrics)


def chosen(made):
    (one,) = select(made.engine, "s").configurations
    return one.chosen.learning_rate if one.chosen else None


def test_a_response_must_be_both_in_the_right_language_and_relevant(made):
    train(made, "1e-6", right=9, relevant=9)  # 8 are both
    train(made, "1e-5", right=7, relevant=10)
    train(made, "1e-4", right=10, relevant=7)
    (found,) = select(made.engine, "s").configurations
    assert found.name == "B / D / FT"
    assert found.by == "right language and relevant"
    assert [(one.learning_rate, one.chosen) for one in found.candidates] == [
        (1e-6, True), (1e-5, False), (1e-4, False)
    ]  # fmt: skip
    best = found.chosen
    assert (best.good, best.right_language, best.relevant) == pytest.approx((0.8, 0.9, 0.9))
    assert (best.n, best.responses, best.length, best.spelling) == (20, 20, 9, pytest.approx(0.9))


def test_a_down_sampled_control_is_a_configuration_of_its_own(made):
    """The same base, data and adaptation: only size, mix or seed differ."""
    others = {"full": {}, "small": {"size": 100}, "even": {"mix": "uniform"}, "again": {"seed": 2}}
    for number, (label, other) in enumerate(others.items()):
        for rate, right in (("1e-5", number), ("1e-4", 9 - number)):
            configured = {"mix": "concat", "seed": 1, "data_digest": f"{number}" * 64, **other}
            for place, key in enumerate(KEYS):
                answer = made.answer(
                    f"{label} {rate}", key, "en", base="B", data="D", adaptation="FT",
                    learning_rate=RATES[rate], **configured,
                )  # fmt: skip
                made.measure(answer, language="en" if place < right else "ru")
    configurations = select(made.engine, "s").configurations
    assert [configuration.name for configuration in configurations] == [
        "B / D / FT (size all, mix concat, seed 1, data 000000)",
        "B / D / FT (size 100, mix concat, seed 1, data 111111)",
        "B / D / FT (size all, mix uniform, seed 1, data 222222)",
        "B / D / FT (size all, mix concat, seed 2, data 333333)",
    ]
    for number, configuration in enumerate(configurations):
        shares = [candidate.right_language for candidate in configuration.candidates]
        assert shares == pytest.approx([number / 10, (9 - number) / 10])


def test_within_a_percentage_point_the_better_spelling_wins(tmp_path):
    keys = tuple(f"k{n}" for n in range(100))
    made = MadeSuite(tmp_path / "s.db", keys, ("en",))
    train(made, "1e-6", 90, 100, spelling=0.99, keys=keys, languages=("en",))
    train(made, "1e-5", 91, 100, spelling=0.80, keys=keys, languages=("en",))
    assert chosen(made) == 1e-6  # exactly a point is a tie
    train(made, "1e-4", 92, 100, spelling=0.70, keys=keys, languages=("en",))
    assert chosen(made) == 1e-5  # 1e-6 is two points below the best
    made.engine.dispose()


def test_equal_ones_go_to_the_smaller_rate(made):
    train(made, "1e-4", 10, 10)
    train(made, "1e-5", 10, 10)
    assert chosen(made) == 1e-5


def test_without_relevance_the_language_alone_decides_and_it_is_said(made):
    train(made, "1e-5", right=9)
    train(made, "1e-4", right=10)
    (found,) = select(made.engine).configurations
    assert (found.by, found.chosen.learning_rate) == ("right language", 1e-4)
    assert "Relevance was not judged" in found.notes[0]


def test_relevance_of_few_responses_does_not_count(made):
    train(made, "1e-5", right=9, relevant=10)
    train(made, "1e-4", right=10)
    made.measure(made.responses["B / D / FT / 1e-4", "k0", "en"], relevance=0.0)
    (found,) = select(made.engine).configurations
    assert (found.by, found.chosen.learning_rate) == ("right language", 1e-4)
    assert "too few" in found.notes[0]


def test_unknown_spelling_leaves_a_tie_to_the_smaller_rate(made):
    train(made, "1e-5", 10, 10, spelling=None)
    train(made, "1e-4", 10, 10, spelling=1.0)
    (found,) = select(made.engine).configurations
    assert found.chosen.learning_rate == 1e-5
    assert "Spelling is not known" in found.notes[0]


def test_candidates_are_compared_on_what_all_of_them_answered(made):
    train(made, "1e-5", right=5, relevant=10)
    train(made, "1e-4", right=4, relevant=5, keys=KEYS[:5])
    (found,) = select(made.engine).configurations
    assert [one.n for one in found.candidates] == [10, 10]
    assert [one.good for one in found.candidates] == [1.0, 0.8]
    assert found.chosen.learning_rate == 1e-5
    assert found.notes == ("Compared on the 10 of 20 instructions that all its candidates answered.",)


def test_each_language_has_the_same_weight(made):
    train(made, "1e-5", right=10, relevant=10, languages=("en",))
    train(made, "1e-5", right=0, relevant=2, keys=KEYS[:2], languages=("ru",))
    train(made, "1e-4", right=8, relevant=10, languages=("en",))
    train(made, "1e-4", right=2, relevant=2, keys=KEYS[:2], languages=("ru",))
    (found,) = select(made.engine).configurations
    assert [one.good for one in found.candidates] == [0.5, 0.9]


def test_one_rate_or_unmeasured_ones_get_a_sentence_and_no_choice(made):
    train(made, "1e-5", 10, 10, base="alone")
    for key in KEYS:
        made.answer("C / D / FT / 1e-5", key, "en", base="C", data="D", adaptation="FT", learning_rate=1e-5)
    train(made, "1e-4", 10, 10, base="C")
    made.answer("nobody knows", "k0", "en")
    alone, some, unknown = select(made.engine).configurations
    assert (alone.chosen, alone.notes) == (None, ("It has one learning rate only.",))
    assert some.chosen is None
    assert some.notes == (
        "C / D / FT / 1e-5: the language was not measured (`xlit-core judge surface`), "
        "so it can't be chosen.",
        "Only one of its candidates was measured: nothing to choose from.",
    )
    assert unknown.notes[-1] == "Its learning rate isn't known."
    assert unknown.candidates[0].good is None


def test_nothing_in_common_is_a_sentence(made):
    train(made, "1e-5", 10, 10, languages=("en",))
    train(made, "1e-4", 10, 10, languages=("ru",))
    (found,) = select(made.engine).configurations
    assert found.chosen is None
    assert found.notes == ("No instruction was answered by all its candidates, and measured.",)


def test_the_latest_measurement_counts_and_other_samples_do_not(made):
    train(made, "1e-5", 10, 10)
    train(made, "1e-4", 10, 0)
    for key in KEYS:
        for language in ("en", "ru"):
            made.measure(made.responses["B / D / FT / 1e-4", key, language], tool="u", relevance=1.0)
    (found,) = select(made.engine).configurations
    assert [one.good for one in found.candidates] == [1.0, 1.0]


def test_the_whole_is_plain_data_that_states_the_rule(made):
    train(made, "1e-5", 10, 10)
    train(made, "1e-4", 10, 10)
    plain = json.loads(json.dumps(select(made.engine, "s/1").as_dict(), allow_nan=False))
    assert plain["rule"] == RULE
    assert plain["configurations"][0]["candidates"][0]["chosen"] is True
    assert plain["languages"] == ["en", "ru"]


def test_no_responses_are_a_sentence_and_no_suite_an_error(made, tmp_path):
    found = select(made.engine)
    assert (found.configurations, found.notes) == (
        (), ("There is no response to s/1 yet: nothing to choose from.",)
    )  # fmt: skip
    empty = open_store(tmp_path / "e.db", create=True)
    with pytest.raises(UsageError, match="holds no suite"):
        select(empty)
    empty.dispose()
