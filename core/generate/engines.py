"""The engines by name, and what identifies them before anything is loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.generate.checkpoint import inspect
from core.generate.decoding import Decoding
from core.generate.engine import TextEngine
from core.generate.llama_cpp_engine import engine as llama_cpp_engine
from core.generate.transformers_engine import engine as transformers_engine
from store import UsageError

ENGINES = (transformers_engine.NAME, llama_cpp_engine.NAME)


@dataclass(frozen=True)
class Prepared:
    """An engine that can be opened. `quantization`: the number format of the weights (`f32`, `bf16`,
    `q8_0` ...); `libraries`: the distributions that decide what comes out."""

    name: str
    quantization: str
    libraries: tuple[str, ...]
    open: Callable[[], TextEngine]


def prepare(name: str, checkpoint: Path, decoding: Decoding) -> Prepared:
    """Check that this engine can work with this checkpoint, without loading it.

    Raises `UsageError` for an unknown engine and `XlitError` for a checkpoint that is none.
    """
    if name == transformers_engine.NAME:
        folder = inspect(checkpoint, kinds=("model", "adapter"))
        return Prepared(
            name,
            transformers_engine.number_format(),
            transformers_engine.LIBRARIES,
            lambda: transformers_engine.TransformersEngine(folder, decoding),
        )
    if name == llama_cpp_engine.NAME:
        file = inspect(checkpoint, kinds=("gguf",))
        return Prepared(
            name,
            llama_cpp_engine.number_format(file.path),
            llama_cpp_engine.LIBRARIES,
            lambda: llama_cpp_engine.LlamaCppEngine(file.path, decoding),
        )
    raise UsageError(f"No engine {name!r}. There are: {', '.join(ENGINES)}.")
