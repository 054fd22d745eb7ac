"""From conversations to token ids and labels: the loss covers answers and their end token, nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.train.data import Message
from store import UsageError

IGNORED = -100  # the label that torch's cross entropy leaves out


@dataclass(frozen=True)
class Example:
    """One conversation for the model: `input_ids` and `labels` have the same length, in tokens."""

    input_ids: list[int]
    labels: list[int]

    def __len__(self) -> int:
        return len(self.input_ids)


@dataclass(frozen=True)
class Examples:
    """All examples, and what had to be cut: conversations `truncated` to the longest length, and those
    `dropped` because nothing of an answer was left."""

    examples: list[Example]
    truncated: int
    dropped: int


def build_examples(tokenizer: Any, chats: Sequence[Sequence[Message]], max_length: int) -> Examples:
    """Tokenise conversations with the tokenizer's chat template, at most `max_length` tokens each."""
    if not tokenizer.chat_template:
        raise UsageError(
            f"The tokenizer of {tokenizer.name_or_path} has no chat template. Choose a base with one."
        )
    kept, truncated, dropped = [], 0, 0
    for chat in chats:
        full = build_example(tokenizer, chat)
        cut = Example(full.input_ids[:max_length], full.labels[:max_length])
        truncated += len(full) > max_length
        if all(label == IGNORED for label in cut.labels):
            dropped += 1
        else:
            kept.append(cut)
    if not kept:
        raise UsageError(f"No conversation has an answer within {max_length} tokens. Raise `max_length`.")
    return Examples(kept, truncated, dropped)


def build_example(tokenizer: Any, chat: Sequence[Message]) -> Example:
    """Tokenise one conversation; labels repeat the ids of the assistant's turns, all else is ignored."""
    text = _render(tokenizer, chat, prompt=False)
    spans = [
        _answer_span(tokenizer, chat, place, text)
        for place, message in enumerate(chat)
        if message["role"] == "assistant"
    ]
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids = list(encoded["input_ids"])
    labels = [
        token if any(start <= left and right <= end for start, end in spans) and left < right else IGNORED
        for token, (left, right) in zip(ids, encoded["offset_mapping"], strict=True)
    ]
    if tokenizer.eos_token_id not in [label for label in labels[-2:] if label != IGNORED]:
        ids.append(tokenizer.eos_token_id)
        labels.append(tokenizer.eos_token_id)
    return Example(ids, labels)


def _answer_span(tokenizer: Any, chat: Sequence[Message], place: int, text: str) -> tuple[int, int]:
    before = _render(tokenizer, chat[:place], prompt=True)
    after = _render(tokenizer, chat[: place + 1], prompt=False)
    if not (text.startswith(after) and after.startswith(before)):
        raise UsageError(
            f"The chat template of {tokenizer.name_or_path} rewrites earlier turns when later ones come, so "
            "answers can't be told from prompts. Use a template that only appends."
        )
    return len(before), len(after)


def _render(tokenizer: Any, chat: Sequence[Message], *, prompt: bool) -> str:
    return str(tokenizer.apply_chat_template(list(chat), tokenize=False, add_generation_prompt=prompt))
