"""`xlit-core judge ...`: one command for each kind of judge."""

from pathlib import Path
from typing import Annotated

import typer

from core.console import JsonOption, LanguagesOption, StoreOption, finish, opened
from core.judge.agree import person
from core.judge.llm.run import JudgeSettings

judge_app = typer.Typer(help="Judge the responses in the store.", no_args_is_help=True)

LidOption = Annotated[
    Path | None, typer.Option("--lid", help="fastText model lid.176.bin or .ftz (default: the bundled .ftz).")
]

# What the judge of the paper was.
DEFAULT_JUDGE = "gpt-3.5-turbo-0125"

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
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Ask without a question about tokens and price.")
]


@judge_app.command("surface")
def judge_surface(
    languages: LanguagesOption = None,
    dictionaries: Annotated[
        Path | None,
        typer.Option(help="Folder with Hunspell dictionaries (else XLIT_DICTIONARIES, the system's)."),
    ] = None,
    lid: LidOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Identify the language (fastText) and check the spelling (Hunspell) of every response."""
    from core.judge.surface.run import judge_surface as judge

    finish(judge(opened(store), languages=languages, dictionaries=dictionaries, lid=lid), as_json=as_json)


@judge_app.command("rules")
def judge_rules(
    languages: LanguagesOption = None,
    lid: LidOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score responses to instructions whose right answer is known."""
    from core.judge.rules.run import judge_rules as judge

    finish(judge(opened(store), languages=languages, lid=lid), as_json=as_json)


@judge_app.command("relevance")
def judge_relevance(
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    checkpoint: CheckpointOption = None,
    languages: LanguagesOption = None,
    limit: LimitOption = None,
    concurrency: ConcurrencyOption = None,
    attempts: AttemptsOption = 3,
    timeout: TimeoutOption = 60,
    temperature: TemperatureOption = 0,
    max_cost: MaxCostOption = None,
    prices: PricesOption = None,
    yes: YesOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let an LLM say whether each response addresses its task (0 or 1)."""
    from core.judge.relevance.run import judge_relevance as judge

    settings = _settings(
        model, base_url, checkpoint, concurrency, attempts, timeout, temperature, max_cost, prices
    )
    record = judge(opened(store), settings, languages=languages, limit=limit, agree=person(yes))
    finish(record, as_json=as_json)


@judge_app.command("rubric")
def judge_rubric(
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    checkpoint: CheckpointOption = None,
    prompt: Annotated[
        Path | None, typer.Option(help="Another prompt, with %%%TASK%%% and %%%SUBMISSION%%%.")
    ] = None,
    rubric: Annotated[
        Path | None, typer.Option(help="Another rubric: a TOML file with name, version and criteria.")
    ] = None,
    languages: LanguagesOption = None,
    limit: LimitOption = None,
    repeats: Annotated[
        int, typer.Option(help="Judge every response K times, for the judge's agreement with itself.")
    ] = 1,
    concurrency: ConcurrencyOption = None,
    attempts: AttemptsOption = 3,
    timeout: TimeoutOption = 60,
    temperature: TemperatureOption = 0,
    max_cost: MaxCostOption = None,
    prices: PricesOption = None,
    yes: YesOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let an LLM score every response on six criteria, or on those of a rubric of your own."""
    from core.judge.rubric.run import judge_rubric as judge

    settings = _settings(
        model, base_url, checkpoint, concurrency, attempts, timeout, temperature, max_cost, prices
    )
    record = judge(
        opened(store),
        settings,
        prompt=prompt,
        rubric=rubric,
        languages=languages,
        limit=limit,
        repeats=repeats,
        agree=person(yes),
    )
    finish(record, as_json=as_json)


@judge_app.command("modifiers")
def judge_modifiers(
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    checkpoint: CheckpointOption = None,
    languages: LanguagesOption = None,
    lid: LidOption = None,
    limit: LimitOption = None,
    concurrency: ConcurrencyOption = None,
    attempts: AttemptsOption = 3,
    timeout: TimeoutOption = 60,
    temperature: TemperatureOption = 0,
    max_cost: MaxCostOption = None,
    prices: PricesOption = None,
    yes: YesOption = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check by rule whether responses do what the modifier of their instruction demands (N items, brevity,
    language, Markdown, HTML ...); with a judge (--model or --checkpoint) also what no rule can tell."""
    from core.judge.modifiers.by_llm import judge_modifiers_by_llm
    from core.judge.modifiers.run import judge_modifiers as judge

    asked = model or base_url or checkpoint
    settings = _settings(
        model, base_url, checkpoint, concurrency, attempts, timeout, temperature, max_cost, prices
    )
    engine = opened(store)
    records = [judge(engine, languages=languages, lid=lid)]
    if asked:
        records.append(
            judge_modifiers_by_llm(engine, settings, languages=languages, limit=limit, agree=person(yes))
        )
    finish(*records, as_json=as_json)


def _settings(
    model: str | None,
    base_url: str | None,
    checkpoint: Path | None,
    concurrency: int | None,
    attempts: int,
    timeout: float,
    temperature: float,
    max_cost: float | None,
    prices: Path | None,
) -> JudgeSettings:
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
    )
