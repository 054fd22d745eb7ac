"""A training run in a process of its own: what it says comes back, and it stops with whoever asked."""

import os
import signal
import subprocess
import sys
import time

import pytest

from core.train.checkpoints import last_checkpoint
from core.train.launcher import launch_training
from core.train.log import read_log
from store import XlitError

pytestmark = pytest.mark.whole


PARENT = """
import json, sys
from pathlib import Path
from core.train.launcher import launch_training
from core.train.settings import TrainSettings
settings = TrainSettings(**json.loads(sys.argv[1]))
launch_training(settings, Path(sys.argv[2]), name="model", processes=int(sys.argv[3]))
"""


def test_why_a_run_failed_is_told(settings, tmp_path):
    with pytest.raises(XlitError, match=r"model was not trained: The .*Lower the learning rate"):
        launch_training(settings(learning_rate=1e30), tmp_path / "model", name="model")
    assert not (tmp_path / "model").exists()


@pytest.mark.whole
@pytest.mark.parametrize(
    ("kill", "processes"),
    [
        (signal.SIGKILL, 1),
        pytest.param(signal.SIGINT, 1, marks=pytest.mark.thorough),
        pytest.param(signal.SIGKILL, 2, marks=pytest.mark.thorough),
        pytest.param(signal.SIGINT, 2, marks=pytest.mark.thorough),
    ],
)
def test_the_run_saves_and_stops_when_the_command_is_interrupted_or_killed(
    settings, tmp_path, kill, processes
):
    import json

    plan = settings(steps=100_000, save_every=100_000)
    out = tmp_path / "model"
    restored = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    command = [sys.executable, "-c", restored + PARENT, json.dumps(plan.as_dict()), str(out), str(processes)]
    parent = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    work = out.with_name("model.partial")
    log = work / "train-log.jsonl"
    while parent.poll() is None and len(read_log(log)) < 3:
        time.sleep(0.02)
    os.kill(parent.pid, kill)
    assert parent.wait(timeout=60) != 0
    deadline = time.monotonic() + 60
    while last_checkpoint(work) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    last = last_checkpoint(work)
    assert last is not None
    assert int(last.name.rpartition("-")[2]) == len(read_log(log))
