"""Fine-tuning from settings to a finished checkpoint: resumable, seeded, and whole or not there at all."""

import json
import shutil
import time
from pathlib import Path
from typing import IO, Any

from core.extras import needs_extra
from core.progress import progress, say
from core.train.batches import Plan
from core.train.checkpoints import last_checkpoint, load_checkpoint
from core.train.data.loading import TrainingData, load_data
from core.train.evaluation import hold_out
from core.train.examples import build_examples
from core.train.finish import SUMMARY, write_final
from core.train.log import LOG, Log, read_log
from core.train.parallel import World, joined_world
from core.train.settings import TrainSettings
from core.train.templates.choosing import choose_template, end_tokens
from store import UsageError, XlitError

# Seconds in which a run whose command was killed has noticed and saved (see `core.train.apart`).
PATIENCE = 30.0


def trained(out: Path, settings: TrainSettings) -> bool:
    """Whether `out` holds the model that these settings make.

    Raises `UsageError` when it holds another one, or something else.
    """
    if not out.exists():
        return False
    summary = out / SUMMARY
    if not summary.is_file():
        raise UsageError(f"{out} is there and was not made by `xlit-core train`. Choose another --out.")
    if json.loads(summary.read_text())["digest"] != settings.digest():
        raise UsageError(
            f"{out} holds a model trained with other settings. Choose another --out, or remove it."
        )
    return True


def train(
    settings: TrainSettings, out: Path, *, name: str = "", tensorboard: Path | None = None
) -> dict[str, Any]:
    """Fine-tune and write the checkpoint (or the LoRA adapter) to the folder `out`, with its tokenizer.

    Work in progress stays in `OUT.partial` and goes on there after a crash; `out` appears when all is done.
    Launched as several processes (`core.train.parallel`), they train one model. Returns the summary that is
    also kept in `out`: settings, losses, and what was cut from the data.
    """
    if trained(out, settings):
        return dict(json.loads((out / SUMMARY).read_text()))
    with needs_extra("local", "Training"):
        import peft  # noqa: F401
        import torch  # noqa: F401
        import transformers  # noqa: F401
    with joined_world() as world:
        if settings.accumulate % world.size:
            raise UsageError(
                f"{settings.accumulate} batches in an update can't be shared by {world.size} processes. "
                "Let `accumulate` be a multiple of the processes (and batches smaller, to keep the update)."
            )
        return _train(settings, out, world, name or out.name, tensorboard)


def training_data(settings: TrainSettings) -> TrainingData:
    """The conversations that these settings choose. Errors as in `load_data`."""
    return load_data(
        settings.data, seed=settings.seed, size=settings.size, mix=settings.mix, on_bad=settings.on_bad
    )


def _train(
    settings: TrainSettings, out: Path, world: World, name: str, tensorboard: Path | None
) -> dict[str, Any]:
    import transformers

    from core.train.loading import can_pack, computes_in_bf16, load_model, load_tokenizer
    from core.train.loop import Run, run_updates
    from core.train.meter import make_meter
    from core.train.optimiser import make_optimiser

    work = out.with_name(out.name + ".partial")
    claim = _claim(work, settings) if world.first else None
    world.wait()
    tokenizer = load_tokenizer(settings)
    template = choose_template(tokenizer, settings.template)
    data = training_data(settings)
    built = build_examples(tokenizer, data.conversations, settings.max_length, template)
    examples, held_out = hold_out(built.examples, settings.eval_examples, settings.seed)
    packed = settings.packed and can_pack(settings)
    lengths = [len(example) for example in examples]
    plan = Plan(lengths, settings.batch_tokens, settings.accumulate, settings.seed, padded=not packed)
    transformers.set_seed(settings.seed + world.rank)
    model = load_model(settings, world, packed=packed)
    meter = make_meter(model, world.device, world.size)
    optimiser = make_optimiser(model, settings)
    resume = last_checkpoint(work)
    first = load_checkpoint(resume, model, optimiser, world) if resume else 0
    if world.first:
        for line in (*data.lines(), *built.lines(), *template.notes):
            say(line)
        _say_beginning(settings, world, plan, first)
    run = Run(
        settings, world, model, optimiser, examples, held_out, plan, work, meter,
        computes_in_bf16(settings, world),
    )  # fmt: skip
    with (
        Log(_log_file(work, world), first, tensorboard=tensorboard if world.first else None) as log,
        _shown(world, name, settings.steps, first) as bar,
    ):
        run_updates(run, first, log, bar)
    records = read_log(work / LOG)
    summary = {
        "digest": settings.digest(),
        "settings": settings.as_dict(),
        "processes": world.size,
        "template": template.name,
        "data": data.as_dict(),
        "examples": len(examples),
        "held_out": len(held_out),
        "truncated": built.truncated,
        "dropped": built.dropped,
        "padding_share": round(plan.padding_share(settings.steps), 4),
        "answer_tokens": sum(example.answer_tokens for example in examples),
        "last_loss": records[-1]["loss"] if records else None,
        "eval_loss": records[-1].get("eval_loss") if records else None,
    }
    write_final(run, tokenizer, end_tokens(tokenizer, template), summary, out)
    if claim is not None:
        shutil.rmtree(work)
        claim.close()
    world.wait()
    return summary


def _claim(work: Path, settings: TrainSettings) -> IO[str]:
    """Make the working folder and lock it for this process; returns the lock, which ends with the process.
    What other settings left there is removed.

    Raises `XlitError` when another process trains there.
    """
    import fcntl

    try:
        work.mkdir(parents=True, exist_ok=True)
        lock = (work / "lock").open("a")
    except OSError as error:
        raise XlitError(f"{work} can't be written: {error.strerror}.") from None
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            if time.monotonic() > deadline:
                lock.close()
                raise XlitError(f"Another process trains in {work}. Wait for it, or stop it first.") from None
        time.sleep(0.2)
    owner = work / "settings"
    if owner.is_file() and owner.read_text() != settings.digest():
        say(f"{work} holds a run with other settings or data: it is begun anew.")
        for path in work.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "lock":
                path.unlink()
    owner.write_text(settings.digest())
    shutil.rmtree(work / "final", ignore_errors=True)
    return lock


def _say_beginning(settings: TrainSettings, world: World, plan: Plan, first: int) -> None:
    form = f"padded batches ({plan.padding_share(50):.1%} padding)" if plan.padded else "no padding"
    processes = f", {world.size} processes" if world.size > 1 else ""
    say(f"Training on {world.device.type}{processes}, {form}.")
    if first:
        say(f"Going on from step {first} of {settings.steps}.")


def _shown(world: World, name: str, steps: int, first: int) -> Any:
    from contextlib import nullcontext

    return progress(f"train {name}", steps, done=first) if world.first else nullcontext()


def _log_file(work: Path, world: World) -> Path:
    return work / LOG if world.first else work / f"process-{world.rank}.jsonl"
