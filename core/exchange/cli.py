"""`xlit-core import` and `xlit-core export`: every format in and out."""

from pathlib import Path
from typing import Annotated

import typer

from core.console import JsonOption, StoreOption, opened, opened_to_import, pairs, show_json
from core.progress import say
from store.names import trimmed


def import_(
    format: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            help="jsonl, csv, parquet, annotator, alpaca-eval, dolly, lima, paper-set, language-confusion, "
            "suite.",
        ),
    ],
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files or folders.")],
    what: Annotated[
        str | None, typer.Option(help="Of jsonl, csv, parquet: responses (default), ratings or notes.")
    ] = None,
    language: Annotated[str | None, typer.Option("--lang", help="Language of rows that name none.")] = None,
    suite: Annotated[str | None, typer.Option(help="NAME/VERSION of the suite to put them in.")] = None,
    match: Annotated[
        str | None,
        typer.Option(metavar="SUITE", help="Find instructions without key in this suite by their text."),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model of rows that name none.")] = None,
    task: Annotated[str | None, typer.Option(help="Task of rows that name none.")] = None,
    rater: Annotated[str | None, typer.Option(help="Who scored, where the file does not say.")] = None,
    campaign: Annotated[
        str | None, typer.Option(help="Campaign of an annotator file that names none.")
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Licence of a suite that is new.")] = None,
    source: Annotated[str | None, typer.Option(help="Source of a suite that is new.")] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="OURS=THEIRS", help="What the file calls a column."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would come in, and write nothing.")
    ] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out bad rows, and list them.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring instructions, responses, ratings and notes into the store. Twice is the same as once."""
    from core.exchange.importing import run_import

    options = {
        "what": what,
        "language": language,
        "suite": suite,
        "match": match,
        "model": model,
        "task": task,
        "rater": rater,
        "campaign": campaign,
        "licence": licence,
        "source": source,
        "columns": pairs("--column", columns) if columns else None,
    }
    engine = opened_to_import(store, dry_run=dry_run)
    report = run_import(engine, format, paths, options, dry_run=dry_run, skip_bad=skip_bad)
    if as_json:
        show_json(report.as_dict())
    else:
        for line in report.lines():
            say(line)
    raise typer.Exit(report.exit_code)


def export(
    format: Annotated[
        str,
        typer.Argument(
            metavar="FORMAT",
            help="jsonl, csv, parquet, annotator, alpaca-eval, llm-comparator, preferences.",
        ),
    ],
    out: Annotated[str, typer.Argument(metavar="OUT", help="The file to write; - is stdout.")],
    what: Annotated[
        str | None, typer.Option(help="ratings (one a row), responses, or notes (comments and errors).")
    ] = None,
    journal: Annotated[
        bool, typer.Option("--journal", help="Every change of a rating, not only the last.")
    ] = False,
    text: Annotated[
        bool | None, typer.Option("--text/--no-text", help="With instructions and responses.")
    ] = None,
    suite: Annotated[str | None, typer.Option(help="Only this suite.")] = None,
    language: Annotated[str | None, typer.Option("--lang", help="Only this language.")] = None,
    models: Annotated[
        list[str] | None, typer.Option("--model", help="Only this model; may be given several times.")
    ] = None,
    campaign: Annotated[
        str | None, typer.Option(help="annotator: the queue of --reviewer in this campaign.")
    ] = None,
    reviewer: Annotated[
        str | None, typer.Option(help="annotator: whose queue, or whose marks stand there already.")
    ] = None,
    criterion: Annotated[
        str | None, typer.Option(help="preferences, llm-comparator: by this criterion.")
    ] = None,
    rubric: Annotated[
        str | None, typer.Option(help="preferences, llm-comparator: the rubric of the criterion.")
    ] = None,
    rater: Annotated[
        str | None, typer.Option(help="preferences, llm-comparator: by this rater (default: all people).")
    ] = None,
    margin: Annotated[
        float | None, typer.Option(help="preferences: least difference of the mean scores (default 1).")
    ] = None,
    pseudonyms: Annotated[
        bool, typer.Option("--pseudonyms", help="Stable pseudonyms instead of people's names.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
    store: StoreOption = None,
) -> None:
    """Write ratings, responses, notes or comparisons, in a format for people or other programs."""
    from core.exchange.exporting import run_export

    options = {
        "what": what,
        "journal": journal or None,
        "text": text,
        "suite": suite,
        "language": language,
        "models": [trimmed(model) for model in models or ()] or None,
        "campaign": campaign,
        "reviewer": reviewer,
        "criterion": criterion,
        "rubric": rubric,
        "rater": rater,
        "margin": margin,
        "pseudonyms": pseudonyms or None,
    }
    rows = run_export(opened(store), format, out, options, force=force)
    say(f"{rows} rows.")
