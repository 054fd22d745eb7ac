"""The commands that make answers: `xlit-core convert`, `generate` and `decodings`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from core.console import (
    JsonOption,
    LanguagesOption,
    StoreOption,
    SuiteOption,
    finish,
    opened,
    show,
    show_json,
)
from core.extras import needs_extra
from core.generate.decoding import Decoding, SampleOptions
from core.generate.settings import EngineOptions, ModelSource, RaySettings
from core.options import fields_of, with_options
from core.progress import say
from store import UsageError

HERE = "here"


def with_ray_address(arguments: list[str]) -> list[str]:
    """Command-line arguments in which a bare `--ray` has the address of this machine's own cluster (an option
    with an optional value is not something that typer has)."""
    completed = list(arguments)
    for index, argument in enumerate(arguments):
        if argument == "--ray" and (index + 1 == len(arguments) or arguments[index + 1].startswith("-")):
            completed[index] = f"--ray={HERE}"
    return completed


def convert(
    checkpoint: Annotated[str, typer.Argument(help="Checkpoint or adapter folder, or a model of the hub.")],
    out: Annotated[Path, typer.Argument(help="The GGUF file to write.")],
    to: Annotated[str, typer.Option("--to", help="f32, f16, bf16, q8_0, q6_k, q5_k_m, q4_k_m ...")] = "q8_0",
) -> None:
    """Make a GGUF file from a checkpoint, for llama.cpp; LoRA adapters are merged first."""
    from core.generate.checkpoint import locate_checkpoint
    from core.generate.gguf.convert import convert as convert_checkpoint

    say(f"Converted: {convert_checkpoint(locate_checkpoint(checkpoint), out, to)}")


class _AnswerOptions(EngineOptions, SampleOptions, Decoding):
    """The options of `xlit-core generate` that are settings."""


@with_options(_AnswerOptions, show_defaults=True)
def generate(
    checkpoints: Annotated[
        list[str],
        typer.Option(
            "--checkpoint",
            help="Folder of a model or adapter, GGUF file, hub name, or a served model's name; may be given "
            "several times, each with its --model.",
        ),
    ],
    names: Annotated[
        list[str],
        typer.Option("--model", help="The model's name in the store, for example 'base / data / FT'."),
    ],
    engine: Annotated[
        str | None,
        typer.Option(help="transformers, llama.cpp, openai or vllm (default: told by the checkpoint)."),
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="Address of an OpenAI-compatible server, such as http://HOST:8000/v1.")
    ] = None,
    suite: SuiteOption = None,
    languages: LanguagesOption = None,
    *,
    limit: Annotated[int | None, typer.Option(help="Only the first N instructions of each language.")] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray",
            metavar="[ADDRESS]",
            help="Spread over a Ray cluster (auto, or HOST:PORT); without ADDRESS one on this machine.",
        ),
    ] = None,
    ray_actors: Annotated[int | None, typer.Option(help="Engines on the cluster at a time.")] = None,
    ray_gpus: Annotated[float | None, typer.Option(help="GPUs for each of them.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show a table of models and languages.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
    **given: Any,
) -> None:
    """Let models answer the suite's instructions; only what is missing is generated."""
    from core.generate.display import summary, summary_table
    from core.generate.run import generate as generate_responses
    from core.suites.loader import ensure_suite

    if len(checkpoints) != len(names):
        raise UsageError(f"{len(checkpoints)} --checkpoint and {len(names)} --model: give each its own.")
    if ray is None and (ray_actors is not None or ray_gpus is not None):
        raise UsageError("--ray-actors and --ray-gpus are for --ray.")
    sources = [
        ModelSource(name, checkpoint, engine, base_url, {"checkpoint": checkpoint})
        for name, checkpoint in zip(names, checkpoints, strict=True)
    ]
    decoding = Decoding(**fields_of(Decoding, given))
    options = EngineOptions(**fields_of(EngineOptions, given))
    cluster = None
    if ray:
        cluster = RaySettings(address=None if ray == HERE else ray, actors=ray_actors, gpus=ray_gpus)
    opened_store = opened(store, create=True)
    ensure_suite(opened_store, suite)
    records, counters = generate_responses(
        opened_store,
        sources,
        suite=suite,
        languages=languages,
        decoding=decoding,
        options=options,
        samples=given["samples"],
        limit=limit,
        ray=cluster,
        watch=watch,
    )
    if not as_json:
        show(summary_table(counters))
    finish(*records, as_json=as_json, more={"summary": summary(counters)})


def decodings(
    suite: SuiteOption = None,
    names: Annotated[
        list[str] | None, typer.Option("--model", help="Only this model; may be given several times.")
    ] = None,
    languages: LanguagesOption = None,
    reference: Annotated[
        str | None, typer.Option(help="The decoding that others are compared with, as the table names it.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """What quantising, or another engine, changes: shares of identical answers, and surface metrics."""
    with needs_extra("report", "The comparison of decodings"):
        from core.analysis.decodings import compare_decodings
        from core.report.formats.terminal import table_renderable
        from core.report.sections.decodings import decodings_table

    comparison = compare_decodings(
        opened(store), suite, models=names, languages=languages, reference=reference
    )
    if as_json:
        show_json(comparison.as_dict())
    else:
        show(table_renderable(decodings_table(comparison)))
