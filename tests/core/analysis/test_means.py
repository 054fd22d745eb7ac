"""Mean scores: an example worked out by hand, random data against plain loops, intervals against scipy."""

import numpy as np
import pytest
from scipy import stats

from core.analysis.bootstrap import draw_resamples
from core.analysis.means import (
    all_rater_groups,
    main_criterion,
    main_rater_groups,
    main_source,
    mean_ratings,
    mean_scores,
    task_means,
    whole_means,
)
from store.queries import rubrics
from tests.core.analysis.made_suite import MadeSuite

pytestmark = pytest.mark.parts


KEYS = ("a", "b", "c")


@pytest.fixture
def made(tmp_path):
    suite = MadeSuite(tmp_path / "s.db", KEYS, ("en", "fr", "ru"), tasks={"a": "advice", "b": "mail"})
    yield suite
    suite.engine.dispose()


def by_hand(made):
    """Two people on model m; the answers stand in the tests."""
    made.answer_all("m", "n")
    made.give("human:ann", ("m", "a", "en"), helpfulness=2, language=2)
    made.give("human:bob", ("m", "a", "en"), helpfulness=1, language=2)
    made.give("human:ann", ("m", "b", "en"), helpfulness=0, language=1)
    # ann finds the wrong language and scores on; bob doesn't: bob's score alone counts.
    made.give("human:ann", ("m", "a", "fr"), helpfulness=2, language=0)
    made.give("human:bob", ("m", "a", "fr"), helpfulness=1, language=2)
    made.give("human:ann", ("m", "b", "fr"), helpfulness=2, language=2)
    made.give("human:ann", ("m", "a", "ru"), helpfulness=None, language=0)  # skipped
    made.give("human:bob", ("m", "b", "ru"), helpfulness=0)
    made.give("llm:gpt", ("m", "a", "ru"), helpfulness=2, language=2)
    return made.load()


def found(means, rater_group, criterion, language_group, source=0):
    names = [one.name for one in means.scored.criteria]
    mean = means.at(rater_group, source, names.index(criterion), language_group)
    return None if mean is None else (pytest.approx(mean.value), mean.n)


def test_the_means_of_the_example_are_those_worked_out_by_hand(made):
    scored = by_hand(made)
    means = mean_scores(scored, draw_resamples(3, number=200))
    people, ann, bob, gpt = means.rater_groups
    assert [rater_group.name for rater_group in means.rater_groups] == [
        "people (2)",
        "human:ann",
        "human:bob",
        "llm:gpt",
    ]
    assert found(means, ann, "helpfulness", "en") == (1.0, 2)  # 2 and 0
    assert found(means, ann, "helpfulness", "fr") == (2.0, 1)  # the wrong language is out
    assert found(means, ann, "helpfulness", "ru") is None  # skipped
    assert found(means, ann, "language", "fr") == (1.0, 2)  # 0 and 2: language itself stays
    assert found(means, bob, "helpfulness", "fr") == (1.0, 1)
    # People: a response counts once. en: 1.5 and 0; fr: 1 (bob's alone) and 2; ru: 0.
    assert found(means, people, "helpfulness", "en") == (0.75, 2)
    assert found(means, people, "helpfulness", "fr") == (1.5, 2)
    assert found(means, people, "helpfulness", "ru") == (0.0, 1)
    # Each language has the same weight: (1.5 + 0) / 2, not (1 + 2 + 0) / 3.
    assert found(means, people, "helpfulness", "non-English") == (0.75, 3)
    assert found(means, people, "helpfulness", "English") == (0.75, 2)
    # A language without scores is no zero: non-English is Russian alone.
    assert found(means, gpt, "helpfulness", "non-English") == (2.0, 1)
    assert found(means, gpt, "helpfulness", "English") is None
    assert found(means, people, "helpfulness", "en", source=1) is None
    assert found(means, people, "fluency", "en") is None


def test_a_mean_over_one_instruction_has_no_interval(made):
    means = mean_scores(by_hand(made), draw_resamples(3, number=200))
    assert means.at(means.rater_groups[2], 0, made.criterion("helpfulness"), "fr").low is None
    assert means.at(means.rater_groups[0], 0, made.criterion("helpfulness"), "fr").low is not None


