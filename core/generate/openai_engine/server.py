"""What stands behind an OpenAI-compatible address, as far as it tells."""

from dataclasses import asdict, dataclass
from typing import Any

from core.llm.answers import NotOnServer, RequestFailed, count_in
from core.llm.client import Client
from core.llm.limits import RetryingSender
from store import XlitError

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


async def find_out(client: Client) -> Server:
    """Ask the server what it is: its list of models, and one page that only servers of its kind have.

    Raises `XlitError` when it can't be reached, refuses the key, or stays out of order.
    """
    try:
        listed = await RetryingSender(1).ask(client.models, 1)
    except NotOnServer:
        listed = None
    except RequestFailed as error:
        if error.busy:
            raise XlitError(f"{client.shown} is out of order: {error}. Try again later.") from None
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
            found = await page("/version")
            return Server(client.shown, VLLM, word(found.get("version")), model, None, context)
        case "llamacpp":
            found = await page("/props")
            context = count_in(found.get("default_generation_settings"), "n_ctx") or count_in(
                entry.get("meta"), "n_ctx"
            )
            weights = word(found.get("model_ftype"))
            return Server(client.shown, LLAMA_SERVER, word(found.get("build_info")), model, weights, context)
        case "me":
            about = _object((await page("/openapi.json")).get("info"))
            if "llama.cpp" in str(about.get("title")):
                return Server(client.shown, LLAMA_CPP_PYTHON, word(about.get("version")), model)
        case _:
            found = await page("/info")
            if "max_total_tokens" in found and "max_concurrent_requests" in found:
                weights, context = word(found.get("model_dtype")), count_in(found, "max_total_tokens")
                name = word(found.get("model_id"))
                return Server(client.shown, TGI, word(found.get("version")), name, weights, context)
    return Server(client.shown, model=model, context_length=context)


def _entry(listed: Any, model: str) -> dict[str, Any]:
    """What a list of models says of this one, or of the only one there; empty when it says nothing."""
    data = _object(listed).get("data")
    entries = [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []
    named = [entry for entry in entries if entry.get("id") == model]
    return (named or entries)[0] if len(named) == 1 or len(entries) == 1 else {}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
