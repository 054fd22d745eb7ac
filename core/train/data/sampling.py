"""Mixing languages and choosing a number of conversations, by a seed, alike on every machine.

The order of chance is that of the SHA-256 of seed and content: it depends neither on the order of files nor
on a random number generator, and a sample of 500 is part of the sample of 1,000 with the same seed.
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from core.train.data.formats import Conversation

Mix = Literal["concat", "uniform"]


def mix_conversations(
    conversations: Sequence[Conversation], mix: Mix, *, seed: int, size: int | None = None
) -> list[Conversation]:
    """`concat`: all, or `size` of them drawn without replacement, in the order in which they came.

    `uniform` (the paper's Dolly-DT): languages take turns; each draws its conversations in an order of chance
    without replacement, and begins anew, in another order, when it has used them up, until every language
    has been used up once, or there are `size` conversations.
    """
    keyed = _keyed(conversations)
    if mix == "concat":
        if size is None or size >= len(conversations):
            return list(conversations)
        order = sorted(range(len(keyed)), key=lambda index: _random_key(keyed[index], seed, 0))
        return [conversations[index] for index in sorted(order[:size])]
    by_language: dict[str, list[int]] = defaultdict(list)
    for index, conversation in enumerate(conversations):
        by_language[conversation.language].append(index)
    longest = max(map(len, by_language.values()), default=0)
    languages = sorted(by_language)
    count = longest * len(languages) if size is None else size
    each = -(-count // len(languages)) if languages else 0
    orders = [_passes(by_language[language], keyed, seed, each) for language in languages]
    turns = [index for turn in zip(*orders, strict=True) for index in turn]
    return [conversations[index] for index in turns[:count]]


def _passes(indices: Sequence[int], keyed: Sequence[str], seed: int, count: int) -> list[int]:
    """`count` of the indices, pass after pass, each pass in an order of its own."""
    drawn: list[int] = []
    number = 0
    while len(drawn) < count:
        drawn += sorted(indices, key=lambda index: _random_key(keyed[index], seed, number))
        number += 1
    return drawn[:count]


def _keyed(conversations: Sequence[Conversation]) -> list[str]:
    """What tells each conversation from the others: language, content, and a number where it comes again."""
    seen: dict[str, int] = defaultdict(int)
    keys = []
    for conversation in conversations:
        key = f"{conversation.language} {conversation.digest()}"
        keys.append(f"{key} {seen[key]}")
        seen[key] += 1
    return keys


def _random_key(key: str, seed: int, number: int) -> bytes:
    return hashlib.sha256(f"{seed} {number} {key}".encode()).digest()
