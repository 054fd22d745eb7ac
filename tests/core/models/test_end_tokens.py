"""Answers end where the template closes them, tuned fully or by an adapter, through whatever engine."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.generate.checkpoint import inspect_checkpoint
from core.generate.decoding import Decoding
from core.generate.engines.base import answer_all
from core.generate.engines.registry import prepare
from core.generate.engines.vllm import _vocabulary_and_end_tokens
from core.generate.gguf.convert import convert
from core.generate.gguf.file import read_head
from core.generate.settings import ModelSource
from core.models.end_tokens import answer_end_tokens
from core.models.loading import load_tokenizer
from core.models.merging import merge_into_base
from core.train.data.sources import DataSource
from core.train.recipe import train
from core.train.settings import TrainSettings
from store import XlitError
from tests.checkpoints import PAIRS, make_adapter, make_checkpoint

pytestmark = pytest.mark.whole

# Closes an answer with a token (`</s>`, 1) that is not the tokenizer's end token (here `<s>`, 0).
CLOSED_BY_ANOTHER = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}</s>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
CHATS = [[{"role": "user", "content": question}] for question, _ in PAIRS]
DECODING = Decoding(max_new_tokens=60, repetition_penalty=1.0)


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """A base as those of Qwen, Llama 3 and Gemma with ChatML: its configs name its own end token alone."""
    from transformers import AutoTokenizer

    folder = make_checkpoint(tmp_path_factory.mktemp("ends") / "base", chat_template=CLOSED_BY_ANOTHER)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.eos_token = "<s>"
    tokenizer.save_pretrained(folder)
    for name in ("config.json", "generation_config.json"):
        config = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps({**config, "eos_token_id": 0}))
    return folder


@pytest.fixture(scope="module")
def tuned(base: Path) -> dict[str, Path]:
    """The base tuned fully and by an adapter on the same answers, and what is made of the adapter."""
    data = base.parent / "data.jsonl"
    chats = [[*chat, {"role": "assistant", "content": a}] for chat, (_, a) in zip(CHATS, PAIRS, strict=True)]
    data.write_text("".join(json.dumps(chat) + "\n" for chat in chats))
    made = {}
    for adaptation, rate in (("full", 3e-3), ("lora", 3e-3)):
        plan = TrainSettings(
            base=str(base), data=(DataSource(str(data)),), learning_rate=rate, adaptation=adaptation,
            steps=80, batch_tokens=400, accumulate=1, max_length=128, schedule="constant", lora_rank=16,
        )  # fmt: skip
        made[adaptation] = base.parent / adaptation
        train(plan, made[adaptation])
    made["merged"], made["gguf"] = base.parent / "merged", base.parent / "adapter.gguf"
    merge_into_base(str(made["lora"]), made["merged"])
    convert(made["lora"], made["gguf"], "f32")
    return made


@pytest.mark.parametrize("name", ["full", "lora", "merged", "gguf"])
def test_tuned_fully_by_an_adapter_merged_or_converted_answers_end(tuned: dict[str, Path], name: str):
    engine = prepare(ModelSource("m", str(tuned[name])), DECODING).open()
    answers = answer_all(engine, CHATS)
    engine.close()
    assert [answer.finish_reason for answer in answers] == ["stop"] * len(CHATS)
    assert [answer.text for answer in answers] == [answer for _, answer in PAIRS]


def test_all_name_the_same_tokens(tuned: dict[str, Path]):
    for name in ("full", "lora", "merged"):
        assert sorted(json.loads((tuned[name] / "generation_config.json").read_text())["eos_token_id"]) == [
            0,
            1,
        ]
    assert read_head(tuned["gguf"]).stop_tokens == (0, 1)
    for name in ("full", "merged"):
        source = inspect_checkpoint(tuned[name])
        assert _vocabulary_and_end_tokens(source, load_tokenizer(source)) == (400, [0, 1])


def ends(folder: Path, base_ends: object) -> list[int]:
    source = inspect_checkpoint(folder)
    return answer_end_tokens(source, load_tokenizer(source), SimpleNamespace(eos_token_id=base_ends))


def test_the_adapters_own_come_before_its_bases(base: Path, tmp_path: Path):
    adapter = make_adapter(tmp_path / "adapter", base, steps=0)
    assert ends(adapter, [7, 8]) == [0, 1, 7, 8]  # the template's, the tokenizer's, the base's
    assert ends(adapter, None) == [0, 1]
    (adapter / "generation_config.json").write_text('{"eos_token_id": 9}')
    assert ends(adapter, [7, 8]) == [0, 1, 9]
    (adapter / "generation_config.json").write_text('{"temperature": 1.0}')
    assert ends(adapter, 7) == [0, 1, 7]
    (adapter / "generation_config.json").write_text("[")
    with pytest.raises(XlitError, match=r"generation_config.json can't be read"):
        ends(adapter, 7)


def test_a_template_that_can_not_be_asked_adds_none(base: Path, tmp_path: Path):
    model = Path(shutil.copytree(base, tmp_path / "model"))
    for template in ("{{ raise_exception('only with a system prompt') }}", "{{ messages[0]['content'] }}"):
        (model / "chat_template.jinja").write_text(template)
        assert ends(model, 5) == [0, 5]


@pytest.mark.parametrize("adaptation", ["full", "lora"])
def test_sampling_settings_of_the_base_do_not_keep_a_model_from_being_saved(base: Path, tmp_path, adaptation):
    """Generation configs as early Llama-2 has them: temperature and top_p of greedy decoding."""
    odd = Path(shutil.copytree(base, tmp_path / "base"))
    (odd / "generation_config.json").write_text(
        json.dumps({"eos_token_id": 1, "do_sample": False, "temperature": 0.6, "top_p": 0.9})
    )
    plan = TrainSettings(
        base=str(odd), data=(DataSource(str(base.parent / "data.jsonl")),), learning_rate=1e-4,
        adaptation=adaptation, steps=1, batch_tokens=400, accumulate=1, max_length=128,
    )  # fmt: skip
    (base.parent / "data.jsonl").write_text('{"instruction": "Say hi.", "output": "Hi"}\n')
    train(plan, tmp_path / "out")
    if adaptation == "lora":
        merge_into_base(str(tmp_path / "out"), tmp_path / "merged")
