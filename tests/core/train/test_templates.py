"""Named templates, how they fit a tokenizer, and the tokens that end an answer."""

import pytest

from core.train.templates.chat_template import choose_template, end_tokens, template_names
from store import UsageError
from tests.checkpoints import CHAT_TEMPLATE, make_tokenizer
from tests.core.generate.gguf.made import CHATML, byte_level_tokenizer, sentencepiece_tokenizer
from tools.miniature.documents import CHAT_TEMPLATE as MINIATURE

CHAT = [
    {"role": "system", "content": " Be brief. "},
    {"role": "user", "content": "Hi "},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "Bye"},
]


@pytest.fixture
def tokenizer(tmp_path):
    return make_tokenizer(tmp_path)


def written(tokenizer, chat=CHAT) -> str:
    return tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)


def test_the_tokenizers_own_template_goes_first_and_llama_2_is_for_those_without(tokenizer):
    assert choose_template(tokenizer).name == "own"
    assert tokenizer.chat_template == CHAT_TEMPLATE
    tokenizer.chat_template = None
    assert choose_template(tokenizer).name == "llama-2"
    assert written(tokenizer) == (
        "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello. </s><s>[INST] Bye [/INST]"
    )


def test_the_template_chosen_is_saved_with_the_tokenizer(tokenizer, tmp_path):
    from transformers import PreTrainedTokenizerFast

    choose_template(tokenizer, "plain")
    tokenizer.save_pretrained(tmp_path / "saved")
    loaded = PreTrainedTokenizerFast.from_pretrained(tmp_path / "saved")
    assert written(loaded) == (
        "<s>Be brief.\n\n### User:\nHi\n\n### Assistant:\nHello.</s>\n\n### User:\nBye\n\n### Assistant:\n"
    )


def test_the_miniatures_template_writes_what_its_base_was_made_with(tokenizer):
    choose_template(tokenizer, "miniature")
    ours = [written(tokenizer, CHAT[1:]), tokenizer.apply_chat_template(CHAT[1:3], tokenize=False)]
    tokenizer.chat_template = MINIATURE
    assert ours == [written(tokenizer, CHAT[1:]), tokenizer.apply_chat_template(CHAT[1:3], tokenize=False)]


def test_a_named_template_whose_marks_are_no_tokens_is_refused_and_a_file_is_noted(tokenizer, tmp_path):
    with pytest.raises(UsageError, match=r"chatml writes <\|im_end\|>, <\|im_start\|>, which"):
        choose_template(tokenizer, "chatml")
    assert tokenizer.chat_template == CHAT_TEMPLATE
    file = tmp_path / "mine.jinja"
    file.write_text("{{ bos_token }}" + CHATML)
    assert choose_template(tokenizer, str(file)).notes == (
        "The template writes <|im_end|>, which is no token of this tokenizer.",
        "The template writes <|im_start|>, which is no token of this tokenizer.",
    )


def test_chatml_is_written_with_a_tokenizer_that_has_its_marks():
    tokenizer = byte_level_tokenizer(None)
    choose_template(tokenizer, "chatml")
    assert written(tokenizer, CHAT[1:]) == (
        "<|im_start|>user\nHi <|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n"
        "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n"
    )


def test_a_template_that_is_not_there_or_not_valid_is_named(tokenizer, tmp_path):
    with pytest.raises(
        UsageError, match=r"No chat template 'alpaca'. There are: chatml, llama-2, miniature, plain"
    ):
        choose_template(tokenizer, "alpaca")
    broken = tmp_path / "broken.jinja"
    broken.write_text("{% for m in messages %}")
    with pytest.raises(UsageError, match="can't write a question and its answer"):
        choose_template(tokenizer, str(broken))
    tokenizer.eos_token = None
    with pytest.raises(UsageError, match="no end token"):
        choose_template(tokenizer, "plain")


@pytest.mark.parametrize(
    ("template", "note"),
    [
        ("{{ bos_token }}{{ bos_token }}{{ messages[-1]['content'] }}", "writes <s> twice"),
        ("{{ messages[-1]['content'] }}", "does not write <s>"),
        ("{{ bos_token }}{{ strftime_now('%d %b %Y') }}{{ messages[-1]['content'] }}", "today's date"),
        ("{{ bos_token }}{{ messages[-1]['content'] }}", None),
    ],
)
def test_what_does_not_fit_is_noted(template, note, tmp_path):
    from tokenizers.processors import TemplateProcessing

    tokenizer = sentencepiece_tokenizer("legacy")
    begin = [("<s>", tokenizer.bos_token_id)]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=begin)
    file = tmp_path / "t.jinja"
    file.write_text(template)
    notes = choose_template(tokenizer, str(file)).notes
    assert [note in written for written in notes] == [True] if note else notes == ()


def test_an_answer_ends_with_the_templates_token_and_generation_stops_at_the_tokenizers_too(tokenizer):
    chatml = byte_level_tokenizer(None)
    chatml.eos_token = "<|endoftext|>"
    choose_template(chatml, "chatml")
    assert [chatml.convert_ids_to_tokens(token) for token in end_tokens(chatml)] == [
        "<|im_end|>",
        "<|endoftext|>",
    ]
    for name in ("llama-2", "plain", "miniature"):
        assert end_tokens(tokenizer, choose_template(tokenizer, name)) == [tokenizer.eos_token_id]
    # As Phi 3's, which ends every turn, and the whole conversation too.
    chatml.chat_template = CHATML + "{% if not add_generation_prompt %}{{ eos_token }}{% endif %}"
    chatml.chat_template = chatml.chat_template.replace("<|im_start|>assistant\n", "")
    assert end_tokens(chatml)[0] == chatml.convert_tokens_to_ids("<|im_end|>")
    tokenizer.chat_template = "{{ messages[-1]['content'] }}"
    assert end_tokens(tokenizer) == [tokenizer.eos_token_id]


def test_all_templates_that_come_with_the_project_are_known():
    assert template_names() == ["chatml", "llama-2", "miniature", "plain"]
