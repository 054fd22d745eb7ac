"""Training runs in processes of their own: all their memory is free again afterwards, and one that fails
takes nothing with it. With several processes for one run, PyTorch's launcher starts them (`torchrun`).
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

from core.console import INTERRUPTED
from core.progress import say
from core.train.parallel import process_number
from core.train.settings import TrainSettings
from store import XlitError
from store.provenance import EXIT_FAILED

LAUNCHER = ("torch.distributed.run", "--standalone", "--nproc-per-node")


def launch_training(
    settings: TrainSettings, out: Path, *, name: str, processes: int = 1, tensorboard: Path | None = None
) -> None:
    """`core.train.recipe.train` elsewhere. Raises `XlitError` with what it said when it fails."""
    with tempfile.TemporaryDirectory(prefix="xlit-train-") as folder:
        task, said = Path(folder) / "task.json", Path(folder) / "said"
        board = str(tensorboard) if tensorboard else None
        asked = {"settings": settings.as_dict(), "out": str(out), "name": name, "tensorboard": board}
        task.write_text(json.dumps({**asked, "asked_by": os.getpid()}))
        launcher = ("-m", *LAUNCHER, str(processes)) if processes > 1 else ()
        command = [sys.executable, *launcher, "-m", __name__, str(task), str(said)]
        code = _exit_code(command)
        if code == 0:
            return
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        reason = said.read_text(encoding="utf-8") if said.is_file() else _exit_reason(code)
    raise XlitError(f"{name} was not trained: {reason}")


def _exit_code(command: list[str]) -> int:
    """The exit code of a command. It is not in the terminal's foreground: we hand Ctrl-C on, and wait for the
    checkpoint that it writes then."""
    interrupted = False
    process = subprocess.Popen(command, start_new_session=True)
    while True:
        try:
            code = process.wait()
            return INTERRUPTED if interrupted and code else code
        except KeyboardInterrupt:
            interrupted = True
            process.send_signal(signal.SIGINT)


def _stop_when_gone(asker: int) -> None:
    """When the process that asked for this run is gone, or the launcher between it and us, stop as if told
    to."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent and _process_exists(asker):
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _process_exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:  # gone; were it there, it would be ours to signal
        return False
    return True


def _exit_reason(code: int) -> str:
    if code == -9:
        return "its process was killed, as a system does that runs out of memory."
    return f"its process ended with code {code}."


def _main(task_file: str, said: str) -> int:
    from core.train.recipe import train

    task = json.loads(Path(task_file).read_text(encoding="utf-8"))
    board = Path(task["tensorboard"]) if task["tensorboard"] else None
    _stop_when_gone(task["asked_by"])
    try:
        train(
            TrainSettings.from_dict(task["settings"]), Path(task["out"]), name=task["name"], tensorboard=board
        )
    except XlitError as error:
        Path(said).write_text(str(error), encoding="utf-8")
        return EXIT_FAILED
    except KeyboardInterrupt:
        if process_number() == 0:
            say("Stopped; the same command goes on from the last checkpoint.")
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
