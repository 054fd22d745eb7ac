"""How text is drawn from a model: the parameters that are part of a response's identity."""

import math
from dataclasses import dataclass
from typing import Any

from store import UsageError


@dataclass(frozen=True)
class Decoding:
    """Greedy decoding with a repetition penalty.

    The penalty is that of CTRL (Keskar et al. 2019, arXiv 1909.05858, section 4.1) as transformers applies
    it: the logit of every token that occurs in the prompt or in the answer so far is divided by it when
    positive and multiplied when negative. Every engine counts the same tokens: prompt and answer, all of
    them, padding never. 1.0 turns it off.

    `max_new_tokens` counts the end token. Raises `UsageError` on a value that makes no sense.
    """

    max_new_tokens: int = 512
    repetition_penalty: float = 1.1

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise UsageError(f"At least one new token must be allowed, not {self.max_new_tokens}.")
        if not (math.isfinite(self.repetition_penalty) and self.repetition_penalty > 0):
            raise UsageError(
                f"The repetition penalty must be above 0 (1 turns it off), not {self.repetition_penalty}."
            )

    def parameters(self) -> dict[str, Any]:
        """What identifies this decoding in the store, together with the engine and its number format."""
        return {
            "strategy": "greedy",
            "max_new_tokens": self.max_new_tokens,
            "repetition_penalty": float(self.repetition_penalty),
        }
