"""The base model and its tokenizer, made ready to be tuned."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.train import attention
from core.train.lora import add_adapter
from core.train.parallel import World, shard
from core.train.settings import TrainSettings
from store import XlitError


def load_tokenizer(settings: TrainSettings) -> Any:
    """The base's tokenizer. Raises `XlitError` when there is none."""
    import transformers

    with _load_errors(settings.base):
        return transformers.AutoTokenizer.from_pretrained(settings.base, trust_remote_code=False)


def load_model(settings: TrainSettings, world: World, *, packed: bool) -> Any:
    """The base, or with LoRA the base frozen and an adapter on it, in the type that training needs, on the
    device and sharded over the processes.

    Weights that are tuned are float32, whatever they are computed in: an update at a learning rate of 1e-5 is
    smaller than half the distance between two neighbouring bfloat16 numbers, and would be lost.
    """
    import torch
    import transformers

    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    frozen_type = torch.bfloat16 if computes_in_bf16(settings, world) else torch.float32
    tuned = settings.adaptation == "full"
    with _load_errors(settings.base):
        model = transformers.AutoModelForCausalLM.from_pretrained(
            settings.base,
            dtype=torch.float32 if tuned else frozen_type,
            attn_implementation=attention.register() if packed else None,
            use_safetensors=None if settings.allow_pickle else True,
            trust_remote_code=False,
        )
    if not tuned:
        model = add_adapter(model, settings)
    if settings.activation_checkpointing:
        model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
        if not tuned:
            model.enable_input_require_grads()
    if world.size > 1:
        shard(model, world, compute=torch.bfloat16 if computes_in_bf16(settings, world) else torch.float32)
    else:
        model.to(world.device)
    model.train()
    return model


def computes_in_bf16(settings: TrainSettings, world: World) -> bool:
    """Whether matrices are multiplied in bfloat16: by default on a GPU that can, as `precision` says else."""
    import torch

    if settings.precision == "auto":
        return bool(world.device.type == "cuda" and torch.cuda.is_bf16_supported())
    return settings.precision == "bf16"


def can_pack(settings: TrainSettings) -> bool:
    """Whether examples of this model may stand in one row: nothing but attention looks at other tokens, all
    of it goes through transformers' interface, no soft cap or window shorter than an example changes it, and
    the head can be asked for some logits alone. Models that carry a state from token to token (Mamba, linear
    attention), or bring code of their own, get padded batches.
    """
    import transformers

    with _load_errors(settings.base):
        config = transformers.AutoConfig.from_pretrained(settings.base, trust_remote_code=False)
    text = config.get_text_config()
    kinds = set(getattr(text, "layer_types", None) or ())
    window = getattr(text, "sliding_window", None) or settings.max_length
    model = transformers.AutoModelForCausalLM._model_mapping.get(type(config), None)
    return bool(
        model is not None
        and getattr(model, "_supports_attention_backend", False)
        and "logits_to_keep" in inspect.signature(model.forward).parameters
        and kinds <= {"full_attention", "sliding_attention"}
        and window >= settings.max_length
        and not getattr(text, "attn_logit_softcapping", None)
        and not getattr(text, "attention_dropout", 0)
    )


@contextmanager
def _load_errors(base: str) -> Iterator[None]:
    """Turns what transformers raises for a bad checkpoint into one sentence."""
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        if "file named model.safetensors" in reason:
            raise XlitError(
                f"{base} has no weights as safetensors. Pickled weights can run code when they are "
                "opened: if you trust where they come from, say --allow-pickle."
            ) from None
        raise XlitError(
            f"{base} can't be loaded as a model: {reason}. Give a checkpoint folder (config.json, "
            "model.safetensors, tokenizer) or the name of a model on the hub."
        ) from None
