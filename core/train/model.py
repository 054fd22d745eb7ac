"""The base model and its tokenizer, made ready to be tuned."""

import inspect
from typing import Any

from core.models import loading
from core.train import attention
from core.train.lora import add_adapter
from core.train.parallel import World, shard
from core.train.settings import TrainSettings
from store import XlitError


def load_tokenizer(settings: TrainSettings) -> Any:
    """The base's tokenizer. Raises `XlitError` when there is none."""
    return loading.tokenizer_at(settings.base)


def load_model(settings: TrainSettings, tokenizer: Any, world: World, *, packed: bool) -> Any:
    """The base, or with LoRA the base frozen and an adapter on it, in the type that training needs, on the
    device and sharded over the processes.

    Weights that are tuned are float32, whatever they are computed in: an update at a learning rate of 1e-5 is
    smaller than half the distance between two neighbouring bfloat16 numbers, and would be lost.

    Raises `XlitError` for a base that is not whole, and for a tokenizer with more tokens than it has
    embeddings.
    """
    import torch

    frozen_type = torch.bfloat16 if computes_in_bf16(settings, world) else torch.float32
    tuned = settings.adaptation == "full"
    model = loading.load_model(
        settings.base,
        torch.float32 if tuned else frozen_type,
        attention=attention.register() if packed else None,
        allow_pickle=settings.allow_pickle,
    )
    loading.check_tokenizer(settings.base, tokenizer, int(model.get_input_embeddings().weight.shape[0]))
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

    try:
        config = transformers.AutoConfig.from_pretrained(settings.base, trust_remote_code=False)
    except Exception as error:  # the libraries below raise anything
        raise XlitError(loading.why_not_loaded(settings.base, error)) from error
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
