"""Modifiers that no rule decides, put to a judge."""

import pytest
from sqlalchemy import text

from core.judge.llm_judge.settings import JudgeSettings
from core.judge.modifiers.by_llm import fulfilled, judge_modifiers_by_llm
from core.judge.modifiers.rater import judge_modifiers
from core.llm.answers import BadAnswer, Reply
from store.queries import models, responses, suites
from store.session import writing
from tests.core.judge.chat_server import Answer

ROWS = (
    ("scientific_style", "Объясни площадь. Ответ должен быть в научном стиле.", "Площадь есть мера."),
    ("simple_style", "Explain area in simple words.", "Area is how much paper you need."),
    ("complex_inst", "Explique l'aire, puis son domaine.", "C'est la géométrie."),
    ("num_items_2", "Name two. List 2 options.", "1. a\n2. b"),
    ("simple_style num_items_2", "Two, simply.", "1. a\n2. b"),
    (None, "Who are you?", "A program."),
)


@pytest.fixture
def modified(store):
    with writing(store) as session:
        new = [
            suites.NewInstruction(f"k{place}", "en", question, modifier=modifier)
            for place, (modifier, question, _) in enumerate(ROWS)
        ]
        suite, _ = suites.add_suite(session, "s", "1", new)
        identity = {
            "model_id": models.model_id(session, "m"),
            "decoding_id": models.decoding_id(session, "imported", None, {}),
        }
        found = suites.instructions_of(session, suite, "en")
        rows = [
            {**identity, "instruction_id": row.id, "text": response}
            for row, (_, _, response) in zip(found, ROWS, strict=True)
        ]
        responses.add_responses(session, rows)
    return store


def ratings(engine):
    statement = (
        "SELECT r.response_id, rater.kind, r.score FROM current_rating AS r JOIN criterion AS c "
        "ON c.id = r.criterion_id JOIN rater ON rater.id = r.rater_id WHERE c.name = 'fulfilment' "
        "ORDER BY 1, 2"
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


@pytest.mark.parts
def test_a_judge_is_asked_only_what_no_rule_can_tell(modified, serve):
    server = serve(lambda request, _: Answer(f'{{"fulfilled": {int("paper" in str(request))}}}'))
    run = judge_modifiers_by_llm(modified, JudgeSettings(model="judge", base_url=server.url))
    assert run.counts["rated"] == 4
    assert ratings(modified) == [(1, "llm", 0), (2, "llm", 1), (3, "llm", 0), (5, "llm", 0)]
    both = next(prompt for prompt in server.prompts if "Two, simply." in prompt)
    assert "A child of about ten" in both
    assert "2" in both.partition("fulfilled when this holds:")[2]
    judge_modifiers(modified)
    assert ratings(modified)[3:] == [(4, "rule", 1), (5, "llm", 0)]
    assert judge_modifiers_by_llm(modified, JudgeSettings(model="judge", base_url=server.url)).counts == {}


@pytest.mark.parametrize(
    ("answer", "value"),
    [('{"fulfilled": 1}', 1), ('{"Fulfilled": "0"}', 0), ('{"fulfilled": true, "why": "x"}', 1)],
)
def test_a_verdict_is_read(answer, value):
    assert fulfilled(Reply(answer)) == value


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("1", "not JSON"),
        ("{}", "wrong keys"),
        ('{"fulfilled": 1, "FULFILLED": 0}', "wrong keys"),
        ('{"fulfilled": 2}', "out of range"),
        ('{"fulfilled": null}', "out of range"),
        ('{"fulfilled": [1]}', "out of range"),
        ('{"fulfilled": NaN}', "out of range"),
        ("I'm sorry, I can't.", "refusal"),
    ],
)
def test_anything_else_is_none(answer, reason):
    with pytest.raises(BadAnswer, match=reason):
        fulfilled(Reply(answer))
