"""What models and raters are called, in the room as in the report."""

from dataclasses import dataclass

import pytest

from store.labels import (
    labels_by_key,
    model_label,
    model_labels,
    rater_label,
    short_rater_label,
    versioned_name,
)


@dataclass(frozen=True)
class Answered:
    model_id: int
    decoding_id: int
    model: str = "gemma"
    engine: str = "transformers"
    quantization: str | None = None
    digest: str = ""
    sample: int = 0

    @property
    def key(self) -> tuple[int, int, int]:
        return self.model_id, self.decoding_id, self.sample


GGUF = Answered(1, 2, engine="llama.cpp", quantization="Q4_K_M")


def test_a_model_under_one_decoding_goes_by_its_name():
    assert model_labels([Answered(1, 1), Answered(2, 1, "llama")]) == ["gemma", "llama"]


def test_a_model_under_several_decodings_names_engine_and_number_format():
    assert model_labels([Answered(1, 1), GGUF]) == ["gemma (transformers)", "gemma (llama.cpp Q4_K_M)"]


def test_samples_after_the_first_have_a_number():
    assert model_labels([Answered(1, 1), Answered(1, 1, sample=1)]) == [
        "gemma (transformers)",
        "gemma (transformers #1)",
    ]


def test_decodings_that_differ_in_parameters_alone_are_told_apart_by_their_digests():
    sources = [Answered(1, 1, digest="3fa9c2d1"), Answered(1, 3, digest="77e0aa12"), GGUF]
    assert model_labels(sources) == [
        "gemma (transformers 3fa9c2)",
        "gemma (transformers 77e0aa)",
        "gemma (llama.cpp Q4_K_M)",
    ]


def test_a_source_that_is_there_twice_is_one():
    assert model_labels([Answered(1, 1), Answered(1, 1)]) == ["gemma", "gemma"]
    assert model_label(GGUF, [Answered(1, 1), GGUF]) == "gemma (llama.cpp Q4_K_M)"


def test_labels_are_found_by_the_keys_of_their_sources():
    assert labels_by_key([GGUF]) == {(1, 2, 0): "gemma"}


@pytest.mark.parametrize(
    ("kind", "name", "version", "whole", "short"),
    [
        ("human", "nv", "", "human:nv", "nv"),
        ("llm", "gpt-4o-mini", "paper-1", "llm:gpt-4o-mini@paper-1", "gpt-4o-mini"),
        ("rule", "known-answers", "2", "rule:known-answers@2", "rule known-answers"),
    ],
)
def test_raters(kind, name, version, whole, short):
    assert rater_label(kind, name, version) == whole
    assert f"{kind}:{versioned_name(name, version)}" == whole
    assert short_rater_label(kind, name) == short
