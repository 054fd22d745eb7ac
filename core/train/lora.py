"""LoRA adapters (Hu et al. 2021, arXiv 2106.09685): put on a base to be tuned, and merged into it."""

import json
import warnings
from pathlib import Path
from typing import Any

from core.extras import needs_extra
from core.progress import say
from core.train.settings import TrainSettings
from store import UsageError, XlitError

DTYPES = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}


def add_adapter(model: Any, settings: TrainSettings) -> Any:
    """The model frozen, with an adapter on its linear layers, or on those that are called `lora_targets`.

    Raises `UsageError` for layers that there are not.
    """
    import peft
    import transformers

    transformers.set_seed(settings.seed)
    targets = settings.lora_targets
    lora = peft.LoraConfig(
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules="all-linear" if targets == ("all-linear",) else list(targets),
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by a name that will go
        try:
            return peft.get_peft_model(model, lora)
        except ValueError as error:
            names = sorted(
                {name.rpartition(".")[2] for name, module in model.named_modules() if _is_linear(module)}
            )
            raise UsageError(
                f"LoRA can't be put on {', '.join(targets)}: {str(error).splitlines()[0]} "
                f"The linear layers are: {', '.join(names)}."
            ) from None


def _is_linear(module: Any) -> bool:
    import torch

    return isinstance(module, torch.nn.Linear)


def merge_into_base(adapter: str, out: Path, *, dtype: str | None = None) -> None:
    """Write a checkpoint of base and adapter together to the folder `out`, in `dtype` (`f32`, `bf16`, `f16`;
    None: the base's own), with the adapter's tokenizer.

    The sum is made in float32. Raises `UsageError` when `out` is there or the type is unknown, `XlitError`
    when adapter or base can't be loaded.
    """
    if dtype is not None and dtype not in DTYPES:
        raise UsageError(f"No number format {dtype!r}. There are: {', '.join(DTYPES)}.")
    if out.exists():
        raise UsageError(f"{out} is there already. Name another folder.")
    with needs_extra("local", "Merging an adapter"):
        import peft
        import torch
        import transformers
    transformers.utils.logging.disable_progress_bar()
    try:
        config = peft.PeftConfig.from_pretrained(adapter)
        base = str(config.base_model_name_or_path)
        own = transformers.AutoConfig.from_pretrained(base, trust_remote_code=False)
        model: Any = transformers.AutoModelForCausalLM.from_pretrained(
            base, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers by a name that will go
            model = peft.PeftModel.from_pretrained(model, adapter)
        tokenizer = _tokenizer(adapter, base)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise XlitError(f"{adapter} can't be loaded as an adapter with its base: {reason}") from None
    number_format = getattr(torch, DTYPES[dtype]) if dtype else getattr(own, "dtype", None) or torch.float32
    merged = model.merge_and_unload().to(number_format)
    work = out.with_name(out.name + ".partial")
    work.mkdir(parents=True, exist_ok=True)
    merged.save_pretrained(str(work))
    tokenizer.save_pretrained(str(work))
    note = work / "xlit-merge.json"
    note.write_text(json.dumps({"adapter": adapter, "base": base}) + "\n")
    for path in work.iterdir():
        path.chmod(note.stat().st_mode)  # safetensors writes files that nobody else may read
    work.rename(out)


def _tokenizer(adapter: str, base: str) -> Any:
    """The adapter's tokenizer, which has the chat template it was tuned with, or else the base's."""
    import transformers

    try:
        return transformers.AutoTokenizer.from_pretrained(adapter, trust_remote_code=False)
    except (OSError, ValueError):
        say(f"{adapter} brings no tokenizer: that of {base} is taken.")
        return transformers.AutoTokenizer.from_pretrained(base, trust_remote_code=False)
