"""The loss on conversations that are not trained on, for each language."""

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from core.train.examples import Example
from core.train.loss import answer_loss
from core.train.parallel import World


def hold_out(examples: Sequence[Example], number: int, seed: int) -> tuple[list[Example], list[Example]]:
    """Examples to train on, and `number` of each language to evaluate on, drawn by the seed (fewer, when a
    language has less than four times as many)."""
    places = defaultdict(list)
    for place, example in enumerate(examples):
        places[example.language].append(place)
    held: set[int] = set()
    for language, found in places.items():
        drawn = random.Random(f"{seed} {language}").sample(found, min(number, len(found) // 4))
        held.update(drawn)
    kept = [example for place, example in enumerate(examples) if place not in held]
    return kept, [examples[place] for place in sorted(held)]


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
    for example in sorted(examples, key=lambda one: (one.language, len(one))):
        full = not batches or (len(batches[-1]) + 1) * len(example) > batch_tokens
        if full or example.language != language:
            batches.append([])
        batches[-1].append(example)
        language = example.language
    return batches
