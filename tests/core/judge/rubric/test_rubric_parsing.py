"""A judge's answer is read strictly, or it is missing with its reason."""

import json

import pytest

from core.judge.rubric.definition import CriterionText, RubricText, load_rubric
from core.judge.rubric.prompt import answer_schema, parse_answer
from core.llm.answers import BadAnswer, Reply

DEFAULT = load_rubric()

STARS = {"language": 3, "fluency": 2, "helpfulness": 1, "accuracy": 3, "logic": 2, "harmlessness": 3}
SCORES = {"language": 2, "fluency": 1, "helpfulness": 0, "accuracy": 2, "logic": 1, "harmlessness": 2}


def with_change(**change) -> str:
    return json.dumps({**STARS, **change})


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps(STARS),
        f"\n  {json.dumps(STARS, indent=1)}\n",
        f"Here you are:\n```json\n{json.dumps(STARS)}\n```\nI hope this helps.",
        f"```\n{json.dumps(STARS)}\n```",
        json.dumps(STARS).replace('"logic"', '"Logical coherence"').replace('"language"', '"LANGUAGE"'),
        json.dumps(STARS).replace('"logic"', '"logical_coherence"').replace('"harmlessness"', '"Safety"'),
        with_change(fluency="2", accuracy="3 stars", helpfulness="1 star", logic=2.0),
        with_change(comment="a tab\t and a line\n break").replace("\\n", "\n").replace("\\t", "\t"),
    ],
)
def test_stars_become_scores_from_zero_to_two(answer):
    assert parse_answer(Reply(answer, "stop"), DEFAULT) == SCORES
    assert set(SCORES) == {criterion.name for criterion in DEFAULT.criteria}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "empty"),
        (None, "empty"),
        ("I'm sorry, but I can't rate this.", "refusal"),
        ("As an AI language model I do not judge", "refusal"),
        ("language: 3, fluency: 2", "not JSON"),
        (f"The rating is {json.dumps(STARS)}.", "not JSON"),
        (f"```json\n{json.dumps(STARS)}\n```\n```json\n{json.dumps(STARS)}\n```", "not JSON"),
        ("[3, 2, 1, 3, 2, 3]", "not JSON"),
        ("3", "not JSON"),
        ("{" * 100_000, "not JSON"),
        ('{"a":' * 100_000, "not JSON"),
        ('{"language": ' + "9" * 10_000 + "}", "not JSON|out of range"),
        ("{}", "wrong keys: no language, fluency, helpfulness, accuracy, logic, harmlessness"),
        (json.dumps({"scores": STARS}), "wrong keys"),
        (json.dumps({**STARS, "Logical coherence": 3}), "logic is there twice"),
        ('{"language": 1, ' + json.dumps(STARS)[1:], "language is there twice"),
        (with_change(fluency=0), "out of range: fluency"),
        (with_change(fluency=4), "out of range"),
        (with_change(fluency=2.5), "out of range"),
        (with_change(fluency=True), "out of range"),
        (with_change(fluency=None), "out of range"),
        (with_change(fluency=float("nan")), "out of range"),
        (with_change(fluency="2 of 3"), "out of range"),
        (with_change(fluency={"score": 2}), "out of range"),
    ],
)
def test_anything_else_is_no_rating_and_says_why(answer, reason):
    with pytest.raises(BadAnswer, match=reason):
        parse_answer(Reply(answer, "stop"), DEFAULT)


def test_a_cut_off_answer_is_no_rating_even_when_it_parses():
    with pytest.raises(BadAnswer, match="truncated"):
        parse_answer(Reply(json.dumps(STARS), "length"), DEFAULT)


def test_a_refusal_is_one_however_the_server_says_it():
    with pytest.raises(BadAnswer, match="refusal"):
        parse_answer(Reply(None, refusal="I will not."), DEFAULT)
    with pytest.raises(BadAnswer, match="refusal"):
        parse_answer(Reply("", "content_filter"), DEFAULT)


def test_the_papers_annotators_names_are_read_too():
    answer = {"CorrectLang": 3, "Fluency": 2, "Inform": 1, "Accuracy": 3, "Logical": 2, "Safety": 3}
    assert parse_answer(Reply(json.dumps(answer)), DEFAULT) == SCORES


def test_another_rubric_is_read_on_its_own_scale():
    tone = CriterionText(
        name="Tone of voice", minimum=-1, maximum=3, descriptions=dict.fromkeys(range(-1, 4), "x")
    )
    rubric = RubricText(name="own", version="1", criteria=[tone])
    assert parse_answer(Reply('{"tone_of_voice": 5, "fluency": 9}'), rubric) == {"Tone of voice": 3}
    assert parse_answer(Reply('{"Tone of voice": 1}'), rubric) == {"Tone of voice": -1}
    with pytest.raises(BadAnswer, match="not 1 to 5 stars"):
        parse_answer(Reply('{"Tone of voice": 0}'), rubric)
    stars = answer_schema(rubric.criteria)["properties"]["Tone of voice"]
    assert stars == {"type": "integer", "enum": [1, 2, 3, 4, 5]}
