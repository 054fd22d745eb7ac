"""Converting to GGUF: right or refused, whole or not there, once."""

import json
import shutil
from pathlib import Path

import pytest

from core.generate.decoding import Decoding
from core.generate.engine import answer_all
from core.generate.gguf.convert import convert
from core.generate.gguf.file import read_head
from core.generate.llama_cpp_engine.api import GgufModel
from core.generate.llama_cpp_engine.engine import LlamaCppEngine
from store import UsageError, XlitError
from tests.checkpoints import PAIRS, make_checkpoint, make_tokenizer


@pytest.fixture(scope="module")
def wide(tmp_path_factory) -> Path:
    """A model whose rows Q4_K_M can quantise, with an output matrix of its own."""
    return make_checkpoint(tmp_path_factory.mktemp("wide") / "wide", hidden=256, tied=False)


@pytest.mark.parametrize("quantization", ["f32", "f16", "q8_0", "q4_k_m"])
def test_every_number_format_answers_what_the_model_learnt(wide: Path, tmp_path: Path, quantization: str):
    out = convert(wide, tmp_path / "out.gguf", quantization)
    assert read_head(out).number_format == quantization
    engine = LlamaCppEngine(out, Decoding(40, 1.0))
    answers = answer_all(engine, [[{"role": "user", "content": question}] for question, _ in PAIRS])
    right = sum(found.text == answer for found, (_, answer) in zip(answers, PAIRS, strict=True))
    assert right >= len(PAIRS) - 1
    assert [file.name for file in tmp_path.iterdir()] == ["out.gguf"]


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


def change_tokenizer(folder: Path, **changes) -> None:
    content = json.loads((folder / "tokenizer.json").read_text())
    for key, value in changes.items():
        if key == "model":
            content["model"].update(value)
        else:
            content[key] = value
    (folder / "tokenizer.json").write_text(json.dumps(content))


METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
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
        ({"pre_tokenizer": METASPACE, "model": {"byte_fallback": True}}, "SentencePiece"),
        ({"pre_tokenizer": METASPACE}, "splits text by Metaspace"),
        ({"pre_tokenizer": DIGITS}, "splits text by Digits, ByteLevel"),
        ({"normalizer": {"type": "NFKC"}}, "normalises"),
        ({"model": {"ignore_merges": True}}, "merges in another way"),
    ],
)
def test_a_tokenizer_that_would_come_out_wrong_is_refused(checkpoint: Path, tmp_path: Path, changes, message):
    folder = Path(shutil.copytree(checkpoint, tmp_path / "copy"))
    change_tokenizer(folder, **changes)
    with pytest.raises(XlitError, match=message):
        convert(folder, tmp_path / "out.gguf", "f16")
    assert [file.name for file in tmp_path.iterdir()] == ["copy"]


def test_another_architecture_is_refused(tmp_path: Path):
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = tmp_path / "gpt2"
    tokenizer = make_tokenizer(folder)
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=1, n_head=2, n_positions=64)
    GPT2LMHeadModel(config).save_pretrained(folder)
    with pytest.raises(XlitError, match="architecture is gpt2"):
        convert(folder, tmp_path / "out.gguf", "f16")
    assert [file.name for file in tmp_path.iterdir()] == ["gpt2"]


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
