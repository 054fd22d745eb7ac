"""Relevance: one question, and the answer is one digit; the paper's rule takes the last one."""

import pytest
from sqlalchemy import text

from core.judge.llm_judge.settings import JudgeSettings
from core.judge.relevance import judge_relevance, last_verdict, verdict
from core.llm.answers import BadAnswer, Reply
from store.errors import UsageError
from store.queries.compare import surface_of
from store.session import reading
from tests.core.judge.chat_server import Answer

ROWS = (("ru", "Кто ты?", "Я программа."), ("fr", "Qui es-tu ?", "Banane."), ("fr", "Qui es-tu ?", "Banane."))


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("1", 1), ("0", 0), (" 1\n", 1), ("1.", 1), ("**0**", 0), ("Answer: 1", 1), ("(0)", 0), ("`1`!", 1),
        ("**Relevance:** 0", 0), ("relevance=1", 1), ('{"relevant": 0}', 0), ("<think>1? No.</think>\n0", 0),
        ("It may be 1.\n</think>\n\n0", 0),
    ],
)  # fmt: skip
def test_a_bare_digit_is_the_verdict(answer, value):
    assert verdict(Reply(answer)) == value


# Each with what it says to a reader, which the last digit often is not.
EXPLAINED = {
    "0 out of 1": 0, "Rating: 0/1": 0, "0 (on a scale from 0 to 1)": 0, "0 (confidence: 1)": 0,
    "1\n\nExplanation: it has 0 mistakes.": 1, "Answer: 0. A relevant one would have got 1.": 0,
    '{"relevant": 0, "max": 1}': 0, "1 0": None, "-1": None, "0%": None, "0.9": None, "10": None,
}  # fmt: skip


@pytest.mark.parametrize("answer", EXPLAINED)
def test_an_answer_that_says_more_is_asked_for_again(answer):
    with pytest.raises(BadAnswer):
        verdict(Reply(answer))


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("On a scale of 0 to 1, I say: 1", 1), ("First 1, but on reflection 0.", 0), ("0 or 1? 0!", 0),
        ("The response covers 10 of 11 points: 1", 1), ("0 out of 1", 1),
    ],
)  # fmt: skip
def test_by_the_rule_of_the_paper_the_last_verdict_counts(answer, value):
    assert last_verdict(Reply(answer)) == value


@pytest.mark.parametrize("answer", ["", "yes", "2", "10", "0.5", "1.0", "1st", "a1", None])
def test_an_answer_without_a_verdict_is_none(answer):
    for read in (verdict, last_verdict):
        with pytest.raises(BadAnswer):
            read(Reply(answer))


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
        (1, 1, "relevance", "judge relevance-2"),
        (2, 0, "relevance", "judge relevance-2"),
        (3, 0, "relevance", "judge relevance-2"),
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


@pytest.mark.parts
def test_the_preset_of_the_paper_is_another_version(answered, serve):
    engine = answered(ROWS[0])
    settings = JudgeSettings(model="judge", base_url=serve(Answer("0 out of 1")).url)
    assert judge_relevance(engine, settings).exit_code == 3
    assert judge_relevance(engine, settings, preset="paper").exit_code == 0
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT value, tool FROM surface_metric")).all()
    assert rows == [(1, "judge relevance-1")]
    with pytest.raises(UsageError, match="No preset"):
        judge_relevance(engine, settings, preset="other")
