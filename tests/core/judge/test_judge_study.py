"""The judges that a study file names."""

import json

import pytest
from sqlalchemy import text

from core.judge.llm_judge.estimate import ask_person
from core.run import judge_study
from core.study import Study
from tests.core.judge.chat_server import GOOD, Answer
from tests.core.judge.judged import ratings

pytestmark = pytest.mark.parts


RUBRIC = """
name = "tone"
version = "1"
[[criteria]]
name = "tone"
descriptions = {0 = "bad", 1 = "so", 2 = "good"}
"""
ROW = ("ru", "Кто ты?", "Я программа.")


def study(**judges) -> Study:
    return Study.model_validate(
        {
            "name": "s",
            "suite": "s",
            "languages": ["ru"],
            "models": [{"base": "b", "adaptation": "none"}],
            "judges": {"surface": False, **judges},
        }
    )


def test_relevance_and_rubric_are_asked_and_other_languages_left_alone(answered, serve, tmp_path):
    def judge(request, _):
        prompt = request["messages"][0]["content"]
        if "one digit" in prompt:
            return Answer("1")
        return Answer(json.dumps({"tone": 3}) if "tone" in prompt else GOOD)

    server = serve(judge)
    (tmp_path / "tone.toml").write_text(RUBRIC)
    engine = answered(ROW, ("fr", "Qui ?", "Moi."))
    asked = {"model": "judge", "base_url": server.url}
    records = judge_study(
        study(relevance=asked, rubric={**asked, "rubric": "tone.toml", "repeats": 2}), tmp_path, engine
    )
    assert [record.counts["rated"] for record in records] == [1, 2]
    assert ratings(engine) == {1: {"tone": 2}}
    with engine.connect() as connection:
        metrics = connection.execute(text("SELECT response_id, metric, value FROM surface_metric")).all()
    assert metrics == [(1, "relevance", 1.0)]
    again = judge_study(study(relevance=asked), tmp_path, engine)
    assert [record.counts for record in again] == [{}]


def test_a_judge_without_key_or_address_is_left_out_with_a_line(answered, tmp_path, capsys):
    assert judge_study(study(rubric={"model": "gpt-3.5-turbo-0125"}), tmp_path, answered(ROW)) == []
    assert "Rubric judge gpt-3.5-turbo-0125: skipped, no key" in capsys.readouterr().err


def test_money_is_spent_only_when_somebody_agrees(answered, serve, tmp_path, monkeypatch, capsys):
    """A key in the environment is not an order: without a terminal or --yes nothing is asked."""
    server = serve(Answer())
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-key")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setattr("sys.stdin", (tmp_path / "nothing").open("w+"))
    asked = study(rubric={"model": "gpt-3.5-turbo-0125"})
    engine = answered(ROW)
    judge_study(asked, tmp_path, engine, agree=ask_person(yes=False, needed=False))
    assert server.requests == []
    assert "about $0.00" in capsys.readouterr().err
    judge_study(asked, tmp_path, engine, agree=ask_person(yes=True))
    assert len(server.requests) == 1
