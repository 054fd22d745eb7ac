"""A real server with a real model (llama.cpp's, with the miniature) judges under a JSON grammar."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from core.judge.llm_judge.settings import JudgeSettings
from core.judge.relevance import judge_relevance
from core.judge.rubric.judge import judge_rubric
from tests.core.judge.judged import ratings

pytestmark = pytest.mark.whole


BASE = Path(__file__).parents[4] / "core" / "miniature" / "base"


@pytest.fixture(scope="module")
def llama_server(tmp_path_factory):
    pytest.importorskip("llama_cpp.server.app", reason="the server of llama-cpp-python is not installed")
    from core.generate.gguf.convert import convert

    gguf = convert(BASE, tmp_path_factory.mktemp("gguf") / "miniature.gguf", "q8_0")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(gguf), "--port", str(port)]
    log = tmp_path_factory.mktemp("log") / "server.txt"
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command, "--n_ctx", "4096", "--n_threads", "1"], stdout=out, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}/v1"
    try:
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{url}/models", timeout=5) as answer:
                    json.load(answer)
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


def test_every_answer_of_a_grammar_bound_model_is_a_rating(answered, llama_server):
    rows = [("en", "What is the currency of Japan?", f"It is number {number}.") for number in range(3)]
    engine = answered(*rows)
    run = judge_rubric(
        engine, JudgeSettings(model="miniature", base_url=llama_server, concurrency=2, timeout=120)
    )
    assert run.failures == []
    found = ratings(engine)
    assert len(found) == 3
    assert all(len(scores) == 6 and set(scores.values()) <= {0, 1, 2} for scores in found.values())
    assert run.counts["tokens in"] > 0


def test_a_model_that_answers_beside_the_point_rates_nothing(answered, llama_server):
    """The miniature knows nothing of relevance: whatever it says, only a 0 or 1 in it is one."""
    engine = answered(("en", "What is the currency of Japan?", "It is the yen."))
    run = judge_relevance(
        engine, JudgeSettings(model="miniature", base_url=llama_server, attempts=1, timeout=120)
    )
    with engine.connect() as connection:
        values = [value for (value,) in connection.exec_driver_sql("SELECT value FROM surface_metric")]
    assert len(values) + len(run.failures) == 1
    assert set(values) <= {0.0, 1.0}
