"""Judging through the Batch API, against a real server on a real socket."""

import json
import logging
import sqlite3

import pytest
from sqlalchemy import text

from core.judge.llm_judge.runner import run_judgements
from core.judge.llm_judge.settings import JudgeSettings
from core.judge.relevance import judge_relevance
from core.judge.rubric.judge import RubricJudgement
from store import UsageError, XlitError
from store.queries import judging
from tests.core.judge.chat_server import Answer
from tests.core.judge.judged import fill, judge, ratings
from tests.core.judge.llm_judge.batch.batch_judged import answers, batch_rows, judge_in_batches, many
from tests.core.judge.llm_judge.batch.batch_server import answer_line, completion, stars

pytestmark = pytest.mark.parts


KEY = "sk-planted-1234567890-secret"


def direct(request, number):
    return Answer(stars(request["messages"][0]["content"]))


def test_the_rows_are_those_of_a_direct_run(answered, batch_server, serve, store):
    rows = [*many(25), *many(3), ("fr", "Qui es-tu ?", "Un programme.")]
    server = batch_server()
    run = judge_in_batches(answered(*rows), server, size=10)
    found = ratings(store)
    assert (run.exit_code, run.counts["rated"], run.counts["sent in batches"]) == (0, 29, 26)
    assert (run.counts["asked"], run.counts["tokens in"], run.counts["tokens out"]) == (26, 2600, 520)
    assert [len(lines) for lines in server.inputs.values()] == [10, 10, 6]
    assert batch_rows(store) == [("completed", 10, 1, 1), ("completed", 10, 1, 1), ("completed", 6, 1, 1)]
    with store.begin() as connection:
        for table in ("judge_answer", "judge_batch_item", "judge_batch"):
            connection.execute(text(f"DELETE FROM {table}"))
    asked_directly = judge(store, serve(direct), temperature=1)  # another rater
    assert asked_directly.counts["rated"] == 29
    with store.connect() as connection:
        statement = (
            "SELECT r.version, t.response_id, t.criterion_id, t.score FROM current_rating AS t "
            "JOIN rater AS r ON r.id = t.rater_id"
        )
        by_rater: dict[str, set] = {}
        for version, *rest in connection.execute(text(statement)):
            by_rater.setdefault(version, set()).add(tuple(rest))
    assert len(found) == 29
    batched, asked = by_rater.values()
    assert batched == asked


def test_a_request_is_what_would_be_asked_directly(answered, batch_server):
    server = batch_server()
    engine = answered(("ru", "Кто ты?", "Я\u2028программа."))
    judge_in_batches(engine, server, temperature=0.5)
    [[line]] = server.inputs.values()
    assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT digest FROM judge_answer")).scalar_one() == line["custom_id"]
    body = line["body"]
    assert "Я\u2028программа." in body["messages"][0]["content"]
    del body["messages"]
    assert body == {
        "model": "judge", "temperature": 0.5, "max_tokens": 1000, "response_format": {"type": "json_object"},
    }  # fmt: skip


@pytest.mark.parametrize("model", ["o1", "o3-mini", "gpt-5-mini"])
def test_reasoning_models_get_no_temperature_and_another_limit(answered, batch_server, model):
    server = batch_server()
    judge_in_batches(answered(*many(1)), server, model=model)
    [[line]] = server.inputs.values()
    assert "temperature" not in line["body"]
    assert "max_tokens" not in line["body"]
    assert line["body"]["max_completion_tokens"] == 1000


def test_a_prompt_that_does_not_speak_of_json_is_sent_without_its_form(answered, batch_server, tmp_path):
    """OpenAI refuses `json_object` for it, which would fail every request of the batch."""
    file = tmp_path / "own.txt"
    file.write_text("Rate {MODEL RESPONSE} for {TASK}")
    server = batch_server()
    judge_in_batches(answered(*many(1)), server, prompt=file)
    [[line]] = server.inputs.values()
    assert "response_format" not in line["body"]


def test_relevance_is_judged_in_batches_too(answered, batch_server):
    server = batch_server(lambda prompt, times: "1")
    settings = JudgeSettings(model="judge", base_url=server.url, batch=True, poll=0.05)
    engine = answered(*many(3))
    assert judge_relevance(engine, settings).counts["rated"] == 3
    assert all("response_format" not in line["body"] for lines in server.inputs.values() for line in lines)
    with engine.connect() as connection:
        values = connection.execute(text("SELECT value FROM surface_metric WHERE metric = 'relevance'"))
        assert values.scalars().all() == [1, 1, 1]


def test_repeats_are_on_their_way_at_the_same_time(answered, batch_server):
    server = batch_server()
    engine = answered(*many(3))
    most = 0

    def look(method, path, count):
        nonlocal most
        most = max(most, sum(one["status"] == "in_progress" for one in server.batches.values()))

    server.before = look
    assert judge_in_batches(engine, server, repeats=3).counts["rated"] == 9
    assert most == 3
    assert set(server.created.values()) == {1}


