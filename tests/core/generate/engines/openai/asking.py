"""Asking through the openai engine in tests."""

from collections.abc import Iterator
from contextlib import closing

from core.generate.decoding import Decoding
from core.generate.engines.base import Chat, Failed, Generation, Request
from core.generate.engines.openai import OpenAiEngine
from tests.core.llm.chat_server import ChatServer

GREEDY = Decoding(max_new_tokens=30, repetition_penalty=1.0)


def chat(text: str) -> Chat:
    return [{"role": "user", "content": text}]


def requests(*texts: str) -> Iterator[tuple[str, Request]]:
    """One request for each text, which is its key."""
    return ((text, Request(chat(text))) for text in texts)


def opened(server: ChatServer, decoding: Decoding = GREEDY, **options) -> closing[OpenAiEngine]:
    """An engine that asks this server."""
    return closing(OpenAiEngine("m", decoding, base_url=server.url, **options))


def ask(server: ChatServer, decoding: Decoding = GREEDY, **options) -> Generation | Failed:
    """The answer to one request."""
    with opened(server, decoding, **options) as engine:
        [(_, answer)] = engine.stream(requests("Hi"))
    return answer
