"""Another rubric from a file, repeats, and another temperature."""

import json

import pytest
from sqlalchemy import text

from core.judge.rubric.definition import load_rubric
from store import UsageError
from tests.core.judge.chat_server import GOOD, Answer
from tests.core.judge.judged import judge, ratings

pytestmark = pytest.mark.parts


RUBRIC = """
name = "tone"
version = "1"

[[criteria]]
name = "politeness"
[criteria.descriptions]
2 = "polite"
1 = "neutral"
0 = "rude"

[[criteria]]
name = "length of answer"
minimum = 1
maximum = 5
[criteria.descriptions]
1 = "far too long"
2 = "long"
3 = "fine"
4 = "short"
5 = "very short"
"""
ROW = ("ru", "Кто ты?", "Я программа.")


@pytest.fixture
def own(tmp_path):
    file = tmp_path / "tone.toml"
    file.write_text(RUBRIC)
    return file


def raters(engine):
    with engine.connect() as connection:
        return [row[0] for row in connection.execute(text("SELECT version FROM rater ORDER BY id"))]


def test_responses_are_rated_on_the_rubric_of_a_file(answered, serve, own):
    engine = answered(ROW)
    server = serve(Answer(json.dumps({"Politeness": 3, "length_of_answer": 5})))
    assert judge(engine, server, rubric=own).counts["rated"] == 1
    assert ratings(engine) == {1: {"politeness": 2, "length of answer": 5}}
    assert raters(engine) == ["prompt-2 tone/1"]
    [prompt] = server.prompts
    assert "politeness\n  3 stars: polite\n  2 stars: neutral\n  1 star: rude\n" in prompt
    assert "  5 stars: very short" in prompt
    assert "fluency" not in prompt
    schema = server.requests[0]["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["length of answer"]["enum"] == [1, 2, 3, 4, 5]


def test_the_same_response_is_rated_on_both_rubrics(answered, serve, own):
    engine = answered(ROW)
    judge(engine, serve(Answer(GOOD)))
    judge(engine, serve(Answer(json.dumps({"politeness": 1, "length of answer": 1}))), rubric=own)
    found = ratings(engine)[1]
    assert (found["politeness"], found["length of answer"], found["fluency"]) == (0, 1, 1)
    assert raters(engine) == ["prompt-2", "prompt-2 tone/1"]


def test_a_changed_rubric_needs_a_new_version(answered, serve, own):
    engine = answered(ROW, ("ru", "?", "Да."))
    server = serve(Answer(json.dumps({"politeness": 1, "length of answer": 1})))
    judge(engine, server, rubric=own, limit=1)
    own.write_text(RUBRIC.replace("rude", "very rude"))
    with pytest.raises(UsageError, match=r"tone/1.*new version"):
        judge(engine, server, rubric=own)
    own.write_text(RUBRIC.replace("rude", "very rude").replace('version = "1"', 'version = "2"'))
    assert judge(engine, server, rubric=own).counts["rated"] == 2


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("name = ", "nome = "), "nome|name"),
        (('name = "tone"', 'name = "six-criteria"'), "default"),
        (('name = "tone"', 'name = "a#b"'), "name"),
        (('2 = "polite"\n', ""), "describe each score from 0 to 2"),
        (('2 = "polite"', '2 = ""'), "descriptions"),
        (("minimum = 1", "minimum = 7"), "above `minimum`"),
        (('name = "politeness"', 'name = "Length_of-answer"'), "two criteria"),
        (("[[criteria]]", "[[criterion]]"), "criteri"),
        (("[[criteria]]", "[[criteria"), "not TOML"),
    ],
)
def test_a_rubric_that_is_wrong_is_refused_with_its_place(own, change, reason):
    own.write_text(RUBRIC.replace(*change))
    with pytest.raises(UsageError, match=rf"tone\.toml.*({reason})"):
        load_rubric(own)
    with pytest.raises(UsageError, match="can't be read"):
        load_rubric(own.parent / "none.toml")


def test_repeats_are_raters_of_their_own_and_are_finished_when_there_are_enough(answered, serve):
    stars = iter(range(100))

    def fickle(request, number):
        return Answer(GOOD.replace('"language": 3', f'"language": {next(stars) % 3 + 1}'))

    engine, server = answered(ROW, ("ru", "?", "Да.")), serve(fickle)
    assert judge(engine, server, repeats=3).counts["rated"] == 6
    assert len(server.requests) == 6
    assert raters(engine) == ["prompt-2", "prompt-2#2", "prompt-2#3"]
    statement = "SELECT count(*) FROM entry GROUP BY response_id, rater_id"
    with engine.connect() as connection:
        assert connection.execute(text(statement)).scalars().all() == [1] * 6
    assert judge(engine, server, repeats=3).counts == {}
    assert judge(engine, server, repeats=4).counts["rated"] == 2


def test_another_temperature_is_another_rater(answered, serve):
    engine, server = answered(ROW), serve(Answer(GOOD))
    judge(engine, server)
    judge(engine, server, temperature=0.7)
    assert [request["temperature"] for request in server.requests] == [0, 0.7]
    assert raters(engine) == ["prompt-2", "prompt-2 t=0.7"]