def test_answers_that_cannot_be_used_are_asked_again_with_a_reminder_up_to_the_attempts(
    answered, batch_server
):
    def answer(prompt, times):
        if "Ответ 1" in prompt:
            return "garbage"
        return stars(prompt) if times > 1 or "Ответ 2" not in prompt else '{"language": 9}'

    server = batch_server(answer)
    engine = answered(*many(4))
    run = judge_in_batches(engine, server, attempts=3)
    assert run.exit_code == 3
    assert run.failures == [("s/1 k1 ru · m", "not JSON")]
    assert sorted(ratings(engine)) == [1, 3, 4]
    assert batch_rows(engine) == [("completed", 4, 1, 1), ("completed", 2, 2, 1), ("completed", 1, 3, 1)]
    assert [prompt.endswith(RubricJudgement.reminder) for prompt in server.prompts] == [False] * 4 + [
        True
    ] * 3
    with engine.connect() as connection:
        assert connection.execute(text("SELECT attempts FROM failure")).scalar_one() == 3
    server.answer = stars
    again = judge_in_batches(engine, server)
    assert (again.exit_code, again.counts["rated"]) == (0, 1)


def test_refused_cut_and_filtered_answers_are_missing_with_their_reason(answered, batch_server):
    def answer(prompt, times):
        if "Ответ 0" in prompt:
            return answer_line("", completion("{", finish="length"))
        if "Ответ 1" in prompt:
            return answer_line("", completion("", finish="content_filter"))
        return answer_line("", {"error": {"message": "maximum context length is 3"}}, status=400)

    run = judge_in_batches(answered(*many(3)), batch_server(answer), attempts=1)
    assert sorted(reason for _, reason in run.failures) == [
        "refusal: the judge would not answer",
        "the server refused the request: maximum context length is 3",
        "truncated: the judge's answer was cut off",
    ]


def test_a_request_that_is_refused_for_good_is_not_asked_again(answered, batch_server):
    def answer(prompt, times):
        return answer_line("", {"error": {"message": "too long"}}, status=400)

    server = batch_server(answer)
    assert len(judge_in_batches(answered(*many(2)), server).failures) == 2
    assert len(server.batches) == 1


def test_without_waiting_the_same_command_collects_later(answered, batch_server, capfd):
    server = batch_server()
    engine = answered(*many(7))
    first = judge_in_batches(engine, server, wait=False, size=5)
    assert (first.exit_code, first.counts) == (0, {"sent in batches": 7, "on their way in batches": 7})
    assert "run the same command later" in capfd.readouterr().err
    assert ratings(engine) == {}
    runs = [judge_in_batches(engine, server, wait=False, size=5) for _ in range(2)]
    assert sum(run.counts.get("rated", 0) for run in runs) == 7
    assert set(server.created.values()) == {1}
    assert judge_in_batches(engine, server).counts == {}


def test_a_direct_run_leaves_alone_what_is_on_its_way(answered, batch_server, serve, capfd):
    batches, chats = batch_server(), serve(direct)
    engine = answered(*many(4))
    judge_in_batches(engine, batches, wait=False, limit=3)
    run = judge(engine, chats)
    assert (run.counts["rated"], run.counts["on their way in batches"]) == (1, 3)
    assert len(chats.requests) == 1
    assert "3 responses were not asked about" in capfd.readouterr().err
    assert judge_in_batches(engine, batches).counts["rated"] == 3
    assert len(ratings(engine)) == 4


def test_the_limit_counts_responses(answered, batch_server):
    server = batch_server()
    engine = answered(*many(5))
    assert judge_in_batches(engine, server, limit=2).counts["rated"] == 2
    assert judge_in_batches(engine, server, limit=2).counts["rated"] == 2
    assert judge_in_batches(engine, server).counts["rated"] == 1


def test_what_was_answered_before_is_not_asked_but_rated(answered, batch_server):
    server = batch_server()
    engine = answered(*many(3))
    judge_in_batches(engine, server)
    answered(*many(3), model="another")
    again = judge_in_batches(engine, server)
    assert (again.counts["rated"], again.counts["from cache"]) == (3, 3)
    assert len(server.batches) == 1


def test_answers_outside_of_the_languages_asked_for_are_kept(answered, batch_server):
    """A batch of two languages is collected by a run that looks at one."""
    server = batch_server()
    engine = answered(*many(2), ("fr", "Qui es-tu ?", "Un programme."))
    judge_in_batches(engine, server, wait=False)
    assert judge_in_batches(engine, server, languages=["ru"]).counts["rated"] == 2
    assert judge_in_batches(engine, server).counts["from cache"] == 1
    assert set(server.created.values()) == {1}


