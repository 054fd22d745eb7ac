"""What is known of a judge, on examples small enough to work out by hand, and against the definitions."""

import json
import random
from itertools import combinations
from math import sqrt

import pytest

from core.analysis.agreement_table import agreement
from core.analysis.judge_quality import (
    Calibration,
    calibrate_judge,
    is_english,
    language_bias,
    length_bias,
    length_correlation,
    self_agreement,
)
from core.report.calibration_tables import calibration_tables
from core.report.comparison import plain_text
from store.queries.calibration import Judge, Length, Scale

pytest.importorskip("scipy", reason="the extra `report` is not installed")

LANGUAGE, HELP = 1, 2
SCALES = [Scale(number, 1, "r/1", name, 0, 2) for number, name in enumerate(("language", "helpfulness"), 1)]
GPT, AGAIN, THIRD, ANN, BOB, CYD = range(10, 16)
HUMANS = {ANN: "ann", BOB: "bob", CYD: "cyd"}
JUDGE = Judge("llm", "gpt", "v1", {3: THIRD, 1: GPT, 2: AGAIN})

# Responses 1-3 in English, 4-6 in French, 7-8 in Russian, with their lengths.
ANSWERS = {
    1: Length("en", 10), 2: Length("en", 20), 3: Length("en", 30), 4: Length("fr", 10),
    5: Length("fr", 20), 6: Length("fr", 30), 7: Length("ru", 5), 8: Length("ru", 6),
}  # fmt: skip
GIVEN = {
    LANGUAGE: {GPT: {1: 2, 4: 0, 7: 2}},
    HELP: {
        GPT: {1: 0, 2: 1, 3: 2, 4: 2, 5: 1, 6: 1, 7: 2},
        AGAIN: {1: 0, 2: 2, 3: 2, 4: 2},
        THIRD: {1: 0, 2: 1, 8: 1},
    },
}
BY_HUMANS = {
    LANGUAGE: {ANN: {1: 2, 4: 2, 7: 0}, BOB: {1: 0, 4: 0}},
    HELP: {ANN: {1: 0, 2: 1, 3: 1, 4: 0, 6: 1, 7: 1, 8: 2}, BOB: {1: 1, 4: 1, 5: 1, 8: 0}},
}


# Language 0 of the same rater, and helpfulness beside it.
WRONG = {(HELP, BOB): {1, 4}, (HELP, ANN): {7}, (HELP, GPT): {4}}


def calibrated(given=GIVEN, by_humans=BY_HUMANS):
    return calibrate_judge(JUDGE, given, by_humans, HUMANS, ANSWERS, SCALES, WRONG)


def test_a_response_that_two_humans_scored_gives_two_pairs():
    helpfulness = calibrated().criteria[1].humans
    # ann: (0,0) (1,1) (1,2) en, (0,2) (1,1) fr, (1,2) ru; bob: (1,0) en, (1,2) (1,1) fr.
    assert helpfulness.english.counts == ((1, 0, 0), (1, 1, 1), (0, 0, 0))
    assert helpfulness.languages["fr"].counts == ((0, 0, 1), (0, 2, 1), (0, 0, 0))
    assert helpfulness.languages["ru"].counts == ((0, 0, 0), (0, 0, 1), (0, 0, 0))
    assert list(helpfulness.languages) == ["en", "fr", "ru"]
    assert (helpfulness.all.n, helpfulness.english.n, helpfulness.non_english.n) == (9, 4, 5)
    assert (helpfulness.english.exact, helpfulness.english.bias) == (50.0, 0.0)
    assert (helpfulness.non_english.exact, helpfulness.non_english.bias) == (40.0, 0.8)
    # English, judge 0 1 2 0 and humans 0 1 1 1: both means 0.75, covariance (3 - 4 x 0.5625) / 4 = 0.1875,
    # variances 0.6875 and 0.1875; kappa is 2 x 0.1875 / 0.875.
    assert helpfulness.english.kappa == pytest.approx(3 / 7)


def test_among_humans_are_every_two_on_responses_that_the_judge_scored_too():
    people = calibrated().criteria[1].among_humans
    # ann and bob on 1 (0, 1) and 4 (0, 1); 8 the judge has not scored, 5 ann has not.
    assert people.all.counts == ((0, 2, 0), (0, 0, 0), (0, 0, 0))
    assert (people.english.n, people.non_english.n, people.all.exact, people.all.bias) == (1, 1, 0.0, 1.0)
    three = calibrated(by_humans={HELP: {ANN: {1: 2}, BOB: {1: 1}, CYD: {1: 0}}}).criteria[1].among_humans
    assert three.all.counts == ((0, 0, 0), (1, 0, 0), (1, 1, 0))


