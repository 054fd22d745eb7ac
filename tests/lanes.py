"""The lanes of the tests, by what a test may use.

A mark on a file or a test says its lane; a test without one is in the lane `unit`.

| lane | may use | run by |
| --- | --- | --- |
| unit | functions and files | `make test-unit`, under a minute |
| parts | a real store, servers in this process, the room through Textual's pilot | `make test` |
| whole | processes, pseudo-terminals, training, GGUF, whatever takes long | `make test-all` |

A test that uses more than its lane allows fails, so that the quick lanes stay quick. What a fixture starts
(the PostgreSQL server of the run) is not counted.
"""

import os
import platform
import socket
import subprocess
from collections.abc import Callable, Generator
from typing import Any

import pytest

from store import engine as store_engine
from store import provenance

# What the running test may not do: the names of `GUARDED`.
forbidden: set[str] = set()


def lane_of(item: pytest.Item) -> str:
    """`whole`, `parts` or `unit`: the widest lane that the test, its class or its file is marked with."""
    return next((lane for lane in ("whole", "parts") if item.get_closest_marker(lane)), "unit")


def _guard(owner: Any, name: str, what: str) -> None:
    """Let `owner.name` fail where the running test's lane forbids `what`."""
    original: Callable[..., Any] = getattr(owner, name)

    def guarded(*arguments: Any, **options: Any) -> Any:
        if what in forbidden:
            pytest.fail(f"This test {what}: mark it with the lane that allows it (tests/lanes.py).")
        return original(*arguments, **options)

    setattr(owner, name, guarded)


def pytest_configure() -> None:
    from textual.app import App

    # Asked once in a process, by whichever test first records a run, or opens a client of a server.
    provenance.git_revision()
    platform.processor()
    _guard(subprocess.Popen, "__init__", "starts a process")
    _guard(os, "fork", "starts a process")
    _guard(App, "run_test", "runs the review room")
    _guard(store_engine, "_engine", "opens a store")
    _guard(socket.socket, "listen", "starts a server")


FORBIDDEN = {
    "whole": set[str](),
    "parts": {"starts a process"},
    "unit": {"starts a process", "runs the review room", "opens a store", "starts a server"},
}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    forbidden.update(FORBIDDEN[lane_of(item)])
    try:
        return (yield)
    finally:
        forbidden.clear()
