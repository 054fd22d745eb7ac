"""How text is drawn from a model: the parameters that are part of a response's identity.

Each is defined here once: the study file nests `DecodingOptions`, `xlit-core generate` makes its options of
`Decoding`, and the engines take it.
"""

import hashlib
from typing import Any, ClassVar

from pydantic import Field

from core.options import CheckedSettings, Settings
from store import UsageError


class DecodingOptions(Settings):
    """How the next token is chosen, and how many there may be.

    `repetition_penalty` is that of CTRL (Keskar et al. 2019, arXiv 1909.05858, section 4.1) as transformers
    applies it: the logit of every token that occurs in the prompt or in the answer so far is divided by it
    when positive and multiplied when negative. Every engine counts the same tokens: prompt and answer, all of
    them, padding never. 1.0 turns it off.

    `temperature` 0 is greedy: the likeliest token, of several the one with the lowest id. Above 0, the
    penalised logits are divided by it, the `top_k` likeliest tokens are kept (0: all), of these the fewest
    whose probabilities reach `top_p` (Holtzman et al. 2020, arXiv 1904.09751, section 3.1), and one is drawn:
    see `core.generate.sampling`.

    `max_new_tokens` counts the end token.
    """

    max_new_tokens: int = Field(default=512, ge=1, description="Longest answer, in tokens.")
    repetition_penalty: float = Field(
        default=1.1, gt=0, allow_inf_nan=False, description="Over prompt and answer, in every engine."
    )
    temperature: float = Field(
        default=0.0, ge=0, allow_inf_nan=False, description="0 is greedy; above, tokens are drawn."
    )
    top_p: float = Field(
        default=1.0, gt=0, le=1, description="Draw from the likeliest tokens that reach this."
    )
    top_k: int = Field(default=0, ge=0, description="Draw from so many likeliest tokens (0: all).")


class SampleOptions(Settings):
    """How many answers there are to an instruction."""

    samples: int = Field(default=1, ge=1, description="Answers to each instruction.")


class Decoding(DecodingOptions, CheckedSettings):
    """Greedy decoding, or sampling, with a repetition penalty: a part of a response's identity.

    `seed` is the seed of a whole run; each request has its own, made from it (`request_seed`), so that what
    an instruction gets does not depend on what else is answered. Raises `UsageError` on a value that makes no
    sense.
    """

    sentences: ClassVar = {
        "max_new_tokens": "At least one new token must be allowed, not {value}.",
        "repetition_penalty": "The repetition penalty must be above 0 (1 turns it off), not {value}.",
        "temperature": "The temperature must be at least 0 (0 is greedy), not {value}.",
        "top_p": "top_p must be above 0 and at most 1, not {value}.",
        "top_k": "top_k must be at least 0 (0 keeps all tokens), not {value}.",
    }

    seed: int = Field(default=1, description="Of what is drawn.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
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
