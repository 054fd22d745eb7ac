"""Calibrating the judges of a store: what was planted is found, and what is missing is said."""

import json
import random
import sys

import pytest
from rich.console import Console
from sqlalchemy import Engine

from core.analysis.agreement_table import human_against_judge
from core.judge.calibrate import calibrate
from core.report.calibration_tables import calibration_tables
from store import UsageError, XlitError
from store.queries import journal, models, overview, responses, rubrics, suites
from store.queries import raters as rater_queries
from store.queries.journal import Score
from store.session import reading, writing

pytestmark = pytest.mark.parts


pytest.importorskip("scipy", reason="the extra `report` is not installed")

LANGUAGES = ("en", "fr", "ru")
HUMANS = ("ann", "bob")


class Planted:
    """A suite in three languages; 40 responses in each, in Russian longer ones than elsewhere.

    What is true of a response is drawn at random. People and the judge `fair` see it with little noise; the
    judge `long` adds to helpfulness what a response is longer than others of its language, and a point to
    fluency outside of English, and was asked three times. Harmlessness is 2 to everybody. Ann finds every
    tenth response in the wrong language and skips the rest; bob scores two of three.
    """

    def __init__(self, store: Engine) -> None:
        self.engine = store
        rng = random.Random(7)
        with writing(store) as session:
            new = [suites.NewInstruction(f"k{n}", language, "?") for language in LANGUAGES for n in range(40)]
            self.suite, _ = suites.add_suite(session, "planted", "1", new)
            source = {
                "model_id": models.model_id(session, "m"),
                "decoding_id": models.decoding_id(session, "imported", None, {}),
            }
            asked = [
                row for language in LANGUAGES for row in suites.instructions_of(session, self.suite, language)
            ]
            lengths = [rng.randrange(100, 500) for _ in asked]
            texts = [
                "ж" * (length + 400 * (row.language == "ru"))
                for row, length in zip(asked, lengths, strict=True)
            ]
            responses.add_responses(
                session,
                [
                    {**source, "instruction_id": row.id, "text": it}
                    for row, it in zip(asked, texts, strict=True)
                ],
            )
            self.rubric = rubrics.default_rubric_id(session)
            criteria = {row.name: row.id or 0 for row in rubrics.criteria_of(session, self.rubric)}
            raters = {name: rater_queries.rater_id(session, "human", name) for name in HUMANS}
            judges = [("fair", "v1"), ("long", "v1"), ("long", "v1#2"), ("long", "v1#3")]
            for name, version in judges:
                raters[name + version] = rater_queries.rater_id(session, "llm", name, version)
            self.raters = raters
            for number, (row, length) in enumerate(zip(asked, lengths, strict=True), 1):
                truth = {name: rng.choice((0, 1, 2)) for name in criteria}
                for rater, rater_id in raters.items():
                    if rater == "bob" and number % 3 == 0:
                        continue
                    marks = {name: score + rng.gauss(0, 0.3) for name, score in truth.items()}
                    if rater.startswith("long"):
                        marks["helpfulness"] += (length - 300) / 150
                        marks["fluency"] += row.language != "en"
                    marks |= {"harmlessness": 2, "language": 2}
                    wrong = rater == "ann" and number % 10 == 0
                    scores = [
                        Score(
                            number,
                            criteria[name],
                            None
                            if wrong and name != "language"
                            else 0
                            if wrong
                            else max(0, min(2, round(mark))),
                            wrong and name != "language",
                        )
                        for name, mark in marks.items()
                    ]
                    journal.append(session, rater_id, scores)

    def found(self, judge: str, **more):
        [found] = calibrate(self.engine, judge=judge, **more).judges
        return found, {row.criterion: row for row in found.criteria}


@pytest.fixture
def planted(store):
    return Planted(store)


def shown(calibration, width: int = 110) -> str:
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(calibration_tables(calibration))
    return captured.get()


def test_a_planted_length_bias_is_found_where_it_is_and_nowhere_else(planted):
    long, fair = planted.found("long")[1], planted.found("fair")[1]
    assert long["helpfulness"].length_bias.judge.rho > 0.5
    assert long["helpfulness"].length_bias.difference.rho > 0.5
    for clean in (
        long["helpfulness"].length_bias.humans, long["logic"].length_bias.judge_alone,
        long["accuracy"].length_bias.difference, fair["helpfulness"].length_bias.difference,
    ):  # fmt: skip
        # Three standard errors of a rho of 119 responses or more.
        assert abs(clean.rho) < 0.28


def test_a_planted_language_bias_is_found_where_it_is_and_nowhere_else(planted):
    long, fair = planted.found("long")[1], planted.found("fair")[1]
    assert long["fluency"].language_bias.gap > 0.4
    assert all(abs(it.language_bias.gap) < 0.15 for it in (fair["fluency"], fair["logic"], long["logic"]))


