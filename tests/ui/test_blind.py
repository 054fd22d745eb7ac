"""The blind order: the same everywhere, different for each reviewer and instruction, and it stays."""

from collections import Counter

from store.queries.compare import Source
from tui.review import blind

SOURCES = [Source(number, f"model {number}", 1, "d", "imported", None, "{}", 0) for number in range(4)]


def names(seed: str) -> list[str]:
    return [source.model for source in blind.shuffled(seed, SOURCES)]


def test_the_order_is_pinned_so_that_no_version_of_python_changes_it():
    seed = blind.seed_of("nv", "paper/1", "badminton", "ru")
    assert names(seed) == ["model 2", "model 3", "model 1", "model 0"]


def test_the_order_does_not_depend_on_row_numbers_or_arrival():
    seed = blind.seed_of("nv", "paper/1", "badminton", "ru")
    renumbered = [
        Source(source.model_id + 70, source.model, 9, "d", "imported", None, "{}", 0) for source in SOURCES
    ]
    assert [source.model for source in blind.shuffled(seed, renumbered[::-1])] == names(seed)


def test_every_model_stands_in_every_column_about_equally_often():
    first = Counter(names(blind.seed_of("nv", "paper/1", str(key), "ru"))[0] for key in range(400))
    assert len(first) == 4
    assert min(first.values()) > 60


def test_two_reviewers_see_different_orders():
    def orders(reviewer: str) -> list[list[str]]:
        return [names(blind.seed_of(reviewer, "paper/1", str(key), "ru")) for key in range(10)]

    assert orders("nv") != orders("vn")


def test_late_responses_are_appended_and_nothing_moves():
    seed = blind.seed_of("nv", "paper/1", "badminton", "ru")
    early = {10: SOURCES[0], 11: SOURCES[1]}
    first = blind.columns_of(seed, early, {})
    later = blind.columns_of(seed, {**early, 12: SOURCES[2], 13: SOURCES[3]}, first)
    assert {response: later[response] for response in early} == first
    assert sorted(later.values()) == [0, 1, 2, 3]


def test_labels_go_on_after_z():
    assert [blind.letter(column) for column in (0, 1, 25, 26, 27)] == ["A", "B", "Z", "AA", "AB"]
