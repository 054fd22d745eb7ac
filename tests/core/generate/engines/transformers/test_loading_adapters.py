"""Several adapters over one base: as if each had been loaded alone, and the base is loaded once."""

import shutil
from pathlib import Path

import pytest
import transformers

from core.generate.checkpoint import inspect_checkpoint
from core.generate.decoding import Decoding
from core.generate.engines.base import answer_all
from core.generate.engines.transformers.engine import TransformersEngine
from store import UsageError, XlitError
from tests.checkpoints import CHAT_TEMPLATE, make_adapter

DECODING = Decoding(max_new_tokens=20)


@pytest.fixture(scope="module")
def folders(checkpoint: Path, adapter: Path, tmp_path_factory) -> dict[str, Path]:
    """The base, two adapters of other training, and one with a template and an end token of its own."""
    folder = tmp_path_factory.mktemp("adapters")
    second = make_adapter(folder / "second.v2", checkpoint, seed=2, steps=15)
    dressed = Path(shutil.copytree(adapter, folder / "dressed"))
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    tokenizer.chat_template = CHAT_TEMPLATE.replace("<|user|>", "<|user|>Well:")
    tokenizer.eos_token = "e"
    tokenizer.save_pretrained(dressed)
    return {"base": checkpoint, "first": adapter, "second": second, "dressed": dressed}


def content(answers) -> list[tuple]:
    return [(a.text, a.finish_reason, a.tokens_in, a.tokens_out, a.prompt_digest) for a in answers]


def test_switching_gives_the_answers_of_each_loaded_alone_from_one_base(folders, chats, monkeypatch):
    alone = {
        name: content(answer_all(TransformersEngine(inspect_checkpoint(folder), DECODING), chats))
        for name, folder in folders.items()
    }
    assert len({str(answers) for answers in alone.values()}) == 4
    load, loads = transformers.AutoModelForCausalLM.from_pretrained, []

    def counted(source, **options):
        loads.append(source)
        return load(source, **options)

    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", counted)
    order = ["first", "base", "second", "dressed", "first", "base"]
    engine = TransformersEngine(inspect_checkpoint(folders["base"]), DECODING)
    for name in order:
        engine.adapt(inspect_checkpoint(folders[name]))
        assert content(answer_all(engine, chats)) == alone[name], name
    assert loads == [str(folders["base"])]


def test_an_adapter_that_was_loaded_first_gives_its_base_back(folders, chats):
    engine = TransformersEngine(inspect_checkpoint(folders["first"]), DECODING)
    engine.adapt(inspect_checkpoint(folders["base"]))
    alone = TransformersEngine(inspect_checkpoint(folders["base"]), DECODING)
    assert content(answer_all(engine, chats)) == content(answer_all(alone, chats))


def test_a_learnt_prompt_is_answered_with_too(checkpoint, chats, tmp_path):
    import peft
    import torch

    base = transformers.AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32)
    torch.manual_seed(0)
    prompt = peft.get_peft_model(base, peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3))
    prompt.save_pretrained(str(tmp_path / "prompt"))
    engine = TransformersEngine(inspect_checkpoint(tmp_path / "prompt"), DECODING)
    assert engine.batching != "continuous"
    together, alone = answer_all(engine, chats[:6]), [answer_all(engine, [c])[0] for c in chats[:6]]
    assert content(together) == content(alone)
    engine.adapt(inspect_checkpoint(checkpoint))
    assert engine.batching == "continuous"
    plain = TransformersEngine(inspect_checkpoint(checkpoint), DECODING)
    assert content(answer_all(engine, chats)) == content(answer_all(plain, chats))
    assert content(answer_all(engine, chats[:6])) != content(alone)


def test_nothing_follows_an_adapter_that_changes_its_base(architecture, chats, tmp_path):
    import peft

    folder = architecture("GPT2")
    base = transformers.AutoModelForCausalLM.from_pretrained(folder)
    adapted = peft.get_peft_model(base, peft.LoraConfig(r=2, target_modules=["c_attn"], bias="all"))
    adapted.save_pretrained(str(tmp_path / "biases"))
    engine = TransformersEngine(inspect_checkpoint(tmp_path / "biases"), DECODING)
    assert all(answer.tokens_out for answer in answer_all(engine, chats))
    engine.adapt(inspect_checkpoint(tmp_path / "biases"))
    with pytest.raises(UsageError, match=r"changes weights of .* itself"):
        engine.adapt(inspect_checkpoint(folder))


def test_an_adapter_of_another_base_is_refused(folders, babbler, tmp_path):
    engine = TransformersEngine(inspect_checkpoint(babbler), DECODING)
    with pytest.raises(UsageError, match="is not an adapter of"):
        engine.adapt(inspect_checkpoint(folders["first"]))
    with pytest.raises(UsageError, match="is not an adapter of"):
        engine.adapt(inspect_checkpoint(folders["base"]))


def cut(folder: Path) -> None:
    (folder / "adapter_model.safetensors").write_bytes(b"nothing")


def reshape(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "adapter_model.safetensors")
    save_file({name: w[:, :3].clone() for name, w in weights.items()}, folder / "adapter_model.safetensors")


def misname(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "adapter_model.safetensors")
    save_file({f"x.{name}": w for name, w in weights.items()}, folder / "adapter_model.safetensors")


@pytest.mark.parametrize("damage", [cut, reshape, misname])
def test_a_torn_adapter_is_a_sentence_and_the_engine_goes_on(folders, chats, tmp_path, damage):
    engine = TransformersEngine(inspect_checkpoint(folders["base"]), DECODING)
    before = content(answer_all(engine, chats))
    torn = Path(shutil.copytree(folders["first"], tmp_path / "torn"))
    damage(torn)
    with pytest.raises(XlitError, match=r"adapter .*torn (can't be loaded|is not whole)"):
        engine.adapt(inspect_checkpoint(torn))
    assert content(answer_all(engine, chats)) == before
    engine.adapt(inspect_checkpoint(folders["first"]))
    alone = TransformersEngine(inspect_checkpoint(folders["first"]), DECODING)
    assert content(answer_all(engine, chats)) == content(answer_all(alone, chats))
