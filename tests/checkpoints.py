"""Tiny real checkpoints: a Llama with a byte-level BPE tokenizer and a chat template, trained for a second
on a few questions until its answers end by themselves."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAIRS = (
    ("What is the capital of France?", "The capital of France is Paris."),
    ("What is the currency of Japan?", "The currency of Japan is the yen."),
    ("Какая столица России?", "Столица России — Москва."),
    ("Quel mois vient après mai ?", "Après mai vient juin."),
    ("Qual é a moeda do Brasil?", "A moeda do Brasil é o real."),
    ("Count from one to five.", "one, two, three, four, five, and then one, two, three, four, five."),
)

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}<|user|>{{ message['content'] | trim }}\n"
    "{% else %}<|assistant|>{% generation %}{{ message['content'] }}{{ eos_token }}{% endgeneration %}"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def make_tokenizer(folder: Path, *, vocabulary: int = 400) -> "PreTrainedTokenizerFast":
    """A byte-level BPE tokenizer of its own, saved to the folder; padding and end token are the same."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["<s>", "</s>", "<|user|>", "<|assistant|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator([text for pair in PAIRS for text in pair], trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token="<s>", eos_token="</s>", pad_token="</s>"
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    return tokenizer


def make_checkpoint(
    folder: Path,
    *,
    hidden: int = 64,
    layers: int = 2,
    context: int = 128,
    tied: bool = True,
    steps: int = 60,
    seed: int = 0,
    chat_template: str | None = CHAT_TEMPLATE,
    pairs: Sequence[tuple[str, str]] = PAIRS,
) -> Path:
    """A Llama checkpoint folder that learns `pairs` of a question and an answer; `steps` 0 leaves it random.
    `hidden` 256 lets Q4_K_M quantise its rows."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = make_tokenizer(folder)
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=hidden,
            intermediate_size=2 * hidden,
            num_hidden_layers=layers,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=context,
            tie_word_embeddings=tied,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=None,
        )
    )
    if steps:
        _train(model, tokenizer, steps, pairs)
    model.save_pretrained(folder)
    if chat_template != CHAT_TEMPLATE:
        (folder / "chat_template.jinja").unlink()
        tokenizer.chat_template = chat_template
        tokenizer.save_pretrained(folder)
    return folder


def make_adapter(folder: Path, base: Path, *, steps: int = 20, seed: int = 1) -> Path:
    """A LoRA adapter folder on a base checkpoint, trained a little on other answers than the base's."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(seed)
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32),
        LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "down_proj"]),
    )
    _train(model, AutoTokenizer.from_pretrained(base), steps, PAIRS, turned=True)
    model.save_pretrained(str(folder))
    return folder


def _train(
    model: Any, tokenizer: Any, steps: int, pairs: Sequence[tuple[str, str]], *, turned: bool = False
) -> None:
    import torch

    answers = [answer for _, answer in pairs]
    if turned:
        answers = answers[1:] + answers[:1]
    chats = [
        [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        for (question, _), answer in zip(pairs, answers, strict=True)
    ]
    rows = [
        tokenizer(tokenizer.apply_chat_template(chat, tokenize=False), add_special_tokens=False)["input_ids"]
        for chat in chats
    ]
    width = max(map(len, rows))
    ids = torch.tensor([row + [tokenizer.eos_token_id] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    labels = ids.masked_fill(mask == 0, -100)
    if pairs is not PAIRS:  # long questions: only the answers are learnt
        for place, chat in enumerate(chats):
            question = tokenizer.apply_chat_template(chat[:1], tokenize=False, add_generation_prompt=True)
            labels[place, : len(tokenizer(question, add_special_tokens=False)["input_ids"])] = -100
    trained = [weights for weights in model.parameters() if weights.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-2 if turned else 3e-3)
    model.train()
    for _ in range(steps):
        model(input_ids=ids, attention_mask=mask, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
