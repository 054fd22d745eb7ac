"""Servers that answer as they are told to, and no key of the one who runs the tests."""

import pytest

from core.llm import limits
from tests.core.llm.serving import serving, without_keys


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    without_keys(monkeypatch)
    monkeypatch.setattr(limits, "FIRST_WAIT", 0.01)


@pytest.fixture
def serve():
    with serving() as start:
        yield start
