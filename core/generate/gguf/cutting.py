"""How llama.cpp is told to cut text into tokens."""

from dataclasses import dataclass, field
from typing import Any, Literal


class UnlikeError(Exception):
    """A tokenizer that none of llama.cpp's agrees with; says why."""


@dataclass(frozen=True)
class Cutting:
    """One of llama.cpp's tokenizers with its settings, that agrees with the tokenizer of a checkpoint.

    `model`: `gpt2` (byte-level BPE, with the `pre` tokenizer that splits text into words, and `merges`) or
    `llama` (that of SentencePiece, with a score for each token: the highest is merged first). `space`:
    whether one is put before the text and after each special token. `normalization`: the Unicode form that
    text is brought into beforehand, which llama.cpp leaves to its caller. `plain`: it agrees on any text, not
    only on those that a chat template writes.
    """

    model: Literal["gpt2", "llama"]
    pre: str = "default"
    merges: tuple[str, ...] = ()
    scores: dict[str, float] = field(default_factory=dict)
    space: bool = False
    normalization: str | None = None
    plain: bool = True


def steps(step: dict[str, Any] | None, parts: str) -> list[dict[str, Any]]:
    """The steps of a normalizer (`parts`: "normalizers") or a pre-tokenizer ("pretokenizers") of
    tokenizer.json, sequences unfolded."""
    if step is None:
        return []
    if step["type"] == "Sequence":
        return [found for part in step[parts] for found in steps(part, parts)]
    return [step]


def merges_of(description: dict[str, Any]) -> list[tuple[str, str]]:
    """The pairs that are merged, the first before all others (`description`: content of tokenizer.json)."""
    pairs = [pair.split(" ", 1) if isinstance(pair, str) else pair for pair in description["model"]["merges"]]
    return [(left, right) for left, right in pairs]
