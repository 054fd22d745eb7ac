"""The finished checkpoint: weights that plain transformers opens, tokenizer, log, summary and model card."""

import json
import os
import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.train.log import LOG_FILE
from core.train.parallel import full_tensor
from store.provenance import git_revision

if TYPE_CHECKING:
    from core.train.recipe import TrainingRun

SUMMARY = "xlit-train.json"


def export_checkpoint(
    run: "TrainingRun", tokenizer: Any, ends: list[int], summary: dict[str, Any], out: Path
) -> None:
    """Write `out` under another name and rename it when all of it is there; every process must take part.

    `ends`: the tokens that end an answer; generation has to stop at them.

    All weights are saved in the type of the base's own (a base of 16 bits stays one), an adapter in float32.
    """
    weights = _gather_weights(run)
    if run.world.first:
        final = run.folder / "final"
        final.mkdir()
        model = _unsharded(run.model)
        model.generation_config.eos_token_id = ends
        model.save_pretrained(str(final), state_dict=weights)
        if run.settings.adaptation == "lora":
            model.generation_config.save_pretrained(str(final))
        tokenizer.save_pretrained(str(final))
        shutil.copy(run.folder / LOG_FILE, final / LOG_FILE)
        (final / SUMMARY).write_text(json.dumps(summary, indent=1) + "\n")
        (final / "README.md").write_text(model_card(out.name, summary), encoding="utf-8")
        mode = (final / SUMMARY).stat().st_mode
        for path in final.iterdir():
            path.chmod(mode)  # safetensors writes files that nobody else may read
            with path.open("rb") as file:
                os.fsync(file.fileno())
        final.rename(out)
    run.world.wait()


def model_card(name: str, summary: dict[str, Any]) -> str:
    """A model card (https://huggingface.co/docs/hub/model-cards) of what the checkpoint was made from."""
    settings = summary["settings"]
    adapter = settings["adaptation"] == "lora"
    head = {
        "base_model": settings["base"],
        "library_name": "peft" if adapter else "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["xlit", "lora" if adapter else "full-fine-tuning"],
    }
    lines = ["---", *_yaml(head), "---", "", f"# {name}", ""]
    lines += [
        f"{'A LoRA adapter for' if adapter else 'All weights of'} `{settings['base']}`, tuned with xlit on "
        "instruction data.",
        "",
        "| | |",
        "| --- | --- |",
        *(
            f"| data | `{source['name']}`"
            + (f" ({source['language']})" if source["language"] else "")
            + f", split {source['split']} |"
            for source in settings["data"]
        ),
        f"| data that was chosen, SHA-256 | `{summary['data']['digest']}` |",
        f"| chat template | {summary['template']} |",
        f"| settings, base and data, SHA-256 | `{summary['digest']}` |",
        f"| examples | {summary['examples']} ({summary['truncated']} cut, {summary['dropped']} dropped) |",
        f"| answer tokens in a pass | {summary['answer_tokens']} |",
        f"| last loss | {summary['last_loss']} |",
        f"| made with | xlit {version('xlit')} ({git_revision() or 'no revision known'}), torch "
        f"{version('torch')}, transformers {version('transformers')}, Python {platform.python_version()} |",
        "",
        "## Settings",
        "",
        "| setting | value |",
        "| --- | --- |",
        *(f"| {key} | `{value}` |" for key, value in settings.items() if key != "data"),
        "",
    ]
    return "\n".join(lines)


def _gather_weights(run: "TrainingRun") -> dict[str, Any]:
    """All weights (of an adapter those that are tuned), whole, on the CPU of the first process."""
    import torch

    kept = {}
    adapter = run.settings.adaptation == "lora"
    wanted = torch.float32 if adapter else _base_dtype(run.settings.base)
    for name, weight in run.model.named_parameters():
        if adapter and not weight.requires_grad:
            continue
        full = full_tensor(weight.detach())
        if run.world.first:
            kept[name] = full.to("cpu", wanted, copy=run.world.size > 1)  # what was gathered is freed
    if not adapter:
        kept |= {name: buffer.to("cpu") for name, buffer in _saved_buffers(run.model)}
    return kept


def _saved_buffers(model: Any) -> list[tuple[str, Any]]:
    saved = model.state_dict().keys()
    return [(name, buffer) for name, buffer in model.named_buffers() if name in saved]


def _base_dtype(base: str) -> Any:
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(base, trust_remote_code=False)
    return getattr(config, "dtype", None) or torch.float32


def _unsharded(model: Any) -> Any:
    """The model under the class that it had before it was sharded: its name goes into the checkpoint."""
    kind = type(model)
    if kind.__name__.startswith("FSDP"):
        model.__class__ = kind.__mro__[2]
    return model


def _yaml(values: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in values.items():
        if isinstance(value, list):
            lines += [f"{name}:", *(f"- {one}" for one in value)]
        else:
            lines.append(f"{name}: {json.dumps(value)}")
    return lines
