"""Which server it is, is found out by asking; the decoding is said in its words, or refused."""

import pytest

from core.generate.decoding import Decoding
from store import UsageError
from tests.core.generate.engines.openai.asking import ask, opened
from tests.core.llm.chat_server import Answer

pytestmark = pytest.mark.parts


PENALTY = Decoding(max_new_tokens=30, repetition_penalty=1.2)
SAMPLE = Decoding(max_new_tokens=30, repetition_penalty=1.0, temperature=0.7, top_p=0.9, top_k=40)


def models(*entries: dict) -> Answer:
    return Answer(body={"object": "list", "data": list(entries)})


# What the real servers say, without what is not looked at.
VLLM = {
    "/v1/models": models({"id": "m", "owned_by": "vllm", "root": "/data/m", "max_model_len": 1024}),
    "/version": Answer(body={"version": "0.32.0"}),
}
LLAMA_SERVER = {
    "/v1/models": models(
        {"id": "m.gguf", "owned_by": "llamacpp", "meta": {"n_ctx": 2048, "n_ctx_train": 4096}}
    ),
    "/props": Answer(
        body={
            "default_generation_settings": {"n_ctx": 1024},
            "build_info": "b7000-abc",
            "model_ftype": "Q8_0",
            "model_path": "/data/m.gguf",
        }
    ),
}
LLAMA_CPP_PYTHON = {
    "/v1/models": models({"id": "m.gguf", "owned_by": "me"}),
    "/openapi.json": Answer(body={"info": {"title": "🦙 llama.cpp Python API", "version": "0.3.36"}}),
}
TGI = {
    "/info": Answer(
        body={"model_id": "org/m", "version": "3.3.0", "model_dtype": "float16", "max_total_tokens": 4096,
              "max_concurrent_requests": 128, "docker_label": "sha"},
    ),
}  # fmt: skip
OPENAI = {"/v1/models": models(*({"id": name, "owned_by": "system"} for name in ("m", "n", "o")))}
SERVERS = {
    "vllm": VLLM, "llama-server": LLAMA_SERVER, "llama-cpp-python": LLAMA_CPP_PYTHON, "tgi": TGI,
    "openai": OPENAI, "one that tells nothing": {},
}  # fmt: skip


@pytest.mark.parametrize(
    ("pages", "told"),
    [
        (VLLM, {"kind": "vLLM", "version": "0.32.0", "model": "m", "context_length": 1024}),
        (
            LLAMA_SERVER,
            {
                "kind": "llama-server",
                "version": "b7000-abc",
                "model": "m.gguf",
                "weights": "Q8_0",
                "context_length": 1024,
            },
        ),
        (LLAMA_CPP_PYTHON, {"kind": "llama-cpp-python", "version": "0.3.36", "model": "m.gguf"}),
        (
            TGI,
            {
                "kind": "TGI",
                "version": "3.3.0",
                "model": "org/m",
                "weights": "float16",
                "context_length": 4096,
            },
        ),
        (OPENAI, {"model": "m"}),
        ({}, {}),
    ],
)
def test_a_server_is_described_in_its_own_words(serve, pages, told):
    server = serve(Answer(), pages=pages)
    with opened(server) as engine:
        assert engine.describe_server() == {"address": server.url} | told
        assert engine.context_length == told.get("context_length", 2**31)


@pytest.mark.parametrize("kind", ["vllm", "llama-server"])
def test_the_penalty_goes_to_servers_that_have_it(serve, kind):
    server = serve(Answer(), pages=SERVERS[kind])
    ask(server, PENALTY)
    [request] = server.requests
    if kind == "vllm":
        assert request["repetition_penalty"] == 1.2
    else:
        assert (request["repeat_penalty"], request["repeat_last_n"]) == (1.2, 1024)
        assert request["samplers"] == ["penalties", "temperature", "top_k", "top_p"]


@pytest.mark.parametrize("kind", ["llama-cpp-python", "tgi", "openai", "one that tells nothing"])
def test_a_penalty_that_would_be_left_out_is_refused_before_anything_is_asked(serve, kind):
    server = serve(Answer(), pages=SERVERS[kind])
    with pytest.raises(UsageError, match=r"repetition penalty .*: give --repetition-penalty 1\.$"):
        ask(server, PENALTY)
    assert server.requests == []


