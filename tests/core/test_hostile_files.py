"""Files that others made: one sentence each, whatever is in them."""

import json
from pathlib import Path

import pytest

from core.judge.rubric.definition import load_rubric
from core.llm.prices import read_prices
from core.models.loading import check_attention
from core.study import read_study
from core.text.files import json_lines
from store import XlitError


@pytest.mark.parametrize("read", [read_study, load_rubric, read_prices])
def test_toml_that_is_nested_without_end_is_a_sentence(tmp_path, read):
    file = tmp_path / "deep.toml"
    file.write_text("a = " + "[" * 5000 + "]" * 5000, encoding="utf-8")
    with pytest.raises(XlitError, match=r"deep\.toml"):
        read(file)


def test_a_checkpoint_chooses_no_attention_kernel_from_the_hub(tmp_path):
    pytest.importorskip("transformers")
    config = {"model_type": "llama", "attn_implementation": "somebody/kernel"}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(XlitError, match="attention kernel 'somebody/kernel'"):
        check_attention(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({**config, "attn_implementation": "eager"}))
    check_attention(tmp_path)


def test_a_device_without_end_is_no_file_to_read():
    with pytest.raises(XlitError, match="/dev/zero is a device"):
        next(json_lines(Path("/dev/zero")))
    assert list(json_lines(Path("/dev/null"))) == []
