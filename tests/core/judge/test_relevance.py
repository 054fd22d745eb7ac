"""Relevance: one question, and the last 0 or 1 of the answer counts."""

import pytest
from sqlalchemy import text

from core.judge.llm_judge.settings import JudgeSettings
from core.judge.relevance import judge_relevance, verdict
from core.llm.answers import BadAnswer, Reply
from store.queries.compare import surface_of
from store.session import reading
from tests.core.judge.chat_server import Answer

ROWS = (("ru", "Кто ты?", "Я программа."), ("fr", "Qui es-tu ?", "Banane."), ("fr", "Qui es-tu ?", "Banane."))


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("1", 1), ("0", 0), (" 1\n", 1), ("1.", 1), ("**0**", 0), ("Answer: 1", 1), ("(0)", 0),
        ("On a scale of 0 to 1, I say: 1", 1), ("First 1, but on reflection 0.", 0), ("0 or 1? 0!", 0),
        ("relevance=1", 1), ("The response covers 10 of 11 points: 1", 1),
    ],
)  # fmt: skip
def test_the_last_verdict_counts(answer, value):
    assert verdict(Reply(answer)) == value


@pytest.mark.parametrize("answer", ["", "yes", "2", "10", "0.5", "1.0", "1st", "a1", None])
def test_an_answer_without_a_verdict_is_none(answer):
    with pytest.raises(BadAnswer):
        verdict(Reply(answer))


def test_an_answer_that_was_cut_or_refused_is_none():
    with pytest.raises(BadAnswer, match="truncated"):
        verdict(Reply("1", "length"))
    with pytest.raises(BadAnswer, match="refusal"):
        verdict(Reply("1", refusal="no"))


@pytest.mark.parts
def test_every_response_gets_its_metric_once(answered, serve):
    def judge(request, _):
        prompt = request["messages"][0]["content"]
        assert "response_format" not in request
        return Answer("0" if "Banane" in prompt else "1")

    engine, server = answered(*ROWS), serve(judge)
    settings = JudgeSettings(model="judge", base_url=server.url)
    run = judge_relevance(engine, settings)
    assert (run.exit_code, run.counts["rated"]) == (0, 3)
    assert len(server.requests) == 2
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT response_id, value, metric, tool FROM surface_metric ORDER BY 1")
        ).all()
        assert connection.execute(text("SELECT count(*) FROM entry")).scalar() == 0
    assert rows == [
        (1, 1, "relevance", "judge relevance-1"),
        (2, 0, "relevance", "judge relevance-1"),
        (3, 0, "relevance", "judge relevance-1"),
    ]
    with reading(engine) as session:
        assert surface_of(session, [2])[2]["relevance"].value == 0
    assert judge_relevance(engine, settings).counts == {}
    assert (
        judge_relevance(engine, JudgeSettings(model="other", base_url=server.url), limit=1).counts["rated"]
        == 1
    )


@pytest.mark.parts
def test_what_the_judge_does_not_say_is_missing(answered, serve):
    engine = answered(*ROWS)
    run = judge_relevance(engine, JudgeSettings(model="judge", base_url=serve(Answer("perhaps")).url))
    assert {reason for _, reason in run.failures} == {"neither 0 nor 1"}
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM surface_metric")).scalar() == 0
