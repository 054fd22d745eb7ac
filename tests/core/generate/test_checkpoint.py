"""What is given as a checkpoint and is none: one sentence each, before anything is loaded."""

import json
from pathlib import Path

import pytest

from core.generate.decoding import Decoding
from core.generate.engines.registry import prepare
from core.generate.settings import ModelSource
from store import XlitError


def write(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content)
    return folder


def refused(path: Path, engine: str = "transformers") -> str:
    with pytest.raises(XlitError) as caught:
        prepare(ModelSource("m", str(path), engine), Decoding()).open()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_path_with_nothing(tmp_path: Path):
    assert "No checkpoint at" in refused(tmp_path / "nowhere")


def test_a_folder_without_config(tmp_path: Path):
    assert "no config.json" in refused(tmp_path)


def test_a_config_that_is_not_json(tmp_path: Path):
    assert "can't be read" in refused(write(tmp_path / "c", config__json="{"))
    assert "JSON object" in refused(write(tmp_path / "d", config__json="[]"))


def test_no_weights_and_pickled_weights(tmp_path: Path):
    assert "the weights are missing" in refused(write(tmp_path / "c", config__json="{}"))
    pickled = write(tmp_path / "d", config__json="{}", pytorch_model__bin="x")
    assert "pytorch_model.bin is pickled" in refused(pickled)


def test_an_adapter_without_weights_or_base(tmp_path: Path):
    gone = json.dumps({"base_model_name_or_path": "/no/such/base"})
    assert "no adapter_model.safetensors" in refused(write(tmp_path / "a", adapter_config__json=gone))
    folder = write(tmp_path / "b", adapter_config__json=gone, adapter_model__safetensors="x")
    assert "was trained on /no/such/base, and no folder is there" in refused(folder)
    nameless = write(tmp_path / "c", adapter_config__json="{}", adapter_model__safetensors="x")
    assert "does not name its base" in refused(nameless)


def test_files_that_are_no_gguf(tmp_path: Path, gguf_file: Path):
    other, torn = tmp_path / "x.gguf", tmp_path / "torn.gguf"
    other.write_text("hello")
    assert "not a GGUF file" in refused(other, "llama.cpp")
    for size in (4, 100, 20_000, gguf_file.stat().st_size - 100):
        torn.write_bytes(gguf_file.read_bytes()[:size])
        assert str(torn) in refused(torn, "llama.cpp")


def test_the_wrong_engine_for_a_checkpoint(checkpoint: Path, gguf_file: Path):
    assert "is a GGUF file" in refused(gguf_file, "transformers")
    assert "a folder with a model" in refused(checkpoint, "llama.cpp")
