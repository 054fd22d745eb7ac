"""Tiny checkpoints of several architectures, with random weights, and what transformers answers with them."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[5]))

from core.generate.engines.transformers.engine import TransformersEngine
from tests.checkpoints import make_tokenizer

WINDOW = 6
LLAMA_LIKE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "tie_word_embeddings": False,
}
SMALL = {"hidden_size": 32, "num_hidden_layers": 2}
SHAPES: dict[str, dict[str, Any]] = {
    "Llama": LLAMA_LIKE,
    "Mistral": {**LLAMA_LIKE, "sliding_window": WINDOW},
    "Qwen2": LLAMA_LIKE,
    "Gemma3Text": {**LLAMA_LIKE, "head_dim": 8, "sliding_window": WINDOW},
    "GPT2": {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 256},
    "Bloom": {"hidden_size": 32, "n_layer": 3, "n_head": 4},
    "Mamba": {**SMALL, "state_size": 4},
}


@pytest.fixture(scope="session")
def architecture(tmp_path_factory) -> Callable[[str], Path]:
    """Makes the checkpoint of an architecture, once."""
    made: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in made:
            import torch
            import transformers

            folder = tmp_path_factory.mktemp("architectures") / name
            vocabulary = len(make_tokenizer(folder))
            # Weights larger than usual, so that what stands far off still tells in the logits.
            shape = {**SHAPES[name], "initializer_range": 0.3}
            config = getattr(transformers, f"{name}Config")(
                vocab_size=vocabulary, bos_token_id=0, eos_token_id=1, **{"pad_token_id": None, **shape}
            )
            torch.manual_seed(0)
            transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
            made[name] = folder
        return made[name]

    return make


@pytest.fixture
def mixed_chats() -> list[list[dict[str, str]]]:
    """Prompts of 5 to some 60 tokens, short and long ones in turn."""
    texts = ["Hi", "ах " * 12, "", "Count from one to five. " * 3, "What is the capital of France?"]
    texts += ["a", "Quel mois vient après mai ?", "one " * 20, "Paris " * 3]
    return [[{"role": "user", "content": text}] for text in texts]


@pytest.fixture
def transformers_answer() -> Callable[..., list[int]]:
    """The ids that transformers' own unbatched `generate` gives to a chat."""

    def answer(engine: TransformersEngine, chat: Any) -> list[int]:
        import torch

        ids = torch.tensor([engine.encode(engine.prompt(chat))])
        out = engine.model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            repetition_penalty=engine.decoding.repetition_penalty,
            max_new_tokens=min(engine.decoding.max_new_tokens, engine.context_length - ids.shape[1]),
            eos_token_id=engine.stop or None,
            pad_token_id=0,
        )
        return out[0, ids.shape[1] :].tolist()

    return answer
