"""Answers from a checkpoint folder through transformers, in padded batches, on a GPU when there is one."""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from core.extras import needs_extra
from core.generate.checkpoint import Checkpoint
from core.generate.decoding import Decoding
from core.generate.engine import Chat, Failed, Generation, Key, Request, readable
from core.generate.transformers_engine.loading import load_model, load_tokenizer, stop_tokens
from store import XlitError
from store.queries.responses import text_digest

if TYPE_CHECKING:
    import torch

NAME = "transformers"
LIBRARIES = ("torch", "transformers", "tokenizers", "peft", "safetensors")


def number_format() -> str:
    """The format that weights are computed in on this machine: `bf16` on a GPU, `f32` without one."""
    with needs_extra("local", "Generating with transformers"):
        import torch
    return "bf16" if torch.cuda.is_available() else "f32"


class TransformersEngine:
    """A model and its tokenizer. Batched and single answers are the same in float32 (in bfloat16 a sum in
    another order may now and then tip a choice)."""

    def __init__(self, checkpoint: Checkpoint, decoding: Decoding, *, batch_size: int = 32) -> None:
        """`batch_size`: requests answered at a time.

        Loads the checkpoint. Raises `XlitError` when it can't be, or when it has no chat template.
        """
        quantization = number_format()
        import torch

        self.decoding, self.batch_size = decoding, batch_size
        self.tokenizer = load_tokenizer(checkpoint)
        if not self.tokenizer.chat_template:
            raise XlitError(f"{checkpoint.path} has no chat template, so no prompt can be written for it.")
        model = load_model(checkpoint, torch.bfloat16 if quantization == "bf16" else torch.float32)
        self.stop = stop_tokens(model, self.tokenizer)
        # Whatever else the checkpoint's own generation config asks for is not part of our decoding.
        model.generation_config = type(model.generation_config)()
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model: Any = model.to(self.device)
        self.vocabulary_size = int(model.get_output_embeddings().weight.shape[0])
        self.context_length = int(getattr(model.config, "max_position_embeddings", None) or 2**31)

    def prompt(self, chat: Chat) -> str:
        """The chat as the tokenizer's template writes it, ready for the answer."""
        try:
            return str(self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))
        except Exception as error:  # a template is a program of its author; it may raise what it likes
            raise XlitError(f"The chat template can't write this prompt: {error}") from error

    def encode(self, prompt: str) -> list[int]:
        """The token ids of a prompt; the template has written the special tokens already."""
        return list(self.tokenizer(prompt, add_special_tokens=False)["input_ids"])

    def count_tokens(self, chat: Chat) -> int:
        return len(self.encode(self.prompt(chat)))

    def stream(self, requests: Iterable[tuple[Key, Request]]) -> Iterator[tuple[Key, Generation | Failed]]:
        rest = iter(requests)
        while batch := list(islice(rest, self.batch_size)):
            answers = self._answer([request.chat for _, request in batch])
            yield from zip((key for key, _ in batch), answers, strict=True)

    def _answer(self, chats: Sequence[Chat]) -> list[Generation]:
        start = time.monotonic()
        prompts = [self.prompt(chat) for chat in chats]
        encoded = [self.encode(prompt) for prompt in prompts]
        answers = self._decode(encoded)
        share = (time.monotonic() - start) / max(len(chats), 1)
        return [
            Generation(
                text=readable(
                    self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
                ),
                finish_reason="stop" if ids and ids[-1] in self.stop else "length",
                tokens_in=len(before),
                tokens_out=len(ids),
                seconds=share,
                prompt_digest=text_digest(prompt),
            )
            for prompt, before, ids in zip(prompts, encoded, answers, strict=True)
        ]

    def close(self) -> None:
        import torch

        self.model = None
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _decode(self, encoded: list[list[int]]) -> list[list[int]]:
        """The new ids of every prompt, up to and with the first stop token, or to its limit."""
        import torch
        from transformers import GenerationConfig, LogitsProcessorList

        if not encoded:
            return []
        limits = [min(self.decoding.max_new_tokens, self.context_length - len(ids)) for ids in encoded]
        width = max(len(ids) for ids in encoded)
        padding = self.stop[0] if self.stop else 0
        ids = torch.full((len(encoded), width), padding, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(encoded):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            mask[row, width - len(prompt) :] = 1
        ids, mask = ids.to(self.device), mask.to(self.device)
        config = GenerationConfig(
            do_sample=False,
            max_new_tokens=max(limits),
            eos_token_id=self.stop or None,
            pad_token_id=padding,
        )
        penalties = LogitsProcessorList()
        if self.decoding.repetition_penalty != 1:
            penalties.append(_penalty(self.decoding.repetition_penalty, mask, self.vocabulary_size))
        with torch.inference_mode():
            out = self.model.generate(
                input_ids=ids, attention_mask=mask, generation_config=config, logits_processor=penalties
            )
        new = out[:, width:].tolist()
        return [self._until_stop(row[:limit]) for row, limit in zip(new, limits, strict=True)]

    def _until_stop(self, ids: list[int]) -> list[int]:
        for place, found in enumerate(ids):
            if found in self.stop:
                return ids[: place + 1]
        return ids


def _penalty(penalty: float, mask: "torch.Tensor", vocabulary_size: int) -> Any:
    """A repetition penalty that knows padding: transformers' own would count the padding token as said, and
    so punish it (often the end token) in padded rows only.

    `mask`: (rows, width), 1 where the prompt is, 0 where it is padded.
    """
    import torch
    from transformers import LogitsProcessor

    class RepetitionPenalty(LogitsProcessor):
        def __init__(self) -> None:
            self.seen: torch.Tensor | None = None  # (rows, vocabulary), True for ids in prompt or answer

        def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
            if self.seen is None:
                counts = torch.zeros((mask.shape[0], vocabulary_size), dtype=mask.dtype, device=mask.device)
                self.seen = counts.scatter_add_(1, input_ids, mask) > 0
            else:
                self.seen.scatter_(1, input_ids[:, -1:], True)
            punished = torch.where(scores > 0, scores / penalty, scores * penalty)
            return torch.where(self.seen, punished, scores)  # type: ignore[return-value]

    return RepetitionPenalty()
