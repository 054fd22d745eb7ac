"""The command `xlit-core translate`."""

from pathlib import Path
from typing import Annotated

import typer

from core.console import JsonOption, show_json
from core.progress import say
from core.train.data.options import ColumnOption, DropOption, FormatOption, column_names

_MOST_SAID = 20


def translate(
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="Instruction data: a file, a folder, or a data set of the hub."),
    ],
    to: Annotated[str, typer.Option("--to", help="Language to translate into, such as fr.")],
    with_: Annotated[
        str,
        typer.Option(
            "--with", help="Translator: a checkpoint (NLLB, any seq2seq or chat model) or a server's address."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="The JSON Lines file to write.")],
    source: Annotated[
        str | None, typer.Option("--from", help="Language of the data (default: what its rows say).")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="What the server calls the model.")] = None,
    format: FormatOption = "auto",
    columns: ColumnOption = None,
    drop: DropOption = None,
    split: Annotated[str, typer.Option(help="Of a folder or a data set of the hub.")] = "train",
    size: Annotated[int | None, typer.Option(help="Only so many conversations, drawn by --seed.")] = None,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 1,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out bad rows, and list them.")] = False,
    ratio: Annotated[
        float, typer.Option("--length-ratio", help="How many times longer or shorter a translation may be.")
    ] = 3.0,
    beams: Annotated[int, typer.Option(help="Of a seq2seq model.")] = 4,
    batch_size: Annotated[int, typer.Option(help="Texts decoded together.")] = 32,
    concurrency: Annotated[int, typer.Option(help="Requests to a server at a time.")] = 16,
    timeout: Annotated[float, typer.Option(help="Seconds for one answer of a server.")] = 600.0,
    as_json: JsonOption = False,
) -> None:
    """Translate instruction data. Killed, the same command goes on; rows that failed are tried again."""
    from core.train.data.loading import load_data
    from core.train.data.sources import DataSource
    from core.train.translate.dataset import failed_file
    from core.train.translate.dataset import translate_dataset as translate_data
    from core.train.translate.translator import TranslatorOptions

    options = TranslatorOptions(with_, model, beams, batch_size, concurrency, timeout)
    loaded = load_data(
        [DataSource(data, format, source, split, columns=column_names(columns), drop=tuple(drop or ()))],
        seed=seed,
        size=size,
        on_bad="skip" if skip_bad else "refuse",
    )
    for line in loaded.lines():
        say(line)
    outcome = translate_data(loaded, options, target=to, source=source, out=out, ratio=ratio)
    if as_json:
        show_json(outcome.as_dict())
    else:
        say(f"Done: {outcome.written} rows in {out}, {outcome.translated} translated now.")
    for location, reason in outcome.failed[:_MOST_SAID]:
        say(f"missing: {location}: {reason}")
    if outcome.failed:
        say(
            f"{len(outcome.failed)} failed, listed in {failed_file(out)}; the same command tries only these "
            "again."
        )
        raise typer.Exit(3)