def test_a_batch_at_another_server_is_left_to_it(answered, batch_server, capfd):
    one, other = batch_server(), batch_server()
    engine = answered(*many(2))
    judge_in_batches(engine, one, wait=False)
    assert judge_in_batches(engine, other).counts == {}
    assert f"2 questions are on their way in a batch at {one.url}" in capfd.readouterr().err
    assert not other.batches
    assert judge_in_batches(engine, one).counts["rated"] == 2


def test_files_at_the_server_are_taken_away_when_all_is_collected(answered, batch_server):
    server = batch_server()
    judge_in_batches(answered(*many(3)), server)
    assert server.files == {}
    assert len(server.deleted) == 2


def test_a_checkpoint_has_no_batches(answered, tmp_path):
    with pytest.raises(UsageError, match="leave out --batch"):
        JudgeSettings(model="judge", checkpoint=tmp_path, batch=True)
    with pytest.raises(UsageError, match="leave out --batch"):
        settings = JudgeSettings(model="judge", base_url="http://localhost/v1", batch=True)
        run_judgements(_Run(answered(*many(1))), [_Judgement()], _Asker(), settings)


class _Run:
    def __init__(self, engine):
        self.engine, self.counts, self.idle = engine, {}, False


class _Judgement:
    rater = 1

    def count(self, session):
        return 1


class _Asker:
    class budget:
        requests = 0


@pytest.mark.parametrize("status", [404, 405])
def test_a_server_without_a_batch_api_is_said_in_one_line_and_nothing_is_left_waiting(
    answered, batch_server, serve, status
):
    server = batch_server()
    server.before = lambda method, path, count: status
    engine = answered(*many(2))
    with pytest.raises(XlitError, match=rf"has no Batch API \(status {status}\): leave out --batch"):
        judge_in_batches(engine, server)
    assert judge(engine, serve(direct)).counts == {
        "rated": 2, "asked": 2, "tokens in": 200, "tokens out": 40,
    }  # fmt: skip


def test_a_refused_key_ends_the_run_in_one_line_without_the_key(answered, batch_server, monkeypatch):
    monkeypatch.setenv("XLIT_API_KEY", KEY)
    server = batch_server()
    server.before = lambda method, path, count: 401
    with pytest.raises(XlitError, match="refused the key") as caught:
        judge_in_batches(answered(*many(2)), server)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "from 1 to 50000"),
        ({"batch_size": 50_001}, "from 1 to 50000"),
        ({"poll": 0}, "looked at"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(UsageError, match=message):
        JudgeSettings(model="judge", **settings)


def test_the_key_is_sent_and_is_nowhere_else(answered, batch_server, monkeypatch, caplog, capfd, tmp_path):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("XLIT_API_KEY", KEY)

    def loose_tongue(prompt, times):
        if "Ответ 0" in prompt:
            return stars(prompt)[:-1] + f', "comment": "your key is {KEY}"}}'
        if "Ответ 1" in prompt:
            return KEY
        return answer_line("", {"error": {"message": f"key {KEY} broke it"}}, status=400)

    server = batch_server(loose_tongue)
    engine = answered(*answers("0", "1", "2"))
    run = judge_in_batches(engine, server)
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert (len(run.failures), len(ratings(engine))) == (2, 1)
    server.ends = lambda batch: batch.update(errors={"data": [{"message": f"{KEY} is wrong"}]}) or "failed"
    with pytest.raises(XlitError, match=r"\[key\] is wrong") as caught:
        judge_in_batches(engine, server)
    with sqlite3.connect(tmp_path / "s.db") as connection:
        connection.execute("PRAGMA wal_checkpoint")
        assert KEY not in "\n".join(connection.iterdump())
    for file in tmp_path.iterdir():
        assert KEY.encode() not in file.read_bytes()
    printed = capfd.readouterr()
    assert KEY not in printed.out + printed.err + caplog.text + str(caught.value)
    assert KEY not in json.dumps(run.failures)


@pytest.mark.parametrize("size", [2, 10])
def test_responses_are_read_as_often_with_many_small_batches_as_with_few(
    answered, batch_server, monkeypatch, size
):
    """Once to plan, once to be looked up, once to be sent and once to be collected."""
    read = []

    def counting(*args, **options):
        responses = unrated(*args, **options)
        read.extend(responses)
        return responses

    unrated = judging.unrated
    monkeypatch.setattr(judging, "unrated", counting)
    run = judge_in_batches(answered(*many(40)), batch_server(), size=size)
    assert run.counts["rated"] == 40
    assert len(read) <= 4 * 40


def test_a_response_that_comes_while_its_question_is_on_its_way_gets_the_same_answer(
    answered, batch_server, store
):
    late = []

    def answer(prompt, _):
        if not late:
            late.append(fill(store, *answers("1"), model="another"))
        return stars(prompt)

    run = judge_in_batches(answered(*answers("1")), batch_server(answer))
    assert run.counts["rated"] == 2
    assert len(ratings(store)) == 2
