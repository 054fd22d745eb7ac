"""Agreement of all raters of a store: a hand-made example, the overview's tables, and intervals."""

import random
from collections import Counter

import numpy as np
import pytest

from core.analysis.agreement import agreements, kappa
from core.analysis.agreement_table import human_against_judge
from core.analysis.bootstrap import draw_resamples
from store.queries.overview import Scope
from store.session import reading
from tests.core.analysis.rated import Rated

pytestmark = pytest.mark.parts


KEYS = tuple("abcdefgh")


@pytest.fixture
def study(tmp_path):
    """Two people and a judge on helpfulness and language, in English and Russian. Bob saw half of it."""
    study = Rated(tmp_path / "s.db", keys=("a", "b", "c"))
    for place, ann, bob, judge in [
        (("m", "en", "a"), 2, 1, 2),
        (("m", "en", "b"), 2, 2, 2),
        (("m", "en", "c"), 1, None, 2),
        (("m", "ru", "a"), 0, 0, 2),
        (("m", "ru", "b"), 1, None, 1),
        (("m", "ru", "c"), 2, None, None),
    ]:
        study.give("ann", place, helpfulness=ann, language=0 if place == ("m", "ru", "a") else 2)
        if bob is not None:
            study.give("bob", place, helpfulness=bob)
        study.give("gpt", place, kind="llm", version="v1", helpfulness=judge)
    yield study
    study.engine.dispose()


def of(study, number=200, seed=1):
    scored = study.load()
    return agreements(scored, draw_resamples(len(scored.keys), number=number, seed=seed))


def table(found, first, second, criterion, language_group):
    return next(
        it
        for it in found.pairs
        if (it.first.name, it.second.name, it.criterion.name, it.language_group)
        == (first, second, criterion, language_group)
    )


def test_the_table_of_two_people_is_that_of_what_both_scored(study):
    found = table(of(study), "human:ann", "human:bob", "helpfulness", "all")
    assert found.kind == "people"
    assert found.counts.tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 1]]
    assert found.n == 3
    assert found.percent.tolist() == pytest.approx(np.array(found.counts) / 3 * 100)
    assert found.figures["exact"].value == pytest.approx(200 / 3)
    assert found.figures["bias"].value == pytest.approx(-1 / 3)


def test_people_together_give_a_pair_with_the_judge_for_every_score(study):
    found = of(study)
    english = table(found, "people (2)", "llm:gpt@v1", "helpfulness", "English")
    assert english.kind == "judge"
    assert english.counts.tolist() == [[0, 0, 0], [0, 0, 2], [0, 0, 3]]
    # A response that ann found in the wrong language is a pair all the same.
    other = table(found, "people (2)", "llm:gpt@v1", "helpfulness", "non-English")
    assert other.counts.tolist() == [[0, 0, 2], [0, 1, 0], [0, 0, 0]]
    assert table(found, "people (2)", "llm:gpt@v1", "helpfulness", "all").n == 8


def test_figures_come_with_the_words_for_what_is_undefined(study):
    found = of(study)
    empty = table(found, "human:ann", "human:bob", "language", "English")
    assert (empty.n, empty.undefined) == (0, "no response was scored by both")
    assert all(figure.value is figure.low is figure.high is None for figure in empty.figures.values())
    judge = table(found, "people (2)", "llm:gpt@v1", "helpfulness", "English")
    assert judge.undefined is None
    assert judge.figures["kappa"].value == 0


def test_the_tables_are_those_of_the_overview(tmp_path):
    study = Rated(tmp_path / "s.db", keys=KEYS, models_=("m", "n"))
    rng = random.Random(3)
    for place in study.ids:
        for rater, kind in (("ann", "human"), ("bob", "human"), ("gpt", "llm"), ("known", "rule")):
            scores = {name: rng.randint(0, 2) for name in study.criteria if rng.random() < 0.7}
            if scores:
                study.give(rater, place, kind=kind, **scores)
    found = of(study)
    scored = study.load()
    humans = [rater.id for rater in scored.raters if rater.kind == "human"]
    with reading(study.engine) as session:
        for judge in (rater for rater in scored.raters if rater.kind != "human"):
            for language_group, language in (("English", "en"), ("non-English", "ru"), ("all", None)):
                known = human_against_judge(
                    session, Scope(study.suite, language), study.rubric, humans, judge.id
                )
                assert len(known) == 6
                for row in known:
                    own = table(found, "people (2)", judge.label, row.criterion, language_group)
                    assert own.counts.tolist() == [list(line) for line in row.agreement.counts]
                    assert own.figures["kappa"].value == pytest.approx(row.agreement.kappa)
                    assert own.figures["exact"].value == pytest.approx(row.agreement.exact)
                    assert own.figures["bias"].value == pytest.approx(row.agreement.bias)
    study.engine.dispose()


