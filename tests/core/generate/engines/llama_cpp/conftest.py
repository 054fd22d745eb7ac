"""Engines over the tiny GGUF files, closed again."""

from pathlib import Path

import pytest

from core.generate.decoding import Decoding
from core.generate.engines.llama_cpp.engine import LlamaCppEngine
from core.generate.gguf.convert import convert
from tests.checkpoints import make_checkpoint


@pytest.fixture
def open_engine():
    opened = []

    def make(path: Path, decoding: Decoding, **options) -> LlamaCppEngine:
        opened.append(LlamaCppEngine(path, decoding, **options))
        return opened[-1]

    yield make
    for engine in opened:
        engine.close()


@pytest.fixture(scope="session")
def roomy_gguf(tmp_path_factory) -> Path:
    """A model that learnt nothing, in float32, with a context of 1024 tokens."""
    folder = tmp_path_factory.mktemp("roomy")
    return convert(make_checkpoint(folder / "roomy", steps=0, context=1024), folder / "roomy.gguf", "f32")
