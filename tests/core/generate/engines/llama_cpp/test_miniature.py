"""The miniature's base on its suite: float16 answers like transformers in float32."""

import json
from pathlib import Path

import pytest

from core.generate.checkpoint import inspect_checkpoint
from core.generate.decoding import Decoding
from core.generate.engines.base import Request
from core.generate.engines.transformers.engine import TransformersEngine
from core.generate.gguf.convert import convert

ROOT = Path(__file__).resolve().parents[5]
BASE = ROOT / "core" / "miniature" / "base"


@pytest.mark.whole
@pytest.mark.parametrize(
    "decoding",
    [
        Decoding(max_new_tokens=64, repetition_penalty=1.1),
        Decoding(max_new_tokens=64, repetition_penalty=1.1, temperature=0.8, top_p=0.9),
    ],
)
def test_nearly_all_answers_are_the_same_in_float16(tmp_path: Path, open_engine, decoding: Decoding):
    lines = (ROOT / "core" / "suites" / "miniature.jsonl").read_text(encoding="utf-8").splitlines()
    requests = [
        (place, Request([{"role": "user", "content": json.loads(line)["text"]}], seed=place))
        for place, line in enumerate(lines[::6])
    ]
    expected = dict(TransformersEngine(inspect_checkpoint(BASE), decoding).stream(requests))
    for quantization, least in {"f32": 1.0, "f16": 0.95}.items():
        engine = open_engine(convert(BASE, tmp_path / f"{quantization}.gguf", quantization), decoding)
        found = dict(engine.stream(requests))
        same = [found[place].text == expected[place].text for place, _ in requests]
        assert sum(same) >= least * len(requests)
        assert [found[place].tokens_in for place, _ in requests] == [
            expected[place].tokens_in for place, _ in requests
        ]
