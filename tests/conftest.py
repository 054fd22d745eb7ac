"""For all tests: one thread a process, since models this small only lose by sharing their work; and little of
Python's looking for garbage, which among thousands of tests and large libraries takes most of the time."""

import gc
import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

pytest_plugins = ["tests.postgresql"]

gc.disable()


def pytest_collection_finish() -> None:
    """What the tests have imported so far stays."""
    gc.enable()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def _libraries_stay() -> Iterator[None]:
    """What a file of tests has imported stays; what it left behind does not."""
    yield
    gc.collect()
    gc.freeze()