def test_a_judge_is_known_with_its_repeats_and_people_with_their_ceiling(planted):
    found, criteria = planted.found("long")
    assert (found.name, found.version, found.times, found.responses) == ("long", "v1", 3, 120)
    assert (found.humans, found.missing) == (["ann", "bob"], [])
    logic = criteria["logic"]
    # Ann skips 12 of 120, bob scores 80; 8 of these 12 are among bob's.
    assert (logic.humans.all.n, logic.among_humans.all.n) == (108 + 80, 72)
    assert (criteria["language"].humans.all.n, criteria["language"].among_humans.all.n) == (200, 80)
    assert (logic.with_itself.responses, logic.with_itself.pairs.n) == (120, 360)
    assert logic.among_humans.all.kappa > 0.7
    assert logic.wrong_language == 0
    assert criteria["harmlessness"].humans.all.kappa is None


def test_agreement_is_that_of_the_overview(planted):
    found = planted.found("long", suite="planted")[1]
    with reading(planted.engine) as session:
        for language in (None, *LANGUAGES):
            scope = overview.Scope(planted.suite, language)
            humans = [planted.raters[name] for name in HUMANS]
            judge = planted.raters["longv1"]
            for row in human_against_judge(session, scope, planted.rubric, humans, judge):
                ours = found[row.criterion].humans
                assert row.agreement == (ours.all if language is None else ours.languages[language])


def test_judges_are_chosen_by_name_or_by_name_and_version(planted):
    with writing(planted.engine) as session:
        other = rater_queries.rater_id(session, "llm", "long", "v2")
        journal.append(session, other, [Score(1, 1, 2)])

    def labels(judge):
        return [found.label for found in calibrate(planted.engine, judge=judge).judges]

    assert labels(None) == ["fair@v1", "long@v1", "long@v2"]
    assert labels("long") == ["long@v1", "long@v2"]
    assert labels("long@v2") == ["long@v2"]
    with pytest.raises(
        UsageError, match=r"No judge 'gpt' in the store\. Judges there: fair@v1, long@v1, long@v2"
    ):
        calibrate(planted.engine, judge="gpt")
    with pytest.raises(UsageError, match="No suite 'nothing'"):
        calibrate(planted.engine, suite="nothing")


def test_languages_are_those_asked_for(planted, capsys):
    found, criteria = planted.found("fair", languages=["ru", "en", "xx"])
    assert "'xx'" in capsys.readouterr().err
    assert found.responses == 80
    assert list(criteria["logic"].humans.languages) == ["en", "ru"]
    assert planted.found("fair", languages=["xx"])[0].missing == ["It has scored no response in question."]
    assert calibrate(planted.engine, languages=["xx"]).judges == []


def test_the_tables_say_in_words_what_they_mean_and_fit_in_110_columns(planted):
    calibration = calibrate(planted.engine)
    text = shown(calibration)
    assert max(map(len, text.splitlines())) <= 110
    assert "…" not in text
    for words in (
        "Calibration on the responses to all suites, en, fr, ru",
        "llm long@v1, asked 3 times: 120 responses scored; 120 of them scored by people too (ann, bob)",
        "judge's mean minus people's", "Right of the diagonal the judge is more generous",
        "the mean over languages weighted by responses", "two standard errors for 120 responses",
        "Whether the judge, asked again, says the same",
        "– no kappa for harmlessness; harmlessness among people: every score of both is 2",
        "It was asked once, so nothing is known of how far it agrees with itself",
    ):  # fmt: skip
        assert words in " ".join(text.split()), words
    assert json.loads(json.dumps(calibration.as_dict(), allow_nan=False))["judges"][1]["times"] == 3


def test_without_people_what_the_judge_alone_shows_is_still_shown(store, answered):
    engine = answered(*(("ru", "?", "да " * n) for n in range(1, 6)))
    with writing(engine) as session:
        rubric = rubrics.default_rubric_id(session)
        helpfulness = {row.name: row.id or 0 for row in rubrics.criteria_of(session, rubric)}["helpfulness"]
        for version, scores in (("v1", (0, 0, 1, 1, 2)), ("v1#2", (0, 0, 1, 1, 1))):
            rater = rater_queries.rater_id(session, "llm", "gpt", version)
            for response, score in enumerate(scores, 1):
                journal.append(session, rater, [Score(response, helpfulness, score)])
    # Ranks 1.5 1.5 3.5 3.5 5 against 1 to 5: rho is 9 / sqrt(9 x 10). Itself: sums 4 and 3, of products 4, of
    # squares 6 and 3; kappa is 2 (5 x 4 - 12) / (5 x 9 - 16 - 9 + 1) = 16 / 21.
    text = " ".join(shown(calibrate(engine)).split())
    assert "No person has scored any response that it scored" in text
    assert "│ helpfulness │ +0.95 (5) │" in text
    assert "│ helpfulness │ 5 │ 80% │ 5 │ 80% │ 0.76 │" in text
    assert "Agreement of judge and people" not in text


def test_a_store_without_a_judge_says_what_brings_one(store):
    calibration = calibrate(store)
    assert calibration.judges == []
    assert "No judge has scored a response in question" in shown(calibration)
    with pytest.raises(UsageError, match="Judges there: none yet"):
        calibrate(store, judge="gpt")


def test_a_missing_extra_is_told_in_a_sentence(planted, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "scipy"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(
        XlitError, match=r"Calibration needs the extra `report`.*pip install 'xlit\[report\]'"
    ):
        calibrate(planted.engine)
