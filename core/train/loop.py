"""The loop of updates.

A loop of our own rather than the Trainer of transformers, because it does what that can't: the loss of an
update is the mean over all its answer tokens, whatever the micro-batches and processes they stand in; weights
are sharded on CPUs as on GPUs, so that the tests run what a cluster runs; a checkpoint is whole or not there;
logits are computed for answer tokens alone; and a run that is told to stop saves before it does.
"""

import math
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.progress import Progress
from core.train.batches import Plan
from core.train.checkpoints import save_checkpoint
from core.train.evaluation import evaluate
from core.train.examples import Example
from core.train.log import Log
from core.train.loss import answer_loss
from core.train.meter import Meter, peak_memory
from core.train.optimiser import clip, set_rate
from core.train.parallel import World
from core.train.schedules import rate_share
from core.train.settings import TrainSettings
from store import XlitError


@dataclass
class Run:
    """What an update needs: the model and its optimiser, the data and its plan, where things are written."""

    settings: TrainSettings
    world: World
    model: Any
    optimiser: Any
    examples: Sequence[Example]
    held_out: Sequence[Example]
    plan: Plan
    folder: Path
    meter: Meter
    bf16: bool


def run_updates(run: Run, first: int, log: Log, bar: Progress) -> None:
    """Do the updates from number `first` on, with checkpoints and evaluations on the way.

    Raises `XlitError` for a loss that is no number, memory or a disk that is full, and `KeyboardInterrupt`
    when told to stop, after a checkpoint.
    """
    settings, world = run.settings, run.world
    updates = run.plan.updates(first)
    with _told_to_stop() as told:
        for step in range(first, settings.steps):
            record = _update(run, step, next(updates))
            done = step + 1
            last = done == settings.steps
            if run.held_out and (last or done % settings.eval_every == 0):
                record["eval_loss"] = evaluate_run(run)
            if world.first:
                log.write(record)
                bar.advance(1, _note(record))
            stop = _any(world, told())
            if (done % settings.save_every == 0 or stop) and not last:
                save_checkpoint(run.folder, done, run.model, run.optimiser, world, keep=settings.keep_last)
            if stop and not last:
                raise KeyboardInterrupt


def evaluate_run(run: Run) -> dict[str, float]:
    """The loss for each language on what was held out."""
    with _computing(run):
        return evaluate(
            run.model,
            run.held_out,
            run.world,
            batch_tokens=run.settings.batch_tokens,
            padded=run.plan.padded,
        )


def _update(run: Run, step: int, batches: list[list[int]]) -> dict[str, Any]:
    import torch

    settings, world = run.settings, run.world
    chosen = [[run.examples[number] for number in batch] for batch in batches]
    answers = sum(example.answer_tokens for batch in chosen for example in batch)
    started = time.monotonic()
    loss = torch.zeros((), device=world.device)
    try:
        for batch in chosen[world.rank :: world.size]:
            with _computing(run):
                part = answer_loss(run.model, batch, world.device, padded=run.plan.padded) / answers
            # Sharding takes the mean of the processes' gradients; the sum is wanted.
            (part * world.size).backward()
            loss += part.detach()
        loss_value = float(world.total(loss))
        rate = settings.learning_rate * rate_share(
            settings.schedule,
            step,
            steps=settings.steps,
            warmup=settings.warmup_steps,
            timescale=settings.timescale,
        )
        norm = clip(run.model, settings.clip_norm)
        if not (math.isfinite(loss_value) and math.isfinite(norm)):
            raise XlitError(_no_number(step, loss_value, norm, rate))
        set_rate(run.optimiser, rate)
        run.optimiser.step()
        run.optimiser.zero_grad()
    except RuntimeError as error:
        if not _out_of_memory(error):
            raise
        raise XlitError(_advice_on_memory(settings, step)) from None
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
        "answer_tokens_per_second": _rounded(run.meter.answers_a_second, 1),
        "mfu": _rounded(run.meter.mfu, 4),
        "peak_memory": peak_memory(world.device),
    }


def _computing(run: Run) -> Any:
    """Matrices in bfloat16 where that was chosen; sharded weights are gathered in it already."""
    import torch

    if run.bf16 and run.world.size == 1:
        return torch.autocast(run.world.device.type, dtype=torch.bfloat16)
    return nullcontext()


@contextmanager
def _told_to_stop() -> Iterator[Any]:
    """Whether the process was told to stop (Ctrl-C, or SIGTERM as a cluster's scheduler sends it): the first
    time, the update under way is finished and saved; the second time ends it at once."""
    told: list[int] = []

    def hear(number: int, _: Any) -> None:
        told.append(number)
        if len(told) > 1:
            raise KeyboardInterrupt

    try:
        before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: others hear signals
        before = {}
    try:
        yield lambda: bool(told)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _any(world: World, value: bool) -> bool:
    if world.size == 1:
        return value
    import torch

    return bool(world.total(torch.tensor(float(value), device=world.device)))


def _note(record: dict[str, Any]) -> str:
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


def _out_of_memory(error: RuntimeError) -> bool:
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def _advice_on_memory(settings: TrainSettings, step: int) -> str:
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


def _no_number(step: int, loss: float, norm: float, rate: float) -> str:
    what = f"loss is {loss}" if not math.isfinite(loss) else f"norm of the gradient is {norm}"
    return (
        f"The {what} at step {step + 1}. Lower the learning rate (now {rate:g}), or look at the data; the "
        "last checkpoint before this step stays."
    )
