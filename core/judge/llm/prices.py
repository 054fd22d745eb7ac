"""What a model costs, from a table in files that a user can edit."""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from store import UsageError

SHIPPED = Path(__file__).parent / "prices.toml"

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
    """The prices of all models known, and the files that they come from."""

    models: dict[str, Price]
    files: tuple[Path, ...]

    def of(self, model: str) -> Price | None:
        """The price of a model by its exact name, or None."""
        return self.models.get(model)


def own_file() -> Path:
    """Where a user's own table is looked for when no other is named."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "xlit" / "prices.toml"


def read_prices(named: Path | None = None) -> Prices:
    """The shipped prices with those of `named` (else of XLIT_PRICES, else of `own_file()` when it is there).

    Raises `UsageError` when a named file is not there, or for what is wrong in one.
    """
    if named is None and os.environ.get("XLIT_PRICES"):
        named = Path(os.environ["XLIT_PRICES"])
    files = [SHIPPED]
    if named is not None:
        if not named.is_file():
            raise UsageError(f"No table of prices at {named}.")
        files.append(named)
    elif own_file().is_file():
        files.append(own_file())
    models: dict[str, Price] = {}
    for file in files:
        models.update(_read(file))
    return Prices(models, tuple(files))


def _read(file: Path) -> dict[str, Price]:
    try:
        return _Table.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))).models
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"The table of prices {file} can't be read: {error}.") from None
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise UsageError(f"The table of prices {file}: {place}: {problem['msg']}.") from None
