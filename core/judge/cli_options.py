"""The options that the commands of `xlit-core judge` share."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from inspect import Signature, signature
from pathlib import Path
from typing import Annotated, Any

import typer

from core.judge.llm_judge.runner import JudgeSettings
from core.judge.llm_judge.settings import BatchSettings
from store import UsageError

LidOption = Annotated[
    Path | None, typer.Option("--lid", help="fastText model lid.176.bin or .ftz (default: the bundled .ftz).")
]

# What the judge of the paper was.
DEFAULT_JUDGE = "gpt-3.5-turbo-0125"

NO_JUDGE = "Options of a judge need one: name it with --model, --base-url or --checkpoint."

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model", help=f"The judge, as its server names it ({DEFAULT_JUDGE}, or the checkpoint's name)."
    ),
]
BaseUrlOption = Annotated[
    str | None,
    typer.Option(
        help="An OpenAI-compatible server (default: OpenAI's). The key comes from OPENAI_API_KEY "
        "(or XLIT_API_KEY)."
    ),
]
CheckpointOption = Annotated[
    Path | None, typer.Option(help="A checkpoint folder or GGUF file of your own as the judge.")
]
PromptOption = Annotated[
    Path | None, typer.Option(help="Another prompt, with %%%TASK%%% and %%%SUBMISSION%%%.")
]
LimitOption = Annotated[int | None, typer.Option(help="At most N responses.")]
ConcurrencyOption = Annotated[
    int | None, typer.Option(help="Questions asked at once (default: 16).", show_default=False)
]
AttemptsOption = Annotated[int, typer.Option(help="Times to ask for an answer that can be used.")]
TimeoutOption = Annotated[float, typer.Option(help="Seconds to wait for an answer.")]
TemperatureOption = Annotated[
    float, typer.Option(help="Of the judge; another than 0 makes it another rater.")
]
MaxCostOption = Annotated[
    float | None, typer.Option(metavar="USD", help="Never spend more than this, in this run.")
]
PricesOption = Annotated[
    Path | None,
    typer.Option(help="Prices in TOML (else XLIT_PRICES, ~/.config/xlit/prices.toml)."),
]
BatchOption = Annotated[
    bool,
    typer.Option(
        "--batch",
        help="Ask through the server's Batch API (OpenAI: half the price, within 24 hours).",
    ),
]
BatchSizeOption = Annotated[
    int | None, typer.Option(help="Questions in a batch (default: 10,000).", show_default=False)
]
PollOption = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS", help="How often to look how far the batches are (default: 30).", show_default=False
    ),
]
NoWaitOption = Annotated[
    bool,
    typer.Option("--no-wait", help="Send, collect what is answered, and stop; the same command goes on."),
]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Ask without a question about tokens and price.")
]


def settings_of(
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    checkpoint: CheckpointOption = None,
    concurrency: ConcurrencyOption = None,
    attempts: AttemptsOption = 3,
    timeout: TimeoutOption = 60,
    temperature: TemperatureOption = 0,
    max_cost: MaxCostOption = None,
    prices: PricesOption = None,
    batch: BatchOption = False,
    batch_size: BatchSizeOption = None,
    poll: PollOption = None,
    no_wait: NoWaitOption = False,
) -> JudgeSettings:
    """The settings that the options of an LLM judge make."""
    if model is None:
        model = checkpoint.resolve().stem if checkpoint else DEFAULT_JUDGE
    return JudgeSettings(
        model=model,
        base_url=base_url,
        checkpoint=checkpoint,
        concurrency=concurrency,
        attempts=attempts,
        timeout=timeout,
        temperature=temperature,
        max_cost=max_cost,
        prices=prices,
        batch=_batch(batch, batch_size, poll, no_wait),
    )


def asks_a_judge(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options of `settings_of`; the command gets the `settings` that they make.

    A command whose `settings` may be None gets None when no judge is named.
    """
    shared, own = signature(settings_of).parameters, signature(command).parameters
    others = [option for name, option in own.items() if name != "settings"]

    @wraps(command)
    def with_settings(**given: Any) -> None:
        options = {name: given.pop(name) for name in shared}
        named = any(options[name] for name in ("model", "base_url", "checkpoint"))
        if named or own["settings"].default is not None:
            command(settings=settings_of(**options), **given)
            return
        if any(options[name] != option.default for name, option in shared.items()):
            raise UsageError(NO_JUDGE)
        command(settings=None, **given)

    # What typer reads the options from.
    options = [*shared.values(), *others]
    with_settings.__signature__ = Signature(options)  # type: ignore[attr-defined]
    with_settings.__annotations__ = {option.name: option.annotation for option in options}
    return with_settings


def _batch(batch: bool, size: int | None, poll: float | None, no_wait: bool) -> BatchSettings | None:
    if not batch:
        if size is not None or poll is not None or no_wait:
            raise UsageError("--batch-size, --poll and --no-wait belong to --batch.")
        return None
    settings = BatchSettings(wait=not no_wait)
    if size is not None:
        settings = replace(settings, size=size)
    if poll is not None:
        settings = replace(settings, poll=poll)
    return settings
