"""An adapter merged into its base: what stands where a weight belongs, and the sum of the two.

`merge-adapter` and `convert` both merge by these functions: in float32, one weight at a time, and tied
matrices come apart where an adapter changes one of them.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.disk import exclusive, folder_in_the_making
from core.extras import needs_extra
from core.generate.checkpoint import Checkpoint, inspect_checkpoint, locate_checkpoint
from core.models.end_tokens import answer_end_tokens
from core.models.loading import (
    brings_tokenizer,
    check_tokenizer,
    load_adapter,
    load_model,
    load_tokenizer,
    source_of,
)
from core.progress import say
from store import UsageError, XlitError

if TYPE_CHECKING:
    import torch

DTYPES = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}
NOTE = "xlit-merge.json"


def locate(model: Any, name: str) -> tuple[Any, Any]:
    """What stands where the weight `name` of a base belongs, now that an adapter is on `model`: the parameter
    (the base's, or one that the adapter brings in its place; None when there is none), and the layer of the
    adapter that is to be merged into it, or None."""
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils.other import ModulesToSaveWrapper, TrainableTokensWrapper

    parent, _, own = name.rpartition(".")
    module: Any = model.get_submodule(parent)
    layer = None
    if isinstance(module, ModulesToSaveWrapper):
        active = module.active_adapters  # none: the one in force does not replace this module
        module = module.modules_to_save[active[0]] if active else module.original_module
    elif isinstance(module, TrainableTokensWrapper):
        layer = module.token_adapter
    elif isinstance(module, BaseTunerLayer):
        layer = module
    if layer is not None:
        module = layer.get_base_layer()
    return getattr(module, own, None), layer


def base_weight(model: Any, name: str) -> Any:
    """The parameter `name` of the base itself, whatever an adapter puts in its place or adds to it."""
    module, own = _base_module(model, name)
    return getattr(module, own)


def put_base_weight(model: Any, name: str, weight: Any) -> None:
    """Set the parameter `name` of the base itself."""
    module, own = _base_module(model, name)
    setattr(module, own, weight)


def _base_module(model: Any, name: str) -> tuple[Any, str]:
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils.other import ModulesToSaveWrapper, TrainableTokensWrapper

    parent, _, own = name.rpartition(".")
    module: Any = model.get_submodule(parent)
    if isinstance(module, ModulesToSaveWrapper):
        module = module.original_module
    elif isinstance(module, TrainableTokensWrapper):
        module = module.token_adapter.get_base_layer()
    elif isinstance(module, BaseTunerLayer):
        module = module.get_base_layer()
    return module, own


def merged_weight(layer: Any, own: str, stored: "dict[str, torch.Tensor]") -> "torch.Tensor":
    """The weight `own` of an adapter's layer merged into its base layer, in float32; the layer stays as it
    is. `stored`: the weights of the base layer by their names in it."""
    import torch

    base = layer.get_base_layer()
    before = dict(base.named_parameters())
    for part, weight in stored.items():
        setattr(base, part, torch.nn.Parameter(weight.detach().float().clone(), requires_grad=False))
    layer.float().merge()
    merged = getattr(base, own).detach()
    layer.merged_adapters = []
    for part, parameter in before.items():
        setattr(base, part, parameter)
    return merged


def check_mergeable(adapted: Any, folder: Path) -> None:
    """Raises `XlitError` for an adapter that changes no weights, but what the model reads (a learnt
    prompt)."""
    from peft.tuners.tuners_utils import BaseTuner

    if not isinstance(adapted.base_model, BaseTuner):
        raise XlitError(
            f"The adapter {folder} can't be merged: it changes no weights of the model. "
            "Generate with the engine `transformers` instead."
        )


def merge_into_base(adapter: str, out: Path, *, dtype: str | None = None) -> None:
    """Write a checkpoint of base and adapter together to the folder `out`, in `dtype` (`f32`, `bf16`, `f16`;
    None: the base's own), with the adapter's tokenizer and the tokens that end its answers.

    Sums are made in float32. Raises `UsageError` when `out` is there or the type is unknown, `XlitError` when
    adapter or base can't be loaded, when the tokenizer is another's, or when the disk is full; then nothing
    of `out` is left.
    """
    if dtype is not None and dtype not in DTYPES:
        raise UsageError(f"No number format {dtype!r}. There are: {', '.join(DTYPES)}.")
    if out.exists():
        raise UsageError(f"{out} is there already. Name another folder.")
    with needs_extra("local", "Merging an adapter"):
        import peft  # noqa: F401
        import torch
    source = inspect_checkpoint(locate_checkpoint(adapter), kinds=("adapter",))
    with exclusive(out):
        if out.exists():
            raise UsageError(f"{out} is there already, made by another command meanwhile.")
        number_format = getattr(torch, DTYPES[dtype]) if dtype else None
        model, tokenizer = _merged(source, number_format)
        with folder_in_the_making(out) as work:
            model.save_pretrained(str(work))
            tokenizer.save_pretrained(str(work))
            note = {"adapter": adapter, "base": source.base}
            (work / NOTE).write_text(json.dumps(note) + "\n", encoding="utf-8")


def _merged(source: Checkpoint, dtype: "torch.dtype | None") -> tuple[Any, Any]:
    """The whole model and its tokenizer."""
    model = load_model(source_of(source), "auto")
    dtype = dtype or model.dtype
    tokenizer = load_tokenizer(source)
    if not brings_tokenizer(source):
        say(f"{source.path} brings no tokenizer: that of {source.base} is taken.")
    tied = _tied(model)
    names = [name for name, _ in model.named_parameters(remove_duplicate=False)]
    ends = answer_end_tokens(source, tokenizer, model.generation_config)
    adapted = load_adapter(model, source.path)
    check_mergeable(adapted, source.path)
    check_tokenizer(source.path, tokenizer, int(model.get_input_embeddings().weight.shape[0]))
    apart = [group for group in tied if not _still_tied(model, group)]
    _merge_in_place(model, names, dtype)
    model = adapted.base_model.unload()
    if apart:
        untie(model)
    model.tie_weights()
    set_end_tokens(model, ends)
    return model, tokenizer


def _tied(model: Any) -> list[list[str]]:
    """The names of weights that are one and the same, in groups."""
    groups: dict[int, list[str]] = {}
    for name, weight in model.named_parameters(remove_duplicate=False):
        groups.setdefault(id(weight), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _still_tied(model: Any, group: list[str]) -> bool:
    located = [locate(model, name) for name in group]
    return len({id(weight) for weight, _ in located}) == 1 and all(layer is None for _, layer in located)


def _merge_in_place(model: Any, names: list[str], dtype: "torch.dtype") -> None:
    """Put the sum of base and adapter where `unload` leaves it: in the adapter's copy of a module that it
    replaces, else in the base. Number format `dtype`."""
    import torch

    for name in names:
        weight, layer = locate(model, name)
        parent, _, own = name.rpartition(".")
        if layer is not None:
            weight = merged_weight(layer, own, dict(layer.get_base_layer().named_parameters()))
        merged = torch.nn.Parameter(weight.detach().to(dtype), requires_grad=False)
        module: Any = model.get_submodule(parent)
        if hasattr(module, "modules_to_save"):
            setattr(module.modules_to_save[module.active_adapters[0]], own, merged)
        else:
            put_base_weight(model, name, merged)


def untie(model: Any) -> None:
    """Let a model's output matrix be one of its own, also when it is loaded again."""
    for config in (model.config, model.config.get_text_config()):
        config.tie_word_embeddings = False
    model.all_tied_weights_keys = model.get_expanded_tied_weights_keys(all_submodels=False)


def set_end_tokens(model: Any, ends: list[int]) -> None:
    """Let a model's generation config name the tokens that end an answer. Whatever else it asks for stays,
    where transformers would save it (it refuses sampling settings of greedy decoding)."""
    import transformers

    model.generation_config.eos_token_id = ends
    try:
        model.generation_config.validate(strict=True)
    except ValueError:
        own = model.generation_config
        model.generation_config = transformers.GenerationConfig(
            bos_token_id=own.bos_token_id, eos_token_id=ends, pad_token_id=own.pad_token_id
        )