def test_pairs_in_the_wrong_language_count_and_are_told():
    language, helpfulness = calibrated().criteria
    # ann and bob on 4 (the judge), bob on 4 and 1 (bob), ann on 7 (ann).
    assert (language.wrong_language, helpfulness.wrong_language) == (0, 4)
    assert (language.humans.all.n, language.humans.all.counts[2]) == (5, (1, 0, 1))


def test_the_judge_counts_as_it_was_first_asked_and_people_only_where_both_scored():
    found = calibrated()
    assert (found.times, found.responses, found.shared, found.humans) == (3, 7, 7, ["ann", "bob"])
    assert found.missing == []
    assert found.label == "gpt@v1"


def test_language_bias_is_the_mean_difference_and_its_gap_that_of_the_languages_means():
    bias = calibrated().criteria[1].language_bias
    # en: 0 0 +1 -1; fr: +2 0 +1 0; ru: +1.
    assert bias.means == {"en": (0.0, 4), "fr": (0.75, 4), "ru": (1.0, 1)}
    assert (bias.gap, bias.undefined) == (0.875, None)


@pytest.mark.parametrize(
    ("languages", "reason"),
    [
        ({}, "no response was scored by both"),
        ({"en": {(0, 1): 1}}, "no response in another language than English was scored by both"),
        ({"fr": {(0, 1): 1}, "ru": {}}, "no response in English was scored by both"),
    ],
)
def test_the_gap_of_languages_says_what_it_lacks(languages, reason):
    found = language_bias({language: agreement(pairs) for language, pairs in languages.items()})
    assert (found.gap, found.undefined) == (None, reason)


def test_all_kinds_of_english_are_english():
    languages = {"en": agreement({(0, 1): 3}), "en-GB": agreement({(0, 2): 1}), "de": agreement({(1, 1): 1})}
    assert language_bias(languages).gap == -1.25
    assert [is_english(code) for code in ("EN", "en_US", "eng", "fr")] == [True, True, False, False]


def spearman_by_definition(xs, ys):
    """Pearson's correlation of the ranks, equal values with the mean of their ranks (Spearman 1904)."""

    def ranks(values):
        return [sum(v < x for v in values) + (sum(v == x for v in values) + 1) / 2 for x in values]

    first, second = ranks(xs), ranks(ys)
    mean = (len(xs) + 1) / 2
    together = sum((a - mean) * (b - mean) for a, b in zip(first, second, strict=True))
    return together / sqrt(sum((a - mean) ** 2 for a in first) * sum((b - mean) ** 2 for b in second))


@pytest.mark.parametrize("seed", range(8))
def test_rho_is_that_of_its_definition_in_every_language_and_weighted_over_them(seed):
    rng = random.Random(seed)
    answers, scores, rhos = {}, {}, {}
    for language in ("en", "fr", "ru"):
        n = rng.randrange(5, 40)
        lengths = [rng.randrange(1, 30) for _ in range(n)]
        given = [min(2, max(0, round(length / 15 + rng.gauss(0, seed / 4)))) for length in lengths]
        given[:2] = [0, 2]
        for length, score in zip(lengths, given, strict=True):
            answers[len(answers)] = Length(language, length)
            scores[len(scores)] = score
        rhos[language] = (spearman_by_definition(given, lengths), n)
    found = length_correlation(scores, answers)
    assert {language: n for language, (_, n) in found.languages.items()} == {
        x: n for x, (_, n) in rhos.items()
    }
    for language, (rho, _) in rhos.items():
        assert found.languages[language][0] == pytest.approx(rho, abs=1e-12)
    total = sum(n for _, n in rhos.values())
    assert found.rho == pytest.approx(sum(rho * n for rho, n in rhos.values()) / total, abs=1e-12)
    assert (found.n, found.left_out, found.undefined) == (total, {}, None)


