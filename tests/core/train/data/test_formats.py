"""Every form of instruction data comes to the same messages, and is told by its fields."""

import pytest

from core.train.data.formats import FORMATS, Unfit, check_messages, format_of, messages_of

EXPECTED = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
CONTEXT = [{"role": "user", "content": "Q\n\nC"}, {"role": "assistant", "content": "A"}]


@pytest.mark.parametrize(
    ("row", "format", "messages"),
    [
        (EXPECTED, "chat", EXPECTED),
        ({"messages": EXPECTED}, "chat", EXPECTED),
        (
            {"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]},
            "sharegpt",
            EXPECTED,
        ),
        ({"conversations": ["Q", "A"], "source": "wikihow"}, "lima", EXPECTED),
        ({"instruction": "Q", "context": "C", "response": "A", "category": "open_qa"}, "dolly", CONTEXT),
        ({"instruction": "Q", "context": "", "response": "A"}, "dolly", EXPECTED),
        ({"instruction": "Q", "input": "C", "output": "A"}, "alpaca", CONTEXT),
        ({"instruction": "Q", "input": None, "output": "A"}, "alpaca", EXPECTED),
    ],
)
def test_rows_of_every_format_are_told_and_read(row, format, messages):
    assert format_of(row) == format
    assert messages_of(row, format) == messages


def test_a_row_of_no_known_format_is_told():
    assert [format_of(row) for row in (42, "x", {}, {"instruction": "Q"}, {"text": "x"}, None)] == [None] * 6


@pytest.mark.parametrize(
    ("row", "format", "reason"),
    [
        ([{"role": "robot", "content": "x"}], "chat", "`role`"),
        ([{"role": ["user"], "content": "x"}], "chat", "`role`"),
        ([{"role": "user"}], "chat", "no `content`"),
        ([{"role": "user", "content": ["x"]}], "chat", "not a text"),
        ({"messages": []}, "chat", "no conversation"),
        ("text", "sharegpt", "not an object"),
        ({"conversations": ["Q", 1]}, "lima", "not a list of texts"),
        ({"instruction": "Q", "response": None}, "dolly", "`response` is not a text"),
        ({"instruction": " ", "context": "C", "response": "A"}, "dolly", "empty `instruction`"),
        ({"instruction": "Q"}, "alpaca", "no `output`"),
    ],
)
def test_what_a_row_lacks_is_named(row, format, reason):
    with pytest.raises(Unfit, match=reason):
        messages_of(row, format)


def said(*turns: str) -> list[dict[str, str]]:
    roles = {"s": "system", "u": "user", "a": "assistant"}
    return [{"role": roles[turn[0]], "content": turn[1:]} for turn in turns]


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        (said("uQ"), "no answer"),
        (said("sS"), "no answer"),
        ([], "no answer"),
        (said("aA", "uQ"), "out of order: message 1 is of assistant"),
        (said("uQ", "uQ", "aA"), "out of order: message 2 is of user"),
        (said("uQ", "sS", "aA"), "not the first"),
        (said("uQ", "a \n"), "empty answer"),
        (said("u", "aA"), "empty question"),
        (said("uQ", "aA\x00"), "NUL"),
        (said("uQ\ud800", "aA"), "surrogate"),
    ],
)
def test_conversations_that_teach_nothing_or_wrongly_are_refused(turns, reason):
    with pytest.raises(Unfit, match=reason):
        check_messages(turns)


def test_a_last_question_without_an_answer_is_left_out_and_said():
    assert check_messages(said("sS", "uQ", "aA", "umore?")) == (said("sS", "uQ", "aA"), 1)
    assert check_messages(said("s ", "uQ", "aA")) == (said("uQ", "aA"), 0)


def test_the_formats_that_are_named_are_those_that_are_told():
    assert set(FORMATS) == {"chat", "sharegpt", "lima", "dolly", "alpaca"}
