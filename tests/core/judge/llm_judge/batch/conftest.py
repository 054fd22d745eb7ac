"""For the tests of judging in batches: a server with a Batch API."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.llm import batch_api
from tests.core.judge.llm_judge.batch.batch_server import BatchServer, stars


@pytest.fixture
def batch_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., BatchServer]]:
    """Starts servers that answer by a function of (prompt, for the how-many-th time), or with stars."""
    monkeypatch.setattr(batch_api, "FIRST_WAIT", 0.01)
    servers = []

    def start(answer: Callable[[str, int], Any] = stars) -> BatchServer:
        servers.append(BatchServer(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