def test_intervals_are_those_of_a_loop_that_draws_instructions(tmp_path):
    study = Rated(tmp_path / "s.db", keys=KEYS)
    rng = random.Random(5)
    pairs = {}
    for model, language, key in study.ids:
        human, judge = rng.randint(0, 2), rng.randint(0, 2)
        judge = human if rng.random() < 0.6 else judge
        study.give("ann", (model, language, key), helpfulness=human)
        study.give("gpt", (model, language, key), kind="llm", helpfulness=judge)
        pairs.setdefault(key, []).append((human, judge))
    resamples = draw_resamples(len(KEYS), number=300, seed=7)
    scored = study.load()
    found = table(agreements(scored, resamples), "human:ann", "llm:gpt", "helpfulness", "all")
    values = []
    for weights in resamples.weights:
        counts = Counter()
        for key, weight in zip(scored.keys, weights, strict=True):
            for pair in pairs[key]:
                counts[pair] += int(weight)
        values.append(float(kappa([[counts[i, j] for j in range(3)] for i in range(3)])))
    ends = np.quantile(values, [0.025, 0.975])
    assert [found.figures["kappa"].low, found.figures["kappa"].high] == pytest.approx(ends.tolist())
    study.engine.dispose()


def test_one_instruction_has_no_interval(study):
    found = table(of(study), "human:ann", "human:bob", "helpfulness", "non-English")
    assert found.n == 1
    assert found.figures["exact"].value == 100
    assert found.figures["exact"].low is found.figures["exact"].high is None


def test_the_same_seed_gives_the_same_numbers(study):
    first, again = of(study), of(study)
    assert [it.figures for it in first.pairs] == [it.figures for it in again.pairs]


def test_an_answer_off_the_scale_is_in_no_figure(tmp_path):
    study = Rated(tmp_path / "s.db", criteria=[{"name": "stars", "minimum": 1, "maximum": 3}])
    study.give("ann", ("m", "en", "a"), stars=3)
    study.give("gpt", ("m", "en", "a"), kind="llm", stars=0)
    study.give("ann", ("m", "en", "b"), stars=1)
    study.give("gpt", ("m", "en", "b"), kind="llm", stars=3)
    found = table(of(study), "human:ann", "llm:gpt", "stars", "English")
    assert found.counts.tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert (found.n, found.outside, found.figures["bias"].value) == (1, 1, 2)
    study.engine.dispose()


def test_alpha_of_three_people_and_its_interval_are_those_of_the_package(tmp_path):
    import krippendorff

    study = Rated(tmp_path / "s.db", keys=KEYS, models_=("m", "n"))
    rng = random.Random(8)
    given = {}
    for place in study.ids:
        truth = rng.randint(0, 2)
        for person in ("ann", "bob", "cleo"):
            if rng.random() < 0.7:
                given[person, place] = min(2, max(0, truth + rng.choice((-1, 0, 0, 0, 1))))
                study.give(person, place, helpfulness=given[person, place])

    def alpha_over(keys):
        places = [place for key in keys for place in study.ids if place[2] == key]
        people = ("ann", "bob", "cleo")
        ratings = [[given.get((person, place), np.nan) for place in places] for person in people]
        return krippendorff.alpha(reliability_data=ratings, level_of_measurement="ordinal")

    scored = study.load()
    resamples = draw_resamples(len(KEYS), number=100, seed=2)
    found = {(it.criterion.name, it.language_group): it for it in agreements(scored, resamples).people}
    own = found["helpfulness", "all"]
    assert own.alpha.value == pytest.approx(alpha_over(KEYS))
    sampled = [alpha_over(np.repeat(scored.keys, weights.astype(int))) for weights in resamples.weights]
    assert [own.alpha.low, own.alpha.high] == pytest.approx(np.quantile(sampled, [0.025, 0.975]).tolist())
    assert own.n == sum(
        sum((person, place) in given for person in ("ann", "bob", "cleo")) > 1 for place in study.ids
    )
    assert {criterion for criterion, _ in found} == {"helpfulness"}
    study.engine.dispose()


def test_two_people_have_no_alpha_of_several(study):
    assert of(study).people == ()


def test_a_store_without_people_or_without_judges_has_no_such_pairs(tmp_path):
    study = Rated(tmp_path / "s.db", languages=("en",))
    assert of(study).pairs == ()
    study.give("gpt", ("m", "en", "a"), kind="llm", helpfulness=1)
    assert of(study).pairs == ()
    study.give("ann", ("m", "en", "a"), helpfulness=1)
    found = of(study)
    assert {(it.kind, it.language_group) for it in found.pairs} == {("judge", "English")}
    study.engine.dispose()
