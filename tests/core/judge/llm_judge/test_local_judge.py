"""A checkpoint of one's own as the judge, through both engines."""

import os

import pytest
from sqlalchemy import text

from core.generate.gguf.convert import convert
from core.judge.llm_judge.settings import JudgeSettings
from core.judge.relevance import PROMPT_FILE, judge_relevance
from core.llm.prompt_template import fenced_prompt
from store import UsageError, XlitError
from tests.checkpoints import make_checkpoint

pytestmark = pytest.mark.parts


os.environ.setdefault("OMP_NUM_THREADS", "1")


TASK = "Какая столица России?"
SAID = {"Столица России — Москва.": 1, "Банан.": 0}


@pytest.fixture(scope="module")
def judge_checkpoint(tmp_path_factory):
    """A model that has learnt what to say of the responses in `SAID`."""
    template = PROMPT_FILE.read_text(encoding="utf-8")
    pairs = [(fenced_prompt(template, TASK, response), str(value)) for response, value in SAID.items()]
    return make_checkpoint(
        tmp_path_factory.mktemp("judge") / "relevance-judge", context=2048, steps=80, pairs=pairs
    )


def values(engine):
    statement = (
        "SELECT r.text, m.value, m.tool FROM surface_metric AS m JOIN response AS r ON r.id = m.response_id"
    )
    with engine.connect() as connection:
        return {row[0]: (row[1], row[2]) for row in connection.execute(text(statement))}


@pytest.mark.parametrize("kind", ["transformers", "llama.cpp"])
def test_a_checkpoint_judges(answered, judge_checkpoint, kind, tmp_path):
    checkpoint = judge_checkpoint
    if kind == "llama.cpp":
        checkpoint = convert(judge_checkpoint, tmp_path / "judge.gguf", "f32")
    rows = [("ru", TASK, response) for response in SAID]
    engine = answered(*rows, ("ru", TASK, "x" * 20_000))
    run = judge_relevance(engine, JudgeSettings(model="mine", checkpoint=checkpoint))
    assert values(engine) == {said: (value, "mine relevance-2") for said, value in SAID.items()}
    [(unit, reason)] = run.failures
    assert unit == "s/1 k2 ru · m"
    assert "tokens; the context holds 2048" in reason
    assert run.counts["tokens in"] > 500


def test_a_checkpoint_takes_no_settings_of_a_server(judge_checkpoint):
    for wrong in ({"base_url": "http://localhost/v1"}, {"max_cost": 1}, {"temperature": 0.5}):
        with pytest.raises(UsageError, match="checkpoint of your own"):
            JudgeSettings(model="mine", checkpoint=judge_checkpoint, **wrong)


def test_what_is_no_checkpoint_is_refused_before_anything_is_asked(answered, tmp_path):
    with pytest.raises(XlitError):
        judge_relevance(answered(("ru", TASK, "x")), JudgeSettings(model="mine", checkpoint=tmp_path))
