"""A name stands for one model: what identifies it, and what happens to another one under its name."""

import json
import shutil
from pathlib import Path

import pytest
from sqlmodel import select

from core.generate.checkpoint import END_BYTES, WHOLE_BYTES, inspect_checkpoint, weights_digest
from core.generate.decoding import Decoding
from core.generate.gguf.convert import convert
from core.generate.run import generate
from core.generate.settings import ModelSource
from store import UsageError
from store.session import reading, writing
from store.tables import Model, Response

pytestmark = pytest.mark.parts

DECODING = Decoding(max_new_tokens=4)


def answer(store, checkpoint, name="m", **source):
    """Let a checkpoint answer two instructions; returns how many answers were new."""
    source = ModelSource(name, str(checkpoint), description={"checkpoint": str(checkpoint)}, **source)
    (run,), _ = generate(store, [source], decoding=DECODING, languages=["en"], limit=2)
    return run.counts["answers"]


def model(store, name="m") -> Model:
    with reading(store) as session:
        return session.exec(select(Model).where(Model.name == name)).one()


def test_another_checkpoint_under_an_old_name_is_refused_with_both_digests(store, checkpoint, babbler):
    assert answer(store, checkpoint) == 2
    before, now = (weights_digest(inspect_checkpoint(path))[:16] for path in (checkpoint, babbler))
    with pytest.raises(UsageError, match="give this one a name of its own") as refused:
        answer(store, babbler)
    assert before in str(refused.value)
    assert now in str(refused.value)
    assert answer(store, babbler, name="babbler") == 2
    with reading(store) as session:
        assert len(session.exec(select(Response)).all()) == 4


def test_of_several_models_none_is_taken_when_one_is_refused(store, checkpoint, babbler):
    answer(store, checkpoint)
    sources = [ModelSource("new", str(checkpoint)), ModelSource("m", str(babbler))]
    with pytest.raises(UsageError, match="another model 'm'"):
        generate(store, sources, decoding=DECODING)
    with reading(store) as session:
        assert session.exec(select(Model.name)).all() == ["m"]


def test_the_same_weights_at_another_place_are_the_same_model(store, checkpoint, tmp_path):
    answer(store, checkpoint)
    moved = shutil.copytree(checkpoint, tmp_path / "moved")
    assert answer(store, moved) == 0


def test_adapters_that_differ_in_scale_or_base_differ_wherever_their_base_lies(adapter, babbler, tmp_path):
    def copied(name: str, **config) -> str:
        folder = shutil.copytree(adapter, tmp_path / name)
        file = folder / "adapter_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | config))
        return weights_digest(inspect_checkpoint(folder))

    base = json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"]
    elsewhere = shutil.copytree(base, tmp_path / "base")
    own = weights_digest(inspect_checkpoint(adapter))
    assert copied("moved", base_model_name_or_path=str(elsewhere)) == own
    assert (
        len({own, copied("scaled", lora_alpha=9), copied("other", base_model_name_or_path=str(babbler))}) == 3
    )


@pytest.mark.parametrize("offset", [0, END_BYTES + 40 * 2**20, -1])
def test_a_large_file_is_told_from_one_with_another_tensor(tmp_path, offset):
    """A tensor of a two-hundredth of the file is another, wherever it stands."""
    size = WHOLE_BYTES + 2**20 + 17
    digests = []
    for value in (b"\0", b"\1"):
        folder = tmp_path / str(value[0])
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        with (folder / "model.safetensors").open("wb") as file:
            file.truncate(size)
            start = offset if offset >= 0 else size - size // 200
            file.seek(start)
            file.write(value * (size // 200))
        digests.append(weights_digest(inspect_checkpoint(folder)))
    assert digests[0] != digests[1]


def test_a_converted_file_has_the_identity_of_its_checkpoint(store, checkpoint, babbler, gguf_file, tmp_path):
    answer(store, checkpoint)
    assert answer(store, gguf_file) == 2
    other = convert(babbler, tmp_path / "other.gguf", "f32")
    with pytest.raises(UsageError, match="another model 'm'"):
        answer(store, other)
    assert list(model(store).weights) == ["checkpoint"]


def test_what_training_left_in_the_folder_comes_along(store, checkpoint, tmp_path):
    tuned = shutil.copytree(checkpoint, tmp_path / "tuned")
    settings = {
        "base": "/models/tiny", "data": [{"name": "/data/dolly.jsonl"}, {"name": "ru.jsonl"}], "size": 500,
        "mix": "uniform", "adaptation": "full", "learning_rate": 1e-5, "seed": 3,
    }  # fmt: skip
    summary = {"settings": settings, "data": {"digest": "ab" * 32}}
    (tuned / "xlit-train.json").write_text(json.dumps(summary))
    assert answer(store, tuned) == 2
    stored = model(store)
    assert (stored.base, stored.data, stored.data_digest) == (
        "/models/tiny", "/data/dolly.jsonl, ru.jsonl", "ab" * 32
    )  # fmt: skip
    assert (stored.size, stored.mix, stored.adaptation) == (500, "uniform", "full")
    assert (stored.learning_rate, stored.seed) == (1e-5, 3)


def test_weights_unknown_to_an_older_store_are_taken_from_the_old_place_only(store, checkpoint, tmp_path):
    with writing(store) as session:
        session.add(Model(name="m", checkpoint=str(checkpoint)))
        session.add(Model(name="imported"))
    moved = Path(shutil.copytree(checkpoint, tmp_path / "moved"))
    with pytest.raises(UsageError, match="does not know the weights") as refused:
        answer(store, moved)
    assert str(checkpoint) in str(refused.value)
    assert model(store).weights == {}
    answer(store, checkpoint)
    answer(store, moved, name="imported")
    digest = weights_digest(inspect_checkpoint(checkpoint))
    assert model(store).weights == model(store, "imported").weights == {"checkpoint": digest}


@pytest.mark.parametrize(
    ("known", "now", "refused"),
    [
        ({"learning_rate": 1e-5}, {"learning_rate": 1e-4}, "learning rate is 1e-05, here it is 0.0001"),
        ({"size": 100, "mix": "concat"}, {"size": None, "mix": "concat"}, "here it is all of the data"),
        ({"data_digest": "a"}, {"data_digest": "b"}, "data digest"),
        ({"seed": 1}, {"seed": 2}, "seed"),
        ({"base": "/a/llama"}, {"base": "/b/llama"}, None),
        ({"base": "/a/llama"}, {"base": "/a/mistral"}, "base"),
        ({"size": None}, {"size": 100, "mix": "concat"}, None),  # unknown
    ],
)
def test_what_made_two_models_is_compared_where_their_weights_can_t_be(
    store, checkpoint, known, now, refused
):
    with writing(store) as session:
        session.add(Model(name="m", **known))
    source = ModelSource("m", str(checkpoint), description=now)
    if refused is None:
        generate(store, [source], decoding=DECODING, limit=1)
        return
    with pytest.raises(UsageError, match=refused):
        generate(store, [source], decoding=DECODING, limit=1)
