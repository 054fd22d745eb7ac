"""How text is drawn from a model: the parameters that are part of a response's identity."""

import hashlib
import math
from dataclasses import dataclass
from typing import Any

from store import UsageError


@dataclass(frozen=True)
class Decoding:
    """Greedy decoding, or sampling, with a repetition penalty.

    The penalty is that of CTRL (Keskar et al. 2019, arXiv 1909.05858, section 4.1) as transformers applies
    it: the logit of every token that occurs in the prompt or in the answer so far is divided by it when
    positive and multiplied when negative. Every engine counts the same tokens: prompt and answer, all of
    them, padding never. 1.0 turns it off.

    `temperature` 0 is greedy: the likeliest token, of several the one with the lowest id. Above 0, the
    punished logits are divided by it, the `top_k` likeliest tokens are kept (0: all), of these the fewest
    whose probabilities reach `top_p` (Holtzman et al. 2020, arXiv 1904.09751, section 3.1), and one is drawn:
    see `core.generate.sampling`. `seed` is the seed of a whole run; each request has its own, made from it
    (`request_seed`), so that what an instruction gets does not depend on what else is answered.

    `max_new_tokens` counts the end token. Raises `UsageError` on a value that makes no sense.
    """

    max_new_tokens: int = 512
    repetition_penalty: float = 1.1
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise UsageError(f"At least one new token must be allowed, not {self.max_new_tokens}.")
        if not (math.isfinite(self.repetition_penalty) and self.repetition_penalty > 0):
            raise UsageError(
                f"The repetition penalty must be above 0 (1 turns it off), not {self.repetition_penalty}."
            )
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise UsageError(f"The temperature must be at least 0 (0 is greedy), not {self.temperature}.")
        if not 0 < self.top_p <= 1:
            raise UsageError(f"top_p must be above 0 and at most 1, not {self.top_p}.")
        if self.top_k < 0:
            raise UsageError(f"top_k must be at least 0 (0 keeps all tokens), not {self.top_k}.")
        if self.greedy and (self.top_p < 1 or self.top_k):
            raise UsageError("top_p and top_k are for sampling: give a temperature above 0 too.")

    @property
    def greedy(self) -> bool:
        return self.temperature == 0

    def parameters(self) -> dict[str, Any]:
        """What identifies this decoding in the store, together with the engine and its number format."""
        common = {
            "max_new_tokens": self.max_new_tokens,
            "repetition_penalty": float(self.repetition_penalty),
        }
        if self.greedy:
            return {"strategy": "greedy", **common}
        return {
            "strategy": "sample",
            **common,
            "temperature": float(self.temperature),
            "top_p": float(self.top_p),
            "top_k": self.top_k,
            "seed": self.seed,
        }

    def request_seed(self, *identity: object) -> int:
        """The seed, from 0 to 2**63 - 1, of the request with this identity (for example its instruction's
        language and key, and the number of the sample)."""
        text = "\x1f".join(map(str, (self.seed, *identity)))
        return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8]) >> 1
