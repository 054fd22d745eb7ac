"""Generating: every instruction of a suite that a model has not answered yet, into the store."""

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from core.generate.decoding import Decoding
from core.generate.engine import Generation, TextEngine, answer_all
from core.generate.engines import Prepared, prepare
from core.generate.plan import Unit, batches, units_of
from core.progress import Progress, progress, say
from store import UsageError, XlitError
from store.provenance import RunRecord, record_run
from store.queries import models, responses, suites
from store.session import reading, writing

BATCH_SIZE = 32


@dataclass(frozen=True)
class _Task:
    """One model under one decoding, as its rows in the store name it."""

    model_id: int
    decoding_id: int
    answered: frozenset[int]


def generate(
    store: Engine,
    *,
    model_name: str,
    checkpoint: Path,
    description: dict[str, Any] | None = None,
    suite: str | None = None,
    languages: Sequence[str] | None = None,
    engine_name: str = "transformers",
    decoding: Decoding | None = None,
    batch_size: int = BATCH_SIZE,
    limit: int | None = None,
) -> RunRecord:
    """Let a model answer what it has not answered yet; a second run finds nothing to do and loads nothing.

    `description` holds base, data, adaptation, learning_rate and checkpoint of a new model (columns of
    `store.tables.Model`). `languages`: all of the suite's when None. `limit`: only the first instructions of
    each language. Every batch is written as it is finished; a batch that fails is written down as failed,
    and the others go on (`RunRecord.exit_code` is 3 then).

    Raises `XlitError` for a checkpoint that can't be used, `UsageError` for an unknown suite, language or
    engine; nothing is written then.
    """
    decoding = decoding or Decoding()
    if batch_size < 1 or (limit is not None and limit < 1):
        raise UsageError("The batch size and the limit must be at least 1.")
    label, units = _units(store, suite, languages, limit)
    prepared = prepare(engine_name, checkpoint, decoding)
    parameters = {
        "model": model_name,
        "checkpoint": str(checkpoint),
        "suite": label,
        "languages": list(units),
        "engine": prepared.name,
        "quantization": prepared.quantization,
        "decoding": decoding.parameters(),
        "batch_size": batch_size,
        "limit": limit,
    }
    with record_run(store, "generate", parameters, libraries=prepared.libraries) as run:
        task = _task(store, model_name, description or {}, prepared, decoding)
        total = sum(map(len, units.values()))
        there = sum(unit.instruction_id in task.answered for found in units.values() for unit in found)
        run.counts.update({"answers": 0, "there": there})
        if there == total:
            run.idle = True
            say(f"{model_name} has answered all {total} instructions of {label} already.")
            run.idle = True
            return run
        say(f"Loading {checkpoint} ({prepared.name}, {prepared.quantization}) ...")
        engine = prepared.open()
        with closing(engine), progress(f"generate {model_name}", total, done=there) as bar:
            for found in units.values():
                _answer(store, run, engine, task, found, batch_size, bar)
    return run


def _units(
    store: Engine, suite: str | None, languages: Sequence[str] | None, limit: int | None
) -> tuple[str, dict[str, list[Unit]]]:
    """The suite's label, and what is to be answered by language, in the suite's order."""
    with reading(store) as session:
        found = suites.find_suite(session, suite)
        if unknown := sorted(set(languages or ()) - set(found.languages)):
            raise UsageError(
                f"Suite {found.label} has no instructions in {', '.join(unknown)}; "
                f"it has {', '.join(found.languages)}."
            )
        wanted = list(dict.fromkeys(languages or found.languages))
        return found.label, {
            language: units_of(suites.instructions_of(session, found.id, language)[:limit])
            for language in wanted
        }


def _task(
    store: Engine, model_name: str, description: dict[str, Any], prepared: Prepared, decoding: Decoding
) -> _Task:
    with writing(store) as session:
        model = models.model_id(session, model_name, **description)
        drawn = models.decoding_id(session, prepared.name, prepared.quantization, decoding.parameters())
        return _Task(model, drawn, frozenset(responses.answered_instructions(session, model, drawn)))


def _answer(
    store: Engine,
    run: RunRecord,
    engine: TextEngine,
    task: _Task,
    units: Sequence[Unit],
    batch_size: int,
    bar: Progress,
) -> None:
    """Answer the units of one language, batch by batch."""
    lengths, unfit = _measure(engine, units)
    for unit, reason in unfit:
        if unit.instruction_id not in task.answered:
            run.fail(unit.label, reason)
            bar.advance()
    fitting = [unit for unit in units if unit.instruction_id in lengths]
    for batch in batches(fitting, lambda unit: lengths[unit.instruction_id], batch_size):
        missing = [unit for unit in batch if unit.instruction_id not in task.answered]
        if not missing:
            continue
        start = time.monotonic()
        try:
            answers = answer_all(engine, [unit.chat for unit in batch])
        except Exception as error:  # whatever an engine raises, the other batches go on
            for unit in missing:
                run.fail(unit.label, _reason(error))
            bar.advance(len(missing))
            continue
        rows = [
            _row(task, unit, answer, run.id)
            for unit, answer in zip(batch, answers, strict=True)
            if unit.instruction_id not in task.answered
        ]
        with writing(store) as session:
            run.count("answers", responses.add_responses(session, rows))
        run.count("tokens_out", sum(answer.tokens_out or 0 for answer in answers))
        speed = sum(answer.tokens_out or 0 for answer in answers) / max(time.monotonic() - start, 1e-9)
        bar.advance(len(missing), f"{units[0].language}, {speed:.0f} tok/s")


def _measure(engine: TextEngine, units: Sequence[Unit]) -> tuple[dict[int, int], list[tuple[Unit, str]]]:
    """The prompt length (tokens) by instruction, and the units whose prompt can't be answered, with why."""
    lengths: dict[int, int] = {}
    unfit = []
    for unit in units:
        try:
            length = engine.count_tokens(unit.chat)
        except XlitError as error:
            unfit.append((unit, str(error)))
            continue
        if 0 < length < engine.context_length:
            lengths[unit.instruction_id] = length
        else:
            unfit.append((unit, f"A prompt of {length} tokens; the context holds {engine.context_length}."))
    return lengths, unfit


def _reason(error: Exception) -> str:
    """What went wrong in one line, as long as a table can show it."""
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}"[:300]


def _row(task: _Task, unit: Unit, answer: Generation, run_id: int) -> dict[str, Any]:
    return {
        "instruction_id": unit.instruction_id,
        "model_id": task.model_id,
        "decoding_id": task.decoding_id,
        "text": answer.text,
        "finish_reason": answer.finish_reason,
        "tokens_in": answer.tokens_in,
        "tokens_out": answer.tokens_out,
        "seconds": answer.seconds,
        "prompt_digest": answer.prompt_digest,
        "run_id": run_id,
    }
