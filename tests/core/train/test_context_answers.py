"""Answers that are context, and what a chat template would leave out: thoughts, tools, systems."""

import pytest

from core.train.data.formats import Conversation, parse_row
from core.train.examples import IGNORED, build_examples
from core.train.templates.chat_template import choose_template
from store import UsageError
from tests.core.generate.gguf.made import byte_level_tokenizer
from tests.core.train.data.test_fields import CALL, TOOL
from tests.core.train.data.writing import chat

# Writes tools and calls, and the thought of the last answer alone.
WRITES_ALL = (
    "{% if tools %}<|im_start|>system\n{{ tools | tojson }}<|im_end|>\n{% endif %}"
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}"
    "{% if m['thinking'] and loop.last %}{{ '<think>' + m['thinking'] + '</think>' }}{% endif %}"
    "{{ m['content'] }}"
    "{% for c in m['tool_calls'] or [] %}{{ c['function']['name'] }}{{ c['function']['arguments'] | tojson }}"
    "{% endfor %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def tokenizer_with(template: str | None):
    tokenizer = byte_level_tokenizer(r"\p{L}+|[^\p{L}]", nfc=True)
    tokenizer.eos_token = "<|endoftext|>"
    if template is None:
        choose_template(tokenizer, "chatml")
    else:
        tokenizer.chat_template = template
    return tokenizer


def learned(template: str | None, row, max_length: int = 1000) -> list[str]:
    """What the loss covers of each example of a row."""
    tokenizer = tokenizer_with(template)
    parsed = parse_row(row)
    conversation = Conversation(parsed.messages, "en", location="d:1", tools=parsed.tools)
    examples = build_examples(tokenizer, [conversation], max_length).examples
    return [tokenizer.decode([label for label in example.labels if label != IGNORED]) for example in examples]


def two_turns(first: dict, last: dict | None = None) -> list[dict]:
    turns = [*chat("Q", "first")["messages"], *chat("R", "second")["messages"]]
    turns[1] |= first
    turns[3] |= last or {}
    return turns


def test_an_answer_with_weight_0_is_read_and_not_learned():
    assert learned(None, two_turns({})) == ["first<|im_end|>second<|im_end|>"]
    assert learned(None, two_turns({"weight": 0})) == ["second<|im_end|>"]
    assert learned(None, two_turns({}, {"train": False})) == ["first<|im_end|>"]


def test_an_answer_that_is_context_makes_no_example_of_its_own():
    turns = two_turns({"thinking": "T"}, {"thinking": "U"})
    assert learned(WRITES_ALL, turns) == [
        "<think>T</think>first<|im_end|>",
        "<think>U</think>second<|im_end|>",
    ]
    turns[1]["weight"] = 0
    assert learned(WRITES_ALL, turns) == ["<think>U</think>second<|im_end|>"]


def test_a_long_conversation_keeps_an_answer_that_is_learned():
    turns = two_turns({"weight": 0})
    whole = build_examples(tokenizer_with(None), [Conversation(parse_row(turns).messages)], 1000).examples[0]
    assert learned(None, turns, len(whole) - 1) == ["second"]


def test_calls_are_learned_and_results_are_not():
    row = {
        "messages": [
            {"role": "user", "content": "Q"},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "content": "3 degrees"},
            {"role": "assistant", "content": "A"},
        ],
        "tools": [TOOL],
    }
    assert learned(WRITES_ALL, row) == ['weather{"city": "Paris"}<|im_end|>A<|im_end|>']
    with pytest.raises(UsageError, match="does not write the tool call of d:1"):
        learned(None, row)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (chat("Q", "A", tools=[TOOL]), "the tool of d:1: .* --drop-field tools"),
        (
            [*chat("Q", "A")["messages"][:1], {"role": "assistant", "content": "A", "reasoning": "T"}],
            "the thought of d:1: .* --drop-field reasoning",
        ),
    ],
)
def test_what_a_template_leaves_out_is_refused_by_name(row, sentence):
    assert learned(WRITES_ALL, row)
    with pytest.raises(UsageError, match=sentence):
        learned(None, row)


def test_a_template_that_leaves_out_the_system_is_refused():
    template = "{% for m in messages if m['role'] != 'system' %}" + WRITES_ALL.split("messages %}", 1)[1]
    with pytest.raises(UsageError, match="does not write the system message of d:1"):
        learned(template, chat("Q", "A", system="Be brief"))