def test_a_server_whose_list_is_hidden_has_no_penalty_either(serve):
    entry = {"id": "other", "owned_by": "vllm"}
    server = serve(Answer(), pages={"/v1/models": models(entry, entry)})
    with pytest.raises(UsageError, match="repetition penalty"):
        ask(server, PENALTY)


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("vllm", {"repetition_penalty": 1.0, "top_p": 0.9, "top_k": 40, "min_p": 0.0}),
        (
            "llama-server",
            {
                "repeat_penalty": 1.0,
                "repeat_last_n": 1024,
                "presence_penalty": 0.0,
                "frequency_penalty": 0.0,
                "top_p": 0.9,
                "top_k": 40,
                "samplers": ["penalties", "temperature", "top_k", "top_p"],
            },
        ),
        ("llama-cpp-python", {"repeat_penalty": 1.0, "top_p": 0.9, "top_k": 40, "min_p": 0.0}),
    ],
)
def test_sampling_leaves_nothing_to_the_servers_own_defaults(serve, kind, asked):
    server = serve(Answer(), pages=SERVERS[kind])
    ask(server, SAMPLE)
    [request] = server.requests
    common = {"temperature": 0.7, "seed": 0, "max_tokens": 30}
    assert request == {"model": "m", "messages": request["messages"]} | common | asked


@pytest.mark.parametrize("kind", ["tgi", "openai", "one that tells nothing"])
def test_a_top_k_that_would_be_left_out_is_refused(serve, kind):
    server = serve(Answer(), pages=SERVERS[kind])
    with pytest.raises(UsageError, match="top_k"):
        ask(server, SAMPLE)
    assert server.requests == []


def test_all_tokens_are_kept_in_the_words_of_each_server(serve):
    decoding = Decoding(max_new_tokens=30, repetition_penalty=1.0, temperature=1.0)
    said = {}
    for kind in SERVERS:
        server = serve(Answer(), pages=SERVERS[kind])
        ask(server, decoding)
        said[kind] = (server.requests[0].get("top_p"), server.requests[0].get("top_k"))
    assert said == {
        "vllm": (1.0, -1),
        "llama-server": (1.0, 0),
        "llama-cpp-python": (1.0, 0),
        "tgi": (None, None),
        "openai": (1.0, None),
        "one that tells nothing": (1.0, None),
    }


def test_no_more_is_asked_for_than_the_context_holds(serve):
    server = serve(Answer(), pages=VLLM)
    ask(server, Decoding(max_new_tokens=5000, repetition_penalty=1.0))
    assert server.requests[0]["max_tokens"] == 1023


@pytest.mark.parametrize(
    "hostile",
    [
        Answer(body="<html>"),
        Answer(body=[]),
        Answer(body={"data": {"id": "m"}}),
        Answer(body={"data": ["m", None, 7]}),
        Answer(body={"data": [{"id": ["m"], "owned_by": ["vllm"], "max_model_len": "many"}]}),
        Answer(body={"data": [{"id": "m", "owned_by": "llamacpp", "meta": [1]}]}),
        Answer(body={"data": [{"id": "m", "owned_by": "me"}]}),
        Answer(status=405, body={}),
        Answer(status=400, body={}),
    ],
)
def test_a_list_that_is_none_says_nothing(serve, hostile):
    pages = {"/v1/models": hostile, "/props": Answer(body=[1]), "/openapi.json": Answer(body={"info": 3})}
    server = serve(Answer(), pages=pages)
    with opened(server) as engine:
        assert set(engine.describe_server()) <= {"address", "model", "kind"}
        assert engine.context_length == 2**31
    assert ask(server).text == "Good."


def test_what_a_server_says_of_itself_is_one_short_line(serve):
    entry = {"id": "m\n\x1b[31m" + "x" * 5000, "owned_by": "vllm", "max_model_len": -4}
    server = serve(
        Answer(), pages={"/v1/models": models(entry), "/version": Answer(body={"version": {"a": 1}})}
    )
    with opened(server) as engine:
        told = engine.describe_server()
    assert len(told["model"]) == 200
    assert told["model"].startswith("m \ufffd[31mxxx")
    assert set(told) == {"address", "kind", "model"}
