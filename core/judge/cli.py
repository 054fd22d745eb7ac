"""`xlit-core judge ...`: one command for each kind of judge."""

from pathlib import Path
from typing import Annotated

import typer

from core.console import JsonOption, LanguagesOption, StoreOption, finish, opened

judge_app = typer.Typer(help="Judge the responses in the store.", no_args_is_help=True)

LidOption = Annotated[
    Path | None, typer.Option("--lid", help="fastText model lid.176.bin or .ftz (default: the bundled .ftz).")
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


@judge_app.command("rubric")
def judge_rubric(
    model: Annotated[str, typer.Option(help="The judge, as its server names it.")] = "gpt-3.5-turbo-0125",
    base_url: Annotated[
        str | None, typer.Option(help="An OpenAI-compatible server (default: OpenAI's).")
    ] = None,
    prompt: Annotated[
        Path | None, typer.Option(help="Another prompt, with %%%TASK%%% and %%%SUBMISSION%%%.")
    ] = None,
    languages: LanguagesOption = None,
    limit: Annotated[int | None, typer.Option(help="At most N responses.")] = None,
    concurrency: Annotated[int, typer.Option(help="Questions asked at once.")] = 4,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let an LLM score the six criteria. The key comes from OPENAI_API_KEY (or XLIT_API_KEY)."""
    from core.judge.rubric.run import judge_rubric as judge

    record = judge(
        opened(store),
        model=model,
        base_url=base_url,
        prompt=prompt,
        languages=languages,
        limit=limit,
        concurrency=concurrency,
    )
    finish(record, as_json=as_json)
