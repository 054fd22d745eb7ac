"""Every form of instruction data comes to the same messages, and is told by its fields."""

import pytest

from core.train.data.formats import FORMATS, format_of, messages_of
from core.train.data.turns import Unfit, check_messages

EXPECTED = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
SYSTEM = [{"role": "system", "content": "S"}, *EXPECTED]
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
        ({"instruction": "Q", "input": "C", "response": "A"}, "dolly", CONTEXT),
        ({"instruction": "Q", "context": "C", "output": "A"}, "alpaca", CONTEXT),
        ({"messages": None, "instruction": "Q", "output": "A"}, "alpaca", EXPECTED),
        ({"prompt": "Q", "completion": "A"}, "prompt-completion", EXPECTED),
        ({"prompt": EXPECTED[:1], "completion": EXPECTED[1:]}, "prompt-completion", EXPECTED),
        ({"question": "Q", "answer": "A"}, "question-answer", EXPECTED),
        ({"input": "Q", "output": "A"}, "question-answer", EXPECTED),
        ({"system_prompt": "S", "question": "Q", "response": "A"}, "openorca", SYSTEM),
        ({"inputs": "Q", "targets": "A"}, "aya", EXPECTED),
        ({"conversations": EXPECTED}, "chat", EXPECTED),
        ({"messages": EXPECTED, "system": "S"}, "chat", SYSTEM),
        ({"messages": SYSTEM, "system": "S"}, "chat", SYSTEM),
        ([{"role": "developer", "content": "S"}, *EXPECTED], "chat", SYSTEM),
        ([{"role": "user", "content": [{"type": "text", "text": "Q"}]}, EXPECTED[1]], "chat", EXPECTED),
        (
            {"instruction": "R", "output": "B", "history": [["Q", "A"]]},
            "alpaca",
            [*EXPECTED, {"role": "user", "content": "R"}, {"role": "assistant", "content": "B"}],
        ),
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
        ([{"role": "user", "content": [{"type": "image_url"}]}], "chat", "of type 'image_url'"),
        ([EXPECTED[0], EXPECTED[1] | {"weight": 0.5}], "chat", "`weight` is 0.5"),
        ({"messages": SYSTEM, "system": "T"}, "chat", "differ"),
        ({"instruction": "Q", "context": "C", "input": "D", "response": "A"}, "dolly", "--column context="),
        ({"instruction": "Q", "history": "x y", "output": "A"}, "alpaca", "`history` is not valid JSON"),
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
        ([EXPECTED[0], EXPECTED[1] | {"weight": 0}], "none|no answer that is learned"),
        ([*said("uQ", "aA"), {"role": "tool", "content": "x"}], "message 3 is of tool, not user"),
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
    told = {"chat", "sharegpt", "lima", "dolly", "alpaca", "prompt-completion", "openorca", "aya"}
    assert set(FORMATS) == told | {"question-answer"}
