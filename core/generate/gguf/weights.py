"""The weights of a checkpoint, read from its files and written as llama.cpp wants them, one at a time.

An adapter is merged where there is one.

A 13B model in bfloat16 has 26 GB of weights; what is held here at a time is one of them.
"""

import copy
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import reason_of
from core.extras import needs_extra
from core.generate.checkpoint import Checkpoint
from core.generate.gguf.architecture import ARCHITECTURES, rope_factors
from core.models.embeddings import adapter_rows
from core.models.loading import ROWS_MISSING, check_nothing_missing, load_adapter
from core.models.merging import base_weight, check_mergeable, locate, merged_weight, put_base_weight
from store import XlitError

if TYPE_CHECKING:
    import torch
if TYPE_CHECKING:
    import numpy as np
    import torch

INDEX, ALONE = "model.safetensors.index.json", "model.safetensors"
EMBEDDING, OUTPUT = "model.embed_tokens.weight", "lm_head.weight"


class Weights:
    """The weights of a causal language model by their names in transformers.

    `model` has the architecture and the configs, but not the weights. Those that an adapter changes are given
    as the sum in float32, whatever the base's number format; all others as they stand in the files.
    """

    def __init__(self, source: Checkpoint, folder: Path, config: Any) -> None:
        """`folder` and `config`: of the model, or of the base of an adapter (`model_config`).

        An adapter that brings embeddings of other sizes than its base has decides (`config.vocab_size`).
        Raises `XlitError` when weights are missing or don't fit the config, and for an adapter that can't be
        merged.
        """
        self._own_rows = config.vocab_size
        rows = adapter_rows(source.path) if source.kind == "adapter" else None
        if rows is not None and rows != config.vocab_size:
            config = copy.deepcopy(config)
            config.vocab_size = rows
        self.folder, self.config = folder, config
        self.model = _blank_model(folder, config)
        self._blank = dict(self.model.named_parameters(remove_duplicate=False))
        self._files = _files(folder)
        self._check_whole()
        self._adapted = source.kind == "adapter"
        if self._adapted:
            _put_adapter_on(self.model, source.path)
            self._tie_replaced()
            self._check_added_rows(source.path)
        self.names = [name for name in self._blank if name != OUTPUT or not self._output_is_embedding()]

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._blank[name].shape)

    def dtype(self, name: str) -> "torch.dtype":
        """The number format in which `read` gives a weight."""
        import torch

        weight, merging = self._find(name)
        if merging is not None:
            return torch.float32
        return weight.dtype if weight is not self._blank[name] else self._stored(name, whole=False).dtype

    def read(self, name: str) -> "torch.Tensor":
        """A weight of `names`."""
        weight, merging = self._find(name)
        if merging is not None:
            return self._merged(name, merging)
        return weight.detach() if weight is not self._blank[name] else self._stored(name)

    def _find(self, name: str) -> tuple["torch.nn.Parameter", Any]:
        """What stands where this weight belongs, and the layer of an adapter that is to be merged into it."""
        return locate(self.model, name) if self._adapted else (self._blank[name], None)

    def _merged(self, name: str, layer: Any) -> "torch.Tensor":
        parent, _, own = name.rpartition(".")
        stored = {}
        for part, weight in layer.get_base_layer().named_parameters():
            stored_name = f"{parent}.{part}"
            blank = weight is self._blank[stored_name]
            stored[part] = self._stored(stored_name) if blank else weight.detach()
        return merged_weight(layer, own, stored)

    def _output_is_embedding(self) -> bool:
        """Whether the output matrix is that of the embedding: tied, and left alone by the adapter."""
        if not self.config.tie_word_embeddings:
            return False
        matrices = {name: self._find(name) for name in (EMBEDDING, OUTPUT)}
        return all(
            weight is self._blank[name] and merging is None for name, (weight, merging) in matrices.items()
        )

    def _check_whole(self) -> None:
        missing = sorted(name for name in self._blank if self._stored_name(name) not in self._files)
        check_nothing_missing(self.folder, missing)
        for name, weight in self._blank.items():
            shape = tuple(self._stored(name, whole=False).shape)
            expected = tuple(weight.shape)
            if name in (EMBEDDING, OUTPUT):
                expected = (self._own_rows, *expected[1:])
            if shape != expected:
                raise XlitError(
                    f"{self.folder} does not fit its config.json: {name} has the shape {shape}, "
                    f"not {expected}."
                )

    def _tie_replaced(self) -> None:
        """Let the output matrix of a tied base be the embedding matrix that an adapter brings in its
        place."""
        if not self.config.tie_word_embeddings:
            return
        embedding, output = (base_weight(self.model, name) for name in (EMBEDDING, OUTPUT))
        if embedding is not self._blank[EMBEDDING] and output is self._blank[OUTPUT]:
            put_base_weight(self.model, OUTPUT, embedding)

    def _check_added_rows(self, adapter: Path) -> None:
        """Raises `XlitError` when an adapter has added tokens, and a matrix for them is still the base's."""
        if self.config.vocab_size <= self._own_rows:
            return
        for name in (EMBEDDING, OUTPUT):
            if self._find(name)[0] is self._blank[name]:
                raise XlitError(ROWS_MISSING.format(folder=adapter, rows=self.config.vocab_size, name=name))

    def _stored_name(self, name: str) -> str:
        return EMBEDDING if name == OUTPUT and self.config.tie_word_embeddings else name

    def _stored(self, name: str, *, whole: bool = True) -> "torch.Tensor":
        """A weight as it stands in the files; without `whole`, only its shape and format."""
        import torch
        from safetensors import SafetensorError, safe_open

        stored = self._stored_name(name)
        file = self._files[stored]
        try:
            # Opened anew for each: what is read of a mapped file counts as used until the file is closed.
            with safe_open(file, framework="pt") as opened:
                if whole:
                    weight = opened.get_tensor(stored)
                    # Of a base whose embeddings the adapter's training has cut, only the rows that are left.
                    return weight[: self.config.vocab_size] if stored in (EMBEDDING, OUTPUT) else weight
                head = opened.get_slice(stored)
                dtype = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}[head.get_dtype()]
                return torch.empty(head.get_shape(), dtype=dtype, device="meta")
        except KeyError as error:
            raise XlitError(
                f"{self.folder} can't be converted: {stored} is {error}, not F32, F16 or BF16."
            ) from None
        except (SafetensorError, OSError) as error:
            raise XlitError(f"{file} can't be read: {error}. Copy or save it again.") from None


