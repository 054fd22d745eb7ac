"""A full disk is a sentence and leaves nothing half-written; the second of two equal commands finds the work
done."""

import json
import resource
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from core import disk
from core.disk import exclusive, folder_in_the_making, take_lock, write_errors
from core.errors import reason_of
from core.generate.gguf.convert import convert
from core.models.merging import merge_into_base
from core.train.data.sources import DataSource
from core.train.recipe import train
from core.train.settings import TrainSettings
from store import UsageError, XlitError
from tests.checkpoints import make_adapter, make_checkpoint

pytestmark = pytest.mark.whole


@contextmanager
def full_disk(size: int):
    """No file may grow beyond `size` bytes, which the system refuses as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("disk") / "base", steps=0, hidden=256)


@pytest.fixture(scope="module")
def adapter(base: Path) -> Path:
    return make_adapter(base.parent / "adapter", base, steps=0)


def plan(base: Path, folder: Path, **changes) -> TrainSettings:
    data = folder / "data.jsonl"
    data.write_text(json.dumps({"instruction": "Say hi.", "output": "Hi"}) + "\n")
    settings = {"learning_rate": 1e-3, "steps": 2, "accumulate": 1, "batch_tokens": 128, "max_length": 128}
    return TrainSettings(base=str(base), data=(DataSource(str(data)),), **{**settings, **changes})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_finished_model_that_does_not_fit_is_made_by_the_same_command_when_there_is_room(base, tmp_path):
    settings = plan(base, tmp_path)
    with (
        full_disk(500_000),
        pytest.raises(XlitError, match=r"finished model out can't be written to .*: .*oom"),
    ):
        train(settings, tmp_path / "out")
    assert names(tmp_path) == ["data.jsonl", "out.partial"]
    assert not (tmp_path / "out.partial" / "final").exists()
    train(settings, tmp_path / "out")
    assert names(tmp_path) == ["data.jsonl", "out"]


@pytest.mark.parametrize("quantization", ["f16", "q8_0"])
@pytest.mark.parametrize("size", [100, 300_000])
def test_a_conversion_that_does_not_fit_leaves_nothing(base, tmp_path, quantization: str, size: int):
    with full_disk(size), pytest.raises(XlitError, match=r"out.gguf can't be written to .*Make room"):
        convert(base, tmp_path / "out.gguf", quantization)
    assert names(tmp_path) == []


def test_a_quantised_file_that_does_not_fit_leaves_nothing(base, tmp_path, monkeypatch):
    from core.generate.gguf import convert as converting

    quantize = converting._quantize

    def without_room(*arguments):
        with full_disk(100_000):
            quantize(*arguments)

    monkeypatch.setattr(converting, "_quantize", without_room)
    with pytest.raises(XlitError, match="q8_0"):
        convert(base, tmp_path / "out.gguf", "q8_0")
    assert names(tmp_path) == []


def test_a_merged_model_that_does_not_fit_leaves_nothing(adapter, tmp_path):
    with full_disk(500_000), pytest.raises(XlitError, match=r"merged can't be written to .*Make room"):
        merge_into_base(str(adapter), tmp_path / "merged")
    assert names(tmp_path) == []
    (tmp_path / "merged.partial").mkdir()
    (tmp_path / "merged.partial" / "left by a command that was killed").touch()
    merge_into_base(str(adapter), tmp_path / "merged")
    assert names(tmp_path) == ["merged"]
    assert not (tmp_path / "merged" / "left by a command that was killed").exists()


def together(*calls) -> list[object]:
    """What calls come to that are made at the same time: None, or their error."""
    outcomes: list[object] = [None] * len(calls)

    def run(number: int) -> None:
        try:
            calls[number]()
        except Exception as error:
            outcomes[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_two_equal_conversions_make_one_file(base, tmp_path):
    call = lambda: convert(base, tmp_path / "out.gguf", "q8_0")  # noqa: E731
    assert together(call, call, call) == [None] * 3
    assert names(tmp_path) == ["out.gguf"]


def test_the_second_of_two_equal_merges_says_that_the_first_was_made(adapter, tmp_path):
    call = lambda: merge_into_base(str(adapter), tmp_path / "merged")  # noqa: E731
    first, second = sorted(together(call, call), key=lambda outcome: outcome is not None)
    assert first is None
    assert isinstance(second, UsageError)
    assert "is there already" in str(second)
    assert names(tmp_path) == ["merged"]


CHILD = """
import json, sys
from pathlib import Path
from core.train.settings import TrainSettings
from core.train.recipe import train
print(train(TrainSettings(**json.loads(sys.argv[1])), Path(sys.argv[2]))["last_loss"])
"""


def test_two_equal_trainings_make_one_model(base, tmp_path):
    settings = plan(base, tmp_path, steps=20)
    command = [sys.executable, "-c", CHILD, json.dumps(settings.as_dict()), str(tmp_path / "out")]
    children = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    told = [child.communicate() for child in children]
    assert [child.returncode for child in children] == [0, 0], told
    assert told[0][0] == told[1][0]
    assert sum("Training on" in errors for _, errors in told) == 1
    assert names(tmp_path) == ["data.jsonl", "out"]


def test_a_lock_whose_file_was_removed_meanwhile_is_taken_anew(tmp_path, monkeypatch):
    import fcntl

    file = tmp_path / "work" / "lock"
    first = take_lock(file, "busy")
    monkeypatch.setattr(disk, "LOCK_TIMEOUT", 0.0)
    with pytest.raises(XlitError, match=r"^busy$"):
        take_lock(file, "busy")
    monkeypatch.setattr(disk, "LOCK_TIMEOUT", 10.0)
    lock = fcntl.flock

    def after_the_first_has_finished(*arguments):
        """The second has opened the file already when the first removes it and gives its lock back."""
        if not first.closed:
            file.unlink()
            file.parent.rmdir()
            first.close()
        lock(*arguments)

    monkeypatch.setattr(fcntl, "flock", after_the_first_has_finished)
    second = take_lock(file, "busy")
    assert file.exists()
    second.close()


def test_a_lock_that_can_not_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(XlitError, match="can't be written"):
        take_lock(tmp_path / "file" / "lock", "busy")
    with pytest.raises(XlitError, match="can't be written"), exclusive(tmp_path / "file" / "out"):
        pass


def test_a_folder_appears_when_it_is_whole_and_other_errors_pass(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(ZeroDivisionError), folder_in_the_making(out) as work:
        (work / "part").touch()
        raise ZeroDivisionError
    assert names(tmp_path) == []
    with pytest.raises(XlitError, match="already said"), write_errors("out", tmp_path):
        raise XlitError("already said")
    with folder_in_the_making(out) as work:
        (work / "part").write_text("whole")
    assert (out / "part").read_text() == "whole"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(28, "No space left on device", "/a/b"), "No space left on device"),
        (RuntimeError("Error(s) in loading M:\n\tsize mismatch for w: (8, 4), (9, 4).\n\tmore"),
         "Error(s) in loading M: size mismatch for w: (8, 4), (9, 4)"),
        (ValueError("one.\ntwo"), "one"),
        (ValueError(), "ValueError"),
    ],
)  # fmt: skip
def test_the_reason_of_an_error_is_a_part_of_a_sentence(error, reason):
    assert reason_of(error) == reason
