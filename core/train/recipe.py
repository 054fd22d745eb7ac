"""A fine-tuning run from top to bottom: settings in, a finished checkpoint out.

`train` tells it in order: lock the working folder, load the tokenizer and its chat template, load and
tokenise the data, load the model, go on from the last checkpoint, do the updates, export. A run is resumable,
seeded, and its result is whole or not there at all.

The loop is our own rather than the Trainer of transformers, because it does what the Trainer can't: the loss
of an update is the mean over all its answer tokens, whatever the micro-batches and processes they stand in;
weights are sharded on CPUs as on GPUs, so that the tests run what a cluster runs; a checkpoint is whole or
not there; logits are computed for answer tokens alone; and a run that is told to stop saves before it does.
"""

import json
import math
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from core.disk import take_lock
from core.extras import needs_extra
from core.models.loading import check_ids
from core.progress import Progress, progress, say
from core.train.batches import BatchPlan
from core.train.checkpoints import last_checkpoint, load_checkpoint, save_checkpoint
from core.train.data.loading import TrainingData, load_data
from core.train.evaluation import evaluate, hold_out
from core.train.examples import Example, build_examples
from core.train.export import SUMMARY, export_checkpoint
from core.train.log import LOG_FILE, TrainingLog, read_log
from core.train.loss import answer_loss
from core.train.model import can_pack, computes_in_bf16, load_model, load_tokenizer
from core.train.optimizer import clip_gradients, learning_rate_factor, make_optimizer, set_learning_rate
from core.train.parallel import World, joined_world
from core.train.settings import TrainSettings
from core.train.templates.chat_template import choose_template, end_tokens
from core.train.throughput import ThroughputMeter, make_meter, peak_memory
from store import UsageError, XlitError


def is_trained(out: Path, settings: TrainSettings) -> bool:
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
    if is_trained(out, settings):
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


@dataclass
class TrainingRun:
    """What the updates need: the model and its optimizer, the examples and their batches, and where things
    are written. `bf16`: matrices are multiplied in bfloat16."""

    settings: TrainSettings
    world: World
    model: Any
    optimizer: Any
    examples: Sequence[Example]
    held_out: Sequence[Example]
    plan: BatchPlan
    work: Path
    meter: ThroughputMeter
    bf16: bool


def _train(
    settings: TrainSettings, out: Path, world: World, name: str, tensorboard: Path | None
) -> dict[str, Any]:
    import transformers

    work = out.with_name(out.name + ".partial")
    lock = _lock_work_folder(work) if world.first else None
    if _any_process(world, world.first and is_trained(out, settings)):  # by another command, waited for
        if lock is not None:
            shutil.rmtree(work)
            lock.close()
        return dict(json.loads((out / SUMMARY).read_text()))
    if world.first:
        _clear_work_folder(work, settings)
    world.wait()

    tokenizer = load_tokenizer(settings)
    template = choose_template(tokenizer, settings.template)
    data = training_data(settings)
    built = build_examples(tokenizer, data.conversations, settings.max_length, template)
    examples, held_out = hold_out(built.examples, settings.eval_examples, settings.seed)
    packed = settings.packed and can_pack(settings)
    lengths = [len(example) for example in examples]
    plan = BatchPlan(lengths, settings.batch_tokens, settings.accumulate, settings.seed, padded=not packed)

    transformers.set_seed(settings.seed + world.rank)
    model = load_model(settings, tokenizer, world, packed=packed)
    rows = int(model.get_input_embeddings().weight.shape[0])
    for example in built.examples:
        check_ids(example.input_ids, rows, f"the conversation of {example.location}")
    meter = make_meter(model, world.device, world.size)
    optimizer = make_optimizer(model, settings)
    checkpoint = last_checkpoint(work)
    first = load_checkpoint(checkpoint, model, optimizer, world) if checkpoint else 0
    if world.first:
        for line in (*data.lines(), *built.lines(), *template.notes):
            say(line)
        _say_start(settings, world, plan, first)

    bf16 = computes_in_bf16(settings, world)
    run = TrainingRun(settings, world, model, optimizer, examples, held_out, plan, work, meter, bf16)
    with (
        TrainingLog(_log_file(work, world), first, tensorboard=tensorboard if world.first else None) as log,
        _progress_bar(world, name, settings.steps, first) as bar,
    ):
        run_updates(run, first, log, bar)

    records = read_log(work / LOG_FILE)
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
    ends = end_tokens(tokenizer, template)
    export_checkpoint(
        model, tokenizer, out, settings=settings, world=world, work=work, ends=ends, summary=summary
    )
    if lock is not None:
        shutil.rmtree(work)
        lock.close()
    world.wait()
    return summary