def model_config(source: Checkpoint) -> tuple[Path, Any]:
    """The folder of a model, or of an adapter's base (fetched from the hub when it is only named), and the
    config of transformers in it."""
    with needs_extra("local", "Converting a checkpoint"):
        import transformers
        from huggingface_hub import snapshot_download
    transformers.logging.set_verbosity_error()
    folder = source.path
    try:
        if source.kind == "adapter":
            folder = Path(source.base)
            if not folder.is_dir():
                patterns = ["model*.safetensors", "*.json"]
                folder = Path(snapshot_download(source.base, allow_patterns=patterns))
        return folder, transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except XlitError:
        raise
    except Exception as error:  # the libraries raise anything
        raise XlitError(f"{folder} can't be loaded: {reason_of(error)}.") from error


def _blank_model(folder: Path, config: Any) -> Any:
    """The model with weights of the right shapes that are all one zero in memory."""
    import torch
    import transformers

    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    for name, weight in list(model.named_parameters(remove_duplicate=False)):
        parent, _, own = name.rpartition(".")
        blank = torch.nn.Parameter(torch.zeros(1).expand(weight.shape), requires_grad=False)
        setattr(model.get_submodule(parent), own, blank)
    if (folder / "generation_config.json").is_file():
        model.generation_config = transformers.GenerationConfig.from_pretrained(folder)
    return model


