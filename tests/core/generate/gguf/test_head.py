"""The head of a GGUF file: what gguf's own reader finds in it, quickly whatever the vocabulary."""

import time
from pathlib import Path

import gguf
import numpy as np
import pytest

from core.generate.gguf.file import copy_with_keys, read_head
from core.generate.gguf.head import GgufFile
from store import XlitError


def write(path: Path, tokens: list[str], merges: list[str] | None = None, *, dtype=np.float32) -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(number) for number in range(len(tokens))])
    writer.add_token_merges(merges or ["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(len(tokens) - 1)
    writer.add_chat_template("{{ messages }} – ж")
    writer.add_array("xlit.stop_token_ids", [2, 3])
    writer.add_bool("xlit.drops_first_space", False)
    writer.add_float64("some.number", 0.1)
    writer.add_tensor("weight", np.arange(6, dtype=dtype).reshape(2, 3))
    writer.add_tensor("other", np.arange(5, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def fields(path: Path) -> dict[str, object]:
    reader = gguf.GGUFReader(path)
    values = {name: field.contents() for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    return values | {tensor.name: tensor.data.tolist() for tensor in reader.tensors}


def test_every_value_is_the_one_that_gguf_reads(tmp_path: Path):
    path = write(tmp_path / "a.gguf", ["<unk>", "<s>", "Ж", "</s>"])
    expected = fields(path)
    with GgufFile(path) as file:
        assert {name: file.value(name) for name in file.entries} | {
            "weight": expected["weight"],
            "other": expected["other"],
        } == expected
        assert [(tensor.name, tensor.elements) for tensor in file.tensors] == [("weight", 6), ("other", 5)]
        assert file.text_at("tokenizer.ggml.tokens", 2) == "Ж"
        assert file.value("nothing", 7) == 7
    head = read_head(path)
    assert head.special_tokens == {"bos_token": "<s>", "eos_token": "</s>"}
    assert (head.number_format, head.stop_tokens) == ("f32", (2, 3))
    assert (head.chat_template, head.drops_first_space) == ("{{ messages }} – ж", False)


def test_a_vocabulary_of_262144_is_read_in_under_two_seconds(tmp_path: Path):
    tokens = [f"token {number}" for number in range(262_144)]
    path = write(tmp_path / "a.gguf", tokens, [f"{number} x" for number in range(500_000)])
    start = time.process_time()
    head = read_head(path)
    assert time.process_time() - start < 2
    assert head.special_tokens["eos_token"] == "token 262143"


def test_keys_are_added_and_changed_and_all_else_stays(tmp_path: Path):
    path = write(tmp_path / "a.gguf", ["<unk>", "<s>", "Ж", "</s>"])
    keys = {"xlit.stop_token_ids": [5], "xlit.normalization": "NFC", "xlit.drops_first_space": True, "n": 9}
    copy_with_keys(path, tmp_path / "b.gguf", keys)
    assert fields(tmp_path / "b.gguf") == fields(path) | keys


def test_weights_that_float16_can_not_hold_are_refused(tmp_path: Path):
    path = write(tmp_path / "a.gguf", ["<unk>", "<s>", "</s>"], dtype=np.float16)
    copy_with_keys(path, tmp_path / "b.gguf", {})
    content = path.read_bytes()
    path.write_bytes(content.replace(np.float16(5).tobytes(), np.float16(np.inf).tobytes()))
    with pytest.raises(XlitError, match="weight has weights that are too large for f16"):
        copy_with_keys(path, tmp_path / "c.gguf", {})


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.97])
def test_a_torn_file_is_told(tmp_path: Path, share: float):
    path = write(tmp_path / "a.gguf", ["<unk>", "<s>", "</s>"])
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(XlitError, match=r"a\.gguf is torn"):
        read_head(path)
