"""How many threads there are for us."""

from pathlib import Path

import pytest

from core.generate.engines.llama_cpp import library


@pytest.fixture
def given(monkeypatch, tmp_path: Path):
    """A machine of four cores with two threads each, of which six threads are given to us."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(library.os, "sched_getaffinity", lambda _: {0, 1, 2, 4, 5, 6}, raising=False)
    monkeypatch.setattr(library, "CPUS", tmp_path)
    monkeypatch.setattr(library, "QUOTA", tmp_path / "cpu.max")
    for cpu in range(8):
        folder = tmp_path / f"cpu{cpu}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{cpu % 4},{cpu % 4 + 4}\n")
    return tmp_path


def test_threads_are_the_physical_cores_given_to_us(given: Path):
    assert library.default_threads() == 3


def test_a_container_s_quota_lowers_them(given: Path):
    (given / "cpu.max").write_text("200000 100000\n")
    assert library.default_threads() == 2
    (given / "cpu.max").write_text("50000 100000\n")
    assert library.default_threads() == 1
    (given / "cpu.max").write_text("max 100000\n")
    assert library.default_threads() == 3


def test_what_the_user_says_comes_first(given: Path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert library.default_threads() == 7
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert library.default_threads() == 3


def test_where_the_system_tells_nothing_every_core_counts(given: Path, monkeypatch):
    monkeypatch.setattr(library, "CPUS", given / "nowhere")
    assert library.default_threads() == 6
    monkeypatch.setattr(library, "MEMORY", given / "nowhere")
    assert library.available_memory() is None


def test_memory_that_can_be_taken_is_read_in_bytes(given: Path, monkeypatch):
    (given / "meminfo").write_text("MemTotal:  100 kB\nMemFree:  1 kB\nMemAvailable:     42 kB\n")
    monkeypatch.setattr(library, "MEMORY", given / "meminfo")
    assert library.available_memory() == 42 * 1024