def test_voices_are_people_together_then_everybody_and_one_person_is_just_that_person(made):
    scored = by_hand(made)
    assert [rater_group.key for rater_group in all_rater_groups(scored)] == [
        "people",
        "human-ann",
        "human-bob",
        "llm-gpt",
    ]
    assert [rater_group.key for rater_group in main_rater_groups(scored)] == ["people", "llm-gpt"]
    made.give("human:Анна", ("n", "a", "en"), helpfulness=1)
    made.give("human:Ann", ("n", "a", "en"), helpfulness=1)
    for letter in "xy":
        made.give("llm:" + "a" * 300 + letter, ("n", "a", "en"), helpfulness=1)
    keys = [rater_group.key for rater_group in all_rater_groups(made.load())]
    assert len(set(keys)) == len(keys) == 8
    assert all(key.isascii() and len(key) <= 60 for key in keys)


def test_with_one_person_the_main_voices_are_that_person_and_the_judges(made):
    made.answer_all("m")
    made.give("human:ann", ("m", "a", "en"), helpfulness=1)
    made.give("rule:r", ("m", "a", "en"), helpfulness=2)
    scored = made.load()
    assert [rater_group.name for rater_group in main_rater_groups(scored)] == ["human:ann", "rule:r"]
    assert all_rater_groups(scored) == main_rater_groups(scored)


def test_tasks_are_ordered_by_their_means_and_responses_without_one_are_left_out(made):
    scored = by_hand(made)
    people = all_rater_groups(scored)[0]
    helpfulness = made.criterion("helpfulness")
    found = task_means(scored, draw_resamples(3, number=200), people, helpfulness)
    assert found.tasks == ("advice", "mail")
    table = [[found.cells.at(task, language_group) for language_group in (0, 1)] for task in (0, 1)]
    # advice is a: en 1.5, fr 1; mail is b: en 0, fr 2 and ru 0.
    assert [[(mean.value, mean.n) for mean in row] for row in table] == [
        [(1.5, 1), (1.0, 1)],
        [(0.0, 1), (1.0, 2)],
    ]
    made.give("human:ann", ("n", "b", "en"), helpfulness=2)
    again = made.load()
    both = task_means(again, draw_resamples(3, number=200), people, helpfulness)
    alone = task_means(again, draw_resamples(3, number=200), people, helpfulness, source=1)
    assert both.cells.at(both.tasks.index("mail"), 0).value == 1.0
    assert (alone.tasks, alone.cells.at(0, 0).value, alone.cells.at(0, 1)) == (("mail",), 2.0, None)


def test_an_empty_store_has_no_voices_and_no_means(made):
    scored = made.load()
    means = mean_scores(scored, draw_resamples(0, number=10))
    assert (means.rater_groups, means.cells, main_rater_groups(scored)) == ((), (), ())
    made.answer_all("m")
    assert mean_scores(made.load(), draw_resamples(3, number=10)).rater_groups == ()


def test_the_main_criterion_is_helpfulness_or_the_first_that_is_not_language(made):
    assert made.load().criteria[main_criterion(made.load())].name == "helpfulness"
    from store.session import writing

    with writing(made.engine) as session:
        rubric = rubrics.rubric_id(session, "own", "1", [{"name": "language"}, {"name": "style"}])
    assert main_criterion(made.load(rubric)) == 1


def test_the_main_source_is_the_one_with_most_scored_responses(made):
    scored = by_hand(made)
    assert main_source(scored, all_rater_groups(scored)[0]) == 0
    for key in KEYS:
        made.give("llm:gpt", ("n", key, "en"), fluency=1)
    scored = made.load()
    assert main_source(scored, all_rater_groups(scored)[-1]) == 1


def test_whole_means_are_exact_up_to_eight_and_near_beyond():
    counts = np.arange(1, 9)
    value, unit = whole_means(counts * 2 - 1, counts)
    assert unit == 840
    assert np.array_equal(value * counts, (counts * 2 - 1) * unit)
    value, unit = whole_means(np.array([11, 1]), np.array([11, 13]))
    assert value[0] == unit
    assert value[1] / unit == pytest.approx(1 / 13, abs=1 / 840)


