"""Generating on a real Ray cluster of this machine: rows are those of one process, whatever dies."""

import shutil
import threading
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

pytest.importorskip("ray", reason="Ray is not installed")

from core.generate.decoding import Decoding
from core.generate.engines.ray.cluster import joined
from core.generate.engines.ray.pool import block_size
from core.generate.run import generate
from core.generate.settings import EngineOptions, ModelSource, RaySettings
from store import XlitError
from store.queries import suites
from store.session import writing

pytestmark = pytest.mark.whole


@pytest.fixture(scope="module", autouse=True)
def ray_cluster():
    """One cluster for all: each run finds that the process has joined one already."""
    with joined(None):
        yield


def rows(store) -> list[tuple]:
    columns = "model_id, instruction_id, sample, text, finish_reason, tokens_in, tokens_out, prompt_digest"
    with store.connect() as connection:
        return sorted(map(tuple, connection.execute(text(f"SELECT {columns} FROM response"))))


def failures(records) -> list[list[tuple[str, str]]]:
    return [[(unit, reason) for unit, reason in record.failures] for record in records]


def workers() -> list[psutil.Process]:
    """The processes of the actors that hold engines."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if "(MapBatches(Answerer))" in " ".join(process.info["cmdline"] or ()):
            found.append(process)
    return found


def has_torch(process: psutil.Process) -> bool:
    """Whether it has begun to open an engine."""
    try:
        return "libtorch" in Path(f"/proc/{process.pid}/maps").read_text()
    except OSError:
        return False


class Killer:
    """Kills (SIGKILL) an actor's process each time that `when(number of kills)` says so."""

    def __init__(self, when) -> None:
        self.when, self.kills, self._ended = when, 0, threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _work(self):
        killed = set()
        while not self._ended.wait(0.02):
            victims = [found for found in workers() if found.pid not in killed and has_torch(found)]
            if victims and self.when(self.kills):
                victims[0].kill()
                killed.add(victims[0].pid)
                self.kills += 1


@pytest.mark.thorough
def test_a_base_and_its_adapter_answer_as_in_one_process(new_store, checkpoint, adapter):
    sources = [ModelSource("base", str(checkpoint)), ModelSource("adapted", str(adapter))]
    decoding = Decoding(max_new_tokens=12, temperature=0.8)
    options = EngineOptions(batch_size=1)  # many blocks
    here, there = new_store("here.db"), new_store("there.db")
    generate(here, sources, decoding=decoding, options=options, samples=2)
    records, counters = generate(
        there, sources, decoding=decoding, options=options, samples=2, ray=RaySettings(actors=2)
    )
    assert rows(there) == rows(here)
    assert len(rows(there)) == 2 * 2 * 18
    assert [record.exit_code for record in records] == [0, 0]
    assert [counter.answered for counter in counters] == [24, 12, 24, 12]
    generate(there, sources, decoding=decoding, options=options, samples=2, ray=RaySettings(actors=2))
    assert rows(there) == rows(here)


@pytest.mark.thorough
def test_an_actor_that_is_killed_costs_no_answer(new_store, babbler):
    sources = [ModelSource("babbler", str(babbler))]
    decoding, options = Decoding(max_new_tokens=60), EngineOptions(batch_size=2)
    here, there = new_store("here.db"), new_store("there.db")
    generate(here, sources, decoding=decoding, options=options)
    with Killer(lambda kills: kills < 2 and len(rows(there)) > 4 * kills) as killer:
        records, _ = generate(there, sources, decoding=decoding, options=options, ray=RaySettings(actors=2))
    assert killer.kills == 2
    assert rows(there) == rows(here)
    assert records[0].exit_code == 0


@pytest.mark.thorough
def test_a_model_that_its_workers_die_of_each_time_comes_to_failures(store, checkpoint):
    with Killer(lambda kills: True) as killer:
        records, _ = generate(store, [ModelSource("m", str(checkpoint))], limit=2, ray=RaySettings(actors=1))
    assert killer.kills >= 5
    assert records[0].exit_code == 3
    (failed,) = failures(records)
    assert len(failed) == 4
    assert all("5 times over" in reason for _, reason in failed)
    assert rows(store) == []


@pytest.mark.thorough
def test_a_model_that_cannot_be_opened_fails_alone_and_so_does_a_prompt_too_long(store, checkpoint, tmp_path):
    torn = tmp_path / "torn"
    shutil.copytree(checkpoint, torn)
    weights = torn / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with writing(store) as session:
        new = [suites.NewInstruction("short", "en", "Hi"), suites.NewInstruction("long", "en", "Hi " * 500)]
        suites.add_suite(session, "two", "1", new)
    sources = [ModelSource("good", str(checkpoint)), ModelSource("torn", str(torn))]
    records, _ = generate(
        store, sources, suite="two", decoding=Decoding(max_new_tokens=4), ray=RaySettings(actors=1)
    )
    good, bad = failures(records)
    assert [record.exit_code for record in records] == [3, 3]
    assert [unit for unit, _ in good] == ["en/long"]
    assert "the context holds 128" in good[0][1]
    assert {unit for unit, _ in bad} == {"en/short", "en/long"}
    assert all("can't be loaded" in reason and "\n" not in reason for _, reason in bad)
    assert len(rows(store)) == 1


def test_an_address_where_nothing_answers_leaves_nothing_claimed(store, checkpoint):
    sources = [ModelSource("m", str(checkpoint))]
    with pytest.raises(XlitError, match="No Ray cluster answers"):
        generate(store, sources, ray=RaySettings(address="127.0.0.1:9"))
    with store.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM claim")).scalar() == 0


@pytest.mark.parametrize(
    ("requests", "actors", "size"),
    [(1, 8, 1), (36, 2, 18), (200, 2, 32), (5000, 8, 128), (1000, 4, 62), (10**6, 8, 128)],
)
def test_blocks_fill_batches_and_leave_several_for_each_actor(requests, actors, size):
    assert block_size(requests, actors, batch_size=32) == size
