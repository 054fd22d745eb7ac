"""The finished checkpoint: weights that plain transformers opens, tokenizer, log, summary and model card."""

import json
import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

from core.disk import publish, write_errors
from core.generate.checkpoint import SUMMARY
from core.models.merging import set_end_tokens
from core.train.log import LOG_FILE
from core.train.parallel import World, full_tensor
from core.train.settings import TrainSettings
from store.provenance import git_revision

ADVICE = "The last checkpoint stays; make room and run the same command again."


def export_checkpoint(
    model: Any,
    tokenizer: Any,
    out: Path,
    *,
    settings: TrainSettings,
    world: World,
    work: Path,
    ends: list[int],
    summary: dict[str, Any],
) -> None:
    """Write the checkpoint in the working folder and rename it to `out` when all of it is there.

    Raises `XlitError` when the disk is full; the last checkpoint stays. Every process must take part. `ends`:
    the tokens that end an answer; generation has to stop at them. All weights are saved in the number format
    of the base (a base of 16 bits stays one), an adapter in float32.
    """
    weights = _gather_weights(model, settings, world)
    if world.first:
        final = work / "final"
        try:
            with write_errors(f"The finished model {out.name}", out.parent, ADVICE):
                final.mkdir()
                model = _unsharded(model)
                set_end_tokens(model, ends)
                model.save_pretrained(str(final), state_dict=weights)
                if settings.adaptation == "lora":
                    model.generation_config.save_pretrained(str(final))
                tokenizer.save_pretrained(str(final))
                shutil.copy(work / LOG_FILE, final / LOG_FILE)
                (final / SUMMARY).write_text(json.dumps(summary, indent=1) + "\n")
                (final / "README.md").write_text(model_card(out.name, summary), encoding="utf-8")
                publish(final, out)
        except BaseException:
            shutil.rmtree(final, ignore_errors=True)
            raise
    world.wait()


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


def _gather_weights(model: Any, settings: TrainSettings, world: World) -> dict[str, Any]:
    """All weights (of an adapter those that are tuned), whole, on the CPU of the first process."""
    import torch

    weights = {}
    adapter = settings.adaptation == "lora"
    dtype = torch.float32 if adapter else _base_dtype(settings.base)
    for name, weight in model.named_parameters():
        if adapter and not weight.requires_grad:
            continue
        full = full_tensor(weight.detach())
        if world.first:
            weights[name] = full.to("cpu", dtype, copy=world.size > 1)  # the gathered is freed
    if not adapter:
        weights |= {name: buffer.to("cpu") for name, buffer in _saved_buffers(model)}
    return weights


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
            lines += [f"{name}:", *(f"- {entry}" for entry in value)]
        else:
            lines.append(f"{name}: {json.dumps(value)}")
    return lines
