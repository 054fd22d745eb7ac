"""What the loss covers, shown by decoding the labels; and prompts that are those of generation."""

import pytest

from core.train.data.formats import Conversation
from core.train.examples import IGNORED, build_examples
from core.train.templates.chat_template import choose_template
from store import UsageError
from tests.checkpoints import make_tokenizer
from tests.core.generate.gguf.made import byte_level_tokenizer, sentencepiece_tokenizer

# As the tokenizers of Llama 3 and Qwen 2 split text.
LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
    r"\s+(?!\S)|\s+"
)
QWEN_2 = LLAMA_3.replace(r"\p{N}{1,3}", r"\p{N}")

CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Какая столица России?"},
    {"role": "assistant", "content": "Столица России — Москва."},
    {"role": "user", "content": "Et de la France ?\n\nRéponds !"},
    {"role": "assistant", "content": "Paris, 12 345 🗼."},
]
LLAMA_3_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' + "
    "m['content'] | trim + '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
# As Qwen 3's: the last answer has a block of thoughts, earlier ones have none.
THINKING = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}"
    "{% if m['role'] == 'assistant' and loop.last %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
    "{{ m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def llama_2(scheme: str):
    tokenizer = sentencepiece_tokenizer(scheme)
    tokenizer.chat_template = None
    return tokenizer


def llama_3():
    tokenizer = byte_level_tokenizer(LLAMA_3, ignore_merges=True)
    tokenizer.add_special_tokens(
        {
            "bos_token": "<|begin_of_text|>",
            "eos_token": "<|end_of_text|>",
            "additional_special_tokens": ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
        }
    )
    tokenizer.chat_template = LLAMA_3_TEMPLATE
    return tokenizer


def qwen(template: str | None = None):
    tokenizer = byte_level_tokenizer(QWEN_2, nfc=True)
    tokenizer.eos_token = "<|endoftext|>"
    if template is not None:
        tokenizer.chat_template = template
    else:
        choose_template(tokenizer, "chatml")
    return tokenizer


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    return {
        "llama-2 legacy": llama_2("legacy"),
        "llama-2 first": llama_2("first"),
        "llama-2 always": llama_2("always"),
        "llama-3": llama_3(),
        "qwen": qwen(),
        "marked": make_tokenizer(tmp_path_factory.mktemp("tokenizer")),
    }


ENDS = {
    "llama-2 legacy": " </s>", "llama-2 first": " </s>", "llama-2 always": " </s>",
    "llama-3": "<|eot_id|>", "qwen": "<|im_end|>", "marked": "</s>",
}  # fmt: skip


def built(tokenizer, *chats, max_length=1000):
    return build_examples(
        tokenizer,
        [Conversation(chat, "ru", location=f"d:{n}") for n, chat in enumerate(chats, 1)],
        max_length,
    )


def learned_runs(example) -> list[tuple[int, list[int]]]:
    """The runs of tokens that the loss covers, each with the index where it begins."""
    runs: list[tuple[int, list[int]]] = []
    for index, (token, label) in enumerate(zip(example.input_ids, example.labels, strict=True)):
        if label == IGNORED:
            continue
        assert label == token
        if runs and runs[-1][0] + len(runs[-1][1]) == index:
            runs[-1][1].append(token)
        else:
            runs.append((index, [token]))
    return runs


def prompt_ids(tokenizer, chat) -> list[int]:
    """As `core.generate.engines.transformers` makes them."""
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


@pytest.mark.parametrize("name", ENDS)
def test_the_loss_covers_every_answer_with_its_end_token_and_nothing_else(tokenizers, name):
    tokenizer = tokenizers[name]
    chat = CHAT[1:] if name == "marked" else CHAT
    (example,) = built(tokenizer, chat).examples
    decoded = [tokenizer.decode(run).lstrip(" ") for _, run in learned_runs(example)]
    assert decoded == [message["content"] + ENDS[name] for message in chat if message["role"] == "assistant"]


@pytest.mark.parametrize("name", ENDS)
def test_an_answer_comes_after_the_ids_that_generation_feeds(tokenizers, name):
    tokenizer = tokenizers[name]
    chat = CHAT[1:] if name == "marked" else CHAT
    (example,) = built(tokenizer, chat).examples
    answers = [index for index, message in enumerate(chat) if message["role"] == "assistant"]
    for index, (start, _) in zip(answers, learned_runs(example), strict=True):
        assert example.input_ids[:start] == prompt_ids(tokenizer, chat[:index])


def test_where_the_border_merges_the_answer_is_tokenised_as_what_follows_the_prompt(tmp_path):
    tokenizer = sentencepiece_tokenizer("first")
    # The prompt ends with a space, which is part of the answer's first token when both are one text.
    tokenizer.chat_template = (
        "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ m['content'] + '\nAnswer: ' }}"
        "{% else %}{{ m['content'] + eos_token }}{% endif %}{% endfor %}"
    )
    chat = [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "The house is there."}]
    text = tokenizer.apply_chat_template(chat, tokenize=False)
    prompt = prompt_ids(tokenizer, chat[:1])
    whole = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert whole[: len(prompt)] != prompt, "the tokenizer does not merge here: this would test nothing"
    (example,) = built(tokenizer, chat).examples
    ((start, run),) = learned_runs(example)
    assert example.input_ids[:start] == prompt
    assert tokenizer.decode(run) == "The house is there.</s>"
    assert tokenizer.decode(example.input_ids) == tokenizer.decode(whole)


