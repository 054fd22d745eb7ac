"""A decoding in the words of each server.

OpenAI's API has neither a repetition penalty nor top-k, and servers leave out what they don't know without a
word. So these go only to servers that have them, by the name that each uses:

* vLLM: `repetition_penalty`, over prompt and answer (docs.vllm.ai, sampling parameters).
* llama.cpp's llama-server: `repeat_penalty`, over the last `repeat_last_n` tokens of prompt and answer (-1:
  all of them, which newer ones refuse); `samplers` is the order in which they are applied (its README, POST
  /completion).
* llama-cpp-python's server: `repeat_penalty` counts the last 64 tokens of the answer only: it is turned off.
* TGI: its chat API has neither.

Servers have defaults of their own, some from the model's folder: all that could change an answer is said.
"""

from collections.abc import Callable
from typing import Any

from core.generate.decoding import Decoding
from core.generate.openai_engine.server import LLAMA_CPP_PYTHON, LLAMA_SERVER, TGI, VLLM, Server
from store import UsageError


def check(decoding: Decoding, server: Server) -> None:
    """Raises `UsageError` for a decoding that the server would not follow."""
    who = f"{server.address} ({server.kind})" if server.kind else server.address
    if decoding.repetition_penalty != 1 and server.kind not in (VLLM, LLAMA_SERVER):
        raise UsageError(
            f"{who} is not known to have a repetition penalty over prompt and answer and would leave it out "
            "without a word: give --repetition-penalty 1."
        )
    if decoding.top_k and server.kind not in (VLLM, LLAMA_SERVER, LLAMA_CPP_PYTHON):
        raise UsageError(f"{who} is not known to have top_k and would leave it out without a word.")


def options(decoding: Decoding, server: Server, seed: int) -> dict[str, Any]:
    """The options of one request, but for the limit of new tokens. `seed`: the request's."""
    found: dict[str, Any] = {"temperature": decoding.temperature}
    if not decoding.greedy:
        found["seed"] = seed % 2**31
    return found | _OTHERS.get(server.kind or "", _plain)(decoding, server)


def _plain(decoding: Decoding, _: Server) -> dict[str, Any]:
    return {} if decoding.greedy else {"top_p": decoding.top_p}


def _vllm(decoding: Decoding, _: Server) -> dict[str, Any]:
    return {
        "repetition_penalty": decoding.repetition_penalty,
        "top_p": decoding.top_p,
        "top_k": decoding.top_k or -1,
        "min_p": 0.0,
    }


def _llama_server(decoding: Decoding, server: Server) -> dict[str, Any]:
    return {
        "repeat_penalty": decoding.repetition_penalty,
        "repeat_last_n": server.context_length or -1,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "top_p": decoding.top_p,
        "top_k": decoding.top_k,
        "samplers": ["penalties", "temperature", "top_k", "top_p"],
    }


def _llama_cpp_python(decoding: Decoding, _: Server) -> dict[str, Any]:
    return {"repeat_penalty": 1.0, "top_p": decoding.top_p, "top_k": decoding.top_k, "min_p": 0.0}


def _tgi(decoding: Decoding, _: Server) -> dict[str, Any]:
    # It refuses a top_p of 1, which is what it does without one.
    return {"top_p": decoding.top_p} if decoding.top_p < 1 else {}


_OTHERS: dict[str, Callable[[Decoding, Server], dict[str, Any]]] = {
    VLLM: _vllm,
    LLAMA_SERVER: _llama_server,
    LLAMA_CPP_PYTHON: _llama_cpp_python,
    TGI: _tgi,
}
