"""What tokens cost: how many a text has, the price of a model, the budget of a run."""

import asyncio
import os
import tomllib
from dataclasses import dataclass
from importlib.metadata import version
from math import ceil
from pathlib import Path
from typing import Annotated

import regex
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.llm.answers import Reply
from core.text.scripts import HAN_AND_KANA
from store import UsageError

# Characters in a token, by kind: what byte-pair tokenizers of about 100,000 entries make of everyday text,
# roughly. Good for a price before a run; nothing depends on it.
_ASCII, _LETTER, _IDEOGRAPH = 4.0, 2.2, 0.9

_IDEOGRAPHS = regex.compile(
    rf"[{HAN_AND_KANA}\p{{Script=Hangul}}\p{{Script=Thai}}\p{{Script=Lao}}\p{{Script=Tibetan}}]"
)


def about_tokens(text: str) -> int:
    """About how many tokens a text is: 4 ASCII characters, 2.2 other letters, or 0.9 of a script without
    spaces make one."""
    ideographs = len(_IDEOGRAPHS.findall(text))
    plain = len(text.encode("ascii", "ignore"))
    others = len(text) - ideographs - plain
    return ceil(plain / _ASCII + others / _LETTER + ideographs / _IDEOGRAPH)


SHIPPED_PRICES = Path(__file__).parent / "prices.toml"

MILLION = 1_000_000

_Dollars = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class Price(BaseModel):
    """US dollars for a million tokens; `batch` is the share of that which the Batch API asks for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: _Dollars
    output: _Dollars
    batch: Annotated[float, Field(gt=0, le=1)] = 1.0

    def of(self, tokens_in: int, tokens_out: int) -> float:
        """US dollars for so many tokens."""
        return (self.input * tokens_in + self.output * tokens_out) / MILLION

    def batched(self) -> "Price":
        """The price by the Batch API."""
        return Price(input=self.input * self.batch, output=self.output * self.batch)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")

    models: dict[str, Price]


@dataclass(frozen=True)
class Prices:
    """The prices of all models known, and the files that they come from: the shipped one, and perhaps the
    user's own. `sources`: by model, what its price is from, for people."""

    models: dict[str, Price]
    files: tuple[Path, ...]
    sources: dict[str, str]

    def of(self, model: str) -> Price | None:
        """The price of a model by its exact name, or None."""
        return self.models.get(model)

    def find(self, model: str, base_url: str | None = None) -> tuple[Price | None, str]:
        """The price of a model and its source: the files, or else the list prices of the provider at
        `base_url` (None: a server without list prices)."""
        if model in self.models:
            return self.models[model], self.sources[model]
        price = _list_price(model, base_url) if base_url is not None else None
        return price, f"genai-prices {version('genai-prices')}" if price else ""


def own_price_file() -> Path:
    """Where a user's own table is looked for when no other is named."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "xlit" / "prices.toml"


def read_prices(named: Path | None = None) -> Prices:
    """The shipped prices with those of `named` (else of XLIT_PRICES, else of `own_price_file()`, if there).

    Raises `UsageError` when a named file is not there, or for what is wrong in one.
    """
    if named is None and os.environ.get("XLIT_PRICES"):
        named = Path(os.environ["XLIT_PRICES"])
    files = [SHIPPED_PRICES]
    if named is not None:
        if not named.is_file():
            raise UsageError(f"No table of prices at {named}.")
        files.append(named)
    elif own_price_file().is_file():
        files.append(own_price_file())
    models: dict[str, Price] = {}
    sources: dict[str, str] = {}
    for file in files:
        read = _read_price_file(file)
        models.update(read)
        sources.update(dict.fromkeys(read, "shipped table" if file == SHIPPED_PRICES else str(file)))
    return Prices(models, tuple(files), sources)


def _list_price(model: str, base_url: str) -> Price | None:
    """The list price that the package genai-prices has for a model of a provider, without a discount for the
    Batch API; None when the package is not installed, or has no price that depends on tokens alone."""
    try:
        import genai_prices
    except ImportError:
        return None
    # Prices may rise with the length of a request: what judges are asked is short.
    tokens = 1_000
    usage = genai_prices.Usage(input_tokens=tokens, output_tokens=tokens)
    try:
        cost = genai_prices.calc_price(usage, model, provider_api_url=base_url)
    except (LookupError, ValueError):
        return None
    if not cost.total_price or cost.total_price != cost.input_price + cost.output_price:
        return None
    scale = MILLION // tokens
    return Price(input=float(cost.input_price * scale), output=float(cost.output_price * scale))


def _read_price_file(file: Path) -> dict[str, Price]:
    try:
        return _Table.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))).models
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"The table of prices {file} can't be read: {error}.") from None
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"]))
        raise UsageError(f"The table of prices {file}: {key}: {problem['msg']}.") from None


class BudgetSpent(Exception):
    """The next request could cost more than what is left."""


class Budget:
    """What is spent, and what requests on their way may still cost.

    Before a request starts, the most that it can cost is held back; when it ends, what it did cost is spent
    and the rest is free again. So the sum of both never goes beyond `most` US dollars, whatever a model
    answers. Without a price nothing is counted in dollars, and with `most` None nothing is held back.
    """

    def __init__(self, price: Price | None, most: float | None = None, *, price_source: str = "") -> None:
        self.price, self.price_source = price, price_source
        self.most = most
        self.spent = 0.0
        self.requests = self.tokens_in = self.tokens_out = 0
        self._held: list[float] = []
        self._changed = asyncio.Event()

    async def hold(self, tokens_in: int, tokens_out: int) -> float:
        """Hold back what a request can cost at most; returns that, in US dollars, for `settle`.

        Waits while requests on their way may still leave enough. Raises `BudgetSpent` when none will.
        """
        if self.price is None or self.most is None:
            return 0.0
        cost = self.price.of(tokens_in, tokens_out)
        while self.spent + sum(self._held) + cost > self.most:
            if not self._held:
                raise BudgetSpent
            self._changed.clear()
            await self._changed.wait()
        self._held.append(cost)
        return cost

    def settle(self, held: float, reply: Reply | None, *, charged: bool = False) -> None:
        """A request has ended: with a reply, or without; then all that was held counts as spent when it was
        perhaps `charged`. So it does when the server does not count its tokens."""
        if held in self._held:
            self._held.remove(held)
        if reply is not None:
            self.requests += 1
            self.tokens_in += reply.tokens_in or 0
            self.tokens_out += reply.tokens_out or 0
        if self.price is not None:
            if reply is not None and reply.tokens_in is not None and reply.tokens_out is not None:
                self.spent += self.price.of(reply.tokens_in, reply.tokens_out)
            elif reply is not None or charged:
                self.spent += held
        self._changed.set()