def _put_adapter_on(model: Any, folder: Path) -> None:
    adapted = load_adapter(model, folder, blank=True)
    check_mergeable(adapted, folder)
    from peft.utils.other import AuxiliaryTrainingWrapper, ModulesToSaveWrapper

    reason = None
    if getattr(adapted.peft_config["default"], "ensure_weight_tying", False):
        reason = "it ties the weights that it replaces"
    elif any(
        isinstance(module, AuxiliaryTrainingWrapper) and not isinstance(module, ModulesToSaveWrapper)
        for module in model.modules()
    ):
        reason = "it trains single tokens"
    if reason:
        raise XlitError(
            f"The adapter {folder} can't be merged weight by weight: {reason}. Merge it first "
            f"(xlit-core merge-adapter {folder} OUT), and convert what comes out."
        )


def _files(folder: Path) -> dict[str, Path]:
    """The file of each weight, by its name."""
    from safetensors import SafetensorError, safe_open

    try:
        if (index := folder / INDEX).is_file():
            files = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
            return {name: folder / file for name, file in files.items()}
        with safe_open(folder / ALONE, framework="pt") as opened:
            return dict.fromkeys(opened.keys(), folder / ALONE)
    except (SafetensorError, OSError, ValueError, KeyError, AttributeError) as error:
        raise XlitError(
            f"The weights of {folder} can't be read: {reason_of(error)}. Copy or save it again."
        ) from None


ROPE_FACTORS = "rope_freqs.weight"


@dataclass(frozen=True)
class Tensor:
    """One to be written: its name in llama.cpp, its shape, and its number format in the file."""

    name: str
    shape: tuple[int, ...]
    dtype: "torch.dtype"
    read: Callable[[], "torch.Tensor"]


def write_tensors(writer: Any, tensors: Sequence[Tensor]) -> None:
    """Write the head of the file that a `gguf.GGUFWriter` has gathered, and then the tensors.

    Raises `XlitError` for a weight that is too large for float16.
    """
    import gguf
    import torch

    raw = {torch.bfloat16: gguf.GGMLQuantizationType.BF16}
    for tensor in tensors:
        numbers = _array(torch.empty(0, dtype=tensor.dtype)).dtype
        size = math.prod(tensor.shape) * numbers.itemsize
        writer.add_tensor_info(tensor.name, tensor.shape, numbers, size, raw.get(tensor.dtype))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for tensor in tensors:
        read = tensor.read()
        converted = read.to(tensor.dtype)
        if tensor.dtype == torch.float16 and read.dtype != torch.float16 and not converted.isfinite().all():
            raise XlitError(f"{tensor.name} has weights that are too large for f16. Convert to bf16 instead.")
        writer.write_tensor_data(_array(converted))


def tensors_of(weights: Weights, matrix_dtype: "torch.dtype | None") -> Iterator[Tensor]:
    """The weights of a model: matrices in `matrix_dtype` (float32, float16 or bfloat16; None: each in its
    own), vectors in float32."""
    import gguf
    import torch

    config = weights.config
    architecture = ARCHITECTURES[config.model_type]
    kind = next(number for number, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture)
    names = gguf.get_tensor_name_map(kind, config.num_hidden_layers)
    turned = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    if (factors := rope_factors(config)) is not None:
        yield Tensor(ROPE_FACTORS, tuple(factors.shape), torch.float32, lambda: factors)
    for name in weights.names:
        target = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if target is None:
            raise XlitError(f"{weights.folder} can't be converted: llama.cpp has no name for {name}.")
        shape = weights.shape(name)
        dtype = torch.float32 if len(shape) == 1 else matrix_dtype or weights.dtype(name)
        heads = turned.get(target.split(".")[-2]) if architecture == "llama" else None
        yield Tensor(target, shape, dtype, partial(_read, weights, name, heads))


def _read(weights: Weights, name: str, heads: int | None) -> "torch.Tensor":
    """A weight. With `heads`, the rows of a query or key projection (heads x head size) are put into another
    order: transformers rotates the first half of a head against the second, llama.cpp's `llama` neighbouring
    rows (`permute` in its convert_hf_to_gguf.py)."""
    weight = weights.read(name)
    if heads is None:
        return weight
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def _array(tensor: "torch.Tensor") -> "np.ndarray[Any, Any]":
    """The numbers as NumPy takes them: bfloat16, which it has not, as its bits."""
    import torch

    bits = tensor.view(torch.uint16) if tensor.dtype == torch.bfloat16 else tensor
    return bits.contiguous().numpy()
