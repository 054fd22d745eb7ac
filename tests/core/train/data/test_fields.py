"""Every field of a row is used, known to be harmless, or named with its count; answers can be context."""

import pytest

from core.train.data.formats import parse_row
from core.train.data.loading import load_data
from core.train.data.sources import DataSource, data_source
from core.train.data.turns import Unfit
from store import UsageError
from tests.core.train.data.writing import chat, jsonl

CALL = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {}}}


def test_fields_that_are_not_used_are_named_with_their_rows(tmp_path):
    rows = [
        {"instruction": "Q", "output": "A", "explanation": "E", "id": 1, "score": 0},
        {"instruction": "R", "output": "B", "explanation": "F", "text": "### R ### B"},
        {"instruction": "R", "output": "B", "explanation": None, "text": "other"},
        chat("Q", "A", prompt="Q", history=[["x", "y"]]),
    ]
    data = load_data([DataSource(str(jsonl(tmp_path / "d.jsonl", rows)), language="en")])
    assert data.counts[0].unused == {"explanation": 2, "score": 1, "text": 1, "history": 1}
    assert data.counts[0].fields["text"] == {"copy of what is used": 1, "not used": 1}
    assert data.counts[0].fields["prompt"] == {"copy of what is used": 1}
    assert (
        "d.jsonl [en]: fields that are not used: explanation (2 rows), score (1 rows), text (1 rows), "
        "history (1 rows)" in data.lines()
    )


def test_fields_of_turns_are_named_too():
    turns = [{"role": "user", "content": "Q", "mood": "sad"}, {"role": "assistant", "content": "A"}]
    assert parse_row({"messages": turns}).fields == {
        "messages[].content": "question, answer that is learned",
        "messages[].mood": "not used",
    }


def test_a_language_that_is_no_code_is_not_used_unless_a_code_stands_beside_it(tmp_path):
    rows = [
        {"inputs": "Q", "targets": "A", "language": "Yoruba", "language_code": "yor"},
        {"inputs": "R", "targets": "B", "language": "Yoruba"},
    ]
    data = load_data([DataSource(str(jsonl(tmp_path / "d.jsonl", rows)), language="en")])
    assert [conversation.language for conversation in data.conversations] == ["yor", "en"]
    assert [count.unused for count in data.counts] == [{}, {"language": 1}]


def test_two_questions_in_a_row_are_not_guessed_between():
    row = {"instruction": "Answer.", "question": "Why?", "answer": "So."}
    with pytest.raises(Unfit, match=r"both `instruction` and `question` .* --column instruction=NAME"):
        parse_row(row)
    parsed = parse_row(row, columns={"instruction": "question", "system": "instruction"})
    assert [message["content"] for message in parsed.messages] == ["Answer.", "Why?", "So."]


def test_columns_are_named_by_paths_and_what_is_beside_them_is_counted(tmp_path):
    row = {"talk": {"turns": [{"by": "me", "says": "Q"}, {"says": "A"}, {"says": "more"}]}, "tongue": "fr"}
    path = jsonl(tmp_path / "d.jsonl", [row])
    columns = {"instruction": "talk.turns.0.says", "response": "talk.turns.1.says", "language": "tongue"}
    source = data_source(str(path), columns=columns)
    data = load_data([source])
    assert data.conversations[0].messages == chat("Q", "A")["messages"]
    assert data.conversations[0].language == "fr"
    assert data.counts[0].unused == {"talk.turns.0.by": 1, "talk.turns.2.says": 1}
    with pytest.raises(UsageError, match=r"No row of .* holds 'nowhere'"):
        load_data([data_source(str(path), columns=columns | {"system": "nowhere"})])
    with pytest.raises(UsageError, match="maps 'answer', which is none of messages"):
        data_source(str(path), columns={"answer": "x"})


def test_a_format_that_is_said_reads_its_own_fields_alone():
    row = {"instruction": "Q", "response": "A", "output": "B"}
    with pytest.raises(Unfit, match="both `response` and `output`"):
        parse_row(row)
    parsed = parse_row(row, "alpaca")
    assert (parsed.messages[1]["content"], parsed.fields["response"]) == ("B", "not used")


def test_fields_are_left_out_by_option_in_rows_and_turns(tmp_path):
    row = chat("Q", "A", tools=[TOOL])
    row["messages"][1]["reasoning_content"] = "T"
    path = jsonl(tmp_path / "d.jsonl", [row])
    kept = load_data([DataSource(str(path))]).conversations[0]
    assert (kept.tools, kept.messages[1]["reasoning_content"]) == ([TOOL], "T")
    data = load_data([DataSource(str(path), drop=("tools", "reasoning_content"))])
    assert data.conversations[0].messages == chat("Q", "A")["messages"]
    assert data.conversations[0].tools is None
    assert data.conversations[0].digest() != kept.digest()
    with pytest.raises(UsageError, match=r"No row of .* holds 'tool'"):
        load_data([DataSource(str(path), drop=("tool",))])


@pytest.mark.parametrize("mark", [{"weight": 0}, {"train": False}])
def test_answers_with_weight_0_are_context(mark):
    turns = [*chat("Q", "A")["messages"], *chat("R", "B")["messages"]]
    turns[1] |= mark
    messages = parse_row({"messages": turns}).messages
    assert [message.get("weight") for message in messages] == [None, 0, None, None]


def test_answers_within_a_prompt_are_context():
    row = {
        "prompt": [*chat("Q", "A")["messages"], {"role": "user", "content": "R"}],
        "completion": [{"role": "assistant", "content": "B"}],
    }
    messages = parse_row(row).messages
    assert [message.get("weight") for message in messages] == [None, 0, None, None]


def test_calls_of_tools_come_in_as_chat_templates_take_them():
    function = {"name": "weather", "arguments": {"city": "Paris"}}
    result = {"role": "tool", "content": "3 degrees", "tool_call_id": "c"}
    turns = [
        {"role": "user", "content": "Q"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        result,
        {"role": "assistant", "content": "A"},
    ]
    messages = parse_row({"messages": turns, "tools": [TOOL]}).messages
    assert messages[1]["tool_calls"] == [{"id": "c", "type": "function", "function": function}]
    assert messages[2] == result
    sharegpt = [
        {"from": "human", "value": "Q"},
        {"from": "function_call", "value": '{"name": "weather", "arguments": {"city": "Paris"}}'},
        {"from": "observation", "value": "3 degrees"},
        {"from": "gpt", "value": "A"},
    ]
    parsed = parse_row({"conversations": sharegpt})
    assert [message["role"] for message in parsed.messages] == ["user", "assistant", "tool", "assistant"]
    assert parsed.messages[1]["tool_calls"] == [{"type": "function", "function": function}]
    with pytest.raises(Unfit, match="not valid JSON"):
        parse_row({"conversations": [sharegpt[0], {"from": "function_call", "value": "weather("}]})