def run_updates(run: TrainingRun, first: int, log: TrainingLog, bar: Progress) -> None:
    """Do the updates from number `first` on, with checkpoints and evaluations on the way.

    Raises `XlitError` for a loss that is no number, memory or a disk that is full, and `KeyboardInterrupt`
    when told to stop, after a checkpoint.
    """
    settings, world = run.settings, run.world
    updates = run.plan.updates(first)
    with _stop_signals() as stop_requested:
        for step in range(first, settings.steps):
            record = _update(run, step, next(updates))
            done = step + 1
            last = done == settings.steps
            if run.held_out and (last or done % settings.eval_every == 0):
                record["eval_loss"] = _evaluate(run)
            if world.first:
                log.write(record)
                bar.advance(1, _progress_note(record))
            stop = _any_process(world, stop_requested())
            if (done % settings.save_every == 0 or stop) and not last:
                save_checkpoint(run.work, done, run.model, run.optimizer, world, keep=settings.keep_last)
            if stop and not last:
                raise KeyboardInterrupt


def _evaluate(run: TrainingRun) -> dict[str, float]:
    """The loss for each language on what was held out."""
    with _autocast(run):
        return evaluate(
            run.model,
            run.held_out,
            run.world,
            batch_tokens=run.settings.batch_tokens,
            padded=run.plan.padded,
        )


def _update(run: TrainingRun, step: int, batches: list[list[int]]) -> dict[str, Any]:
    """Do one update: sum the gradients of its batches, clip them, step. Returns the record for the log."""
    import torch

    settings, world = run.settings, run.world
    chosen = [[run.examples[number] for number in batch] for batch in batches]
    answers = sum(example.answer_tokens for batch in chosen for example in batch)
    started = time.monotonic()
    loss = torch.zeros((), device=world.device)
    try:
        for batch in chosen[world.rank :: world.size]:
            with _autocast(run):
                batch_loss = answer_loss(run.model, batch, world.device, padded=run.plan.padded) / answers
            # Sharding takes the mean of the processes' gradients; the sum is wanted.
            (batch_loss * world.size).backward()
            loss += batch_loss.detach()
        loss_value = float(world.total(loss))
        rate = settings.learning_rate * learning_rate_factor(
            settings.schedule,
            step,
            steps=settings.steps,
            warmup=settings.warmup_steps,
            timescale=settings.timescale,
        )
        norm = clip_gradients(run.model, settings.clip_norm)
        if not (math.isfinite(loss_value) and math.isfinite(norm)):
            raise XlitError(_not_finite(step, loss_value, norm, rate))
        set_learning_rate(run.optimizer, rate)
        run.optimizer.step()
        run.optimizer.zero_grad()
    except RuntimeError as error:
        if not _is_out_of_memory(error):
            raise
        raise XlitError(_out_of_memory_advice(settings, step)) from None
    lengths = [len(example) for batch in chosen for example in batch]
    run.meter.update(answers, lengths)
    return {
        "step": step + 1,
        "loss": loss_value,
        "learning_rate": rate,
        "grad_norm": norm,
        "answer_tokens": answers,
        "tokens": sum(lengths),
        "seconds": round(time.monotonic() - started, 4),
        "answer_tokens_per_second": _rounded(run.meter.answer_tokens_per_second, 1),
        "mfu": _rounded(run.meter.mfu, 4),
        "peak_memory": peak_memory(world.device),
    }