@pytest.fixture
def random_study(tmp_path):
    """Two models, three people and a judge on 25 instructions in three languages, with gaps."""
    keys = [f"k{n:02}" for n in range(25)]
    made = MadeSuite(tmp_path / "s.db", keys, ("en", "fr", "ru"))
    made.answer_all("m", "n")
    rng = np.random.default_rng(7)
    for rater in ("human:ann", "human:bob", "human:cyd", "llm:gpt"):
        for response in made.responses.values():
            if rng.random() < 0.7:
                language, helpfulness = (int(x) for x in rng.integers(0, 3, 2))
                made.give(rater, response, language=language, helpfulness=helpfulness)
    yield made
    made.engine.dispose()


def plain_scores(made, scored, raters, criterion):
    """(source, language, key) -> the mean of the scores that count, by loops over the arrays' own rows."""
    rows = list(zip(scored.response, scored.rater, scored.criterion, scored.score, strict=True))
    names = [one.name for one in scored.criteria]
    wrong = {(r, a) for r, a, c, s in rows if names[c] == "language" and s == 0}
    given = {}
    for r, a, c, s in rows:
        if a in raters and names[c] == criterion and (criterion == "language" or (r, a) not in wrong):
            one = scored.responses[r]
            given.setdefault((one.source.model, one.language, one.key), []).append(int(s))
    return {place: sum(marks) / len(marks) for place, marks in given.items()}


def test_random_data_gives_the_means_of_plain_loops(random_study):
    scored = random_study.load()
    means = mean_scores(scored, draw_resamples(25, number=50))
    for rater_group in means.rater_groups:
        for criterion in ("helpfulness", "language"):
            plain = plain_scores(random_study, scored, rater_group.raters, criterion)
            for place, source in enumerate(scored.sources):
                apart = {
                    language: [v for place, v in plain.items() if place[:2] == (source.model, language)]
                    for language in scored.languages
                }
                for language, values in apart.items():
                    expected = (pytest.approx(sum(values) / len(values)), len(values))
                    assert found(means, rater_group, criterion, language, place) == expected
                non_english = np.mean([np.mean(apart["fr"]), np.mean(apart["ru"])])
                assert found(means, rater_group, criterion, "non-English", place)[0] == non_english


def test_intervals_are_scipys_clustered_bootstrap(random_study):
    scored = random_study.load()
    resamples = draw_resamples(25, number=20_000)
    means = mean_scores(scored, resamples)
    people = means.rater_groups[0]
    plain = plain_scores(random_study, scored, people.raters, "helpfulness")

    def per_cluster(language):
        values = [plain.get(("m", language, key), np.nan) for key in scored.keys]
        return np.nan_to_num(values), (~np.isnan(values)).astype(float)

    def ratio(sums, counts, axis):
        return sums.sum(axis=axis) / counts.sum(axis=axis)

    def two_languages(sums, counts, more_sums, more_counts, axis):
        return (ratio(sums, counts, axis) + ratio(more_sums, more_counts, axis)) / 2

    for language_group, data, statistic in (
        ("en", per_cluster("en"), ratio),
        ("non-English", (*per_cluster("fr"), *per_cluster("ru")), two_languages),
    ):
        theirs = stats.bootstrap(
            data, statistic, paired=True, method="percentile", n_resamples=20_000, rng=3
        ).confidence_interval
        ours = means.at(people, 0, random_study.criterion("helpfulness"), language_group)
        assert ours.low == pytest.approx(theirs.low, abs=0.02)
        assert ours.high == pytest.approx(theirs.high, abs=0.02)
        assert ours.low < ours.value < ours.high


def test_small_chunks_give_the_same_numbers(random_study, monkeypatch):
    scored = random_study.load()
    resamples = draw_resamples(25, number=100)
    whole = mean_scores(scored, resamples)
    monkeypatch.setattr("core.analysis.means.MOST_NUMBERS", 700)
    apart = mean_scores(scored, resamples)
    for one, other in zip(whole.cells, apart.cells, strict=True):
        for name in ("value", "low", "high", "n"):
            assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)


def test_opinions_without_the_rule_hold_every_score(made):
    scored = by_hand(made)
    ann = all_rater_groups(scored)[1]
    assert len(mean_ratings(scored, ann).value) + 1 == len(mean_ratings(scored, ann, counting=False).value)
