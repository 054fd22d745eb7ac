"""Measuring in several processes: the same rows, nothing lost and nobody left behind, however it ends."""

import os
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest
from sqlalchemy import text

from core.judge.surface import metrics as surface
from core.judge.surface.metrics import judge_surface
from store import UsageError, XlitError, open_store

pytestmark = pytest.mark.whole


WORKER = "core.judge.surface.processes"
SENTENCES = {
    "en": "This is answer number {} and we recieved a letter. Сегодня хорошая погода, и мы рады.",
    "fr": "Le badminton est un sport de raquette, dit le numéro {}. Il etait sous l’arbre.",
    "ru": "Сегодня хорошая погода, и мы получили письмо {}. This sentence is in English, as you see.",
    "de": "Badminton ist ein Rückschlagspiel mit der Nummer {}, das man zu zweit speilt.",
}
SCRIPT = (
    "import sys\nfrom core.console import run_app\nfrom core.judge.surface import metrics as surface\n"
    "from store import open_store\nsurface.CHUNK = 5\n"
    "run_app(lambda: surface.judge_surface(open_store(sys.argv[1]), processes=2))\n"
)


@pytest.fixture
def many(answered):
    """240 responses in four languages."""
    return answered(
        *[(language, "?", said.format("i" * n)) for language, said in SENTENCES.items() for n in range(60)]
    )


def measured(engine):
    columns = "response_id, metric, tool, value, label, detail"
    with engine.connect() as connection:
        rows = connection.execute(text(f"SELECT {columns} FROM surface_metric ORDER BY response_id, metric"))
        return [tuple(row) for row in rows]


def running(path) -> subprocess.Popen:
    """The command over that store, in two processes, halted once it has written something: so it is not
    done before its test goes on. `go_on` lets it."""
    command = [sys.executable, "-c", SCRIPT, str(path)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    engine = open_store(path)
    while not measured(engine) and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGSTOP)
    engine.dispose()
    return process


def go_on(process: subprocess.Popen) -> None:
    os.killpg(process.pid, signal.SIGCONT)


def workers_of(process: subprocess.Popen) -> list[psutil.Process]:
    return [child for child in psutil.Process(process.pid).children() if WORKER in child.cmdline()]


def gone(workers: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(workers, timeout=20)[1]


@pytest.mark.parametrize("processes", [2, 3])
def test_the_rows_are_the_same_in_any_number_of_processes(many, tmp_path, monkeypatch, processes):
    monkeypatch.setattr(surface, "CHUNK", 7)
    many.dispose()  # or the file is not all there is of it
    shutil.copy(tmp_path / "s.db", tmp_path / "one.db")
    alone = open_store(tmp_path / "one.db")
    assert judge_surface(alone, processes=1).counts == {"language": 240, "spelling": 240}
    assert judge_surface(many, processes=processes).counts == {"language": 240, "spelling": 240}
    assert measured(many) == measured(alone)
    assert len({row[4] for row in measured(many)}) > 3
    assert judge_surface(many, processes=processes).counts == {}
    alone.dispose()


def test_texts_that_no_encoding_takes_reach_a_process_and_come_back(answered, tmp_path):
    engine = answered(("ru", "?", "x"), ("ru", "?", "x" * 100_000), ("ru", "?", ""))
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE response SET text = :t WHERE id = 1"),
            {"t": "Привет,\x00как дела\x1b[31m сегодня?\n" * 99},
        )
    assert judge_surface(engine, processes=2).counts == {"language": 3, "spelling": 3}
    assert measured(engine)[0][4] == "ru"


def test_a_killed_command_leaves_no_process_behind_and_the_next_one_does_the_rest(many, tmp_path):
    process = running(tmp_path / "s.db")
    workers = workers_of(process)
    assert len(workers) == 2
    os.kill(process.pid, signal.SIGKILL)
    go_on(process)
    _, said = process.communicate(timeout=30)
    assert gone(workers)
    assert said == ""
    before = measured(many)
    assert 0 < len(before) < 480
    assert len(before) % 10 == 0  # chunks of five responses, each written as a whole
    run = judge_surface(many)
    left = 240 - len(before) // 2
    assert run.counts == {"language": left, "spelling": left}
    after = measured(many)
    assert len({row[:3] for row in after}) == len(after) == 480
    assert set(before) <= set(after)


def test_ctrl_c_ends_with_one_message_and_leaves_no_process_behind(many, tmp_path):
    process = running(tmp_path / "s.db")
    workers = workers_of(process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to all that it started
    go_on(process)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    lines = [line for line in said.splitlines() if not line.startswith("surface: ")]
    assert lines == ["Stopped. The same command goes on where it was."]
    assert gone(workers)
    assert judge_surface(many).counts["language"] < 240


def test_a_process_that_dies_is_one_clear_error_and_what_was_measured_stays(many, tmp_path):
    process = running(tmp_path / "s.db")
    workers = workers_of(process)
    workers[0].kill()
    go_on(process)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Traceback" not in said
    assert said.count("was killed (signal 9)") == 1
    assert "--processes 1" in said
    assert gone(workers)
    kept = len(measured(many))
    assert 0 < kept < 480
    assert judge_surface(many).counts == {"language": 240 - kept // 2, "spelling": 240 - kept // 2}


def test_a_tool_that_breaks_in_a_process_is_the_error_that_it_is_here(many, tmp_path, monkeypatch):
    model = tmp_path / "lid.bin"
    shutil.copy(surface.language_id.find_model(), model)
    loaded = surface.LanguageIdentifier

    def then_broken(lid):
        identifier = loaded(lid)
        model.write_bytes(b"not a model")
        return identifier

    monkeypatch.setattr(surface, "LanguageIdentifier", then_broken)
    with pytest.raises(XlitError, match=r"lid\.bin is not a fastText model"):
        judge_surface(many, lid=model, processes=2)


def test_little_work_starts_no_process(many, monkeypatch):
    monkeypatch.setattr(surface, "measured_by_processes", None)
    assert judge_surface(many).counts == {"language": 240, "spelling": 240}


def test_much_work_is_spread_over_the_cores_that_this_process_may_use(many, monkeypatch):
    asked = []

    def counted(tools, next_chunk, processes):
        asked.append(processes)
        return iter([])

    monkeypatch.setattr(surface, "measured_by_processes", counted)
    monkeypatch.setattr(surface, "RESPONSES_PER_PROCESS", 80)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 4, 5, 6}, raising=False)
    judge_surface(many)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    judge_surface(many)
    assert asked == [3]


def test_no_processes_is_nothing_to_work_with(many):
    with pytest.raises(UsageError, match="0 processes"):
        judge_surface(many, processes=0)
