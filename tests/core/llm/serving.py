"""Servers for one test, and an environment without keys."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.core.llm.chat_server import Answer, ChatServer


def without_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key of the one who runs the tests."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "XLIT_API_KEY", "XLIT_API_KEY_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")


@contextmanager
def serving() -> Iterator[Callable[..., ChatServer]]:
    """Starts servers that answer in this order, the last answer for good; or as one function of (request,
    number) says. `pages`: see `ChatServer`."""
    servers: list[ChatServer] = []

    def start(*answers: Answer | Callable, pages: dict[str, Answer] | None = None) -> ChatServer:
        def in_order(_: dict[str, Any], number: int) -> Answer:
            return answers[min(number, len(answers) - 1)]

        script = in_order if isinstance(answers[0], Answer) else answers[0]
        servers.append(ChatServer(script, pages))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