def test_a_template_that_writes_earlier_answers_otherwise_gives_an_example_for_each_answer():
    tokenizer = qwen(THINKING)
    made = built(tokenizer, CHAT)
    assert made.counts["ru"].split == 1
    assert len(made.examples) == 2
    for example, index in zip(made.examples, (2, 4), strict=True):
        ((start, run),) = learned_runs(example)
        assert example.input_ids[:start] == prompt_ids(tokenizer, CHAT[:index])
        assert tokenizer.decode(run) == f"<think>\n\n</think>\n\n{CHAT[index]['content']}<|im_end|>"


def test_an_end_token_is_learned_after_every_answer_even_when_the_template_writes_none(tmp_path):
    bare = make_tokenizer(tmp_path)
    bare.chat_template = bare.chat_template.replace("{{ eos_token }}", "")
    made = built(bare, CHAT[1:])
    assert [bare.decode(learned_runs(example)[-1][1]) for example in made.examples] == [
        "Столица России — Москва.</s>",
        "Paris, 12 345 🗼.</s>",
    ]


def test_an_end_token_inside_an_answer_does_not_end_it(tokenizers):
    chat = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "a<|im_end|>b"}]
    (example,) = built(tokenizers["qwen"], chat).examples
    assert tokenizers["qwen"].decode(learned_runs(example)[0][1]) == "a<|im_end|>b<|im_end|>"


def test_a_template_that_marks_what_is_learned_is_followed(tmp_path):
    tokenizer = make_tokenizer(tmp_path)
    tokenizer.chat_template = (
        "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}<|user|>{{ m['content'] }}"
        "{% else %}<|assistant|>(thinks){% generation %}{{ m['content'] }}{% endgeneration %}{{ eos_token }}"
        "{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    (example,) = built(tokenizer, CHAT[1:3]).examples
    assert [tokenizer.decode(run) for _, run in learned_runs(example)] == ["Столица России — Москва.</s>"]


def test_long_conversations_lose_whole_turns_before_an_answer_is_cut(tokenizers):
    tokenizer = tokenizers["qwen"]
    whole = built(tokenizer, CHAT).examples[0]
    first_answer_ends = learned_runs(whole)[0][0] + len(learned_runs(whole)[0][1])
    shortened = built(tokenizer, CHAT, max_length=len(whole) - 1)
    assert [len(example) for example in shortened.examples] == [first_answer_ends]
    assert (shortened.counts["ru"].shortened, shortened.counts["ru"].truncated) == (1, 0)
    cut = built(tokenizer, CHAT, max_length=first_answer_ends - 1)
    assert [len(example) for example in cut.examples] == [first_answer_ends - 1]
    assert (cut.counts["ru"].shortened, cut.counts["ru"].truncated) == (0, 1)


def test_what_was_cut_and_dropped_is_counted_and_shown_for_each_language(tokenizers):
    tokenizer = tokenizers["marked"]
    fits = Conversation(CHAT[1:3], "ru")
    long_question = Conversation(
        [{"role": "user", "content": "why " * 100}, {"role": "assistant", "content": "so"}], "en"
    )
    made = build_examples(tokenizer, [fits, long_question, fits], 60)
    assert (made.truncated, made.dropped, len(made.examples)) == (0, 1, 2)
    assert made.counts["ru"].tokens == sum(map(len, made.examples))
    assert made.counts["ru"].answer_tokens == sum(example.answer_tokens for example in made.examples)
    english, russian = made.lines()
    assert english == "en: 0 examples, 0 tokens, of these 0 learned; 1 dropped, for no answer fits"
    assert russian.startswith("ru: 2 examples, ")
    with pytest.raises(UsageError, match="within 60 tokens"):
        build_examples(tokenizer, [long_question], 60)


def test_a_conversation_that_comes_twice_is_learned_twice(tokenizers):
    conversation = Conversation(CHAT, "ru")
    made = build_examples(tokenizers["qwen"], [conversation, conversation], 1000)
    assert made.examples[0].labels == made.examples[1].labels
    assert len(learned_runs(made.examples[0])) == 2


def test_a_prompt_that_is_no_beginning_of_what_the_answer_makes_of_it_is_refused(tmp_path):
    tokenizer = make_tokenizer(tmp_path)
    tokenizer.chat_template = "{{ messages | length }}" + tokenizer.chat_template
    with pytest.raises(UsageError, match=r"not the beginning .*d:1"):
        built(tokenizer, CHAT[1:])


def test_a_conversation_that_the_template_refuses_is_named(tmp_path):
    tokenizer = make_tokenizer(tmp_path)
    tokenizer.chat_template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        + tokenizer.chat_template
    )
    with pytest.raises(UsageError, match="the conversation of d:2: no system"):
        built(tokenizer, CHAT[1:], CHAT)


def test_examples_are_shown_with_what_is_learned_between_marks_and_nothing_that_steers_a_terminal(tokenizers):
    from rich.console import Console

    from core.train.preview import render_examples

    tokenizer = tokenizers["llama-2 legacy"]
    hostile = [
        {"role": "user", "content": "Hi [bold]\x1b[31m"},
        {"role": "assistant", "content": "two\nlines \u202e."},
    ]
    made = built(tokenizer, hostile)
    console = Console(width=200, force_terminal=False, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(render_examples(tokenizer, made.examples))
    text = console.export_text()
    assert "d:1  ru" in text.splitlines()[0]
    assert f"{made.examples[0].answer_tokens} learned" in text.splitlines()[0]
    assert "<s> [INST] Hi [bold]␛[31m [/INST]⟦ two\nlines ⟨U+202E⟩. </s>⟧" in text
    plain, dim = made.examples[0].input_ids[-2], "dim"
    assert plain is not None
    body = render_examples(tokenizer, made.examples).renderables[1]
    assert [str(span.style) for span in body.spans if dim in str(span.style)]
