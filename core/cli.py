"""`xlit-core`: the commands that make data. Thin: every command opens the store and calls one function."""

import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from core.campaigns.cli import campaign_app
from core.console import (
    JsonOption,
    StoreOption,
    SuiteOption,
    chosen_store,
    opened,
    run_app,
    show,
    show_anew,
    show_json,
)
from core.exchange import cli as exchange_cli
from core.extras import needs_extra
from core.generate import cli as generate_cli
from core.judge.cli import judge_app
from core.merge import merge
from core.progress import say
from core.suites.cli import suite_app
from core.train import cli as train_cli
from core.train.translate import cli as translate_cli

app = typer.Typer(
    help="Fine-tune, generate and judge: the pipeline behind the review room xlit-tui.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(judge_app, name="judge")
app.add_typer(campaign_app, name="campaign")
app.add_typer(suite_app, name="suite")


@app.callback(invoke_without_command=True)
def main_options(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if show_version:
        typer.echo(f"xlit {version('xlit')}")
        raise typer.Exit


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--dir", help="Where checkpoints and the store go.")] = Path("demo"),
) -> None:
    """Run the miniature study, then open the review room (plain text when there is no terminal)."""
    from core.demo import run_demo, show_demo

    code, store = run_demo(folder)
    show_demo(store)
    raise typer.Exit(code)


@app.command()
def run(
    study_file: Annotated[Path, typer.Argument(metavar="STUDY.toml")],
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Where checkpoints go (default: beside the file).")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask LLM judges without a question about tokens and price.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Do whatever is missing of a study: train, convert, generate, judge."""
    from core.judge.llm_judge.estimate import ask_person
    from core.run import run_study
    from core.study import read_study

    study = read_study(study_file)
    folder = folder or study_file.parent / study.name
    folder.mkdir(parents=True, exist_ok=True)
    agree = ask_person(yes, needed=False)
    raise typer.Exit(run_study(study, study_file.parent, folder, opened(store, create=True), agree=agree))


app.command()(train_cli.train)
app.command()(train_cli.merge_adapter)
app.command()(translate_cli.translate)
app.command()(generate_cli.convert)
app.command()(generate_cli.generate)


app.command("import")(exchange_cli.import_)
app.command()(exchange_cli.export)


@app.command()
def report(
    out: Annotated[Path, typer.Option("--out", help="The folder to write to.")] = Path("report"),
    suite: SuiteOption = None,
    show_only: Annotated[
        bool, typer.Option("--show", help="Print the main tables instead of writing files.")
    ] = False,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format", help="Only md, csv, tex, png, pdf, svg or html; may be given several times."
        ),
    ] = None,
    same_as: Annotated[
        list[str] | None,
        typer.Option(metavar="OURS=PUBLISHED", help="A model that the paper calls by another name."),
    ] = None,
    number: Annotated[int, typer.Option("--resamples", help="Of the bootstrap.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 1,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the tables and figures of a suite: scores, models compared, agreement, published beside ours."""
    with needs_extra("report", "The report"):
        from core.report.build import make_report
        from core.report.formats.terminal import report_renderable
        from core.report.writing import FORMATS, check_formats, write_report

    check_formats(formats or FORMATS)
    made = make_report(opened(store), suite, same_as=same_as or (), number=number, seed=seed)
    if as_json:
        show_json(made.as_dict())
    elif show_only:
        show(report_renderable(made))
    else:
        with needs_extra("report", "The report"):
            files = write_report(made, out, formats or FORMATS)
        say(f"{len(files)} files in {out}: begin with {out / 'report.html'} or {out / 'report.md'}.")


@app.command()
def select(suite: SuiteOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Choose the best learning rate of every configuration by surface metrics, and show why."""
    with needs_extra("report", "The choice of learning rates"):
        from core.analysis.selection import select as choose
        from core.report.formats.terminal import table_renderable
        from core.report.sections.surface import selection_table

    selection = choose(opened(store), suite)
    if as_json:
        show_json(selection.as_dict())
    else:
        show(table_renderable(selection_table(selection)))


app.command()(generate_cli.decodings)
app.command()(merge)


@app.command()
def status(
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it anew every two seconds until Ctrl-C.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """What the store holds, what runs, and what failed."""
    from core.status import status as look
    from core.status import status_tables

    engine = opened(store)
    if as_json:
        show_json(look(engine))
        return
    show(status_tables(look(engine)))
    while watch:
        time.sleep(2)
        show_anew(status_tables(look(engine)))


@app.command()
def doctor(as_json: JsonOption = False) -> None:
    """What is installed, which models, dictionaries and keys are found, what to do about the rest."""
    from core.doctor import examine, findings_table

    findings = examine()
    if as_json:
        show_json([finding.__dict__ for finding in findings])
    else:
        show(findings_table(findings))


@app.command()
def upgrade(store: StoreOption = None) -> None:
    """Bring an old store to this program's version; a backup is kept beside it."""
    from store import upgrade_store

    name = chosen_store(store)
    old, new, backup = upgrade_store(name)
    say(
        f"The store is of version {new} already."
        if old == new
        else f"Upgraded from {old} to {new}; backup: {backup}."
    )


def main() -> None:
    sys.argv[1:] = generate_cli.with_ray_address(sys.argv[1:])
    run_app(app)
