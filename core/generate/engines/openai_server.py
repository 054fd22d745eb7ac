"""What stands behind an OpenAI-compatible address, and a decoding in the words of each server.

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
from dataclasses import asdict, dataclass
from typing import Any

from core.generate.decoding import Decoding
from core.llm.answers import NotOnServer, RequestFailed, count_in
from core.llm.client import Client
from core.llm.limits import RetryingSender
from store import UsageError, XlitError

VLLM, LLAMA_SERVER, LLAMA_CPP_PYTHON, TGI = "vLLM", "llama-server", "llama-cpp-python", "TGI"


@dataclass(frozen=True)
class Server:
    """A server in its own words. `kind`: one of the names above, or None; `model`: what it calls the model;
    `weights`: their number format; `context_length` in tokens, prompt and answer together."""

    address: str
    kind: str | None = None
    version: str | None = None
    model: str | None = None
    weights: str | None = None
    context_length: int | None = None

    def description(self) -> dict[str, Any]:
        """What is known, as plain data."""
        return {name: value for name, value in asdict(self).items() if value is not None}


async def identify_server(client: Client) -> Server:
    """Ask the server what it is: its list of models, and one page that only servers of its kind have.

    Raises `XlitError` when it can't be reached, refuses the key, or stays out of order.
    """
    try:
        listed = await RetryingSender(1).ask(client.models, 1)
    except NotOnServer:
        listed = None
    except RequestFailed as error:
        if error.busy:
            raise XlitError(f"{client.address} is out of order: {error}. Try again later.") from None
        listed = None
    return await _read(client, _entry(listed, client.model))


async def _read(client: Client, entry: dict[str, Any]) -> Server:
    def word(value: Any) -> str | None:
        """A text of the server in one short line."""
        return client.message(Exception(value)) if isinstance(value, str) and value else None

    async def page(path: str) -> dict[str, Any]:
        return _object(await client.page(path))

    model, context = word(entry.get("id")), count_in(entry, "max_model_len")
    match entry.get("owned_by"):
        case "vllm":
            version_page = await page("/version")
            return Server(client.address, VLLM, word(version_page.get("version")), model, None, context)
        case "llamacpp":
            props = await page("/props")
            context = count_in(props.get("default_generation_settings"), "n_ctx") or count_in(
                entry.get("meta"), "n_ctx"
            )
            weights = word(props.get("model_ftype"))
            return Server(
                client.address, LLAMA_SERVER, word(props.get("build_info")), model, weights, context
            )
        case "me":
            about = _object((await page("/openapi.json")).get("info"))
            if "llama.cpp" in str(about.get("title")):
                return Server(client.address, LLAMA_CPP_PYTHON, word(about.get("version")), model)
        case _:
            info = await page("/info")
            if "max_total_tokens" in info and "max_concurrent_requests" in info:
                weights, context = word(info.get("model_dtype")), count_in(info, "max_total_tokens")
                name = word(info.get("model_id"))
                return Server(client.address, TGI, word(info.get("version")), name, weights, context)
    return Server(client.address, model=model, context_length=context)


def _entry(listed: Any, model: str) -> dict[str, Any]:
    """What a list of models says of this one, or of the only one there; empty when it says nothing."""
    data = _object(listed).get("data")
    entries = [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []
    named = [entry for entry in entries if entry.get("id") == model]
    return (named or entries)[0] if len(named) == 1 or len(entries) == 1 else {}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def check_decoding(decoding: Decoding, server: Server) -> None:
    """Raises `UsageError` for a decoding that the server would not follow."""
    who = f"{server.address} ({server.kind})" if server.kind else server.address
    if decoding.repetition_penalty != 1 and server.kind not in (VLLM, LLAMA_SERVER):
        raise UsageError(
            f"{who} is not known to have a repetition penalty over prompt and answer and would leave it out "
            "without a word: give --repetition-penalty 1."
        )
    if decoding.top_k and server.kind not in (VLLM, LLAMA_SERVER, LLAMA_CPP_PYTHON):
        raise UsageError(f"{who} is not known to have top_k and would leave it out without a word.")


def decoding_options(decoding: Decoding, server: Server, seed: int) -> dict[str, Any]:
    """The options of one request, but for the limit of new tokens. `seed`: the request's."""
    options: dict[str, Any] = {"temperature": decoding.temperature}
    if not decoding.greedy:
        options["seed"] = seed % 2**31
    return options | _OTHERS.get(server.kind or "", _plain)(decoding, server)


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
