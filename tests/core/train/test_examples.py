"""What the loss covers, shown by decoding the labels."""

import json

import pytest

from core.train.data import read_chats
from core.train.examples import IGNORED, build_example, build_examples
from store import UsageError
from tests.checkpoints import make_tokenizer

CHAT = [
    {"role": "user", "content": "Какая столица России?"},
    {"role": "assistant", "content": "Столица России — Москва."},
    {"role": "user", "content": "Et de la France ?"},
    {"role": "assistant", "content": "Paris 🗼."},
]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return make_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def answers(tokenizer, example) -> list[str]:
    """The runs of tokens that the loss covers, decoded."""
    runs, run = [], []
    for token, label in zip(example.input_ids, [*example.labels], strict=True):
        if label == IGNORED:
            runs, run = ([*runs, run] if run else runs), []
        else:
            assert label == token
            run.append(token)
    return [tokenizer.decode(run) for run in ([*runs, run] if run else runs)]


def test_the_loss_covers_every_answer_with_its_end_token_and_nothing_else(tokenizer):
    example = build_example(tokenizer, CHAT)
    assert answers(tokenizer, example) == ["Столица России — Москва.</s>", "Paris 🗼.</s>"]


def test_an_end_token_is_learnt_even_when_the_template_writes_none(tokenizer, tmp_path):
    bare = make_tokenizer(tmp_path)
    bare.chat_template = bare.chat_template.replace("{{ eos_token }}", "")
    assert answers(bare, build_example(bare, CHAT[:2])) == ["Столица России — Москва.</s>"]


def test_long_conversations_are_cut_and_those_without_an_answer_left_are_dropped_and_counted(tokenizer):
    long_answer = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "yes " * 100}]
    long_question = [{"role": "user", "content": "why " * 100}, {"role": "assistant", "content": "so"}]
    built = build_examples(tokenizer, [long_answer, long_question], max_length=40)
    assert (built.truncated, built.dropped, [len(e) for e in built.examples]) == (2, 1, [40])


def test_a_template_that_rewrites_earlier_turns_is_refused(tokenizer, tmp_path):
    rewriting = make_tokenizer(tmp_path)
    rewriting.chat_template = "{{ messages | length }}" + rewriting.chat_template
    with pytest.raises(UsageError, match="rewrites earlier turns"):
        build_example(rewriting, CHAT)


def test_a_tokenizer_without_a_template_is_refused(tmp_path):
    plain = make_tokenizer(tmp_path)
    plain.chat_template = None
    with pytest.raises(UsageError, match="no chat template"):
        build_examples(plain, [CHAT], max_length=100)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{not json", "not JSON"),
        ("42", "not a conversation"),
        ('[{"role": "robot", "content": "x"}]', "`role`"),
        ('[{"role": "user"}]', "`content`"),
        ('[{"role": "user", "content": "x"}]', "does not end with an answer"),
    ],
)
def test_a_bad_line_of_data_is_named(tmp_path, line, reason):
    path = tmp_path / "d.jsonl"
    path.write_text(json.dumps(CHAT[:2]) + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match=reason) as caught:
        read_chats(path)
    assert f"{path}:2" in str(caught.value)
