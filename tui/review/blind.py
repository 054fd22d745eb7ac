"""The order of the columns when the names are hidden, the same every time and different for each reviewer."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from string import ascii_uppercase

from store.queries.compare import Source


def seed_of(reviewer: str, suite: str, instruction: str, language: str) -> str:
    """What the shuffle of one row depends on, besides the sources themselves."""
    return json.dumps([reviewer, suite, instruction, language], ensure_ascii=False)


def shuffled(seed: str, sources: Sequence[Source]) -> list[Source]:
    """The sources in an order that says nothing about them: by SHA-256 of the seed and their identity.

    The order depends on no row number and on none of Python's own hashes, so every machine finds the same.
    """

    def rank(source: Source) -> bytes:
        identity = json.dumps([seed, *source.identity], ensure_ascii=False)
        return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).digest()

    return sorted(sources, key=rank)


def columns_of(seed: str, sources: Mapping[int, Source], known: Mapping[int, int]) -> dict[int, int]:
    """The column of each response (by its id): the `known` ones stay, new ones follow in shuffled order."""
    columns = dict(known)
    new = {source: response for response, source in sources.items() if response not in known}
    end = max(known.values(), default=-1) + 1
    for column, source in enumerate(shuffled(seed, list(new)), start=end):
        columns[new[source]] = column
    return columns


def letter(column: int) -> str:
    """The label of a column: A to Z, then AA, AB ..."""
    name = ascii_uppercase[column % 26]
    return name if column < 26 else letter(column // 26 - 1) + name
