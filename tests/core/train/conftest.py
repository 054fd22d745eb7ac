"""A tiny real checkpoint and a little instruction data, shared by the tests of training."""

import json

import pytest

from core.train.data.sources import DataSource
from core.train.settings import TrainSettings
from tests.checkpoints import PAIRS, make_checkpoint


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    return make_checkpoint(tmp_path_factory.mktemp("train") / "base", steps=0)


@pytest.fixture
def settings(base, tmp_path):
    data = tmp_path / "data.jsonl"
    chats = [
        [{"role": "user", "content": question}, {"role": "assistant", "content": f"{answer} {number}"}]
        for number in range(8)
        for question, answer in PAIRS
    ]
    data.write_text("".join(json.dumps(chat, ensure_ascii=False) + "\n" for chat in chats), encoding="utf-8")

    def make(**changes) -> TrainSettings:
        defaults = {
            "learning_rate": 3e-3,
            "steps": 12,
            "batch_tokens": 400,
            "accumulate": 2,
            "max_length": 128,
        }
        given = {"base": str(base), "data": (DataSource(str(data)),), "save_every": 4, **defaults, **changes}
        return TrainSettings(**given)

    return make
