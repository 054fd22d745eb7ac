"""A run that is killed at any step: the next one ends with the same rows, and no answer is paid for twice."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from store import open_store
from tests.core.judge.chat_server import Answer
from tests.core.judge.judged import judge, ratings
from tests.core.judge.llm_judge.batch.batch_judged import batch_rows, judge_in_batches, many
from tests.core.judge.llm_judge.batch.batch_server import stars

COUNT = 23
BATCHES = 3  # of at most 10 questions

pytestmark = pytest.mark.whole

SCRIPT = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from core.judge.llm_judge import questions
from core.llm import batch_api
from core.judge.llm_judge.settings import JudgeSettings
from core.judge.rubric.judge import judge_rubric
from store import open_store
from store.queries import batches

batch_api.FIRST_WAIT = 0.01
questions.CHUNK = 4  # several transactions to collect one batch
step, number = sys.argv[3], int(sys.argv[4])


def kill_in(owner, name, before):
    found, count = getattr(owner, name), 0

    def killer(*arguments, **named):
        nonlocal count
        count += 1
        if before and count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        value = found(*arguments, **named)
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return value

    setattr(owner, name, killer)


if step == "collecting":
    kill_in(questions.Questions, "write", before=False)
elif step == "ending":
    kill_in(batches, "end", before=True)
elif step == "planning":
    kill_in(batches, "plan", before=True)
settings = JudgeSettings(model="judge", base_url=sys.argv[2], batch=True, batch_size=10, poll=0.05)
judge_rubric(open_store(sys.argv[1]), settings)
"""

# At a request: (method, address, the how-many-th one, before or after the server has done it).
REQUESTS = {
    "before the upload": ("POST", "/files", 1, "before"),
    "after the upload": ("POST", "/files", 1, "after"),
    "before a batch is made": ("POST", "/batches", 1, "before"),
    "after a batch is made, its answer lost": ("POST", "/batches", 1, "after"),
    "after the last upload": ("POST", "/files", BATCHES, "after"),
    "after the last batch is made, its answer lost": ("POST", "/batches", BATCHES, "after"),
    "while waiting": ("GET", "/batches/ID", 4, "after"),
    "before the answers are read": ("GET", "/files/ID/content", 1, "before"),
    "between two batches collected": ("GET", "/files/ID/content", 2, "after"),
    "before bad answers are asked again": ("POST", "/files", BATCHES + 1, "before"),
    "after bad answers are asked again, the answer lost": ("POST", "/batches", BATCHES + 1, "after"),
    "before a file is deleted": ("DELETE", "/files/ID", 1, "before"),
}
# In the process itself, for no request is sent then.
STEPS = {
    "before the first batch is written down": ("planning", 1),
    "before the last batch is written down": ("planning", BATCHES),
    "in the middle of collecting": ("collecting", 2),
    "in the middle of collecting another": ("collecting", 5),
    "when all of a batch is collected": ("ending", 1),
}


def difficult(prompt, times):
    """Every third answer can't be used when it is asked for the first time."""
    good = stars(prompt)
    return "garbage" if times == 1 and int(good[-2]) == 1 else good


def direct(request, number):
    return Answer(stars(request["messages"][0]["content"]))


@pytest.fixture
def healthy(answered, serve, tmp_path):
    """Fills the store; what a direct run makes of a copy of it."""
    engine = answered(*many(COUNT))
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql(f"VACUUM INTO '{tmp_path / 'direct.db'}'")
        connection.exec_driver_sql("BEGIN")
    copy = open_store(tmp_path / "direct.db")
    judge(copy, serve(direct))
    found = ratings(copy)
    copy.dispose()
    assert len(found) == COUNT
    return found


def start(tmp_path, server, step="none", number=0):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "s.db"), server.url, step, str(number)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def kill_at(server, process, method, path, number, when):
    """Have the server kill the process at a request, whose answer is then lost."""

    def at(*request):
        if request != (method, path, number) or process.poll() is not None:
            return None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        return "cut"

    setattr(server, when, at)


def check(store, server, healthy):
    """The rows are the healthy ones, and each question was in as many batches as it had to be."""
    assert ratings(store) == healthy
    prompts = {
        line["custom_id"]: line["body"]["messages"][0]["content"]
        for lines in server.inputs.values()
        for line in lines
    }
    expected = {digest: 2 if difficult(prompt, 1) == "garbage" else 1 for digest, prompt in prompts.items()}
    assert dict(server.created) == expected
    assert dict(server.asked) == expected
    assert 0 < sum(times == 2 for times in expected.values()) < COUNT
    assert all(ended for *_, ended in batch_rows(store))
    with store.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM entry")).scalar() == COUNT
        assert connection.execute(text("SELECT count(*) FROM judge_answer")).scalar() == COUNT


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_killed_at_a_request_nothing_is_lost_and_nothing_paid_for_twice(
    healthy, store, batch_server, tmp_path, request_
):
    server = batch_server(difficult)
    server.page = 1  # the batch that is looked for may be on any page
    process = start(tmp_path, server)  # which needs longer to start than the next line
    kill_at(server, process, *request_)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    server.before = server.after = lambda *request: None
    assert judge_in_batches(store, server, size=10).exit_code == 0
    check(store, server, healthy)


@pytest.mark.parametrize(("step", "number"), STEPS.values(), ids=STEPS)
def test_killed_between_requests_nothing_is_lost_and_nothing_paid_for_twice(
    healthy, store, batch_server, tmp_path, step, number
):
    server = batch_server(difficult)
    process = start(tmp_path, server, step, number)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert judge_in_batches(store, server, size=10).exit_code == 0
    check(store, server, healthy)


def test_killed_again_and_again(healthy, store, batch_server, tmp_path):
    server = batch_server(difficult)
    for number in (1, 3, 5):
        process = start(tmp_path, server, "collecting", number)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
    judge_in_batches(store, server, size=10)
    check(store, server, healthy)


def test_ctrl_c_leaves_the_batches_running_and_says_so(healthy, store, batch_server, tmp_path):
    server = batch_server(difficult)
    server.steps = 10**9
    process = start(tmp_path, server)
    while server.calls["GET", "/batches/ID"] < 4 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode != 0
    assert "Batches that were sent go on: the same command collects the answers." in said
    assert {one["status"] for one in server.batches.values()} == {"in_progress"}
    server.steps = 1
    judge_in_batches(store, server, size=10)
    check(store, server, healthy)


def test_two_runs_at_once_ask_every_question_once(healthy, store, batch_server, tmp_path):
    server = batch_server(difficult)
    stores = [open_store(tmp_path / "s.db") for _ in range(2)]
    with ThreadPoolExecutor() as pool:
        records = list(pool.map(lambda engine: judge_in_batches(engine, server, size=10), stores))
    assert [record.exit_code for record in records] == [0, 0]
    assert sum(record.counts.get("rated", 0) for record in records) == COUNT
    check(store, server, healthy)
