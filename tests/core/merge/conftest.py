"""Merging without asking git each time."""

import pytest

from tests.reviewing import without_git


@pytest.fixture(autouse=True)
def _quick_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    without_git(monkeypatch)
