"""A base or an adapter is whole, and a tokenizer fits, or every command says the same."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from core.cli import app
from core.generate.decoding import Decoding
from core.generate.engines.registry import prepare
from core.generate.gguf.convert import convert
from core.generate.settings import ModelSource
from core.models.loading import load_model
from core.models.merging import merge_into_base
from core.train.data.sources import DataSource
from core.train.recipe import train
from core.train.settings import TrainSettings
from store import XlitError
from tests.checkpoints import make_adapter, make_checkpoint, make_tokenizer

pytestmark = pytest.mark.whole


def change(file: Path, changed: Callable[[dict], dict]) -> None:
    save_file(
        {name: weight.clone() for name, weight in changed(load_file(file)).items()}, file, {"format": "pt"}
    )


def training(base: Path, folder: Path, **settings) -> Callable[[], object]:
    data = folder / "data.jsonl"
    data.write_text(json.dumps({"instruction": "Say hi.", "output": "Hi"}) + "\n")
    plan = TrainSettings(
        base=str(base), data=(DataSource(str(data)),), learning_rate=1e-3, steps=1, accumulate=1,
        batch_tokens=128, max_length=128, **settings,
    )  # fmt: skip
    return lambda: train(plan, folder / "trained")


def generating(checkpoint: Path) -> Callable[[], object]:
    return lambda: prepare(ModelSource("m", str(checkpoint)), Decoding()).open()


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return make_checkpoint(tmp_path / "base", steps=0)


@pytest.mark.parametrize("adaptation", ["full", "lora"])
def test_a_base_that_lacks_weights_is_refused_by_every_command(base: Path, tmp_path: Path, adaptation):
    adapter = make_adapter(tmp_path / "adapter", base, steps=0)
    lacking = "model.layers.1.mlp.up_proj.weight"
    change(base / "model.safetensors", lambda weights: {n: w for n, w in weights.items() if n != lacking})
    for use in (
        training(base, tmp_path, adaptation=adaptation),
        generating(base),
        generating(adapter),
        lambda: convert(adapter, tmp_path / "out.gguf", "f16"),
        lambda: merge_into_base(str(adapter), tmp_path / "merged"),
    ):
        with pytest.raises(XlitError, match=f"base is not whole: 1 weights are missing, {lacking}"):
            use()
    assert not (tmp_path / "trained").exists()
    assert not (tmp_path / "merged").exists()


def without_a_layer(weights: dict) -> dict:
    return {name: weight for name, weight in weights.items() if ".layers.1." not in name}


def with_a_layer_more(weights: dict) -> dict:
    more = {name.replace(".layers.1.", ".layers.2."): weight for name, weight in weights.items()}
    return {**weights, **more}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without_a_layer, r"is not whole: 6 weights .* missing, .*layers\.1\."),
        (with_a_layer_more, r"does not fit its base: 6 of its weights .*layers\.2\."),
    ],
)
def test_half_an_adapter_is_refused_by_every_command(base: Path, tmp_path: Path, damage, message: str):
    adapter = make_adapter(tmp_path / "adapter", base, steps=0)
    change(adapter / "adapter_model.safetensors", damage)
    for use in (
        generating(adapter),
        lambda: convert(adapter, tmp_path / "out.gguf", "f16"),
        lambda: merge_into_base(str(adapter), tmp_path / "merged"),
    ):
        with pytest.raises(XlitError, match=message):
            use()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "base"]


def test_an_adapter_without_a_module_that_it_replaces_is_refused(base: Path, tmp_path: Path):
    import peft
    from transformers import AutoModelForCausalLM

    config = peft.LoraConfig(r=2, target_modules=["q_proj"], modules_to_save=["lm_head"])
    adapted = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    adapted.save_pretrained(str(tmp_path / "adapter"))
    generating(tmp_path / "adapter")()
    file = tmp_path / "adapter" / "adapter_model.safetensors"
    change(file, lambda weights: {name: w for name, w in weights.items() if "lm_head" not in name})
    for use in (
        generating(tmp_path / "adapter"),
        lambda: convert(tmp_path / "adapter", tmp_path / "out.gguf", "f16"),
        lambda: merge_into_base(str(tmp_path / "adapter"), tmp_path / "merged"),
    ):
        with pytest.raises(XlitError, match=r"not whole: 1 weights .*lm_head\.weight"):
            use()


def test_a_tokenizer_with_more_tokens_than_embeddings_is_refused_by_every_command(base: Path, tmp_path: Path):
    adapter = make_adapter(tmp_path / "adapter", base, steps=0)
    for folder in (base, adapter):
        tokenizer = make_tokenizer(folder)
        tokenizer.add_tokens(["<|system|>"])
        tokenizer.save_pretrained(folder)
    for use in (
        training(base, tmp_path),
        training(base, tmp_path, adaptation="lora"),
        generating(base),
        generating(adapter),
        lambda: convert(base, tmp_path / "out.gguf", "f16"),
        lambda: convert(adapter, tmp_path / "out.gguf", "f16"),
        lambda: merge_into_base(str(adapter), tmp_path / "merged"),
    ):
        with pytest.raises(XlitError, match=r"does not fit its model: '<\|system\|>' is token 400.* for 400"):
            use()


def test_an_adapter_is_no_base(base: Path, tmp_path: Path):
    adapter = make_adapter(tmp_path / "adapter", base, steps=0)
    shutil.copy(base / "config.json", adapter)
    shutil.copy(base / "tokenizer.json", adapter)
    shutil.copy(base / "tokenizer_config.json", adapter)
    with pytest.raises(XlitError, match="is an adapter, not a whole model"):
        training(adapter, tmp_path)()


def test_pickled_weights_are_opened_only_when_told_to(base: Path, tmp_path: Path):
    import torch

    weights = load_file(base / "model.safetensors")
    (base / "model.safetensors").unlink()
    torch.save(weights, base / "pytorch_model.bin")
    with pytest.raises(XlitError, match=r"no weights as safetensors.*say --allow-pickle"):
        training(base, tmp_path)()
    with pytest.raises(XlitError, match="save them as safetensors first"):
        load_model(str(base), torch.float32)
    training(base, tmp_path, allow_pickle=True)()


def test_the_command_says_it_in_one_line(base: Path, tmp_path: Path):
    adapter = make_adapter(tmp_path / "adapter", base, steps=0)
    change(adapter / "adapter_model.safetensors", without_a_layer)
    result = CliRunner().invoke(app, ["merge-adapter", str(adapter), str(tmp_path / "merged")])
    assert result.exit_code == 1
    assert "\n" not in str(result.exception)