def test_a_difference_of_languages_is_no_correlation_with_length():
    answers = {n: Length("en", 10 + n % 2) for n in range(8)} | {
        n: Length("ru", 90 + n % 2) for n in range(8, 16)
    }
    scores = {n: n // 2 % 2 + (n > 7) for n in range(16)}
    assert length_correlation(scores, answers).rho == pytest.approx(0)
    assert spearman_by_definition([scores[n] for n in answers], [it.length for it in answers.values()]) > 0.5


def test_length_bias_is_worked_out_on_the_responses_of_both_with_one_mean_for_each():
    bias = calibrated().criteria[1].length_bias
    # The judge alone: en 0 1 2 over 10 20 30 is rho 1, fr 2 1 1 is (ranks 3 1.5 1.5) -1.5 / sqrt(1.5 x 2).
    falling = -1.5 / sqrt(3)
    assert bias.judge_alone.languages == {"en": (pytest.approx(1), 3), "fr": (pytest.approx(falling), 3)}
    assert bias.judge_alone.rho == pytest.approx((1 + falling) / 2)
    assert bias.judge_alone.left_out == {"ru": "fewer than 3 responses"}
    assert bias.judge.languages == bias.judge_alone.languages
    # Means of people: en (0 + 1) / 2, 1, 1 and fr (0 + 1) / 2, 1, 1: ranks 1 2.5 2.5.
    rising = 1.5 / sqrt(3)
    assert bias.humans.languages == {"en": (pytest.approx(rising), 3), "fr": (pytest.approx(rising), 3)}
    # Judge minus people: en -0.5 0 1 and fr 1.5 0 0.
    assert bias.difference.languages == {"en": (pytest.approx(1), 3), "fr": (pytest.approx(falling), 3)}


def test_equal_differences_are_equal_whatever_the_number_of_people():
    """2 - 5/3 and 1 - 2/3 differ in the last binary place, and must have the same rank."""
    answers = {n: Length("en", n) for n in range(1, 4)}
    humans = [{1: 2, 2: 1, 3: 0}, {1: 2, 2: 1, 3: 0}, {1: 1, 2: 0, 3: 0}]
    found = length_bias({1: 2, 2: 1, 3: 0}, humans, answers).difference
    assert found.rho == pytest.approx(spearman_by_definition([1, 1, 0], [1, 2, 3]))


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ({}, "no response has such a score"),
        ({1: 1}, "fewer than 3 responses in en"),
        ({1: 2, 2: 2, 3: 2}, "every value is 2 in en"),
        ({1: 0, 4: 0}, "fewer than 3 responses in every language"),
        ({1: 2, 2: 2, 3: 2, 4: 0}, "en: every value is 2; fr: fewer than 3 responses"),
    ],
)
def test_a_correlation_that_is_not_defined_says_why(scores, reason):
    found = length_correlation(scores, ANSWERS)
    assert (found.rho, found.n, found.undefined) == (None, 0, reason)


def test_responses_of_one_length_have_no_correlation_with_it():
    found = length_correlation({1: 0, 2: 1, 3: 2}, {n: Length("en", 7) for n in (1, 2, 3)})
    assert found.undefined == "all responses are of the same length in en"


def test_self_agreement_is_over_all_pairs_of_repeats_and_over_whole_responses():
    found = calibrated().criteria[1].with_itself
    # 1: 0 0 0; 2: 1 2 1; 3: 2 2; 4: 2 2. Asked once: 5 6 7 8.
    assert (found.responses, found.all_same) == (4, 75.0)
    assert found.pairs.counts == ((3, 0, 0), (0, 1, 1), (0, 1, 2))
    assert (found.pairs.n, found.pairs.exact, found.pairs.bias) == (8, 75.0, 0.0)
    # Sums 8 and 8, of products 3 x 0 + 1 + 2 + 2 + 8 = 13, of squares 14 and 14; n^2-fold covariance
    # 8 x 13 - 64 = 40, variance 8 x 14 - 64 = 48: kappa is 40 / 48.
    assert found.pairs.kappa == pytest.approx(5 / 6)


def test_a_judge_that_always_says_the_same_agrees_but_has_no_kappa():
    found = self_agreement([{1: 2, 2: 2}, {1: 2, 2: 2}], SCALES[1])
    assert (found.all_same, found.pairs.exact, found.pairs.kappa) == (100.0, 100.0, None)
    assert found.pairs.undefined is not None
    alone = self_agreement([{1: 2, 2: 2}], SCALES[1])
    assert (alone.responses, alone.all_same, alone.pairs.n) == (0, None, 0)


def test_without_people_length_and_itself_are_still_known_and_the_rest_says_what_is_missing():
    found = calibrated(by_humans={})
    helpfulness = found.criteria[1]
    assert (found.shared, found.humans, helpfulness.humans.all.n) == (0, [], 0)
    assert helpfulness.humans.all.undefined == "no response was scored by both"
    assert helpfulness.language_bias.undefined == "no response was scored by both"
    assert helpfulness.length_bias.difference.undefined == "no response has such a score"
    assert helpfulness.length_bias.judge_alone.n == 6
    assert helpfulness.with_itself.all_same == 75.0
    assert [line.split(",")[0] for line in found.missing] == [
        "No person has scored any response that it scored"
    ]


