"""Converting to GGUF: right or refused, whole or not there, once."""

import json
import shutil
from pathlib import Path

import pytest

from core.generate.decoding import Decoding
from core.generate.engines.base import answer_all
from core.generate.engines.llama_cpp.engine import LlamaCppEngine
from core.generate.engines.llama_cpp.library import GgufModel
from core.generate.gguf.convert import QUANTIZATIONS, convert
from core.generate.gguf.file import read_head
from store import UsageError, XlitError
from tests.checkpoints import PAIRS, make_checkpoint


@pytest.fixture(scope="module")
def wide(tmp_path_factory) -> Path:
    """A model whose rows Q4_K_M can quantise, with an output matrix of its own."""
    return make_checkpoint(tmp_path_factory.mktemp("wide") / "wide", hidden=256, tied=False)


# How many of the questions that the model learnt may get another answer.
FORGIVEN = {"q4_0": 3, "q3_k_m": 3, "q2_k": len(PAIRS)}


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_every_number_format_answers_what_the_model_learnt(wide: Path, tmp_path: Path, quantization: str):
    out = convert(wide, tmp_path / "out.gguf", quantization)
    assert read_head(out).number_format == quantization
    engine = LlamaCppEngine(out, Decoding(max_new_tokens=40, repetition_penalty=1.0))
    answers = answer_all(engine, [[{"role": "user", "content": question}] for question, _ in PAIRS])
    engine.close()
    right = sum(found.text == answer for found, (_, answer) in zip(answers, PAIRS, strict=True))
    assert right >= len(PAIRS) - FORGIVEN.get(quantization, 1)
    assert [file.name for file in tmp_path.iterdir()] == ["out.gguf"]


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
def test_rows_that_a_format_can_not_hold_are_kept_in_another(checkpoint: Path, tmp_path: Path, quantization):
    file = convert(checkpoint, tmp_path / "out.gguf", quantization)  # rows of 64, K-quants need 256
    assert read_head(file).number_format == quantization
    opened = GgufModel(file)
    assert opened.size == read_size(checkpoint)
    opened.close()


def read_size(folder: Path) -> int:
    return json.loads((folder / "config.json").read_text())["vocab_size"]


def test_the_same_source_is_converted_once_and_another_is_not_overwritten(
    checkpoint: Path, wide: Path, tmp_path: Path
):
    out = convert(checkpoint, tmp_path / "out.gguf", "q8_0")
    before = out.stat()
    assert convert(checkpoint, out, "q8_0") == out
    assert out.stat().st_mtime_ns == before.st_mtime_ns
    for source, quantization in ((wide, "q8_0"), (checkpoint, "f16")):
        with pytest.raises(UsageError, match="made from something else"):
            convert(source, out, quantization)
    assert out.stat().st_mtime_ns == before.st_mtime_ns


DIGITS = {
    "type": "Sequence",
    "pretokenizers": [
        {"type": "Digits", "individual_digits": True},
        {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    ],
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pre_tokenizer": DIGITS}, "splits text by Digits, ByteLevel"),
        ({"normalizer": {"type": "NFKC"}}, "normalises"),
        ({"model": {"ignore_merges": True}}, "splits text in another way"),
    ],
)
def test_a_tokenizer_that_would_come_out_wrong_is_refused(checkpoint: Path, tmp_path: Path, changes, message):
    folder = Path(shutil.copytree(checkpoint, tmp_path / "copy"))
    content = json.loads((folder / "tokenizer.json").read_text())
    content |= {**changes, "model": content["model"] | changes.get("model", {})}
    (folder / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(XlitError, match=message):
        convert(folder, tmp_path / "out.gguf", "f16")
    assert [file.name for file in tmp_path.iterdir()] == ["copy"]


def test_stop_tokens_beside_the_end_token_come_along(checkpoint: Path, tmp_path: Path):
    folder = Path(shutil.copytree(checkpoint, tmp_path / "copy"))
    config = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**config, "eos_token_id": [1, 2]}))
    assert read_head(convert(folder, tmp_path / "out.gguf", "f16")).stop_tokens == (1, 2)


def test_a_token_of_a_hundred_bytes_is_written_whole(checkpoint: Path, tmp_path: Path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = tmp_path / "long"
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    tokenizer.add_tokens(["=" * 100])
    model = AutoModelForCausalLM.from_pretrained(checkpoint)
    model.resize_token_embeddings(len(tokenizer))
    for part in (model, tokenizer):
        part.save_pretrained(folder)
    vocabulary = GgufModel(convert(folder, tmp_path / "out.gguf", "f16"), vocab_only=True)
    assert vocabulary.tokenize("a" + "=" * 100) == tokenizer("a" + "=" * 100)["input_ids"]
    assert vocabulary.piece(len(tokenizer) - 1) == b"=" * 100
    vocabulary.close()


@pytest.mark.parametrize(("quantization", "name"), [("q5", "out.gguf"), ("f16", "no/such/out.gguf")])
def test_a_wrong_request_leaves_nothing(checkpoint: Path, tmp_path: Path, quantization: str, name: str):
    with pytest.raises(XlitError):
        convert(checkpoint, tmp_path / name, quantization)
    assert not list(tmp_path.iterdir())
