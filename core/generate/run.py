"""Generating: every instruction of a suite that a model has not answered yet, into the store."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Engine

from core.generate.counters import AnswerCounter
from core.generate.decoding import Decoding
from core.generate.display import show_progress
from core.generate.engines.base import TextEngine
from core.generate.engines.registry import EnginePool, Prepared, identify, prepare
from core.generate.loop import Writer, answer_queue
from core.generate.queue import Item, Lease, ModelTask, Unit, WorkQueue, longest_first, units_of
from core.generate.settings import EngineOptions, ModelSource, RaySettings
from core.progress import say
from store import UsageError, XlitError
from store.names import case_notes
from store.provenance import RunRecord, record_run
from store.queries import models, responses, suites
from store.session import reading, writing

# Requests that are claimed together for a cluster, which takes all requests at once.
CLAIMED_FOR_RAY = 500


def generate(
    store: Engine,
    sources: Sequence[ModelSource],
    *,
    suite: str | None = None,
    languages: Sequence[str] | None = None,
    decoding: Decoding | None = None,
    options: EngineOptions | None = None,
    samples: int = 1,
    limit: int | None = None,
    ray: RaySettings | None = None,
    watch: bool = False,
) -> tuple[list[RunRecord], list[AnswerCounter]]:
    """Let models answer what they have not answered yet; a second run finds nothing to do and loads nothing.

    `languages`: all of the suite's when None. `limit`: only the first instructions of each language.
    `samples`: answers to each instruction, drawn with seeds of their own. `ray`: spread over a cluster. Every
    answer is written as it finishes; one that fails is written down as failed, and the others go on
    (`RunRecord.exit_code` is 3 then). Of several models, one that can't be loaded has failed as a whole.

    Returns a run for each model, and the counts per model and language. Raises `XlitError` for a checkpoint
    that can't be used, `UsageError` for an unknown suite, language or engine, and for a name that stands for
    another model (`store.queries.models.register_model`); nothing is generated then.
    """
    decoding, options = decoding or Decoding(), options or EngineOptions()
    _check(sources, decoding, samples, limit)
    label, units = _units(store, suite, languages, limit, samples)
    prepared = [prepare(source, decoding, options) for source in sources]
    _check_names(sources, prepared)
    parameters = {
        "suite": label,
        "languages": list(units),
        "decoding": decoding.parameters(),
        "samples": samples,
        "limit": limit,
        "batch_size": options.batch_size,
    }
    identities = [identify(source, engine) for source, engine in zip(sources, prepared, strict=True)]
    with writing(store) as session:  # all of them or none
        model_ids = [
            models.register_model(session, source.name, description, weights)
            for source, (weights, description) in zip(sources, identities, strict=True)
        ]
        notes = case_notes(session, [source.name for source in sources])
    for note in notes:
        say(note)
    plans = [
        _plan(store, index, source, engine, model, decoding, units, parameters)
        for index, (source, engine, model) in enumerate(zip(sources, prepared, model_ids, strict=True))
    ]
    counters = [counter for plan in plans for counter in plan.counters.values()]
    todo = any(plan.missing for plan in plans)
    with show_progress("generate", counters, watch=watch) if todo else nullcontext():
        records = _here(store, plans, options) if ray is None else _on_ray(store, plans, options, ray)
    return records, counters


@dataclass(frozen=True)
class _ModelPlan:
    """What is to be generated for one model. `parameters`: of its run; `missing`: the units without an
    answer, in the order of the suite."""

    index: int
    source: ModelSource
    prepared: Prepared
    model_id: int
    decoding_id: int
    decoding: Decoding
    parameters: dict[str, Any]
    counters: dict[str, AnswerCounter]
    missing: list[Unit]

    def task(self, run: RunRecord) -> ModelTask:
        run.counts.update(answers=0, there=sum(counter.there for counter in self.counters.values()))
        return ModelTask(
            self.index, self.source.name, self.model_id, self.decoding_id, self.decoding, run, self.counters
        )

    @contextmanager
    def recorded(self, store: Engine) -> Iterator[ModelTask]:
        """Record the run of this model in the store while the block lasts."""
        seed = None if self.decoding.greedy else self.decoding.seed
        libraries = self.prepared.libraries
        with record_run(store, "generate", self.parameters, seed=seed, libraries=libraries) as run:
            if not self.missing:
                run.idle = True
                total = sum(counter.total for counter in self.counters.values())
                say(f"{self.source.name} has answered all {total} of {self.parameters['suite']} already.")
            task = self.task(run)
            try:
                yield task
            finally:
                if self.missing:
                    _count(task)


def _here(store: Engine, plans: Sequence[_ModelPlan], options: EngineOptions) -> list[RunRecord]:
    """Generate with an engine in this process, one model after another."""
    records = []
    with EnginePool() as pool:
        for plan in plans:
            with plan.recorded(store) as task:
                records.append(task.run)
                if not plan.missing:
                    continue
                what = ", ".join(filter(None, (plan.prepared.name, plan.prepared.quantization)))
                say(f"Loading {plan.source.checkpoint} ({what}) ...")
                try:
                    engine = pool.engine(plan.prepared)
                except XlitError as error:
                    if len(plans) == 1:
                        raise
                    task.run.fail(plan.source.name, str(error))
                    continue
                _describe(task.run, engine)
                with Lease(store, [task.run.id]), Writer(store) as writer:
                    items = _items(task, plan.missing, engine)
                    answer_queue(WorkQueue(store, items, options.batch_size), engine.stream, writer)
    return records


def _on_ray(
    store: Engine, plans: Sequence[_ModelPlan], options: EngineOptions, settings: RaySettings
) -> list[RunRecord]:
    """Generate with all models at once, spread over the actors of a cluster."""
    from core.generate.engines.ray.pool import RayPool

    with ExitStack() as stack:
        tasks = [stack.enter_context(plan.recorded(store)) for plan in plans]
        items = [
            Item(task, unit)
            for task, plan in zip(tasks, plans, strict=True)
            for unit in longest_first(plan.missing, _size)
        ]
        if items:
            sources = [plan.source for plan in plans]
            names = [plan.prepared.name for plan in plans]
            pool = stack.enter_context(RayPool(sources, names, plans[0].decoding, options, settings))
            stack.enter_context(Lease(store, [task.run.id for task in tasks]))
            with Writer(store) as writer:
                answer_queue(WorkQueue(store, items, CLAIMED_FOR_RAY), pool.stream, writer)
    return [task.run for task in tasks]


def _check(sources: Sequence[ModelSource], decoding: Decoding, samples: int, limit: int | None) -> None:
    if samples < 1 or (limit is not None and limit < 1):
        raise UsageError("The number of samples and the limit must be at least 1.")
    if samples > 1 and decoding.greedy:
        raise UsageError("Greedy answers are all the same: give a temperature above 0 for several samples.")


def _check_names(sources: Sequence[ModelSource], prepared: Sequence[Prepared]) -> None:
    seen = set()
    for source, engine in zip(sources, prepared, strict=True):
        identity = (source.name, engine.name, engine.quantization)
        if identity in seen:
            raise UsageError(f"Two models are called {source.name!r}: their answers could not be told apart.")
        seen.add(identity)


def _units(
    store: Engine, suite: str | None, languages: Sequence[str] | None, limit: int | None, samples: int
) -> tuple[str, dict[str, list[Unit]]]:
    """The label of the suite, and its units by language, in the order of the suite."""
    with reading(store) as session:
        suite_row = suites.find_suite(session, suite)
        if unknown := sorted(set(languages or ()) - set(suite_row.languages)):
            raise UsageError(
                f"Suite {suite_row.label} has no instructions in {', '.join(unknown)}; "
                f"it has {', '.join(suite_row.languages)}."
            )
        if not suite_row.languages:
            raise UsageError(f"Suite {suite_row.label} has no instructions, so there is nothing to answer.")
        chosen = list(dict.fromkeys(languages or suite_row.languages))
        return suite_row.label, {
            language: units_of(suites.instructions_of(session, suite_row.id, language)[:limit], samples)
            for language in chosen
        }


def _plan(
    store: Engine,
    index: int,
    source: ModelSource,
    prepared: Prepared,
    model: int,
    decoding: Decoding,
    units: dict[str, list[Unit]],
    parameters: dict[str, Any],
) -> _ModelPlan:
    with writing(store) as session:
        decoding_id = models.decoding_id(session, prepared.name, prepared.quantization, decoding.parameters())
        answered = responses.answered(session, model, decoding_id)
    missing, counters = [], {}
    for language, language_units in units.items():
        left = [unit for unit in language_units if (unit.instruction_id, unit.sample) not in answered]
        counters[language] = AnswerCounter(
            source.name, language, len(language_units), there=len(language_units) - len(left)
        )
        missing += left
    own = {
        "model": source.name,
        "checkpoint": source.checkpoint,
        "engine": prepared.name,
        "quantization": prepared.quantization,
    }
    return _ModelPlan(
        index, source, prepared, model, decoding_id, decoding, {**own, **parameters}, counters, missing
    )


def _items(task: ModelTask, missing: Sequence[Unit], engine: TextEngine) -> list[Item]:
    """The units language by language, longest first."""
    items: list[Item] = []
    for _, language_units in groupby(missing, key=lambda unit: unit.language):
        lengths = {unit: _length(engine, unit) for unit in language_units}
        items += [Item(task, unit) for unit in longest_first(list(lengths), lengths.__getitem__)]
    return items


def _length(engine: TextEngine, unit: Unit) -> int:
    """Tokens of a prompt; 0 for a prompt that can't be written, for which the engine will give the reason."""
    try:
        return engine.count_tokens(unit.chat)
    except XlitError:
        return 0


def _size(unit: Unit) -> int:
    return sum(len(message["content"]) for message in unit.chat)


def _describe(run: RunRecord, engine: TextEngine) -> None:
    """Note in the run's provenance what a server says of itself."""
    tell = getattr(engine, "describe_server", None)
    if tell is not None:
        run.note("server", tell())


def _count(task: ModelTask) -> None:
    for name in ("tokens_in", "tokens_out", "stop", "length", "empty"):
        task.run.counts[name] = sum(getattr(counter, name) for counter in task.counters.values())
    task.run.counts["there"] = sum(counter.there for counter in task.counters.values())
