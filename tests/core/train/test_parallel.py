"""Two processes with sharded weights do what one does; each killed run goes on."""

import pytest

from core.train.launcher import launch_training
from core.train.log import read_log
from core.train.recipe import train
from store import UsageError

pytestmark = pytest.mark.whole


torch = pytest.importorskip("torch")


@pytest.mark.whole
@pytest.mark.parametrize("adaptation", ["full", pytest.param("lora", marks=pytest.mark.thorough)])
def test_two_processes_have_the_losses_and_the_weights_of_one(settings, tmp_path, adaptation):
    from safetensors.torch import load_file
    from transformers import AutoConfig

    plan = settings(adaptation=adaptation, steps=6, eval_examples=2, eval_every=3, save_every=2)
    by_one, by_two = tmp_path / "one", tmp_path / "two"
    train(plan, by_one)
    launch_training(plan, by_two, name="two", processes=2)
    records = [read_log(folder / "train-log.jsonl") for folder in (by_one, by_two)]
    for name in ("loss", "grad_norm", "learning_rate", "answer_tokens"):
        alone, together = ([record[name] for record in run] for run in records)
        assert together == pytest.approx(alone, rel=1e-4), name
    assert records[1][2]["eval_loss"] == pytest.approx(records[0][2]["eval_loss"], rel=1e-4)
    weights = [load_file(next(folder.glob("*.safetensors"))) for folder in (by_one, by_two)]
    assert weights[0].keys() == weights[1].keys()
    for name, tensor in weights[0].items():
        assert torch.allclose(tensor, weights[1][name], atol=1e-4), name
    if adaptation == "full":
        assert AutoConfig.from_pretrained(by_two).architectures == ["LlamaForCausalLM"]


def test_batches_that_can_not_be_shared_evenly_are_refused(settings, tmp_path, monkeypatch):
    from contextlib import contextmanager

    from core.train import recipe
    from core.train.parallel import World

    @contextmanager
    def three():
        yield World(0, 3, torch.device("cpu"))

    monkeypatch.setattr(recipe, "joined_world", three)
    with pytest.raises(UsageError, match="can't be shared by 3 processes"):
        train(settings(accumulate=2), tmp_path / "model")
