"""Running a study: whatever is missing of it, in order: train, convert, generate, judge."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from core.generate.checkpoint import inspect_checkpoint, training_description, weights_digest
from core.generate.settings import ModelSource
from core.judge.llm_judge.estimate import Agree
from core.judge.llm_judge.settings import JudgeChoice, JudgeSettings
from core.llm.keys import addresses_from_a_file, default_address, find_key
from core.progress import say, say_missing
from core.study import Configuration, ModelGroup, Study, configurations
from core.train.data.sources import DataSource, data_source
from core.train.launcher import train_recorded
from core.train.settings import TrainSettings
from store import UsageError, XlitError
from store.provenance import EXIT_DONE, EXIT_PARTLY, RunRecord
from store.queries.models import WeightsDigest, check_model, register_model
from store.queries.suites import suite_by_id
from store.session import reading, writing

MODELS_FOLDER = "models"


def run_study(study: Study, study_folder: Path, folder: Path, engine: Engine, *, agree: Agree = None) -> int:
    """Do what is missing of `study`; checkpoints go to `folder/models`, rows to the store behind `engine`.

    `study_folder` is what paths in the study file are relative to; `agree` is asked before an LLM judge is.
    Returns the exit code.
    """
    from core.suites.loader import load_suite

    with writing(engine) as session:
        suite = suite_by_id(session, load_suite(session, resolve_suite(study.suite, study_folder))).label
    sources, untrained = [], []
    for configuration in configurations(study):
        try:
            checkpoint = train_configuration(study, configuration, study_folder, folder, engine)
        except UsageError:
            raise
        except XlitError as error:
            untrained.append((configuration.name, str(error)))
            continue
        sources += answer_sources(study, configuration, checkpoint, folder, untrained)
    if untrained and not sources:
        raise XlitError(f"No model was trained. {untrained[0][1]}")
    with addresses_from_a_file():
        records = generate_study(study, suite, sources, engine)
        records += judge_study(study, study_folder, engine, agree=agree)
    say_missing(untrained)
    for record in records:
        say_missing(record.failures)
    return EXIT_PARTLY if untrained or any(record.failures for record in records) else EXIT_DONE


def resolve(reference: str, study_folder: Path) -> str:
    """What a name in a study file means: a path beside the file, or else the name of a model on the hub."""
    beside = study_folder / reference
    if beside.exists():
        return str(beside)
    if reference.startswith((".", "/", "~")):
        raise UsageError(f"There is nothing at {beside}, which the study file names.")
    return reference


def resolve_suite(reference: str, study_folder: Path) -> str:
    """A suite beside the study file, or else the name of a shipped one."""
    beside = study_folder / reference
    return str(beside) if beside.exists() else reference


def train_configuration(
    study: Study, configuration: Configuration, study_folder: Path, folder: Path, engine: Engine
) -> str:
    """Train a configuration unless that is done; returns its checkpoint (the base itself when not tuned)."""
    group = configuration.group
    if group.base_url or group.engine == "openai":
        return group.base
    base = resolve(group.base, study_folder)
    if group.adaptation == "none":
        return base
    settings = TrainSettings(
        **{
            **study.training.settings_for(group.adaptation),
            "base": base,
            "data": tuple(_data_source(name, group, study_folder) for name in group.sources),
            "mix": group.mix,
            "size": group.size,
            "learning_rate": configuration.learning_rate or 0.0,
            "adaptation": group.adaptation,
            "seed": study.seed,
        }
    )
    out = folder / MODELS_FOLDER / configuration.folder
    with reading(engine) as session:  # before the training, which may take days
        check_model(session, configuration.name, _model_fields(study, configuration, str(out)))
    train_recorded(
        engine, settings, out, name=configuration.name, own_process=True, processes=study.training.processes
    )
    checkpoint = inspect_checkpoint(out, kinds=("model", "adapter"))
    description = {**training_description(out), **_model_fields(study, configuration, str(out))}
    weights = WeightsDigest("checkpoint", weights_digest(checkpoint))
    with writing(engine) as session:
        register_model(session, configuration.name, description, weights)
    return str(out)


def _data_source(name: str, group: ModelGroup, study_folder: Path) -> DataSource:
    source = data_source(
        name, format=group.data_format, columns=group.data_columns, drop=tuple(group.data_drop)
    )
    return replace(source, name=resolve(source.name, study_folder))


def _model_fields(study: Study, configuration: Configuration, checkpoint: str) -> dict[str, Any]:
    """What the study says of a configuration, as columns of `store.tables.Model`."""
    group = configuration.group
    tuned = {"size": group.size, "mix": group.mix, "seed": study.seed} if group.adaptation != "none" else {}
    return {
        **tuned,
        "base": group.base,
        "data": ", ".join(group.sources) or None,
        "adaptation": group.adaptation,
        "learning_rate": configuration.learning_rate,
        "checkpoint": checkpoint,
    }


def answer_sources(
    study: Study,
    configuration: Configuration,
    checkpoint: str,
    folder: Path,
    missing: list[tuple[str, str]],
) -> list[ModelSource]:
    """Where a configuration's answers come from: a server, or its checkpoint and the GGUF files that it asks
    for, which are made when they are not there. One that can't be made goes to `missing`, with the reason,
    and the others go on."""
    from core.generate.gguf.convert import convert

    group = configuration.group
    description = _model_fields(study, configuration, checkpoint)
    sources = [ModelSource(configuration.name, checkpoint, group.engine, group.base_url, description)]
    for quantization in group.gguf:
        name = configuration.folder or Path(checkpoint).name
        out = folder / MODELS_FOLDER / f"{name}.{quantization}.gguf"
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            gguf = convert(Path(checkpoint), out, quantization)
        except UsageError:
            raise
        except XlitError as error:
            missing.append((f"{configuration.name} {quantization}", str(error)))
            continue
        sources.append(
            ModelSource(configuration.name, str(gguf), "llama.cpp", None, description, Path(checkpoint))
        )
    return sources


def generate_study(
    study: Study, suite: str, sources: Sequence[ModelSource], engine: Engine
) -> list[RunRecord]:
    """Generate what is missing, through every engine that is asked for; adapters on one base that follow each
    other load it once."""
    from core.generate.decoding import Decoding
    from core.generate.run import generate
    from core.generate.settings import EngineOptions

    settings = study.decoding.model_dump()
    samples = settings.pop("samples")
    records, _ = generate(
        engine,
        sources,
        suite=suite,
        languages=study.languages,
        decoding=Decoding(**settings, seed=study.seed),
        options=EngineOptions(batch_size=study.batch_size),
        samples=samples,
    )
    return records


def judge_study(study: Study, study_folder: Path, engine: Engine, *, agree: Agree = None) -> list[RunRecord]:
    """Judge what is not judged yet; `agree` is asked before an LLM is (see `core.judge.llm_judge.runner`)."""
    judges, languages = study.judges, study.languages
    records = []
    if judges.surface:
        from core.judge.surface.metrics import judge_surface

        records.append(judge_surface(engine, languages=languages))
    if judges.rules:
        from core.judge.known_answers.rater import judge_known_answers

        records.append(judge_known_answers(engine, languages=languages))
    if judges.modifiers:
        from core.judge.modifiers.rater import judge_modifiers

        records.append(judge_modifiers(engine, languages=languages))
    if judges.relevance and _is_available("Relevance", judges.relevance):
        from core.judge.relevance import judge_relevance

        settings = _judge_settings(judges.relevance, study_folder)
        preset = judges.relevance.preset
        records.append(judge_relevance(engine, settings, preset=preset, languages=languages, agree=agree))
    if judges.rubric and _is_available("Rubric", judges.rubric):
        from core.judge.rubric.judge import judge_rubric

        rubric = judges.rubric
        records.append(
            judge_rubric(
                engine,
                _judge_settings(rubric, study_folder),
                prompt=study_folder / rubric.prompt if rubric.prompt else None,
                rubric=study_folder / rubric.rubric if rubric.rubric else None,
                languages=languages,
                repeats=rubric.repeats,
                agree=agree,
            )
        )
    return records


def _is_available(kind: str, judge: JudgeChoice) -> bool:
    if judge.base_url or judge.checkpoint or find_key(default_address()) is not None:
        return True
    say(f"{kind} judge {judge.model}: skipped, no key (OPENAI_API_KEY) and no base_url.")
    return False


def _judge_settings(judge: JudgeChoice, study_folder: Path) -> JudgeSettings:
    fields = judge.model_dump(include=set(JudgeChoice.model_fields))
    if judge.checkpoint:
        fields["checkpoint"] = resolve(str(judge.checkpoint), study_folder)
    return JudgeSettings(**fields)
