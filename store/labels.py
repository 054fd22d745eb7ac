"""What models and raters are called wherever they are shown: in the room, the report and the demo.

gemma                           a model that answered under one decoding
gemma (llama.cpp Q4_K_M)        one that answered under several: engine and number format
gemma (transformers #1)         the second sample under that decoding
gemma (transformers 3fa9c2)     decodings that differ in their parameters alone: the start of the digest
human:nv                        a rater: kind and name
llm:gpt-4o-mini@paper-1         one with a version, such as that of the prompt
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Protocol, TypeVar

DIGEST_CHARACTERS = 6


class ModelSource(Protocol):
    """A model under a decoding, and perhaps the number of the sample (0: the first, or all together)."""

    @property
    def model_id(self) -> int: ...
    @property
    def model(self) -> str: ...
    @property
    def decoding_id(self) -> int: ...
    @property
    def engine(self) -> str: ...
    @property
    def quantization(self) -> str | None: ...
    @property
    def digest(self) -> str: ...
    @property
    def sample(self) -> int: ...


Key = TypeVar("Key", bound=Hashable, covariant=True)


class KeyedSource(ModelSource, Protocol[Key]):
    """A source that a table of labels knows by its key."""

    @property
    def key(self) -> Key: ...


def decoding_label(engine: str, quantization: str | None) -> str:
    """`llama.cpp Q4_K_M`, or `transformers` where the weights are as they were trained."""
    return " ".join(filter(None, (engine, quantization)))


def model_labels(sources: Sequence[ModelSource]) -> list[str]:
    """The label of each source: as much of its decoding as tells it from the others."""
    answered = Counter(model_id for model_id, _, _ in {_identity(source) for source in sources})
    labels = {
        _identity(source): _with_decoding(source) if answered[source.model_id] > 1 else source.model
        for source in sources
    }
    same = Counter(labels.values())
    for source in sources:
        if same[labels[_identity(source)]] > 1:
            labels[_identity(source)] = _with_decoding(source, source.digest[:DIGEST_CHARACTERS])
    return [labels[_identity(source)] for source in sources]


def model_label(source: ModelSource, sources: Sequence[ModelSource]) -> str:
    """The label of one of the sources."""
    return model_labels([source, *sources])[0]


def labels_by_key(sources: Sequence[KeyedSource[Key]]) -> dict[Key, str]:
    """The labels of sources, by their keys."""
    return {source.key: label for source, label in zip(sources, model_labels(sources), strict=True)}


def _identity(source: ModelSource) -> tuple[int, int, int]:
    return source.model_id, source.decoding_id, source.sample


def _with_decoding(source: ModelSource, digest: str = "") -> str:
    sample = f"#{source.sample}" if source.sample else ""
    decoding = decoding_label(source.engine, source.quantization)
    return f"{source.model} ({' '.join(filter(None, (decoding, sample, digest)))})"


def rater_label(kind: str, name: str, version: str = "") -> str:
    """The whole name of a rater: `human:nv`, `llm:gpt-4o-mini@paper-1`, `rule:known-answers@2`."""
    return f"{kind}:{versioned_name(name, version)}"


def people_label(number: int) -> str:
    """Several people together, as a rater of means."""
    return f"people ({number})"


def versioned_name(name: str, version: str) -> str:
    """A rater where the kind is said beside it: `gpt-4o-mini@paper-1`, `nv`."""
    return f"{name}@{version}" if version else name


def short_rater_label(kind: str, name: str) -> str:
    """A rater in a heading of the room: the name of a person or a model, `rule known-answers`."""
    return f"rule {name}" if kind == "rule" else name


def rater_column_head(kind: str, name: str) -> str:
    """A judge at the head of a narrow column: the name of a model, or the word `rule`."""
    return "rule" if kind == "rule" else name
