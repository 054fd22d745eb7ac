"""Which way of batching a model can be trusted with: tried out on it when it is loaded."""

import warnings
from typing import TYPE_CHECKING, Any

from core.generate.decoding import Decoding
from core.generate.transformers_engine.batch import Batch
from core.generate.transformers_engine.padded import left_padded
from core.generate.transformers_engine.row import Row

if TYPE_CHECKING:
    import torch

TOLERANCE = {"torch.float32": 1e-3, "torch.float16": 2e-2, "torch.bfloat16": 1e-1}
"""How far logits may be from those of a row alone: root mean square, in standard deviations of the latter."""

GREEDY = Decoding(repetition_penalty=1.0)


def cache_bytes_per_token(model: Any) -> int | None:
    """What a token takes in the slot cache, if the model can do with it: None where it raises, or where its
    logits in a batch that rows join and leave are not those of each row alone without a cache."""
    batch = Batch(model, GREEDY)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about arguments that a model does not know
            same = _comes_and_goes(batch, model)
    except Exception:  # whatever a model raises that was not made for this
        return None
    return batch.slots.bytes_per_token() if same else None


def _comes_and_goes(batch: Batch, model: Any) -> bool:
    """Let rows join and leave; whether the logits were right all the time."""
    first, second, third = (Row(None, prompt, 8) for prompt in _prompts(model))
    batch.admit([first, second])
    if not _steps(batch, model):
        return False
    batch.admit([third])
    if not _steps(batch, model):
        return False
    batch.drop([batch.rows[0]])
    return _steps(batch, model)


def _steps(batch: Batch, model: Any) -> bool:
    """Let a batch make two steps; whether its logits are right in both."""
    for _ in range(2):
        logits = batch.logits()
        if not _alike(logits, [_alone(model, row.ids) for row in batch.rows], model):
            return False
        tokens = batch.choose(logits)
        batch.feed(tokens)
        for row, token in zip(batch.rows, tokens.tolist(), strict=True):
            row.add(token, ())
    return True


def _alone(model: Any, ids: list[int]) -> "torch.Tensor":
    """The logits (vocabulary,) after some ids, from one pass without a cache."""
    import torch

    with torch.inference_mode():
        given = torch.tensor([ids], device=model.device)
        return model(input_ids=given, use_cache=False).logits[0, -1].float()


def can_be_padded(model: Any) -> bool:
    """Whether the logits in a padded batch of `generate` are those of each row alone without a cache."""
    import torch
    from transformers import GenerationConfig

    prompts = _prompts(model)
    ids, mask = left_padded(prompts, 0)
    config = GenerationConfig(
        max_new_tokens=3, output_logits=True, return_dict_in_generate=True, pad_token_id=0
    )
    with torch.inference_mode():
        out = model.generate(
            input_ids=ids.to(model.device), attention_mask=mask.to(model.device), generation_config=config
        )
    answers = out.sequences[:, ids.shape[1] :].tolist()
    return all(
        _alike(
            out.logits[step].float(),
            [
                _alone(model, [*prompt, *answer[:step]])
                for prompt, answer in zip(prompts, answers, strict=True)
            ],
            model,
        )
        for step in range(len(out.logits))
    )


def _alike(logits: "torch.Tensor", expected: "list[torch.Tensor]", model: Any) -> bool:
    import torch

    wanted = torch.stack(expected)
    distance = (logits - wanted).square().mean(-1).sqrt() / wanted.std(-1)
    return bool((distance < TOLERANCE[str(model.dtype)]).all())


def _prompts(model: Any) -> list[list[int]]:
    """Three prompts of different lengths, of ids from all over the vocabulary."""
    vocabulary = int(model.get_input_embeddings().weight.shape[0])
    return [[(place * 7919 + length) % vocabulary for place in range(length)] for length in (4, 9, 6)]
