"""Starting a training run, and recording it: in this process, or in processes of its own.

All memory of a process of its own is free again afterwards, and one that fails takes nothing with it. Several
processes for one run are started by PyTorch's launcher (`torchrun`).
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from sqlalchemy import Engine

from core.console import INTERRUPTED
from core.progress import say
from core.train.parallel import process_number
from core.train.recipe import is_trained, train
from core.train.settings import TrainSettings
from store import XlitError
from store.provenance import EXIT_FAILED, record_run

LAUNCHER = ("torch.distributed.run", "--standalone", "--nproc-per-node")


def train_recorded(
    engine: Engine,
    settings: TrainSettings,
    out: Path,
    *,
    name: str,
    own_process: bool = False,
    processes: int = 1,
    tensorboard: Path | None = None,
) -> None:
    """Train unless `out` holds that model already, and write the run's provenance into the store.

    `own_process`: not in this process, but in one of its own, or in several (`processes`) together.
    """
    if is_trained(out, settings):
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    parameters = {**settings.as_dict(), "out": str(out), "processes": processes}
    with record_run(
        engine, "train", parameters, seed=settings.seed, libraries=("torch", "transformers", "peft")
    ) as run:
        if own_process:
            launch_training(settings, out, name=name, processes=processes, tensorboard=tensorboard)
        else:
            train(settings, out, name=name, tensorboard=tensorboard)
        run.count("steps", settings.steps)


def launch_training(
    settings: TrainSettings, out: Path, *, name: str, processes: int = 1, tensorboard: Path | None = None
) -> None:
    """`core.train.recipe.train` in a process of its own, or in several.

    Raises `XlitError` with the reason when it fails, `KeyboardInterrupt` when it was interrupted.
    """
    with tempfile.TemporaryDirectory(prefix="xlit-train-") as folder:
        job_file, reason_file = Path(folder) / "job.json", Path(folder) / "reason"
        job = {
            "settings": settings.as_dict(),
            "out": str(out),
            "name": name,
            "tensorboard": str(tensorboard) if tensorboard else None,
            "parent": os.getpid(),
        }
        job_file.write_text(json.dumps(job))
        launcher = ("-m", *LAUNCHER, str(processes)) if processes > 1 else ()
        command = [sys.executable, *launcher, "-m", __name__, str(job_file), str(reason_file)]
        code = _exit_code(command)
        if code == 0:
            return
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        reason = reason_file.read_text(encoding="utf-8") if reason_file.is_file() else _exit_reason(code)
    raise XlitError(f"{name} was not trained: {reason}")


def _exit_code(command: list[str]) -> int:
    """Run a command and return its exit code. It is not in the terminal's foreground, so Ctrl-C is handed on
    to it, and we wait for the checkpoint that it writes then."""
    interrupted = False
    process = subprocess.Popen(command, start_new_session=True)
    while True:
        try:
            code = process.wait()
            return INTERRUPTED if interrupted and code else code
        except KeyboardInterrupt:
            interrupted = True
            process.send_signal(signal.SIGINT)


def _exit_reason(code: int) -> str:
    if code == -9:
        return "its process was killed, as a system does that runs out of memory."
    return f"its process ended with code {code}."


def _run_job(job_file: str, reason_file: str) -> int:
    """What the launched process does: train, and write down why when it fails. Returns the exit code."""
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    tensorboard = Path(job["tensorboard"]) if job["tensorboard"] else None
    _stop_when_gone(job["parent"])
    try:
        train(TrainSettings(**job["settings"]), Path(job["out"]), name=job["name"], tensorboard=tensorboard)
    except XlitError as error:
        Path(reason_file).write_text(str(error), encoding="utf-8")
        return EXIT_FAILED
    except KeyboardInterrupt:
        if process_number() == 0:
            say("Stopped; the same command goes on from the last checkpoint.")
        return INTERRUPTED
    return 0


def _stop_when_gone(command: int) -> None:
    """Stop as if told to when the process of the command (by its number) is gone, or the launcher between it
    and this one."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent and _process_exists(command):
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _process_exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:  # gone; were it there, it would be ours to signal
        return False
    return True


if __name__ == "__main__":
    sys.exit(_run_job(*sys.argv[1:]))
