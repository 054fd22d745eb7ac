"""The log of a run, a record for every update: `{"step": 3, "loss": 2.1, "learning_rate": 1e-05, ...}`.

It is written as JSON Lines, and for TensorBoard when that is asked for.
"""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from core.extras import needs_extra

LOG_FILE = "train-log.jsonl"


def read_log(path: Path) -> list[dict[str, Any]]:
    """The records of a log, in order; a torn last line is left out."""
    records = []
    if path.is_file():
        for line in path.read_bytes().splitlines():
            try:
                records.append(json.loads(line))
            except ValueError:
                break
    return records


class TrainingLog:
    """Appends records to a log. Records after `step` are removed when it is opened: a run that goes on from
    the checkpoint of that step does those updates again."""

    def __init__(self, path: Path, step: int, *, tensorboard: Path | None = None) -> None:
        kept = [record for record in read_log(path) if record["step"] <= step]
        path.write_text("".join(json.dumps(record) + "\n" for record in kept), encoding="utf-8")
        self._file = path.open("a", encoding="utf-8")
        self._board = _tensorboard_writer(tensorboard, step) if tensorboard else None

    def write(self, record: dict[str, Any]) -> None:
        """Write a record with its `step`; numbers of other names are TensorBoard's scalars."""
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()
        if self._board is not None:
            for name, value in _scalars(record):
                self._board.add_scalar(name, value, record["step"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()


def _scalars(record: dict[str, Any], prefix: str = "train/") -> list[tuple[str, float]]:
    scalars: list[tuple[str, float]] = []
    for name, value in record.items():
        if isinstance(value, dict):
            scalars += _scalars(value, f"{name}/")
        elif name != "step" and value is not None:
            scalars.append((prefix + name, value))
    return scalars


def _tensorboard_writer(folder: Path, step: int) -> Any:
    with needs_extra("tensorboard", "Logging for TensorBoard"):
        from torch.utils.tensorboard import SummaryWriter
    return SummaryWriter(str(folder), purge_step=step + 1)
