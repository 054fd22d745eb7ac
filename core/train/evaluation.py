"""The loss on conversations that are not trained on, for each language."""

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from core.train.examples import Example
from core.train.loss import answer_loss
from core.train.parallel import World


def hold_out(examples: Sequence[Example], number: int, seed: int) -> tuple[list[Example], list[Example]]:
    """Examples to train on, and those of `number` conversations of each language to evaluate on, drawn by the
    seed (fewer, when a language has less than four times as many). A conversation that comes several times,
    or as several examples, is on one side with all of them."""
    locations: dict[str, dict[str, None]] = defaultdict(dict)
    for example in examples:
        locations[example.language][example.location] = None
    held_out: set[tuple[str, str]] = set()
    for language, of_language in locations.items():
        count = min(number, len(of_language) // 4)
        drawn = random.Random(f"{seed} {language}").sample(list(of_language), count)
        held_out.update((language, location) for location in drawn)
    evaluated: dict[tuple[str, str, tuple[int, ...]], Example] = {}
    kept = []
    for example in examples:
        if (example.language, example.location) in held_out:
            evaluated.setdefault((example.language, example.location, tuple(example.input_ids)), example)
        else:
            kept.append(example)
    return kept, list(evaluated.values())


def evaluate(
    model: Any, examples: Sequence[Example], world: World, *, batch_tokens: int, padded: bool
) -> dict[str, float]:
    """The mean loss of an answer token, in nats, for each language."""
    import torch

    languages = sorted({example.language for example in examples})
    sums = torch.zeros(len(languages), 2, dtype=torch.float64, device=world.device)
    batches = _batches(examples, batch_tokens)
    model.eval()
    with torch.no_grad():
        # Sharded weights are gathered by all processes together: all do as many batches, the last ones again.
        for start in range(0, len(batches), world.size):
            number = min(start + world.rank, len(batches) - 1)
            batch = batches[number]
            loss = answer_loss(model, batch, world.device, padded=padded)
            if number == start + world.rank:
                row = sums[languages.index(batch[0].language)]
                row[0] += loss
                row[1] += sum(example.answer_tokens for example in batch)
    model.train()
    totals = world.total(sums).tolist()
    return {name: loss / tokens for name, (loss, tokens) in zip(languages, totals, strict=True)}


def _batches(examples: Sequence[Example], batch_tokens: int) -> list[list[Example]]:
    """Batches of one language each, of like lengths."""
    batches: list[list[Example]] = []
    language = None
    for example in sorted(examples, key=lambda example: (example.language, len(example))):
        full = not batches or (len(batches[-1]) + 1) * len(example) > batch_tokens
        if full or example.language != language:
            batches.append([])
        batches[-1].append(example)
        language = example.language
    return batches
