"""Checkpoints of a run in progress: which ones are whole."""

from pathlib import Path

WHOLE = "whole"


def mark_whole(checkpoint: Path) -> None:
    """Say that everything of this checkpoint has been written."""
    (checkpoint / WHOLE).touch()


def last_whole(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end; a torn one (killed while saving) does not count."""
    whole = [
        checkpoint
        for checkpoint in folder.glob("checkpoint-*")
        if (checkpoint / WHOLE).exists() and checkpoint.name.rpartition("-")[2].isdigit()
    ]
    return max(whole, key=lambda checkpoint: int(checkpoint.name.rpartition("-")[2]), default=None)
