"""Padded batches through transformers' own `generate`, for models that the slot cache is not for."""

import time
from collections import deque
from collections.abc import Collection, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from core.generate.decoding import Decoding
from core.generate.engines.transformers.batch import BatchRow, is_out_of_memory, release, share_time
from core.generate.sampling import Draws, apply_repetition_penalty, draw_tokens

if TYPE_CHECKING:
    import torch


def answer_padded(
    model: Any, rows: Iterator[BatchRow], decoding: Decoding, stop: Collection[int], batch_size: int
) -> Iterator[BatchRow]:
    """The rows, batch by batch: of each, the longest answer decides how long it takes.

    Out of memory, batches are half as large from then on.
    """
    waiting: deque[BatchRow] = deque()
    while True:
        start = time.monotonic()
        waiting.extend(islice(rows, max(batch_size - len(waiting), 0)))
        batch = [waiting.popleft() for _ in range(min(batch_size, len(waiting)))]
        if not batch:
            return
        answers: list[list[int]] | None = None
        try:
            answers = generate(model, batch, decoding, stop)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        if answers is not None:
            for row, answer in zip(batch, answers, strict=True):
                _take(row, answer, stop)
        elif len(batch) == 1:
            batch[0].out_of_memory()
        else:
            batch_size = len(batch) // 2
            waiting.extendleft(reversed(batch))
            release(model.device)
        share_time(time.monotonic() - start, batch)
        yield from (row for row in batch if row.ended)


def _take(row: BatchRow, answer: list[int], stop: Collection[int]) -> None:
    for token in answer:
        row.add(token, stop)
        if row.ended:
            return


def generate(model: Any, rows: list[BatchRow], decoding: Decoding, stop: Collection[int]) -> list[list[int]]:
    """The new ids of every row; what follows a row's end means nothing."""
    import torch
    from transformers import GenerationConfig, LogitsProcessorList

    padding = min(stop, default=0)
    ids, mask = left_padded([row.prompt for row in rows], padding)
    config = GenerationConfig(
        do_sample=False,
        max_new_tokens=max(row.limit for row in rows),
        eos_token_id=list(stop) or None,
        pad_token_id=padding,
    )
    with torch.inference_mode():
        out = model.generate(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            generation_config=config,
            logits_processor=LogitsProcessorList([_rule(rows, decoding)]),
        )
    return out[:, ids.shape[1] :].tolist()


def left_padded(prompts: list[list[int]], padding: int) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Token ids (rows, longest), each prompt at the right end, and the mask of the same shape, 1 there."""
    import torch

    width = max(map(len, prompts))
    ids = torch.full((len(prompts), width), padding, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for index, prompt in enumerate(prompts):
        ids[index, width - len(prompt) :] = torch.tensor(prompt)
        mask[index, width - len(prompt) :] = 1
    return ids, mask


def _rule(rows: list[BatchRow], decoding: Decoding) -> Any:
    """The decoding as a processor after which the likeliest token is the one to take. transformers' own
    repetition penalty would count the padding token, often the end token, as said in padded rows."""
    import torch
    from transformers import LogitsProcessor

    class Rule(LogitsProcessor):
        def __init__(self) -> None:
            self.draws = [Draws(row.seed) for row in rows]
            self.seen: torch.Tensor | None = None  # (rows, vocabulary), True for ids in prompt or answer

        def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
            if self.seen is None:
                self.seen = torch.zeros_like(scores, dtype=torch.bool)
                for row, marks in zip(rows, self.seen, strict=True):
                    marks[torch.tensor(row.prompt, device=marks.device)] = True
            else:
                self.seen.scatter_(1, input_ids[:, -1:], True)
            if decoding.repetition_penalty != 1:
                scores = apply_repetition_penalty(scores, self.seen, decoding.repetition_penalty)
            if decoding.greedy:
                return scores
            drawn = draw_tokens(scores, [draws.next() for draws in self.draws], decoding)
            return torch.full_like(scores, -torch.inf).scatter_(1, drawn[:, None], 0.0)

    return Rule()
