"""Mean scores with the wrong-language rule, on an example small enough to work out by hand."""

import pytest

from core.report.comparison import comparison, plain_text
from store import open_store
from store.queries import journal, models, raters, responses, rubrics, scores, suites, surface
from store.queries.journal import Score
from store.session import reading, writing


@pytest.fixture
def study(tmp_path):
    """One model, two decodings; three responses in ru of which the judge finds one in the wrong language."""
    engine = open_store(tmp_path / "s.db", create=True)
    with writing(engine) as session:
        new = [suites.NewInstruction(f"k{n}", "ru", f"Вопрос {n}?", task="t") for n in range(3)]
        suite, _ = suites.add_suite(session, "s", "1", new)
        model = models.model_id(session, "mini")
        plain = models.decoding_id(session, "transformers", None, {})
        small = models.decoding_id(session, "llama.cpp", "q8_0", {})
        for instruction in suites.instructions_of(session, suite, "ru"):
            for decoding in (plain, small)[: 2 if instruction.key == "k0" else 1]:
                row = {"instruction_id": instruction.id, "model_id": model, "decoding_id": decoding}
                responses.add_responses(session, [{**row, "text": f"Ответ {instruction.key}\x1b[31m"}])
        rubric = rubrics.default_rubric_id(session)
        criteria = {criterion.name: criterion.id for criterion in rubrics.criteria_of(session, rubric)}
        rater = raters.rater_id(session, "rule", "r", "1")
        # Response 1 (k0, plain), 2 (k0, small), 3 (k1), 4 (k2).
        for response, language, helpful in ((1, 2, 2), (3, 2, 1), (4, 0, 2)):
            journal.append(
                session,
                rater,
                [
                    Score(response, criteria["language"], language),
                    Score(response, criteria["helpfulness"], helpful),
                ],
            )
        labels = {1: "ru", 2: "ru", 3: "ru", 4: "en"}
        surface.add_metrics(
            session,
            [
                {"response_id": response, "metric": "language", "tool": "t", "value": 0.9, "label": label}
                for response, label in labels.items()
            ],
        )
    yield engine, suite
    engine.dispose()


def test_other_criteria_leave_out_responses_in_the_wrong_language(study):
    engine, suite = study
    with reading(engine) as session:
        found = {score.criterion: (score.n, score.mean) for score in scores.mean_scores(session, suite)}
    assert found == {"language": (3, pytest.approx(4 / 3)), "helpfulness": (2, 1.5)}


def test_a_cleared_score_no_longer_counts(study):
    engine, suite = study
    with writing(engine) as session:
        rater = raters.rater_id(session, "rule", "r", "1")
        criterion = next(c.id for c in rubrics.criteria_of(session, 1) if c.name == "helpfulness")
        journal.append(session, rater, [Score(3, criterion, None)])
        found = {score.criterion: (score.n, score.mean) for score in scores.mean_scores(session, suite)}
    assert found["helpfulness"] == (1, 2.0)


def test_other_rubrics_and_what_a_judge_said_again_are_no_part_of_the_means(study):
    engine, suite = study
    with writing(engine) as session:
        again = raters.rater_id(session, "llm", "judge", "v#2")
        helpfulness = next(c.id for c in rubrics.criteria_of(session, 1) if c.name == "helpfulness")
        journal.append(session, again, [Score(1, helpfulness, 0)])
        own = rubrics.rubric_id(session, "own", "1", [{"name": "helpfulness", "descriptions": {}}])
        rater = raters.rater_id(session, "rule", "r", "1")
        journal.append(session, rater, [Score(1, rubrics.criteria_of(session, own)[0].id, 0)])
        found = {(score.rater, score.criterion): score.n for score in scores.mean_scores(session, suite)}
    assert found == {("rule:r@1", "language"): 3, ("rule:r@1", "helpfulness"): 2}


def test_language_shares_are_per_model_and_decoding(study):
    engine, suite = study
    with reading(engine) as session:
        found = [
            (s.source.engine, s.responses, s.right_language) for s in scores.surface_shares(session, suite)
        ]
    assert found == [("transformers", 3, pytest.approx(2 / 3)), ("llama.cpp", 1, 1.0)]


def test_a_language_with_its_country_is_met_by_the_language(study):
    engine, _ = study
    with writing(engine) as session:
        suite, _ = suites.add_suite(session, "p", "1", [suites.NewInstruction("k", "pt-BR", "?")])
        row = {"instruction_id": suites.instructions_of(session, suite, "pt-BR")[0].id, "text": "Sim."}
        ids = {"model_id": models.model_id(session, "mini"), "decoding_id": 1}
        responses.add_responses(session, [{**row, **ids}])
        surface.add_metrics(
            session, [{"response_id": 5, "metric": "language", "tool": "t", "value": 0.9, "label": "pt"}]
        )
        assert [s.right_language for s in scores.surface_shares(session, suite)] == [1.0]


def test_the_text_tells_engines_apart_and_obeys_no_escape_sequence(study):
    engine, _ = study
    with reading(engine) as session:
        text = plain_text(comparison(session, suites.find_suite(session, "s"), "ru"))
    assert "mini (llama.cpp q8_0)" in text
    assert "Ответ k2␛[31m" in text
    assert "\x1b" not in text
    assert "1.50 (2)" in text
