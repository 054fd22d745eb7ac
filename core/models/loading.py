"""Loading a checkpoint with transformers: safetensors only, whole, and no code of its own.

Whoever needs a model (training, generation, judging, merging, conversion) loads it here: a base or an adapter
is whole or refused, and a tokenizer fits its model or is refused.
"""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import reason_of
from core.extras import needs_extra
from core.generate.checkpoint import ADAPTER_CONFIG, ADAPTER_WEIGHTS, Checkpoint
from core.models.embeddings import adapter_rows, resize_embeddings, unfilled_embedding
from store import XlitError

if TYPE_CHECKING:
    import torch

PICKLED = (
    "{source} has no weights as safetensors. Pickled weights can run code when they are opened: "
    "if you trust where they come from, {advice}."
)


GIVE = (
    "Give a checkpoint folder (config.json, model.safetensors, tokenizer) or the name of a model on the hub."
)
ROWS_MISSING = (
    "The adapter {folder} was trained with embeddings for {rows} tokens, more than its base has, and its "
    "file has no whole {name} for those that were added. Save the adapter with its embeddings (peft: "
    "save_embedding_layers=True)."
)


def source_of(checkpoint: Checkpoint) -> str:
    """Where the whole model of a checkpoint is: its own folder, or the base of an adapter (a folder, or a
    name on the hub)."""
    return checkpoint.base if checkpoint.kind == "adapter" else str(checkpoint.path)