def test_a_judge_that_was_asked_once_and_one_that_scored_nothing_say_so():
    once = calibrated(given={HELP: {GPT: {1: 0, 2: 1}}})
    assert once.times == 1
    assert [line.split(",")[0] for line in once.missing] == ["It was asked once"]
    nothing = calibrated(given={})
    assert (nothing.times, nothing.responses, nothing.criteria) == (0, 0, [])
    assert nothing.missing == ["It has scored no response in question."]


def test_a_judge_whose_first_scores_are_not_there_is_taken_by_the_next_ones():
    found = calibrated(given={HELP: {AGAIN: {1: 2}, THIRD: {1: 1}}})
    assert (found.times, found.responses) == (2, 1)
    assert found.criteria[1].humans.all.counts == ((0, 0, 1), (0, 0, 1), (0, 0, 0))


def test_it_is_all_plain_data_for_json():
    plain = Calibration("s/1", ["en"], [calibrated()]).as_dict()
    assert json.loads(json.dumps(plain, allow_nan=False))["suite"] == "s/1"
    criterion = plain["judges"][0]["criteria"][1]
    assert criterion["humans"]["english"]["percent"] == [[25, 0, 0], [25, 25, 25], [0, 0, 0]]
    assert criterion["among_humans"]["languages"]["fr"]["n"] == 1
    assert criterion["length_bias"]["judge"]["left_out"] == {"ru": "fewer than 3 responses"}


def test_the_tables_tell_what_was_left_out_and_what_counts():
    text = " ".join(plain_text(calibration_tables(Calibration(None, ["en"], [calibrated()]))).split())
    parts = "judge, judge and people, people, difference"
    for words in (
        "Up to 4 pairs of a criterion are on responses that the judge or the person found in the",
        f"One language left out for helpfulness ({parts}): ru: fewer than 3 responses.",
        f"– no rho for language ({parts}): fewer than 3 responses in every language.",
        "– no kappa for language: no response was scored twice.",
        "│ helpfulness │ all │ 9 │ 44% │ 0.10 │ +0.44 │ 2 │ 0% │ 0.00 │",
        "│ │ English │ 4 │ 50% │ 0.43 │ 0.00 │ 1 │ 0% │ 0.00 │",
        "│ fr │ -1.00 (2) │ +0.75 (4) │",
    ):
        assert words in text, words


def test_many_criteria_of_several_rubrics_and_scales_fit_in_110_columns():
    names = ("helpfulness", "harmlessness", "faithfulness", "conciseness", "instruction following")
    scales = [
        Scale(10 * rubric + number, rubric, f"rubric-{rubric}/1.0", name, 1, 5)
        for rubric in (1, 2)
        for number, name in enumerate(names)
    ]
    rng = random.Random(1)
    given, theirs = (
        {scale.criterion_id: {r: {n: rng.randint(1, 5) for n in ANSWERS} for r in raters} for scale in scales}
        for raters in ((GPT, AGAIN), (ANN, BOB))
    )
    found = calibrate_judge(JUDGE, given, theirs, HUMANS, ANSWERS, scales, {})
    text = plain_text(calibration_tables(Calibration(None, ["en", "fr", "ru"], [found])))
    assert max(map(len, text.splitlines())) <= 110
    assert "…" not in text
    assert len([line for line in text.splitlines() if "− English" in line]) == 2
    assert all(f"({it.n})" in text for it in (found.criteria[0].humans.languages.values()))


@pytest.mark.parametrize("seed", range(6))
def test_missing_ratings_anywhere_leave_the_pairs_that_are_there(seed):
    rng = random.Random(seed)
    raters = (GPT, AGAIN, THIRD, ANN, BOB, CYD)
    scores = {r: {n: rng.randrange(3) for n in ANSWERS if rng.random() < 0.6} for r in raters}
    found = calibrate_judge(
        JUDGE,
        {HELP: {rater: scores[rater] for rater in raters[:3]}},
        {HELP: {rater: scores[rater] for rater in raters[3:]}},
        HUMANS,
        ANSWERS,
        SCALES,
        {},
    ).criteria[1]
    judged = scores[GPT]
    pairs = [(scores[h][n], judged[n]) for h in HUMANS for n in scores[h] if n in judged]
    assert found.humans.all == agreement({pair: pairs.count(pair) for pair in pairs})
    people = [
        (scores[a][n], scores[b][n])
        for a, b in combinations(HUMANS, 2)
        for n in judged
        if n in scores[a] and n in scores[b]
    ]
    assert found.among_humans.all == agreement({pair: people.count(pair) for pair in people})
    assert found.humans.english.n + found.humans.non_english.n == found.humans.all.n
