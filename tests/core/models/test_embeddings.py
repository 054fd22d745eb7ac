"""Adapters that were trained after their base's embeddings had been resized."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.generate.checkpoint import inspect_checkpoint
from core.generate.decoding import Decoding
from core.generate.engines.base import answer_all
from core.generate.engines.registry import EnginePool, prepare
from core.generate.gguf.convert import convert
from core.generate.settings import ModelSource
from core.models.embeddings import adapter_rows
from core.models.loading import load_adapter, load_model
from core.models.merging import merge_into_base
from store import XlitError
from tests.checkpoints import CHAT_TEMPLATE, make_adapter, make_checkpoint, make_tokenizer
from tests.core.generate.gguf.made import IDS, TOKENS, llama_cpp_logits, random_base, transformers_logits

pytestmark = pytest.mark.whole

BOTH = ["embed_tokens", "lm_head"]


def resized_adapter(
    folder: Path, base: Path, rows: int, *, keep_embeddings: bool = True, **settings: Any
) -> Any:
    """An adapter with random weights on a base resized to `rows`, saved with the tokenizer; returns the model
    that was trained."""
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(2)
    model = AutoModelForCausalLM.from_pretrained(base)
    model.resize_token_embeddings(rows, mean_resizing=False)
    adapted = peft.get_peft_model(model, peft.LoraConfig(r=4, lora_alpha=8, **settings)).eval()
    with torch.no_grad():
        for weight in adapted.parameters():
            if weight.requires_grad:
                weight.add_(torch.randn_like(weight) * 0.1)
    adapted.save_pretrained(str(folder), save_embedding_layers="auto" if keep_embeddings else False)
    make_tokenizer(folder)
    return adapted


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("rows", [TOKENS + 8, TOKENS - 8])
@pytest.mark.parametrize(
    "settings",
    [
        {"target_modules": ["q_proj"], "modules_to_save": BOTH},
        {"target_modules": ["q_proj"]},
        {"target_modules": ["q_proj", "embed_tokens", "lm_head"]},
    ],
)
def test_they_are_loaded_merged_and_converted_as_they_were_trained(tmp_path: Path, tied, rows, settings):
    import torch
    from transformers import AutoModelForCausalLM

    base = random_base(tmp_path / "base", tie_word_embeddings=tied)
    adapter = tmp_path / "adapter"
    expected = transformers_logits(resized_adapter(adapter, base, rows, **settings), IDS)
    assert expected.shape == (rows,)
    assert adapter_rows(adapter) == rows
    loaded = load_adapter(load_model(str(base), torch.float32), adapter)
    assert np.abs(transformers_logits(loaded, IDS) - expected).max() < 1e-4
    merge_into_base(str(adapter), tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged").eval()
    assert np.abs(transformers_logits(merged, IDS) - expected).max() < 1e-4
    gguf = convert(adapter, tmp_path / "out.gguf", "f32")
    assert np.abs(llama_cpp_logits(gguf, IDS) - expected).max() < 1e-4


def test_rows_that_nobody_brings_are_not_invented(tmp_path: Path):
    base, adapter = random_base(tmp_path / "base"), tmp_path / "adapter"
    resized_adapter(adapter, base, TOKENS + 8, target_modules=["q_proj"], modules_to_save=["lm_head"],
                    keep_embeddings=False)  # fmt: skip
    for use in (lambda: merge_into_base(str(adapter), tmp_path / "merged"),
                lambda: convert(adapter, tmp_path / "out.gguf", "f16"),
                lambda: prepare(ModelSource("a", str(adapter)), Decoding()).open()):  # fmt: skip
        with pytest.raises(XlitError, match=r"embeddings for 416 tokens.*no whole model.embed_tokens.weight"):
            use()


def test_matrices_of_several_sizes_are_refused_with_the_sizes(tmp_path: Path):
    from safetensors.torch import load_file, save_file

    base, adapter = random_base(tmp_path / "base"), tmp_path / "adapter"
    resized_adapter(adapter, base, TOKENS + 8, target_modules=["q_proj"], modules_to_save=BOTH)
    file = adapter / "adapter_model.safetensors"
    weights = load_file(file)
    save_file({key: w[:-1].clone() if "lm_head" in key else w for key, w in weights.items()}, file)
    with pytest.raises(XlitError, match=r"several numbers of tokens: .*embed_tokens\S* 416.*|lm_head\S* 415"):
        prepare(ModelSource("a", str(adapter)), Decoding())


def test_among_other_adapters_each_answers_as_alone(tmp_path: Path):
    """The base, an adapter with its own embeddings, and one without follow each other in one pool."""
    base = make_checkpoint(tmp_path / "base")
    plain = make_adapter(tmp_path / "plain", base)
    resized_adapter(tmp_path / "resized", base, 408, target_modules=["q_proj"], modules_to_save=BOTH)
    biased = Path(shutil.copytree(tmp_path / "resized", tmp_path / "saved"))
    resized_adapter(biased, base, 408, target_modules=["k_proj"])
    assert (tmp_path / "resized" / "chat_template.jinja").read_text() == CHAT_TEMPLATE
    decoding, chats = Decoding(max_new_tokens=6), [[{"role": "user", "content": "What is the capital?"}]]
    prepared = [
        prepare(ModelSource(folder.name, str(folder)), decoding)
        for folder in (base, tmp_path / "resized", biased, plain, base, tmp_path / "resized")
    ]
    alone = []
    for engine in prepared:
        with EnginePool() as pool:
            alone.append([answer.text for answer in answer_all(pool.engine(engine), chats)])
    with EnginePool() as pool:
        assert [[a.text for a in answer_all(pool.engine(engine), chats)] for engine in prepared] == alone
    assert inspect_checkpoint(biased).base == str(base)
