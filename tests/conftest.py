"""For all tests: one thread a process, since models this small only lose by sharing their work; and little of
Python's looking for garbage, which takes long among thousands of tests and large libraries."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

pytest_plugins = ["tests.postgresql", "tests.template_store", "tests.lanes"]

gc.disable()

# The files that take longest begin first, so that none of them is still at work when all others have ended.
LONGEST = (
    "core/test_run.py",
    "core/judge/llm_judge/batch/test_batch_faults.py",
    "core/judge/llm_judge/batch/test_batch_kills.py",
    "core/report/test_figures.py",
    "store/test_filters.py",
    "ui/test_ssh.py",
    "core/generate/test_run.py",
    "ui/test_kills.py",
    "core/judge/modifiers/test_hostile_responses.py",
    "ui/test_snapshots.py",
    "ui/test_news.py",
    "ui/test_sizes.py",
    "ui/test_budgets.py",
    "core/report/test_report_command.py",
    "core/train/test_recipe.py",
    "core/train/test_launcher.py",
    "core/train/test_parallel.py",
    "ui/test_two_reviewers.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    rank = {str(here / name): at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(str(item.path), len(rank)))


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
