"""What batches may cost, and the limit that they never go beyond."""

import pytest

from core.judge.llm_judge.settings import JudgeSettings
from core.judge.rubric.judge import judge_rubric
from tests.core.judge.chat_server import Answer
from tests.core.judge.judged import judge, ratings
from tests.core.judge.llm_judge.batch.batch_judged import batch_rows, judge_in_batches, many
from tests.core.judge.llm_judge.batch.batch_server import answer_line, completion, stars

pytestmark = pytest.mark.parts


# By batch, at half the price, a request can cost $0.50; it costs $0.01 with the 20 tokens of a short answer.
PRICES = '[models."judge"]\ninput = 0\noutput = 1000\nbatch = 0.5\n'
AT_MOST = 0.5


@pytest.fixture
def prices(tmp_path):
    file = tmp_path / "prices.toml"
    file.write_text(PRICES)
    return file


def wordy(prompt, times):
    """As many tokens as may be."""
    return answer_line("", completion(stars(prompt), tokens=(100, 1000)))


def uncounted(prompt, times):
    return answer_line("", completion(stars(prompt), tokens=None))


def watch(server, cost):
    """Notes, after each request, what could have been spent by then at most."""
    most = []

    def look(method, path, count):
        ended = [name for name in server.inputs if server.batches[name]["status"] == "completed"]
        waiting = [name for name in server.inputs if name not in ended]
        spent = sum(len(server.inputs[name]) for name in ended) * cost
        most.append(spent + sum(len(server.inputs[name]) for name in waiting) * AT_MOST)

    server.after = look
    return most


def test_batches_are_cut_to_fit_into_what_is_left(answered, batch_server, prices):
    server = batch_server()
    most = watch(server, 0.01)
    engine = answered(*many(13))
    run = judge_in_batches(engine, server, max_cost=2.6, prices=prices)
    assert (run.exit_code, len(ratings(engine))) == (0, 13)
    assert [len(lines) for lines in server.inputs.values()] == [5, 5, 3]
    assert max(most) == pytest.approx(2.55)
    assert run.counts["US dollars"] == pytest.approx(0.13)
    assert set(server.created.values()) == {1}


def test_what_was_spent_is_never_more_than_the_limit(answered, batch_server, prices, serve):
    server = batch_server(wordy)
    engine = answered(*many(13))
    run = judge_in_batches(engine, server, max_cost=2.6, prices=prices)
    assert run.exit_code == 3
    assert run.failures == [("rubric judge", "stopped before $2.6; 8 responses are left: raise --max-cost")]
    assert (len(ratings(engine)), run.counts["US dollars"]) == (5, 2.5)
    assert len(server.created) == 5
    chats = serve(lambda request, number: Answer(stars(request["messages"][0]["content"])))
    assert judge(engine, chats).counts["rated"] == 8  # nothing is left on its way


@pytest.mark.parametrize("repeats", [1, 3])
def test_a_limit_below_the_price_of_one_question_asks_nothing(answered, batch_server, prices, repeats):
    server = batch_server()
    engine = answered(*many(3))
    run = judge_in_batches(engine, server, max_cost=0.49, prices=prices, repeats=repeats)
    assert run.exit_code == 3
    assert server.calls == {}
    assert all(ended for *_, ended in batch_rows(engine))


def test_repeats_share_the_limit(answered, batch_server, prices):
    server = batch_server(wordy)
    run = judge_in_batches(answered(*many(3)), server, max_cost=2, prices=prices, repeats=3)
    assert run.exit_code == 3
    assert len(server.created) == 4
    assert run.counts["US dollars"] == 2


def test_bad_answers_are_not_asked_again_beyond_the_limit(answered, batch_server, prices):
    server = batch_server(lambda prompt, times: answer_line("", completion("garbage", tokens=(100, 1000))))
    engine = answered(*many(3))
    run = judge_in_batches(engine, server, max_cost=2.4, prices=prices)
    assert run.exit_code == 3
    assert sum(server.created.values()) == 4
    assert run.counts["US dollars"] == 2
    assert ratings(engine) == {}


def test_answers_without_a_count_of_tokens_cost_the_most_that_they_can(answered, batch_server, prices):
    server = batch_server(uncounted)
    run = judge_in_batches(answered(*many(9)), server, max_cost=2, prices=prices)
    assert run.counts["US dollars"] == 2
    assert len(server.created) == 4


@pytest.mark.parametrize(
    "lines",
    [
        lambda batch, found: found[:-1],
        lambda batch, found: [*found[:-1], b'{"custom_id": "' + found[-1]["custom_id"].encode()],
        lambda batch, found: [*found, answer_line(found[0]["custom_id"], completion("x"))],
        lambda batch, found: [*found[:-1], answer_line(found[-1]["custom_id"], {"choices": []})],
    ],
    ids=["missing", "cut", "two answers", "no completion"],
)
def test_lines_that_may_have_cost_something_count_as_the_most(answered, batch_server, prices, lines):
    server = batch_server()
    server.lines = lines
    run = judge_in_batches(answered(*many(4)), server, max_cost=2, prices=prices)
    assert run.counts["US dollars"] == 2
    assert len(server.batches) == 1


def test_batches_of_a_run_before_count_until_they_have_ended(answered, batch_server, prices):
    server = batch_server()
    server.steps = 10**9
    engine = answered(*many(9))
    judge_in_batches(engine, server, prices=prices, max_cost=2, wait=False)
    assert [len(lines) for lines in server.inputs.values()] == [4]
    judge_in_batches(engine, server, prices=prices, max_cost=2, wait=False)
    judge_in_batches(engine, server, prices=prices, max_cost=3.1, wait=False)
    assert [len(lines) for lines in server.inputs.values()] == [4, 2]
    server.steps = 1
    assert judge_in_batches(engine, server, prices=prices, max_cost=3.1).exit_code == 0
    assert len(ratings(engine)) == 9
    assert set(server.created.values()) == {1}


def test_the_question_before_a_run_tells_the_price_by_batch(answered, batch_server, prices):
    server = batch_server()
    found = []
    engine = answered(*many(3), *many(2))

    def agree(survey):
        found.append(survey)
        return len(found) > 1

    assert judge_in_batches(engine, server, prices=prices, agree=agree).counts == {}
    assert server.calls == {}
    assert judge_in_batches(engine, server, prices=prices, agree=agree, wait=False, limit=2).exit_code == 0
    judge_rubric(engine, JudgeSettings(model="judge", base_url=server.url, prices=prices), agree=found.append)
    first, second, direct = found
    assert (first.questions, second.questions, direct.questions) == (3, 2, 1)  # two are on their way
    assert first.at_most == pytest.approx(3 * AT_MOST)
    assert direct.at_most == pytest.approx(2 * AT_MOST)
    assert "by the Batch API" in first.sentence
    assert "by the Batch API" not in direct.sentence
    assert judge_in_batches(engine, server, prices=prices, agree=agree).exit_code == 0
    assert len(ratings(engine)) == 5
