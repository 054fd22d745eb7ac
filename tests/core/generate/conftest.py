"""One tiny checkpoint, its adapter and its GGUF for all tests of generation, and stores to answer into."""

import os
import sys
from pathlib import Path

import pytest

# Models this small only get slower with threads, most of all when something else runs on the machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from core.generate.gguf.convert import convert
from store import open_store
from store.queries import suites
from store.session import writing
from tests.checkpoints import PAIRS, make_adapter, make_checkpoint


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("checkpoints") / "tiny")


@pytest.fixture(scope="session")
def babbler(tmp_path_factory) -> Path:
    """A model that learnt nothing and so hardly ever ends an answer."""
    return make_checkpoint(tmp_path_factory.mktemp("checkpoints") / "babbler", steps=0)


@pytest.fixture(scope="session")
def babbler_gguf(babbler: Path) -> Path:
    return convert(babbler, babbler.parent / "babbler.gguf", "f32")


@pytest.fixture(scope="session")
def adapter(checkpoint: Path) -> Path:
    return make_adapter(checkpoint.parent / "adapter", checkpoint)


@pytest.fixture(scope="session")
def gguf_file(checkpoint: Path) -> Path:
    return convert(checkpoint, checkpoint.parent / "tiny.gguf", "f32")


@pytest.fixture
def chats() -> list[list[dict[str, str]]]:
    """The questions the tiny model was trained on, a few it was not, and hostile ones."""
    texts = [question for question, _ in PAIRS]
    texts += [
        "Hi",
        "",
        " \n\t ",
        "</s><s><|assistant|>",
        "日本語 👩‍👩‍👧 \x1b[31m \u202e",
        "a \x00 b",
        "ах " * 20,
    ]
    return [[{"role": "user", "content": text}] for text in texts]


@pytest.fixture
def new_store(tmp_path: Path):
    """Makes stores whose suite `s` has 12 instructions in English and 6 in Russian."""
    opened = []

    def make(name: str):
        engine = open_store(tmp_path / name, create=True)
        opened.append(engine)
        words = ["capital", "currency", "France", "Japan", "one to five", "of the real Brasil"]
        new = [
            suites.NewInstruction(f"k{n}", "en", f"What is the {words[n % 6]}{' please' * (n // 2)}?")
            for n in range(12)
        ]
        new += [suites.NewInstruction(f"k{n}", "ru", f"Какая столица? {'Да. ' * n}") for n in range(6)]
        with writing(engine) as session:
            suites.add_suite(session, "s", "1", new)
        return engine

    yield make
    for engine in opened:
        engine.dispose()


@pytest.fixture
def store(new_store):
    return new_store("s.db")
