"""Which LLM judges, and how it is asked: each setting is defined here once.

A study file has those of `JudgeChoice` under `[judges.relevance]` and `[judges.rubric]`, the commands of
`xlit-core judge` make their options of `JudgeSettings`, and the judges take it.
"""

from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field

from core.options import CheckedSettings, Option, Settings
from store import UsageError

# What the judge of the paper was.
DEFAULT_JUDGE = "gpt-3.5-turbo-0125"

# What OpenAI takes in one batch (platform.openai.com/docs/guides/batch): so many requests and, in bytes, a
# file of 200 MB, of which a little is left free.
MOST_REQUESTS = 50_000
MOST_FILE_BYTES = 190_000_000

NO_BATCHES = "A checkpoint of your own has no Batch API: leave out --batch."


class JudgeChoice(Settings):
    """Which model judges: behind the server at `base_url`, or a `checkpoint` (a folder or a GGUF file)."""

    model: str = Field(
        description=f"The judge, as its server names it ({DEFAULT_JUDGE}, or the checkpoint's name)."
    )
    base_url: str | None = Field(
        default=None,
        description="An OpenAI-compatible server (default: OpenAI's). Its key comes from XLIT_API_KEY "
        "or the keyring, OpenAI's from OPENAI_API_KEY too.",
    )
    checkpoint: Path | str | None = Field(
        default=None, description="A checkpoint folder or GGUF file of your own as the judge."
    )
    max_cost: Annotated[float | None, Option(metavar="USD")] = Field(
        default=None, ge=0, description="Never spend more than this, in this run."
    )
    batch: Annotated[bool, Option(sets=True)] = Field(
        default=False,
        description="Ask through the server's Batch API (OpenAI: half the price, within 24 hours).",
    )


class JudgeSettings(CheckedSettings, JudgeChoice):
    """Which model judges, and how it is asked.

    `model` is also the rater's name in the store, and `temperature` is a part of its version when it is not
    0. `wait`: until all batches are answered; otherwise what can be sent is sent, and what has ended is
    collected. Raises `UsageError` for a value that makes no sense.
    """

    sentences: ClassVar = {
        "max_cost": "The highest cost must be at least 0 US dollars, not {value}.",
        "concurrency": "concurrency must be at least 1, not {value}.",
        "attempts": "attempts must be at least 1, not {value}.",
        "timeout": "The time-out must be above 0 s, not {value}.",
        "temperature": "The temperature must be from 0 to 2, not {value}.",
        "batch_size": f"A batch has from 1 to {MOST_REQUESTS} questions, not {{value}}.",
        "poll": "Batches are looked at every 0 to 86400 s, not every {value:g} s.",
    }

    concurrency: int | None = Field(default=None, ge=1, description="Questions asked at once (default: 16).")
    attempts: int = Field(default=3, ge=1, description="Times to ask for an answer that can be used.")
    timeout: float = Field(default=60, gt=0, description="Seconds to wait for an answer.")
    temperature: float = Field(
        default=0, ge=0, le=2, description="Of the judge; another than 0 makes it another rater."
    )
    prices: Path | None = Field(
        default=None, description="Prices in TOML (else XLIT_PRICES, ~/.config/xlit/prices.toml)."
    )
    batch_size: Annotated[int, Option(show_default=False)] = Field(
        default=10_000, ge=1, le=MOST_REQUESTS, description="Questions in a batch (default: 10,000)."
    )
    poll: Annotated[float, Option(metavar="SECONDS", show_default=False)] = Field(
        default=30, gt=0, le=86_400, description="How often to look how far the batches are (default: 30)."
    )
    wait: Annotated[bool, Option("--no-wait", sets=False)] = Field(
        default=True,
        description="Send, collect what is answered, and stop; the same command goes on.",
    )

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        if self.checkpoint is None:
            return
        if self.base_url or self.max_cost is not None or self.temperature:
            raise UsageError(
                "A checkpoint of your own needs no address, costs nothing and is asked at temperature 0: "
                "leave out --base-url, --max-cost and --temperature."
            )
        if self.batch:
            raise UsageError(NO_BATCHES)

    def parameters(self) -> dict[str, object]:
        """What goes into the run's provenance; the judge client gives the address, without secrets."""
        return {
            "model": self.model,
            "concurrency": self.concurrency,
            "attempts": self.attempts,
            "timeout": self.timeout,
            "temperature": self.temperature,
            "max_cost": self.max_cost,
            "batch_size": self.batch_size if self.batch else None,
        }

    def version(self, prompt: str) -> str:
        """The rater's version: the prompt's, and the temperature when it isn't 0."""
        return f"{prompt} t={self.temperature:g}" if self.temperature else prompt
