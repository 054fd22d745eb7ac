"""The study file: models x data x learning rates x suite x languages x judges, in TOML.

    name = "small"
    suite = "miniature"
    languages = ["en", "ru"]

    [training]
    steps = 30

    [[models]]
    base = "meta-llama/Llama-2-7b-hf"
    data = "dolly.jsonl"
    adaptation = "lora"
    learning_rates = [1e-4, 1e-3]

Its `[[models]]` with two learning rates stand for two model configurations.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from core.generate.decoding import DecodingOptions, SampleOptions
from core.generate.settings import BatchOptions, Quantization
from core.judge.llm_judge.settings import JudgeChoice
from core.options import Settings
from core.train.settings import Adaptation, DataOptions, LearningRate, RunOptions, UpdateOptions
from core.train.settings import preset as preset_fields
from store import UsageError
from store.names import trimmed


class Training(RunOptions, UpdateOptions):
    """How every model of the study is trained. A `preset` (see `core.train.settings`) sets the fields that
    are not given; `processes`: of one run, each with a GPU of its own."""

    preset: Literal["paper", "release"] | None = None
    processes: int = Field(default=1, ge=1)

    def settings_for(self, adaptation: Adaptation) -> dict[str, Any]:
        """The fields of `TrainSettings` that are given, over those of the preset."""
        given = self.model_dump(exclude={"preset", "processes"}, exclude_unset=True)
        return {**(preset_fields(self.preset, adaptation) if self.preset else {}), **given}


class StudyDecoding(SampleOptions, DecodingOptions):
    """Greedy decoding, or sampling with the study's seed, `samples` answers to each instruction."""


class ModelGroup(DataOptions):
    """Model configurations that differ in their learning rate only. `adaptation` `none` is the base itself.

    `data`: files, folders or names on the hub, `LANGUAGE=NAME` where rows name none; `data_format`,
    `data_columns` and `data_drop`: see `core.train.data.sources.DataSource`.
    `engine` answers for them (None: transformers, or the server at `base_url`, which knows a base by its
    name); `gguf` names quantisations in which each of them also answers through llama.cpp.
    """

    base: str
    data: str | list[str] | None = None
    data_format: str = "auto"
    data_columns: dict[str, str] = Field(default_factory=dict)
    data_drop: list[str] = Field(default_factory=list)
    adaptation: Literal["full", "lora", "none"] = "full"
    engine: Literal["transformers", "openai", "vllm"] | None = None
    base_url: str | None = None
    learning_rates: list[LearningRate] = Field(default_factory=list)
    label: str | None = None
    data_label: str | None = None
    gguf: list[Quantization] = Field(default_factory=list)

    @property
    def sources(self) -> list[str]:
        """The names of the data."""
        return [self.data] if isinstance(self.data, str) else list(self.data or ())


class RelevanceJudge(JudgeChoice):
    """An LLM that says whether a response addresses its task. `preset`: see `core.judge.relevance`."""

    preset: Literal["paper"] | None = None


class RubricJudge(JudgeChoice):
    """An LLM that scores the six criteria, or those of the `rubric` in a TOML file. `repeats`: see
    `core.judge.rubric.judge`."""

    prompt: str | None = None
    rubric: str | None = None
    repeats: Annotated[int, Field(ge=1, le=20)] = 1


class Judges(Settings):
    """Which judges score the answers: the surface metrics, the known answers (`rules`), the checks of
    modifiers, and LLMs."""

    surface: bool = True
    rules: bool = False
    modifiers: bool = False
    relevance: RelevanceJudge | None = None
    rubric: RubricJudge | None = None


class Study(BatchOptions):
    """A whole experiment. Paths in it are relative to the file's folder."""

    name: Annotated[str, Field(pattern=r"^[\w.-]+$")]
    suite: str
    languages: Annotated[list[str], Field(min_length=1)]
    seed: int = 1
    training: Training = Training()
    decoding: StudyDecoding = StudyDecoding()
    models: Annotated[list[ModelGroup], Field(min_length=1)]
    judges: Judges = Judges()


class Configuration(Settings):
    """One model configuration of a study; `folder` is where its checkpoint goes."""

    name: str
    folder: str
    group: ModelGroup
    learning_rate: float | None


ADAPTATION_NAMES = {"full": "FT", "lora": "LoRA"}


def read_study(path: Path) -> Study:
    """Read and check a study file. Raises `UsageError` that names the key of every line that is wrong."""
    try:
        with path.open("rb") as file:
            study = Study.model_validate(tomllib.load(file))
    except FileNotFoundError:
        raise UsageError(f"No study file at {path}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not TOML: {error}.") from None
    except ValidationError as error:
        lines = [f"{_toml_key(problem['loc'])}: {problem['msg']}" for problem in error.errors()]
        raise UsageError(f"{path}: " + "; ".join(lines) + ".") from None
    _check(study, path)
    return study


def configurations(study: Study) -> Iterator[Configuration]:
    """The model configurations of a study, in the file's order, under the names of the paper's figures:
    base / data / adaptation, and the learning rate."""
    for group in study.models:
        base = group.label or Path(group.base).name
        if group.adaptation == "none":
            yield Configuration(name=trimmed(base), folder="", group=group, learning_rate=None)
            continue
        data = group.data_label or "+".join(Path(source).stem for source in group.sources)
        for rate in group.learning_rates:
            parts = base, data, ADAPTATION_NAMES[group.adaptation], rate_label(rate)
            name = " / ".join(map(trimmed, parts))
            folder = name.replace(" / ", "_").replace(" ", "-").replace("/", "-")
            yield Configuration(name=name, folder=folder, group=group, learning_rate=rate)


def rate_label(rate: float) -> str:
    """A learning rate as people write it: `1e-5`, `2.5e-5`."""
    mantissa, _, exponent = f"{rate:e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def _toml_key(location: tuple[int | str, ...]) -> str:
    """`("models", 1, "gguf", 0)` as `models[1].gguf[0]`."""
    key = ""
    for step in location:
        key += f"[{step}]" if isinstance(step, int) else f".{step}" if key else step
    return key


def _check(study: Study, path: Path) -> None:
    """Raises `UsageError` for what fields by themselves can't tell: what fits a server, and names that are
    unique."""
    for number, group in enumerate(study.models):
        served = group.base_url is not None or group.engine == "openai"
        if served and (group.adaptation != "none" or group.gguf):
            raise UsageError(
                f"{path}: models[{number}]: a model behind a server is asked as it is: "
                'adaptation = "none", and no gguf.'
            )
        if group.adaptation == "none":
            continue
        if not group.sources:
            raise UsageError(f"{path}: models[{number}].data: a model that is tuned needs its data.")
        if not group.learning_rates:
            raise UsageError(f"{path}: models[{number}].learning_rates: give at least one.")
    names = [configuration.name for configuration in configurations(study)]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{path}: two models are called {name!r}. Set `label` or `data_label` apart.")
