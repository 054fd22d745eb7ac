"""A suite's scores as arrays: what takes part, and in which order."""

import numpy as np
import pytest

from core.analysis.scores import load_scores, paired_scores
from store import open_store
from store.queries import journal, models, raters, responses, rubrics, suites
from store.queries.journal import Score
from store.session import reading, writing
from tests.core.analysis.rated import Rated

pytestmark = pytest.mark.parts


@pytest.fixture
def study(tmp_path):
    engine = open_store(tmp_path / "s.db", create=True)
    with writing(engine) as session:
        new = [
            suites.NewInstruction(
                key, language, f"{key}?", task="t", modifier="lang_fr" if key == "b" else None
            )
            for language in ("ru", "en")
            for key in ("a", "b")
        ]
        suite, _ = suites.add_suite(session, "s", "1", new)
        other, _ = suites.add_suite(session, "other", "1", [suites.NewInstruction("a", "en", "a?")])
        decoding = models.decoding_id(session, "imported", None, {})
        rows = [
            {"instruction_id": row.id, "model_id": models.model_id(session, name), "decoding_id": decoding,
             "text": "x" * (row.id or 0)}
            for found in (suite, other)
            for name in ("m", "n")
            for language in ("en", "ru")
            for row in suites.instructions_of(session, found, language)
        ]  # fmt: skip
        responses.add_responses(session, rows)
        rubric = rubrics.default_rubric_id(session)
    yield engine, suite, rubric
    engine.dispose()


def give(engine, rubric, kind, name, version, response, **scores):
    with writing(engine) as session:
        rater = raters.rater_id(session, kind, name, version)
        ids = {row.name: row.id for row in rubrics.criteria_of(session, rubric)}
        new = [Score(response, ids[key], score, skipped=score is None) for key, score in scores.items()]
        journal.append(session, rater, new)


def load(study):
    engine, suite, rubric = study
    with reading(engine) as session:
        return load_scores(session, suite, "s/1", rubric)


def rows(data):
    return [
        (data.responses[r].id, data.raters[a].label, data.criteria[c].name, int(s), bool(k))
        for r, a, c, s, k in zip(
            data.response, data.rater, data.criterion, data.score, data.counts, strict=True
        )
    ]


def test_a_suite_without_scores_has_its_responses_and_nothing_else(study):
    data = load(study)
    assert len(data.responses) == 8
    assert data.languages == ("en", "ru")
    assert data.keys == ("a", "b")
    assert [source.model for source in data.sources] == ["m", "n"]
    assert data.raters == ()
    assert len(data.score) == len(data.counts) == 0
    assert {one.expected for one in data.responses if one.key == "b"} == {"fr"}
    assert data.length.tolist() == [len("x" * n) for n in (3, 4, 1, 2, 3, 4, 1, 2)]
    assert data.cluster.tolist() == [0, 1] * 4


def test_wrong_language_takes_a_raters_other_scores_out_of_means(study):
    engine, _, rubric = study
    give(engine, rubric, "human", "nv", "", 1, language=0, fluency=2, logic=None)
    give(engine, rubric, "llm", "judge", "v", 1, language=2, fluency=1)
    give(engine, rubric, "human", "nv", "", 2, language=1, fluency=1)
    assert rows(load(study)) == [
        (1, "human:nv", "language", 0, True),
        (1, "human:nv", "fluency", 2, False),
        (1, "llm:judge@v", "language", 2, True),
        (1, "llm:judge@v", "fluency", 1, True),
        (2, "human:nv", "language", 1, True),
        (2, "human:nv", "fluency", 1, True),
    ]


def test_only_current_scores_of_first_answers_on_this_suite_and_rubric(study):
    engine, _, rubric = study
    give(engine, rubric, "human", "nv", "", 1, fluency=0)
    give(engine, rubric, "human", "nv", "", 1, fluency=2)
    give(engine, rubric, "llm", "judge", "v#2", 1, fluency=0)
    give(engine, rubric, "human", "nv", "", 9, fluency=0)
    with writing(engine) as session:
        own = rubrics.rubric_id(session, "own", "1", [{"name": "fluency", "descriptions": {}}])
        rater = raters.rater_id(session, "human", "nv")
        journal.append(session, rater, [Score(1, rubrics.criteria_of(session, own)[0].id, 0)])
    assert rows(load(study)) == [(1, "human:nv", "fluency", 2, True)]


def test_people_come_before_judges_and_rules(study):
    engine, _, rubric = study
    for kind, name in (("rule", "a"), ("llm", "b"), ("human", "z"), ("human", "c")):
        give(engine, rubric, kind, name, "", 1, fluency=1)
    assert [rater.name for rater in load(study).raters] == ["c", "z", "b", "a"]


def test_loading_twice_gives_the_same_arrays(study):
    engine, _, rubric = study
    for response in (3, 1, 2):
        give(engine, rubric, "human", "nv", "", response, logic=1, fluency=2)
    one, two = load(study), load(study)
    for name in ("response", "rater", "criterion", "score", "counts"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
    assert one.response.tolist() == [0, 0, 1, 1, 2, 2]


def test_what_a_third_reviewer_settled_is_final_for_people_and_leaves_judges_alone(tmp_path):
    study = Rated(tmp_path / "s.db")
    place, other = ("m", "en", "a"), ("m", "en", "b")
    for name, score in (("ann", 0), ("bob", 2), ("cid", 1)):
        study.give(name, place, helpfulness=score)
    study.give("ann", place, fluency=1)
    study.give("ann", other, helpfulness=2)
    study.give("gpt", place, kind="llm", helpfulness=2)
    study.assign("cid", place, kind="adjudication")
    assert len(rows(study.load())) == 6
    study.commit("cid", place)
    scored = study.load()
    assert [(*row, together) for row, together in zip(rows(scored), scored.counts_together, strict=True)] == [
        (1, "human:ann", "helpfulness", 0, True, False),
        (1, "human:ann", "fluency", 1, True, True),
        (1, "human:bob", "helpfulness", 2, True, False),
        (1, "human:cid", "helpfulness", 1, True, True),
        (1, "llm:gpt", "helpfulness", 2, True, True),
        (2, "human:ann", "helpfulness", 2, True, True),
    ]
    assert [rater.name for rater in paired_scores(scored).raters] == ["ann", "bob", "gpt"]
