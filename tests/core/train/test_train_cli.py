"""`xlit-core train` and `merge-adapter` as their user types them."""

import json

import pytest
from typer.testing import CliRunner

from core.cli import app
from core.train.log import read_log
from core.train.settings import PRESETS, TrainSettings, preset
from store import UsageError, XlitError, open_store


def core(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=True)


def small(settings, *more):
    base = ["--base", settings().base, "--data", f"ru={settings().data[0].name}", "--max-length", 64]
    return ["train", *base, "--batch-tokens", 400, "--accumulate", 1, *more]


@pytest.mark.parts
def test_an_adapter_is_trained_recorded_logged_and_merged(settings, tmp_path):
    from safetensors.torch import load_file
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from transformers import AutoModelForCausalLM

    store, adapter, board = tmp_path / "s.db", tmp_path / "adapter", tmp_path / "board"
    options = ["--out", adapter, "--store", store, "--lora", "--lora-target", "q_proj", "--steps", 3]
    done = core(*small(settings, *options, "--tensorboard", board, "--eval-examples", 2, "--eval-every", 2))
    assert done.exit_code == 0, done.output
    with open_store(str(store)).connect() as connection:
        command, status, parameters = connection.exec_driver_sql(
            "SELECT command, status, parameters FROM run"
        ).one()
    assert (command, status) == ("train", "done")
    assert json.loads(parameters)["lora_targets"] == ["q_proj"]
    assert all(".q_proj." in name for name in load_file(adapter / "adapter_model.safetensors"))
    events = EventAccumulator(str(board)).Reload()
    losses = [record["loss"] for record in read_log(adapter / "train-log.jsonl")]
    assert [event.value for event in events.Scalars("train/loss")] == pytest.approx(losses)
    assert [event.step for event in events.Scalars("eval_loss/ru")] == [2, 3]

    merged = tmp_path / "merged"
    assert core("merge-adapter", adapter, merged).exit_code == 0
    assert AutoModelForCausalLM.from_pretrained(merged).num_parameters() > 0
    assert isinstance(core("merge-adapter", adapter, merged).exception, UsageError)
    assert isinstance(core("merge-adapter", tmp_path, tmp_path / "other").exception, XlitError)


@pytest.mark.parts
def test_a_merged_adapter_answers_as_base_and_adapter_together(settings, tmp_path):
    import torch
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoModelForCausalLM

    from core.models.merging import merge_into_base
    from core.train.recipe import train

    train(settings(adaptation="lora", learning_rate=1e-2, steps=4), tmp_path / "adapter")
    merge_into_base(str(tmp_path / "adapter"), tmp_path / "merged")
    ids = torch.arange(5, 25).unsqueeze(0)
    adapted = AutoPeftModelForCausalLM.from_pretrained(tmp_path / "adapter").eval()(ids).logits
    other = AutoModelForCausalLM.from_pretrained(tmp_path / "merged").eval()(ids).logits
    base = AutoModelForCausalLM.from_pretrained(settings().base).eval()(ids).logits
    assert torch.allclose(adapted, other, atol=1e-4)
    assert not torch.allclose(adapted, base, atol=1e-2)


def test_what_the_model_will_see_is_shown_and_nothing_is_trained(settings, tmp_path):
    done = core(*small(settings, "--show-examples", 2))
    assert done.exit_code == 0, done.output
    assert "⟦" in done.output
    assert not list(tmp_path.glob("*.db"))


def test_what_became_of_each_field_is_shown(settings, tmp_path):
    row = {"talk": ["Q", "A"], "input": "below", "mood": "sad", "note": "x"}
    (tmp_path / "d.jsonl").write_text(json.dumps(row))
    columns = ["--column", "instruction=talk.0", "--column", "response=talk.1", "--drop-field", "note"]
    data = ["--data", tmp_path / "d.jsonl", "--format", "question-answer"]
    done = core("train", "--base", settings().base, *data, *columns, "--show-examples", 1)
    assert done.exit_code == 0, done.output
    rows = [line.split(maxsplit=3)[2:] for line in done.output.splitlines() if line.startswith(" d.jsonl")]
    became = {field: " ".join(rest.split()) for field, rest in rows}
    assert became == {
        "talk.0": "question 1",
        "input": "text under the question 1",
        "talk.1": "answer that is learned 1",
        "mood": "not used 1",
        "note": "left out by option 1",
    }


@pytest.mark.parts
@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ([], "--out"),
        (
            ["--out", "x", "--schedule", "triangle"],
            "No schedule 'triangle'. There are: constant, linear",
        ),
        (["--out", "x", "--precision", "half"], "No precision 'half'. There are: auto, fp32, bf16."),
        (["--out", "x", "--steps", "0"], "`steps` is 0; it must be at least 1."),
        (["--out", "x", "--warmup-steps", "-1"], "`eval_examples` and `warmup_steps` can't be below 0."),
        (
            ["--out", "x", "--clip-norm", "0"],
            "`clip_norm` is 0.0; it must be above 0 (a large one never clips).",
        ),
        (["--out", "x", "--preset", "other"], "No preset"),
        (["--out", "x", "--template", "nothing"], "No chat template"),
        (["--out", "x", "--max-length", "500"], "larger than `batch_tokens`"),
        (["--out", "x", "--lora", "--lora-target", "nose"], "The linear layers are"),
        (["--out", "x", "--size", "500"], "500 conversations are wanted"),
    ],
)
def test_wrong_options_are_one_sentence(settings, tmp_path, more, sentence):
    given = [tmp_path / option if option == "x" else option for option in more]
    failed = core(*small(settings), *given, "--store", tmp_path / "s.db")
    assert isinstance(failed.exception, UsageError)
    assert sentence in str(failed.exception)
    assert not (tmp_path / "x").exists()


def test_presets_are_the_published_settings(settings):
    plain = settings()
    for name in PRESETS:
        for adaptation, rate in (("full", 1e-5), ("lora", 1e-4)):
            fields = preset(name, adaptation)
            made = TrainSettings(base=plain.base, data=plain.data, adaptation=adaptation, **fields)
            assert (made.learning_rate, made.steps, made.template) == (rate, 1000, "llama-2")
    assert preset("paper", "full")["batch_tokens"] * preset("paper", "full")["accumulate"] == 16_000
    assert [preset("release", kind)["accumulate"] for kind in ("full", "lora")] == [10, 4]


@pytest.mark.parts
def test_pickled_weights_are_refused_unless_they_are_allowed(settings, tmp_path):
    import torch
    from safetensors.torch import load_file

    from core.train.recipe import train
    from tests.checkpoints import make_checkpoint

    base = make_checkpoint(tmp_path / "pickled", steps=0)
    torch.save(load_file(base / "model.safetensors"), base / "pytorch_model.bin")
    (base / "model.safetensors").unlink()
    with pytest.raises(XlitError, match="--allow-pickle"):
        train(settings(base=str(base), steps=1), tmp_path / "refused")
    train(settings(base=str(base), steps=1, allow_pickle=True), tmp_path / "allowed")


@pytest.mark.parts
def test_bfloat16_computes_and_keeps_weights_in_float32(settings, tmp_path):
    from core.train.recipe import train

    for precision in ("fp32", "bf16"):
        train(settings(precision=precision, activation_checkpointing=True), tmp_path / precision)
    exact, rounded = (
        [record["loss"] for record in read_log(tmp_path / precision / "train-log.jsonl")]
        for precision in ("fp32", "bf16")
    )
    assert exact != rounded
    assert rounded == pytest.approx(exact, rel=0.02)
