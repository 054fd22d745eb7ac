"""The weights of a checkpoint, read from its files one at a time, with an adapter merged where there is one.

A 13B model in bfloat16 has 26 GB of weights; what is held here at a time is one of them.
"""

import copy
import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.extras import needs_extra
from core.generate.checkpoint import Checkpoint
from store import XlitError

if TYPE_CHECKING:
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

        Raises `XlitError` when weights are missing or don't fit the config, and for an adapter that can't be
        merged.
        """
        self.folder, self.config = folder, config
        self.model = _blank_model(folder, config)
        self._blank = dict(self.model.named_parameters(remove_duplicate=False))
        self._files = _files(folder)
        self._check_whole()
        self._adapted = source.kind == "adapter"
        if self._adapted:
            _put_adapter_on(self.model, source.path)
        self.names = [name for name in self._blank if name != OUTPUT or not self._output_is_embedding()]

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._blank[name].shape)

    def dtype(self, name: str) -> "torch.dtype":
        """The number format in which `read` gives a weight."""
        import torch

        weight, merging = self._place(name)
        if merging is not None:
            return torch.float32
        return weight.dtype if weight is not self._blank[name] else self._stored(name, whole=False).dtype

    def read(self, name: str) -> "torch.Tensor":
        """A weight of `names`."""
        weight, merging = self._place(name)
        if merging is not None:
            return self._merged(name, merging)
        return weight.detach() if weight is not self._blank[name] else self._stored(name)

    def _place(self, name: str) -> tuple["torch.nn.Parameter", Any]:
        """What stands where this weight belongs, and the layer of an adapter that is to be merged into it."""
        if not self._adapted:
            return self._blank[name], None
        from peft.tuners.tuners_utils import BaseTunerLayer
        from peft.utils.other import ModulesToSaveWrapper

        parent, _, own = name.rpartition(".")
        module: Any = self.model.get_submodule(parent)
        merging = module if isinstance(module, BaseTunerLayer) else None
        if isinstance(module, ModulesToSaveWrapper):
            module = module.modules_to_save[module.active_adapters[0]]
        elif merging is not None:
            module = module.get_base_layer()
        return getattr(module, own), merging

    def _merged(self, name: str, layer: Any) -> "torch.Tensor":
        import torch

        parent, _, own = name.rpartition(".")
        blank = dict(layer.get_base_layer().named_parameters())
        merged = copy.deepcopy(layer, {id(weight): weight for weight in blank.values()})
        base = merged.get_base_layer()
        for part, weight in blank.items():
            place = f"{parent}.{part}"
            real = self._stored(place) if weight is self._blank[place] else weight.detach()
            setattr(base, part, torch.nn.Parameter(real, requires_grad=False))
        merged.float().merge()
        return getattr(base, own).detach()

    def _output_is_embedding(self) -> bool:
        """Whether the output matrix is that of the embedding: tied, and left alone by the adapter."""
        if not self.config.tie_word_embeddings:
            return False
        places = {name: self._place(name) for name in (EMBEDDING, OUTPUT)}
        return all(
            weight is self._blank[name] and merging is None for name, (weight, merging) in places.items()
        )

    def _check_whole(self) -> None:
        missing = sorted(name for name in self._blank if self._stored_name(name) not in self._files)
        if missing:
            raise XlitError(
                f"{self.folder} is not whole: {len(missing)} weights are missing, {missing[0]} is the first."
            )
        for name, weight in self._blank.items():
            found = tuple(self._stored(name, whole=False).shape)
            if found != tuple(weight.shape):
                raise XlitError(
                    f"{self.folder} does not fit its config.json: {name} has the shape {found}, "
                    f"not {tuple(weight.shape)}."
                )

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
                    return opened.get_tensor(stored)
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
                wanted = ["model*.safetensors", "*.json"]
                folder = Path(snapshot_download(source.base, allow_patterns=wanted))
        return folder, transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except XlitError:
        raise
    except Exception as error:  # the libraries raise anything
        raise XlitError(f"{folder} can't be loaded: {_first_line(error)}") from error


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
    with needs_extra("local", "Converting an adapter"):
        import peft
        from peft.tuners.tuners_utils import BaseTuner
        from peft.utils.other import AuxiliaryTrainingWrapper, ModulesToSaveWrapper
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about weights that are not there yet, and names to be renamed
            adapted: Any = peft.PeftModel.from_pretrained(model, str(folder), low_cpu_mem_usage=True)
    except Exception as error:
        raise XlitError(f"The adapter {folder} can't be loaded: {_first_line(error)}") from error
    reason = None
    if not isinstance(adapted.base_model, BaseTuner):
        reason = "it changes no weights of the model"
    elif getattr(adapted.peft_config["default"], "ensure_weight_tying", False):
        reason = "it ties the weights that it replaces"
    elif any(
        isinstance(module, AuxiliaryTrainingWrapper) and not isinstance(module, ModulesToSaveWrapper)
        for module in model.modules()
    ):
        reason = "it trains single tokens"
    elif missing := [name for name, weight in model.named_parameters() if weight.is_meta]:
        reason = f"its file lacks {len(missing)} weights, {missing[0]} is the first"
    if reason:
        raise XlitError(
            f"The adapter {folder} can't be merged: {reason}. "
            "Generate with the engine `transformers` instead."
        )


def _files(folder: Path) -> dict[str, Path]:
    """The file of each weight, by its name."""
    from safetensors import SafetensorError, safe_open

    try:
        if (index := folder / INDEX).is_file():
            found = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
            return {name: folder / file for name, file in found.items()}
        with safe_open(folder / ALONE, framework="pt") as opened:
            return dict.fromkeys(opened.keys(), folder / ALONE)
    except (SafetensorError, OSError, ValueError, KeyError, AttributeError) as error:
        raise XlitError(
            f"The weights of {folder} can't be read: {_first_line(error)}. Copy or save it again."
        ) from None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