def _autocast(run: TrainingRun) -> Any:
    """Matrices in bfloat16 where that was chosen; sharded weights are gathered in it already."""
    import torch

    if run.bf16 and run.world.size == 1:
        return torch.autocast(run.world.device.type, dtype=torch.bfloat16)
    return nullcontext()


@contextmanager
def _stop_signals() -> Iterator[Any]:
    """Gives a function that says whether the process was told to stop, by Ctrl-C or by SIGTERM (which a
    cluster's scheduler sends). The first signal lets the update under way finish and be saved; the second
    ends it at once."""
    received: list[int] = []

    def handle(number: int, _: Any) -> None:
        received.append(number)
        if len(received) > 1:
            raise KeyboardInterrupt

    try:
        before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread, where no signal arrives
        before = {}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _any_process(world: World, value: bool) -> bool:
    if world.size == 1:
        return value
    import torch

    return bool(world.total(torch.tensor(float(value), device=world.device)))


def _progress_note(record: dict[str, Any]) -> str:
    parts = [f"loss {record['loss']:.3f}", f"lr {record['learning_rate']:.2g}"]
    if record["answer_tokens_per_second"] is not None:
        parts.append(f"{record['answer_tokens_per_second']:,.0f} answer tok/s")
    if record["mfu"] is not None:
        parts.append(f"MFU {record['mfu']:.0%}")
    parts.append(f"{record['peak_memory'] / 2**30:.1f} GiB")
    if "eval_loss" in record:
        parts.append(" ".join(f"{name} {loss:.3f}" for name, loss in record["eval_loss"].items()))
    return ", ".join(parts)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _is_out_of_memory(error: RuntimeError) -> bool:
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _out_of_memory_advice(settings: TrainSettings, step: int) -> str:
    ways = [f"lower --batch-tokens (now {settings.batch_tokens}) and raise --accumulate as much"]
    if not settings.activation_checkpointing:
        ways.append("say --activation-checkpointing")
    if settings.adaptation == "full":
        ways.append("train an adapter (--lora)")
    ways.append("or launch it on several GPUs")
    return (
        f"Out of memory in step {step + 1}: {', '.join(ways)}. The last checkpoint stays; batches of other "
        "sizes are another run, which begins anew."
    )


def _not_finite(step: int, loss: float, norm: float, rate: float) -> str:
    what = f"loss is {loss}" if not math.isfinite(loss) else f"norm of the gradient is {norm}"
    return (
        f"The {what} at step {step + 1}. Lower the learning rate (now {rate:g}), or look at the data; the "
        "last checkpoint before this step stays."
    )


def _lock_work_folder(work: Path) -> IO[str]:
    """Make the working folder and lock it for this process; returns the lock, which ends with the process.

    Raises `XlitError` when another process trains there.
    """
    return take_lock(work / "lock", f"Another process trains in {work}. Wait for it, or stop it first.")


def _clear_work_folder(work: Path, settings: TrainSettings) -> None:
    """Remove from a working folder what other settings, or an export that failed, left there."""
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


def _say_start(settings: TrainSettings, world: World, plan: BatchPlan, first: int) -> None:
    form = f"padded batches ({plan.padding_share(50):.1%} padding)" if plan.padded else "no padding"
    processes = f", {world.size} processes" if world.size > 1 else ""
    say(f"Training on {world.device.type}{processes}, {form}.")
    if first:
        say(f"Going on from step {first} of {settings.steps}.")


def _progress_bar(world: World, name: str, steps: int, first: int) -> Any:
    return progress(f"train {name}", steps, done=first) if world.first else nullcontext()


def _log_file(work: Path, world: World) -> Path:
    return work / LOG_FILE if world.first else work / f"process-{world.rank}.jsonl"