def load_model(
    source: str,
    dtype: "torch.dtype | str",
    *,
    attention: str | None = None,
    allow_pickle: bool | None = None,
) -> Any:
    """The causal language model that `source`, a folder or a name on the hub, holds, in evaluation mode on
    the CPU.

    `dtype`: of the weights; "auto" for that of the checkpoint. `attention`: see transformers'
    `attn_implementation`. `allow_pickle`: whether pickled weights are opened (None: they are not, and nobody
    is offered to).

    Raises `XlitError` for an adapter, for what can't be loaded, and when the weights don't fill the model:
    transformers would draw what is missing at random, with no more than a warning.
    """
    with needs_extra("local", "Loading a checkpoint"):
        import transformers
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if (Path(source) / ADAPTER_CONFIG).is_file():
        raise XlitError(
            f"{source} is an adapter, not a whole model. Put it into its base first: "
            f"xlit-core merge-adapter {source} OUT."
        )
    check_attention(source)
    try:
        loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(
            source,
            dtype=dtype,
            attn_implementation=attention,
            use_safetensors=None if allow_pickle else True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except Exception as error:  # the libraries below raise anything from OSError to SafetensorError
        raise XlitError(why_not_loaded(source, error, allow_pickle)) from error
    model, info = loaded
    check_nothing_missing(source, sorted(info["missing_keys"]))
    return model.eval()


def check_nothing_missing(source: str | Path, missing: list[str]) -> None:
    """Raises `XlitError` when weights of the model that `source` holds are missing."""
    if missing:
        raise XlitError(
            f"{source} is not whole: {len(missing)} weights are missing, {missing[0]} is the first. "
            "Copy or download it again."
        )


def why_not_loaded(source: str, error: Exception, allow_pickle: bool | None = None) -> str:
    """The sentence for a model that transformers does not load."""
    reason = reason_of(error)
    if "file named model.safetensors" in reason:
        advice = "save them as safetensors first" if allow_pickle is None else "say --allow-pickle"
        return PICKLED.format(source=source, advice=advice)
    return f"{source} can't be loaded as a model: {reason}. {GIVE}"


def load_adapter(model: Any, folder: Path, name: str = "default", *, blank: bool = False) -> Any:
    """Put an adapter on a model, as the active one: `model` is a base, or what this function returned for
    another adapter of it. The base itself is changed, not copied. Returns the `peft.PeftModel`.

    A base whose embeddings have other rows than those that the adapter brings is resized first. `blank`: the
    weights of `model` are not there yet (see `core.generate.gguf.weights`), and the adapter's stay in the
    number format of its file.

    Raises `XlitError` when it can't be loaded, or when weights of it, or of its layers, are missing.
    """
    with needs_extra("local", "Loading an adapter"):
        import peft
        from peft.mapping import PEFT_TYPE_TO_PREFIX_MAPPING
    base = model.get_base_model() if isinstance(model, peft.PeftModel) else model
    rows = adapter_rows(folder)
    if rows is not None and not blank:
        resize_embeddings(base, rows)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they say of missing weights is in the result
            config: Any = peft.PeftConfig.from_pretrained(str(folder))
            config.inference_mode = True
            renamed = getattr(base, "_checkpoint_conversion_mapping", None)
            if not isinstance(model, peft.PeftModel):
                kind = peft.MODEL_TYPE_TO_PEFT_MODEL_MAPPING.get(config.task_type, peft.PeftModel)
                model = kind(model, config, name, low_cpu_mem_usage=blank)
            result = model.load_adapter(
                str(folder),
                adapter_name=name,
                low_cpu_mem_usage=blank,
                torch_device="cpu" if blank else None,
                key_mapping=None if config.is_prompt_learning else renamed,
            )
            model.set_adapter(name)
    except Exception as error:
        if isinstance(error, KeyError) and str(error.args[0]).startswith("base_model."):
            _refuse_missing(folder, [str(error.args[0])])  # of a module that the adapter replaces as a whole
        raise XlitError(f"The adapter {folder} can't be loaded: {reason_of(error)}.") from error
    prefix = PEFT_TYPE_TO_PREFIX_MAPPING.get(config.peft_type, "lora_")
    blanks = [key for key, weight in model.named_parameters() if weight.is_meta]
    _refuse_missing(folder, [key for key in dict.fromkeys([*result.missing_keys, *blanks]) if _is_own(key)])
    if homeless := sorted(key for key in result.unexpected_keys if prefix in key):
        raise XlitError(
            f"The adapter {folder} does not fit its base: {len(homeless)} of its weights belong to layers "
            f"that are not there or that its {ADAPTER_CONFIG} does not name, {homeless[0]} is the first."
        )
    if not blank and (matrix := unfilled_embedding(model)):
        raise XlitError(ROWS_MISSING.format(folder=folder, rows=rows, name=matrix))
    return model.eval()


def _is_own(key: str) -> bool:
    """Whether a weight has to be in an adapter's file: peft shares or derives the others."""
    return "vblora_vector_bank" not in key and "prompt_encoder" not in key


def _refuse_missing(folder: Path, missing: list[str]) -> None:
    if missing:
        raise XlitError(
            f"The adapter {folder} is not whole: {len(missing)} weights that its settings ask for are "
            f"missing, {missing[0]} is the first. Copy or download it again."
        )


def changes_base(base: Any, folder: Path) -> bool:
    """Whether the file of an adapter holds weights that take the place of the base's own: biases, or
    embeddings that were saved with it and are not the base's."""
    import peft
    from safetensors import SafetensorError, safe_open

    try:
        config: Any = peft.PeftConfig.from_pretrained(str(folder))
        if getattr(config, "bias", "none") != "none":
            return True
        own = {name.replace(".base_layer.", "."): weight for name, weight in base.named_parameters()}
        replaced = tuple(f".{module}" for module in getattr(config, "modules_to_save", None) or ())
        with safe_open(str(folder / ADAPTER_WEIGHTS), framework="pt") as file:
            names = list(file.keys())
            for key in names:
                name = key.removeprefix("base_model.model.").replace(".base_layer.", ".")
                if name not in own or f".{name}".rpartition(".")[0].endswith(replaced):
                    continue
                weight = own[name].detach()
                stored = file.get_tensor(key).to(weight.device, weight.dtype)
                if stored.shape != weight.shape or not bool((stored == weight).all()):
                    return True
    except (OSError, ValueError, SafetensorError):  # loading it says what is wrong
        return False
    return False


def load_tokenizer(checkpoint: Checkpoint) -> Any:
    """The tokenizer of a checkpoint; an adapter folder without one uses its base's. Raises `XlitError` when
    there is none."""
    folder: str = str(checkpoint.path)
    if checkpoint.kind == "adapter" and not brings_tokenizer(checkpoint):
        folder = checkpoint.base
    return tokenizer_at(folder)


def brings_tokenizer(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint folder has a tokenizer of its own."""
    return (checkpoint.path / "tokenizer_config.json").is_file()


def tokenizer_at(source: str) -> Any:
    """The tokenizer in a folder, or of a name on the hub. Raises `XlitError` when it can't be loaded."""
    with needs_extra("local", "Loading a tokenizer"):
        import transformers
    try:
        return transformers.AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    except Exception as error:
        raise XlitError(f"The tokenizer of {source} can't be loaded: {reason_of(error)}. {GIVE}") from error


def check_template(source: str | Path, tokenizer: Any) -> None:
    """Raises `XlitError` for a tokenizer that has no chat template, so that no prompt can be written."""
    if not tokenizer.chat_template:
        raise XlitError(f"{source} has no chat template, so no prompt can be written for it.")


def check_tokenizer(source: str | Path, tokenizer: Any, rows: int) -> None:
    """Raises `XlitError` when a tokenizer has tokens that a model with embeddings of `rows` rows does not
    know. (Tokens for padding and for the unknown, which libraries add unasked, may be such.)"""
    beyond = {token: index for token, index in tokenizer.get_vocab().items() if index >= rows}
    for added in (tokenizer.pad_token, tokenizer.unk_token):
        beyond.pop(added, None)
    if beyond:
        first = min(beyond, key=lambda token: beyond[token])
        raise XlitError(
            f"The tokenizer of {source} does not fit its model: {first!r} is token {beyond[first]}, "
            f"and the model has embeddings for {rows}. Use the tokenizer that it was trained with."
        )


def check_ids(ids: list[int], rows: int, whose: str) -> None:
    """Raises `XlitError` for a token that a model with embeddings of `rows` rows does not know."""
    if max(ids, default=0) >= rows:
        raise XlitError(f"Token {max(ids)} in {whose}; the model has embeddings for {rows}.")


def check_attention(source: str | Path) -> None:
    """Raises `XlitError` when the configuration of a checkpoint chooses an attention kernel from the hub:
    that is code, which transformers would fetch and run without being asked to trust it. A configuration that
    can't be read is for whoever loads the model to name."""
    import transformers

    try:
        config: Any = transformers.AutoConfig.from_pretrained(source, trust_remote_code=False)
    except Exception:  # the libraries below raise anything
        return
    parts = [config, *(getattr(config, name, None) for name in getattr(config, "sub_configs", {}))]
    for part in parts:
        chosen = getattr(part, "_attn_implementation", None)
        if isinstance(chosen, str) and "/" in chosen:
            raise XlitError(
                f"{source}: its config.json chooses the attention kernel {chosen!r}, which is code from "
                "the hub. Take `attn_implementation` out of it."
            )
