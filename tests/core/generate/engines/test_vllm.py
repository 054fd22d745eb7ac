"""The vLLM engine: what it says where it can't work, and its answers where vLLM is installed."""

import importlib.util
from pathlib import Path

import pytest

from core.generate.checkpoint import inspect_checkpoint
from core.generate.decoding import Decoding
from core.generate.engines.base import Failed, Request
from core.generate.engines.transformers.engine import TransformersEngine
from core.generate.engines.vllm import VllmEngine, number_format
from store import UsageError, XlitError

INSTALLED = importlib.util.find_spec("vllm") is not None
MINIATURE = Path(__file__).resolve().parents[4] / "core/miniature/base"


def test_the_number_format_is_known_without_vllm():
    assert [number_format(), number_format("f32"), number_format("f16")] == ["bf16", "f32", "f16"]
    with pytest.raises(UsageError, match="No number format 'q8_0'"):
        number_format("q8_0")


@pytest.mark.skipif(INSTALLED, reason="vLLM is installed")
def test_without_vllm_it_says_what_to_install(checkpoint):
    with pytest.raises(XlitError, match="needs the package vllm: pip install vllm"):
        VllmEngine(inspect_checkpoint(checkpoint), Decoding())


@pytest.fixture(scope="module")
def engines():
    """Both engines on one checkpoint that has learnt something."""
    if not INSTALLED:
        pytest.skip("vLLM is not installed")
    pair = [
        made(inspect_checkpoint(MINIATURE), Decoding(max_new_tokens=48), batch_size=4, dtype="f32")
        for made in (VllmEngine, TransformersEngine)
    ]
    yield pair
    for engine in pair:
        engine.close()


def requests() -> list[tuple[int, Request]]:
    texts = ["What is the currency of Japan?", "Quelle est la monnaie du Chili ?", "Какая валюта в Перу?"]
    texts += ["Hi", "</s><s>", "日本語 \x1b[31m", "a \x00 b", "ах " * 40]
    return [(place, Request([{"role": "user", "content": text}])) for place, text in enumerate(texts)]


def test_answers_are_those_of_transformers(engines):
    ours, theirs = (dict(engine.stream(requests())) for engine in engines)
    for place, answer in theirs.items():
        same = ("text", "finish_reason", "tokens_in", "tokens_out", "prompt_digest")
        assert [getattr(ours[place], name) for name in same] == [getattr(answer, name) for name in same]


def test_requests_are_taken_as_there_is_room(engines):
    taken = []
    stream = engines[0].stream((taken.append(place) or place, request) for place, request in requests() * 4)
    next(stream)
    assert len(taken) <= 5
    stream.close()
    assert len(dict(engines[0].stream(requests()))) == len(requests())


def test_a_prompt_that_does_not_fit_fails_alone(engines):
    long = (99, Request([{"role": "user", "content": "long " * 5000}]))
    answers = dict(engines[0].stream([long, *requests()]))
    assert isinstance(answers.pop(99), Failed)
    assert not any(isinstance(answer, Failed) for answer in answers.values())


def test_a_sampled_answer_is_that_of_its_seed():
    if not INSTALLED:
        pytest.skip("vLLM is not installed")
    engine = VllmEngine(
        inspect_checkpoint(MINIATURE), Decoding(max_new_tokens=24, temperature=1.5), batch_size=4
    )
    try:
        chat = [{"role": "user", "content": "Hi"}]
        many = dict(engine.stream((place, Request(chat, seed=2**62 + place % 2)) for place in range(8)))
        alone = dict(engine.stream([(0, Request(chat, seed=2**62))]))
    finally:
        engine.close()
    assert {many[place].text for place in (0, 2, 4, 6)} == {alone[0].text}
    assert many[1].text != many[0].text
