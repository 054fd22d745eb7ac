"""The commands that make models: `xlit-core train` and `merge-adapter`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.console import StoreOption, opened, show
from core.progress import say
from store import UsageError


def train(
    base: Annotated[str, typer.Option(help="Checkpoint folder or hub name of the base model.")],
    data: Annotated[
        list[str],
        typer.Option(
            metavar="[LANG=]DATA", help="File, folder or hub name of instruction data; several mix."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="Folder for the checkpoint (or the LoRA adapter).")] = None,
    preset: Annotated[
        str | None, typer.Option(help="paper or release: published settings; options go before it.")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option("--lr", help="Peak learning rate (1e-5).")] = None,
    lora: Annotated[
        bool, typer.Option("--lora", help="Train a LoRA adapter instead of all weights.")
    ] = False,
    lora_rank: Annotated[int | None, typer.Option(help="Rank of the adapter (16).")] = None,
    lora_alpha: Annotated[int | None, typer.Option(help="Its scale, times the rank (32).")] = None,
    lora_dropout: Annotated[float | None, typer.Option(help="Dropout before it (0).")] = None,
    lora_targets: Annotated[
        list[str] | None, typer.Option("--lora-target", help="Layers that get one (all linear layers).")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Updates of the weights (1000).")] = None,
    batch_tokens: Annotated[int | None, typer.Option(help="Most tokens in a batch (4000).")] = None,
    accumulate: Annotated[int | None, typer.Option(help="Batches in an update (4).")] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Longest example, in tokens; longer ones are cut (2048).")
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(help="constant, linear, linear_to_tenth, cosine or inverse_sqrt (the default)."),
    ] = None,
    timescale: Annotated[
        int | None, typer.Option(help="Steps after which inverse_sqrt is at 0.71 of the rate (100).")
    ] = None,
    warmup_steps: Annotated[int | None, typer.Option(help="Steps of a linear rise (0).")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Of AdamW, on matrices (0).")] = None,
    clip_norm: Annotated[float | None, typer.Option(help="Largest norm of a gradient (1).")] = None,
    precision: Annotated[
        str | None, typer.Option(help="fp32, bf16 (float32 weights), or auto: bf16 on a GPU that can.")
    ] = None,
    activation_checkpointing: Annotated[
        bool | None,
        typer.Option(
            "--activation-checkpointing/--no-activation-checkpointing",
            help="Compute activations again instead of keeping them.",
        ),
    ] = None,
    packed: Annotated[
        bool | None,
        typer.Option("--packed/--padded", help="Examples in one row without padding, where a model can."),
    ] = None,
    mix: Annotated[
        str | None, typer.Option(help="concat (all), or uniform: every language equally often.")
    ] = None,
    size: Annotated[int | None, typer.Option(help="Only so many conversations, drawn by the seed.")] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave bad rows out, and list them, instead of refusing.")
    ] = False,
    template: Annotated[
        str | None, typer.Option(help="Chat template by name or file (the tokenizer's own, else llama-2).")
    ] = None,
    eval_examples: Annotated[
        int | None, typer.Option(help="Conversations of each language held out to evaluate on (0).")
    ] = None,
    eval_every: Annotated[int | None, typer.Option(help="Steps between evaluations (100).")] = None,
    save_every: Annotated[int | None, typer.Option(help="Steps between checkpoints (100).")] = None,
    keep_last: Annotated[int | None, typer.Option(help="Checkpoints that are kept (2).")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random (1).")] = None,
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="Open pickled weights too: they can run code.")
    ] = False,
    tensorboard: Annotated[Path | None, typer.Option(metavar="DIR", help="Log for TensorBoard, too.")] = None,
    show_examples: Annotated[
        int, typer.Option(help="Show what the model will see of so many conversations, and stop.")
    ] = 0,
    store: StoreOption = None,
) -> None:
    """Fine-tune a model, fully or with LoRA. Killed, the same command goes on from the last checkpoint."""
    from core.train.data.sources import data_source
    from core.train.settings import TrainSettings
    from core.train.settings import preset as fields_of

    adaptation: Any = "lora" if lora else "full"
    given = {
        "learning_rate": learning_rate, "lora_rank": lora_rank, "lora_alpha": lora_alpha,
        "lora_dropout": lora_dropout, "lora_targets": tuple(lora_targets) if lora_targets else None,
        "steps": steps, "batch_tokens": batch_tokens, "accumulate": accumulate, "max_length": max_length,
        "schedule": schedule, "timescale": timescale, "warmup_steps": warmup_steps,
        "weight_decay": weight_decay, "clip_norm": clip_norm, "precision": precision,
        "activation_checkpointing": activation_checkpointing, "packed": packed, "mix": mix, "size": size,
        "on_bad": "skip" if skip_bad else None, "template": template, "eval_examples": eval_examples,
        "eval_every": eval_every, "save_every": save_every, "keep_last": keep_last, "seed": seed,
        "allow_pickle": allow_pickle or None,
    }  # fmt: skip
    fields: dict[str, Any] = {"learning_rate": 1e-5}
    if preset is not None:
        fields |= fields_of(preset, adaptation)
    fields |= {name: value for name, value in given.items() if value is not None}
    sources = tuple(data_source(one) for one in data)
    settings = TrainSettings(base=base, data=sources, adaptation=adaptation, **fields)
    if show_examples:
        show(_shown(settings, show_examples))
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
    from core.train.lora import merge_into_base

    merge_into_base(adapter, out, dtype=dtype)
    say(f"Merged: {out}")


def _shown(settings: Any, number: int) -> Any:
    from core.train.examples import build_examples
    from core.train.model import load_tokenizer
    from core.train.preview import render_examples
    from core.train.recipe import training_data
    from core.train.templates.chat_template import choose_template

    tokenizer = load_tokenizer(settings)
    template = choose_template(tokenizer, settings.template)
    conversations = training_data(settings).conversations[:number]
    built = build_examples(tokenizer, conversations, settings.max_length, template)
    return render_examples(tokenizer, built.examples)


def _train(settings: Any, out: Path, store: str | None, tensorboard: Path | None) -> None:
    from core.run import train_recorded
    from core.train.parallel import process_number
    from core.train.recipe import train as train_here

    if process_number() > 0:  # one process writes for all
        train_here(settings, out)
        return
    train_recorded(opened(store, create=True), settings, out, name=out.name, tensorboard=tensorboard)
    say(f"Trained: {out}")
