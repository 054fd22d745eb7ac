"""The next token of several sequences at once, from their logits."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core.generate.decoding import Decoding
from core.generate.llama_cpp_engine.answering import Answering
from core.generate.sampling import draw

if TYPE_CHECKING:
    import numpy as np


def choose(
    logits: "np.ndarray[Any, np.dtype[np.float32]]", rows: Sequence[Answering], decoding: Decoding
) -> list[int]:
    """One token for each row of the logits (rows, vocabulary), which are punished in place."""
    if decoding.repetition_penalty != 1:
        _punish(logits, rows, decoding.repetition_penalty)
    if decoding.greedy:
        return logits.argmax(axis=1).tolist()  # of equal ones the first
    return [draw(said, row.draws.next(), decoding) for said, row in zip(logits, rows, strict=True)]


def _punish(
    logits: "np.ndarray[Any, np.dtype[np.float32]]", rows: Sequence[Answering], penalty: float
) -> None:
    import numpy as np

    flat, size, by = logits.reshape(-1), logits.shape[1], np.float32(penalty)
    places = np.concatenate([row.said + place * size for place, row in enumerate(rows)])
    found = flat[places]
    flat[places] = np.where(found > 0, found / by, found * by)
