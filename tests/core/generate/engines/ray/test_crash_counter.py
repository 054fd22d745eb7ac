"""Counting what workers die of."""

from core.generate.engines.ray.actor import CrashCounter


def test_a_worker_that_begins_anew_has_died():
    deaths = CrashCounter()
    assert [deaths.begin("w", ["block 1", "model 0"]) for _ in range(4)] == [0, 1, 2, 3]


def test_workers_that_are_at_the_same_model_have_not_died():
    deaths = CrashCounter()
    assert deaths.begin("w1", ["block 1", "model 0"]) == deaths.begin("w2", ["block 2", "model 0"]) == 0


def test_an_end_by_any_worker_shows_that_the_model_is_good_but_not_the_block():
    deaths = CrashCounter()
    deaths.begin("w1", ["block 1", "model 0"])
    deaths.begin("w1", ["block 1", "model 0"])
    deaths.begin("w2", ["block 2", "model 0"])
    deaths.end("w2", ["block 2", "model 0"])
    assert deaths.begin("w3", ["block 3", "model 0"]) == 0
    assert deaths.begin("w1", ["block 1", "model 0"]) == 2


def test_the_next_block_of_a_model_that_kills_each_worker_counts_on():
    deaths = CrashCounter()
    for _ in range(3):
        deaths.begin("w", ["block 1", "model 0"])
    assert deaths.begin("w", ["block 2", "model 0"]) == 3
