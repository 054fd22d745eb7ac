"""Real servers with a real model answer as the engines in this process do."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from core.generate.checkpoint import inspect_checkpoint
from core.generate.decoding import Decoding
from core.generate.engines.base import Failed, Request, answer_all
from core.generate.engines.openai import OpenAiEngine
from core.generate.engines.transformers.engine import TransformersEngine
from store import UsageError

# llama.cpp's own server, which a module runs in its process.
XLLAMACPP = """
import sys, time, xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path, parameters.port = sys.argv[1], int(sys.argv[2])
parameters.n_parallel, parameters.n_ctx = 4, 4 * 128
parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
parameters.use_jinja = parameters.endpoint_props = True
parameters.cache_type_k = parameters.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
server = xllamacpp.Server(parameters)
time.sleep(3600)
"""


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[str]:
    """The address of a server that is started, answers, and is stopped at the end."""
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
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


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="module")
def llama_cpp_python(gguf_file: Path, tmp_path_factory):
    pytest.importorskip("llama_cpp.server.app", reason="the server of llama-cpp-python is not installed")
    port = free_port()
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(gguf_file), "--port", str(port)]
    log = tmp_path_factory.mktemp("log") / "server.txt"
    with running([*command, "--n_ctx", "128", "--n_threads", "1"], port, log) as url:
        yield url


@pytest.fixture(scope="module")
def llama_server(gguf_file: Path, tmp_path_factory):
    pytest.importorskip("xllamacpp", reason="xllamacpp, which has llama.cpp's server in it, is not installed")
    port = free_port()
    command = [sys.executable, "-c", XLLAMACPP, str(gguf_file), str(port)]
    with running(command, port, tmp_path_factory.mktemp("log") / "server.txt") as url:
        yield url


def content(answers) -> list[tuple]:
    return [(a.text, a.finish_reason, a.tokens_in, a.tokens_out) for a in answers]


def answered(url: str, decoding: Decoding, chats) -> tuple[dict, list[tuple]]:
    with closing(OpenAiEngine("tiny", decoding, base_url=url, concurrency=4, timeout=120)) as engine:
        return engine.describe_server(), content(answer_all(engine, chats))


def expected(checkpoint: Path, decoding: Decoding, chats) -> list[tuple]:
    with closing(TransformersEngine(inspect_checkpoint(checkpoint), decoding)) as engine:
        return content(answer_all(engine, chats))


def plain(chats):
    """Those that every server's template writes as ours does."""
    return [chat for chat in chats if "\x00" not in chat[0]["content"]]


@pytest.mark.whole
def test_llama_cpp_pythons_server_answers_as_transformers_without_a_penalty(
    llama_cpp_python, checkpoint, chats
):
    decoding = Decoding(max_new_tokens=24, repetition_penalty=1.0)
    told, found = answered(llama_cpp_python, decoding, plain(chats))
    assert told["kind"] == "llama-cpp-python"
    ours = expected(checkpoint, decoding, plain(chats))
    assert [answer[:2] for answer in found] == [answer[:2] for answer in ours]


def test_llama_cpp_pythons_server_is_not_asked_with_a_penalty(llama_cpp_python):
    with pytest.raises(UsageError, match="give --repetition-penalty 1"):
        OpenAiEngine("tiny", Decoding(max_new_tokens=24), base_url=llama_cpp_python)


def test_a_prompt_that_the_context_does_not_hold_fails_alone(llama_cpp_python, chats):
    long = [{"role": "user", "content": "Paris " * 400}]
    requests = enumerate(Request(chat) for chat in (long, chats[0]))
    with closing(
        OpenAiEngine("tiny", Decoding(max_new_tokens=24, repetition_penalty=1.0), base_url=llama_cpp_python)
    ) as engine:
        answers = dict(engine.stream(requests))
    assert isinstance(answers[0], Failed)
    assert answers[1].text == "The capital of France is Paris."


@pytest.mark.parametrize("penalty", [1.0, 1.1, 1.5])
def test_llama_server_answers_as_transformers_with_a_penalty(llama_server, checkpoint, chats, penalty):
    decoding = Decoding(max_new_tokens=24, repetition_penalty=penalty)
    told, found = answered(llama_server, decoding, plain(chats))
    assert (told["kind"], told["context_length"]) == ("llama-server", 128)
    assert found == expected(checkpoint, decoding, plain(chats))
