"""Training on a tiny real checkpoint: it learns, it resumes exactly, it leaves nothing half-done."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core import disk
from core.train.checkpoints import last_checkpoint, save_checkpoint
from core.train.data.sources import DataSource
from core.train.log import read_log
from core.train.recipe import is_trained, train
from store import UsageError, XlitError

pytestmark = pytest.mark.whole


CHILD = """
import json, sys
from pathlib import Path
from core.train.settings import TrainSettings
from core.train.recipe import train
train(TrainSettings(**json.loads(sys.argv[1])), Path(sys.argv[2]))
"""


def begun(settings, out):
    """Training in a process of its own, which the test kills."""
    code = [sys.executable, "-c", CHILD, json.dumps(settings.as_dict()), str(out)]
    return subprocess.Popen(code, stderr=subprocess.DEVNULL)


def weights(folder):
    from safetensors.torch import load_file

    return load_file(next(folder.glob("*.safetensors")))


def same_weights(first, other) -> bool:
    a, b = weights(first), weights(other)
    return a.keys() == b.keys() and all((a[name] == b[name]).all() for name in a)


def losses(folder) -> list[float]:
    return [record["loss"] for record in read_log(folder / "train-log.jsonl")]


def test_full_fine_tuning_learns_and_leaves_a_checkpoint_that_loads(settings, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    out = tmp_path / "model"
    summary = train(settings(), out)
    losses_seen = losses(out)
    assert len(losses_seen) == 12
    assert losses_seen[-1] < losses_seen[0] - 1
    assert summary["last_loss"] == losses_seen[-1]
    assert AutoModelForCausalLM.from_pretrained(out).num_parameters() > 0
    assert AutoTokenizer.from_pretrained(out).chat_template
    assert not out.with_name("model.partial").exists()
    assert len({path.stat().st_mode for path in out.iterdir()}) == 1


def test_lora_leaves_an_adapter_that_loads_on_its_base(settings, tmp_path):
    from peft import AutoPeftModelForCausalLM

    out = tmp_path / "adapter"
    train(settings(adaptation="lora", learning_rate=1e-2), out)
    losses_seen = losses(out)
    assert losses_seen[-1] < losses_seen[0]
    assert AutoPeftModelForCausalLM.from_pretrained(out).peft_config["default"].r == 16


def test_the_same_settings_make_the_same_weights_and_a_second_run_does_nothing(settings, tmp_path):
    first, other = tmp_path / "one", tmp_path / "other"
    train(settings(), first)
    train(settings(), other)
    assert same_weights(first, other)
    before = (first / "model.safetensors").stat().st_mtime_ns
    train(settings(), first)
    assert (first / "model.safetensors").stat().st_mtime_ns == before


def test_other_settings_do_not_overwrite_a_model(settings, tmp_path):
    out = tmp_path / "model"
    train(settings(steps=2), out)
    assert is_trained(out, settings(steps=2, save_every=1))
    with pytest.raises(UsageError, match="other settings"):
        train(settings(steps=3), out)
    (tmp_path / "mine").mkdir()
    with pytest.raises(UsageError, match="was not made by"):
        train(settings(), tmp_path / "mine")


def test_a_model_is_known_again_when_its_base_and_data_have_moved(settings, tmp_path):
    out = tmp_path / "model"
    plan = settings(steps=2)
    train(plan, out)
    moved_base, moved_data = tmp_path / "elsewhere", tmp_path / "copy.jsonl"
    shutil.copytree(plan.base, moved_base)
    shutil.copy(plan.data[0].name, moved_data)
    moved = (DataSource(str(moved_data)),)
    assert is_trained(out, settings(steps=2, base=str(moved_base), data=moved))
    weights_file = moved_base / "model.safetensors"
    changed = bytearray(weights_file.read_bytes())
    changed[-1] ^= 1
    weights_file.write_bytes(changed)
    with pytest.raises(UsageError, match="other settings"):
        is_trained(out, settings(steps=2, base=str(moved_base)))


@pytest.mark.parametrize("adaptation", [pytest.param("full", marks=pytest.mark.thorough), "lora"])
def test_killed_while_training_and_started_again_it_ends_with_the_same_weights(
    settings, tmp_path, adaptation
):
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "killed"
    plan = settings(adaptation=adaptation, steps=40, save_every=3, lora_dropout=0.1)
    train(plan, undisturbed)
    work = out.with_name("killed.partial")
    child = begun(plan, out)
    while child.poll() is None and last_checkpoint(work) is None:
        time.sleep(0.005)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert not out.exists()
    assert last_checkpoint(work) is not None
    train(plan, out)
    assert same_weights(undisturbed, out)
    assert losses(undisturbed) == losses(out)


def test_told_to_stop_it_saves_first_and_nobody_else_may_train_there_meanwhile(
    settings, tmp_path, monkeypatch
):
    monkeypatch.setattr(disk, "LOCK_TIMEOUT", 0.0)
    out = tmp_path / "model"
    plan = settings(steps=100_000, save_every=100_000)
    child = begun(plan, out)
    log = out.with_name("model.partial") / "train-log.jsonl"
    while child.poll() is None and len(read_log(log)) < 3:
        time.sleep(0.01)
    with pytest.raises(XlitError, match="Another process trains"):
        train(plan, out)
    child.send_signal(signal.SIGTERM)
    child.wait(timeout=60)
    last = last_checkpoint(out.with_name("model.partial"))
    assert last is not None
    assert int(last.name.rpartition("-")[2]) == len(read_log(log))


def test_a_full_disk_is_one_sentence_and_the_checkpoint_before_stays(settings, tmp_path, monkeypatch):
    real = shutil.disk_usage

    def usage(path):
        free = 1000 if last_checkpoint(out.with_name("model.partial")) else real(path).free
        return real(path)._replace(free=free)

    out = tmp_path / "model"
    monkeypatch.setattr(shutil, "disk_usage", usage)
    with pytest.raises(XlitError, match=r"checkpoint of step 8 can't be written.*checkpoint-4 stays"):
        train(settings(), out)
    monkeypatch.undo()
    work = out.with_name("model.partial")
    assert sorted(path.name for path in work.glob("checkpoint-*")) == ["checkpoint-4"]
    train(settings(), out)
    assert len(losses(out)) == 12


def test_only_the_last_checkpoints_are_kept_and_one_of_another_number_of_processes_is_refused(
    settings, tmp_path
):
    import torch

    from core.train.checkpoints import load_checkpoint
    from core.train.optimizer import make_optimizer
    from core.train.parallel import World

    model = torch.nn.Linear(2, 2)
    optimizer = make_optimizer(model, settings())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    alone = World(0, 1, torch.device("cpu"))
    (tmp_path / "checkpoint-9.writing").mkdir()
    for step in (8, 9, 10, 11):
        save_checkpoint(tmp_path, step, model, optimizer, alone, keep=2)
    folders = sorted(path.name for path in tmp_path.iterdir() if path.is_dir())
    assert folders == ["checkpoint-10", "checkpoint-11"]
    with pytest.raises(XlitError, match="written by 1 processes, and this run has 2"):
        load_checkpoint(tmp_path / "checkpoint-11", model, optimizer, World(0, 2, torch.device("cpu")))


def test_what_is_held_out_is_not_trained_on_and_its_loss_is_told_for_each_language(settings, tmp_path):
    rows = Path(settings().data[0].name).read_text(encoding="utf-8")
    sources = []
    for language in ("fr", "ru"):
        path = tmp_path / f"{language}.jsonl"
        path.write_text(rows, encoding="utf-8")
        sources.append(DataSource(str(path), language=language))
    plan = settings(data=tuple(sources), eval_examples=3, eval_every=6)
    summary = train(plan, tmp_path / "model")
    assert (summary["examples"], summary["held_out"]) == (90, 6)
    records = read_log(tmp_path / "model" / "train-log.jsonl")
    eval_losses = {record["step"]: record["eval_loss"] for record in records if "eval_loss" in record}
    assert list(eval_losses) == [6, 12]
    assert set(eval_losses[12]) == {"fr", "ru"}
    assert eval_losses[12]["ru"] < eval_losses[6]["ru"]


def test_the_loss_of_an_update_is_the_mean_over_its_answer_tokens_however_they_are_batched(
    settings, tmp_path
):
    losses_seen = []
    for packed, tokens, accumulate in ((True, 100_000, 1), (False, 100_000, 1)):
        out = tmp_path / f"{packed}"
        plan = settings(
            steps=3, packed=packed, batch_tokens=tokens, accumulate=accumulate, schedule="constant"
        )
        train(plan, out)
        losses_seen.append(losses(out))
    assert losses_seen[0] == pytest.approx(losses_seen[1], rel=1e-4)


def test_the_model_card_and_the_end_tokens_are_in_the_checkpoint(settings, tmp_path):
    from transformers import AutoTokenizer, GenerationConfig

    out = tmp_path / "model"
    summary = train(settings(steps=1), out)
    card = (out / "README.md").read_text(encoding="utf-8")
    assert summary["digest"] in card
    assert summary["data"]["digest"] in card
    assert card.startswith("---\nbase_model: ")
    ends = GenerationConfig.from_pretrained(out).eos_token_id
    assert AutoTokenizer.from_pretrained(out).eos_token_id in ends


def test_a_loss_that_is_no_number_stops_the_run_with_advice(settings, tmp_path):
    with pytest.raises(XlitError, match="Lower the learning rate"):
        train(settings(learning_rate=1e30), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_folder_that_is_no_checkpoint_is_one_sentence(settings, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(XlitError, match=r"empty can't be loaded: .*Give a checkpoint folder"):
        train(settings(base=str(tmp_path / "empty")), tmp_path / "model")


def test_memory_that_does_not_suffice_is_one_sentence_with_what_to_change(settings, tmp_path, monkeypatch):
    import torch

    from core.train import recipe

    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(recipe, "answer_loss", full)
    with pytest.raises(XlitError, match="Out of memory in step 1: lower --batch-tokens"):
        train(settings(), tmp_path / "model")
