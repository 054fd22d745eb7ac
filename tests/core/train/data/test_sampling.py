"""Mixing and sampling: by the seed and the content alone, nested, every language equally often."""

from collections import Counter

from core.train.data.formats import Conversation
from core.train.data.sampling import mix_conversations


def conversations(language: str, count: int) -> list[Conversation]:
    return [
        Conversation(
            [{"role": "user", "content": f"{language} {number}"}, {"role": "assistant", "content": "A"}],
            language,
            row=str(number),
        )
        for number in range(count)
    ]


ALL = conversations("en", 100) + conversations("fr", 40)


def rows(drawn) -> list[tuple[str, str]]:
    return [(conversation.language, conversation.row) for conversation in drawn]


def test_a_sample_is_part_of_a_larger_one_and_does_not_depend_on_the_order_of_the_data():
    small, large = (rows(mix_conversations(ALL, "concat", seed=1, size=size)) for size in (30, 60))
    assert len(set(small)) == 30
    assert set(small) < set(large)
    assert set(rows(mix_conversations(ALL[::-1], "concat", seed=1, size=30))) == set(small)
    assert set(rows(mix_conversations(ALL, "concat", seed=2, size=30))) != set(small)
    assert small == [row for row in rows(ALL) if row in set(small)]


def test_a_sample_is_the_same_on_every_machine():
    chosen = rows(mix_conversations(ALL, "concat", seed=1, size=5))
    assert chosen == [("en", "22"), ("en", "34"), ("en", "60"), ("fr", "6"), ("fr", "38")]


def test_uniform_mixing_gives_every_language_equally_often_and_begins_a_small_one_anew():
    drawn = rows(mix_conversations(ALL, "uniform", seed=1))
    assert Counter(language for language, _ in drawn) == {"en": 100, "fr": 100}
    assert [language for language, _ in drawn[:4]] == ["en", "fr", "en", "fr"]
    assert set(Counter(row for row in drawn if row[0] == "en").values()) == {1}
    french = [row for row in drawn if row[0] == "fr"]
    assert len(set(french[:40])) == len(set(french[40:80])) == 40
    assert french[:40] != french[40:80]


def test_uniform_samples_are_nested_too():
    small, large = (rows(mix_conversations(ALL, "uniform", seed=3, size=size)) for size in (31, 120))
    assert large[:31] == small


def test_equal_conversations_are_drawn_apart():
    twice = conversations("en", 3) * 2
    assert Counter(rows(mix_conversations(twice, "uniform", seed=1))) == Counter(rows(twice))
