"""Training on a tiny real checkpoint: it learns, it resumes exactly, it leaves nothing half-done."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from core.train.checkpoints import last_whole, mark_whole
from core.train.trainer import train, trained
from store import UsageError, XlitError

CHILD = """
import sys
from pathlib import Path
from core.train.settings import TrainSettings
from core.train.trainer import train
train(TrainSettings(**{settings!r} | {{"data": Path({data!r})}}), Path({out!r}))
"""


def weights(folder):
    from safetensors.torch import load_file

    return load_file(next(folder.glob("*.safetensors")))


def same_weights(one, other) -> bool:
    a, b = weights(one), weights(other)
    return a.keys() == b.keys() and all((a[name] == b[name]).all() for name in a)


def losses(folder) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "train-log.jsonl").read_text().splitlines()]


def test_full_fine_tuning_learns_and_leaves_a_checkpoint_that_loads(settings, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    out = tmp_path / "model"
    summary = train(settings(), out)
    found = losses(out)
    assert len(found) == 12
    assert found[-1] < found[0] - 1
    assert summary["last_loss"] == found[-1]
    assert AutoModelForCausalLM.from_pretrained(out).num_parameters() > 0
    assert AutoTokenizer.from_pretrained(out).chat_template
    assert not out.with_name("model.partial").exists()


def test_lora_leaves_an_adapter_that_loads_on_its_base(settings, tmp_path):
    from peft import AutoPeftModelForCausalLM

    out = tmp_path / "adapter"
    train(settings(adaptation="lora", learning_rate=1e-2), out)
    found = losses(out)
    assert found[-1] < found[0]
    assert AutoPeftModelForCausalLM.from_pretrained(out).peft_config["default"].r == 16


def test_the_same_settings_make_the_same_weights_and_a_second_run_does_nothing(settings, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    train(settings(), one)
    train(settings(), other)
    assert same_weights(one, other)
    before = (one / "model.safetensors").stat().st_mtime_ns
    train(settings(), one)
    assert (one / "model.safetensors").stat().st_mtime_ns == before


def test_other_settings_do_not_overwrite_a_model(settings, tmp_path):
    out = tmp_path / "model"
    train(settings(steps=2), out)
    assert trained(out, settings(steps=2, save_every=1))
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
    shutil.copy(plan.data, moved_data)
    assert trained(out, settings(steps=2, base=str(moved_base), data=moved_data))
    weights_file = moved_base / "model.safetensors"
    changed = bytearray(weights_file.read_bytes())
    changed[-1] ^= 1
    weights_file.write_bytes(changed)
    with pytest.raises(UsageError, match="other settings"):
        trained(out, settings(steps=2, base=str(moved_base)))


@pytest.mark.parametrize("adaptation", ["full", "lora"])
def test_killed_while_training_and_started_again_it_ends_with_the_same_weights(
    settings, tmp_path, adaptation
):
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "killed"
    plan = settings(adaptation=adaptation, steps=40, save_every=3, lora_dropout=0.1)
    train(plan, undisturbed)
    arguments = {**plan.__dict__, "data": None}
    code = textwrap.dedent(CHILD).format(settings=arguments, data=str(plan.data), out=str(out))
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    work = out.with_name("killed.partial")
    while child.poll() is None and last_whole(work) is None:
        time.sleep(0.005)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert not out.exists()
    assert last_whole(work) is not None
    train(plan, out)
    assert same_weights(undisturbed, out)
    assert losses(undisturbed) == losses(out)


def test_a_torn_checkpoint_is_passed_over(tmp_path):
    for step in (5, 10, 15):
        (tmp_path / f"checkpoint-{step}").mkdir()
    assert last_whole(tmp_path) is None
    mark_whole(tmp_path / "checkpoint-5")
    mark_whole(tmp_path / "checkpoint-10")
    assert last_whole(tmp_path) == tmp_path / "checkpoint-10"


def test_a_loss_that_is_no_number_stops_the_run_with_advice(settings, tmp_path):
    with pytest.raises(XlitError, match="Lower the learning rate"):
        train(settings(learning_rate=1e30), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_folder_that_is_no_checkpoint_is_one_sentence(settings, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(XlitError, match="can't be loaded as a model"):
        train(settings(base=str(tmp_path / "empty")), tmp_path / "model")
