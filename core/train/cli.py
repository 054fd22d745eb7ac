"""The commands that make models: `xlit-core train` and `merge-adapter`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.console import StoreOption, opened, show
from core.options import with_options
from core.progress import say
from core.train.data.options import ColumnOption, DropOption, FormatOption, column_names
from core.train.data.sources import data_source
from core.train.settings import TrainSettings
from core.train.settings import preset as preset_fields
from store import UsageError


@with_options(TrainSettings, leave_out=("base", "data", "betas", "epsilon"))
def train(
    base: Annotated[str, typer.Option(help="Checkpoint folder or hub name of the base model.")],
    data: Annotated[
        list[str],
        typer.Option(
            metavar="[LANG=]DATA", help="File, folder or hub name of instruction data; several mix."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Folder for the checkpoint (or the LoRA adapter).")] = None,
    format: FormatOption = "auto",
    columns: ColumnOption = None,
    drop: DropOption = None,
    preset: Annotated[
        str | None, typer.Option(help="paper or release: published settings; options go before it.")
    ] = None,
    *,
    tensorboard: Annotated[Path | None, typer.Option(metavar="DIR", help="Log for TensorBoard, too.")] = None,
    show_examples: Annotated[
        int, typer.Option(help="Show what the model will see of so many conversations, and stop.")
    ] = 0,
    store: StoreOption = None,
    **given: Any,
) -> None:
    """Fine-tune a model, fully or with LoRA. Killed, the same command goes on from the last checkpoint."""
    fields = preset_fields(preset, given.get("adaptation", "full")) if preset is not None else {}
    named = column_names(columns)
    sources = tuple(data_source(source, format=format, columns=named, drop=drop or ()) for source in data)
    settings = TrainSettings(base=base, data=sources, **{**fields, **given})
    if show_examples:
        show(_examples_to_show(settings, show_examples))
        return
    if out is None:
        raise UsageError("Say with --out where the checkpoint shall go.")
    _train(settings, out, store, tensorboard)


def merge_adapter(
    adapter: Annotated[str, typer.Argument(help="Folder or hub name of a LoRA adapter.")],
    out: Annotated[Path, typer.Argument(help="Folder for the whole checkpoint.")],
    dtype: Annotated[str | None, typer.Option(help="f32, bf16 or f16 (default: the base's own).")] = None,
) -> None:
    """Put a LoRA adapter into its base's weights: a checkpoint that needs neither adapter nor peft."""
    from core.models.merging import merge_into_base

    merge_into_base(adapter, out, dtype=dtype)
    say(f"Merged: {out}")


def _examples_to_show(settings: TrainSettings, number: int) -> Any:
    from rich.console import Group

    from core.train.examples import build_examples
    from core.train.model import load_tokenizer
    from core.train.preview import render_examples, render_fields
    from core.train.recipe import training_data
    from core.train.templates.chat_template import choose_template

    tokenizer = load_tokenizer(settings)
    template = choose_template(tokenizer, settings.template)
    data = training_data(settings)
    built = build_examples(tokenizer, data.conversations[:number], settings.max_length, template)
    return Group(render_fields(data.counts), render_examples(tokenizer, built.examples))


def _train(settings: TrainSettings, out: Path, store: str | None, tensorboard: Path | None) -> None:
    from core.train.launcher import train_recorded
    from core.train.parallel import process_number
    from core.train.recipe import train as train_here

    if process_number() > 0:  # one process writes for all
        train_here(settings, out)
        return
    train_recorded(opened(store, create=True), settings, out, name=out.name, tensorboard=tensorboard)
    say(f"Trained: {out}")
