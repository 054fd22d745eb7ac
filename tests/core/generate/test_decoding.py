"""A setting of generation is defined once: the study file and code refuse the same values."""

import math

import pytest
from pydantic import ValidationError

from core.generate.decoding import Decoding
from core.generate.settings import EngineOptions, RaySettings
from core.study import Study, StudyDecoding
from store import UsageError

WRONG = [
    ({"max_new_tokens": 0}, "At least one new token must be allowed, not 0."),
    ({"repetition_penalty": 0.0}, "The repetition penalty must be above 0 (1 turns it off), not 0.0."),
    ({"repetition_penalty": math.inf}, "The repetition penalty must be above 0 (1 turns it off), not inf."),
    ({"temperature": -0.5}, "The temperature must be at least 0 (0 is greedy), not -0.5."),
    ({"temperature": math.nan}, "The temperature must be at least 0 (0 is greedy), not nan."),
    ({"top_p": 0.0}, "top_p must be above 0 and at most 1, not 0.0."),
    ({"top_p": 1.5}, "top_p must be above 0 and at most 1, not 1.5."),
    ({"top_k": -1}, "top_k must be at least 0 (0 keeps all tokens), not -1."),
]


@pytest.mark.parametrize(("values", "message"), WRONG)
def test_what_is_out_of_bounds_is_refused_by_code_and_by_the_study_file(values, message):
    with pytest.raises(UsageError) as refused:
        Decoding(**values)
    assert str(refused.value) == message
    with pytest.raises(ValidationError):
        StudyDecoding(**values)


@pytest.mark.parametrize("values", [{"top_p": 0.5}, {"top_k": 3}])
def test_greedy_decoding_takes_no_setting_of_sampling(values):
    with pytest.raises(UsageError, match="top_p and top_k are for sampling: give a temperature above 0 too"):
        Decoding(**values)
    assert Decoding(**values, temperature=0.7).parameters()["strategy"] == "sample"


@pytest.mark.parametrize(
    ("settings", "values", "message"),
    [
        (EngineOptions, {"batch_size": 0}, "batch_size must be at least 1, not 0."),
        (EngineOptions, {"threads": 0}, "threads must be at least 1, not 0."),
        (EngineOptions, {"gpu_layers": -1}, "gpu_layers must be at least 0, not -1."),
        (EngineOptions, {"concurrency": 0}, "concurrency must be at least 1, not 0."),
        (EngineOptions, {"timeout": 0.0}, "The time-out must be above 0 s, not 0.0."),
        (EngineOptions, {"timeout": math.nan}, "The time-out must be above 0 s, not nan."),
        (RaySettings, {"actors": 0}, "At least one actor is needed, not 0."),
        (RaySettings, {"gpus": -1.0}, "The GPUs of an actor must be at least 0, not -1.0."),
    ],
)
def test_engines_and_clusters_refuse_numbers_out_of_bounds(settings, values, message):
    with pytest.raises(UsageError) as refused:
        settings(**values)
    assert str(refused.value) == message


def test_study_file_and_command_have_the_same_defaults():
    study, decoding = StudyDecoding(), Decoding()
    shared = [name for name in StudyDecoding.model_fields if name in Decoding.model_fields]
    assert shared == ["max_new_tokens", "repetition_penalty", "temperature", "top_p", "top_k"]
    assert all(getattr(study, name) == getattr(decoding, name) for name in shared)
    assert Study.model_fields["batch_size"].default == EngineOptions().batch_size
