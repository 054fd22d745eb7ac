"""The engines by name, and what identifies them before anything is loaded."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.generate.checkpoint import (
    Checkpoint,
    inspect_checkpoint,
    locate_checkpoint,
    training_description,
    weights_digest,
)
from core.generate.decoding import Decoding
from core.generate.engines import openai as openai_engine
from core.generate.engines import vllm as vllm_engine
from core.generate.engines.base import TextEngine
from core.generate.engines.llama_cpp import engine as llama_cpp_engine
from core.generate.engines.transformers import engine as transformers_engine
from core.generate.gguf.file import read_head
from core.generate.settings import EngineOptions, ModelSource
from core.models.embeddings import adapter_rows
from store import UsageError
from store.queries.models import WeightsDigest

ENGINES = (transformers_engine.NAME, llama_cpp_engine.NAME, openai_engine.NAME, vllm_engine.NAME)


@dataclass(frozen=True)
class Prepared:
    """An engine that can be opened. `quantization`: the number format of the weights (`f32`, `bf16`,
    `q8_0` ...; None: only the server knows); `libraries`: the distributions that decide what comes out.

    Those of the same `base` (when there is one) can share an engine: `adapt` makes an open one answer as this
    one does, without loading the base again.
    """

    name: str
    quantization: str | None
    libraries: tuple[str, ...]
    open: Callable[[], TextEngine]
    base: str | None = None
    adapt: Callable[[Any], None] | None = None


def prepare(source: ModelSource, decoding: Decoding, options: EngineOptions | None = None) -> Prepared:
    """Check that the engine of a source can work with its checkpoint, without loading it.

    Raises `UsageError` for an unknown engine or options that are not its own, and `XlitError` for a
    checkpoint that is none.
    """
    options = options or EngineOptions()
    name = source.engine or _engine_for(source)
    if name not in ENGINES:
        raise UsageError(f"No engine {name!r}. There are: {', '.join(ENGINES)}.")
    _check_options(name, source, options)
    if name == openai_engine.NAME:
        return _server(source, decoding, options)
    if name == llama_cpp_engine.NAME:
        return _llama_cpp(inspect_checkpoint(Path(source.checkpoint), kinds=("gguf",)), decoding, options)
    kinds = ("model",) if name == vllm_engine.NAME else ("model", "adapter")
    folder = inspect_checkpoint(locate_checkpoint(source.checkpoint), kinds=kinds)
    return (_vllm if name == vllm_engine.NAME else _transformers)(folder, decoding, options)


def _engine_for(source: ModelSource) -> str:
    if source.base_url:
        return openai_engine.NAME
    return llama_cpp_engine.NAME if source.checkpoint.endswith(".gguf") else transformers_engine.NAME


def _check_options(name: str, source: ModelSource, options: EngineOptions) -> None:
    if source.base_url and name != openai_engine.NAME:
        raise UsageError(f"The address of a server is for the engine {openai_engine.NAME}, not for {name}.")
    own = {
        "dtype": (transformers_engine.NAME, vllm_engine.NAME),
        "threads": (llama_cpp_engine.NAME,),
        "gpu_layers": (llama_cpp_engine.NAME,),
    }
    for option, engines in own.items():
        if getattr(options, option) is not None and name not in engines:
            raise UsageError(f"{option} is an option of {' and '.join(engines)}, not of {name}.")


def _transformers(folder: Checkpoint, decoding: Decoding, options: EngineOptions) -> Prepared:
    made = transformers_engine.TransformersEngine
    return Prepared(
        transformers_engine.NAME,
        transformers_engine.number_format(options.dtype),
        transformers_engine.LIBRARIES,
        lambda: made(folder, decoding, batch_size=options.batch_size, dtype=options.dtype),
        base=_base(folder),
        adapt=lambda engine: engine.adapt(folder),
    )


def _base(folder: Checkpoint) -> str:
    """What adapters share an engine by: their base, and the rows of their embeddings where they bring
    some."""
    if folder.kind != "adapter":
        return str(folder.path)
    rows = adapter_rows(folder.path)
    return folder.base if rows is None else f"{folder.base} with embeddings for {rows} tokens"


def _llama_cpp(file: Checkpoint, decoding: Decoding, options: EngineOptions) -> Prepared:
    return Prepared(
        llama_cpp_engine.NAME,
        llama_cpp_engine.number_format(file.path),
        llama_cpp_engine.LIBRARIES,
        lambda: llama_cpp_engine.LlamaCppEngine(
            file.path,
            decoding,
            batch_size=options.batch_size,
            threads=options.threads,
            gpu_layers=options.gpu_layers,
        ),
    )


def _vllm(folder: Checkpoint, decoding: Decoding, options: EngineOptions) -> Prepared:
    return Prepared(
        vllm_engine.NAME,
        vllm_engine.number_format(options.dtype),
        vllm_engine.LIBRARIES,
        lambda: vllm_engine.VllmEngine(folder, decoding, batch_size=options.batch_size, dtype=options.dtype),
    )


def _server(source: ModelSource, decoding: Decoding, options: EngineOptions) -> Prepared:
    return Prepared(
        openai_engine.NAME,
        None,
        openai_engine.LIBRARIES,
        lambda: openai_engine.OpenAiEngine(
            source.checkpoint,
            decoding,
            base_url=source.base_url,
            concurrency=options.concurrency,
            timeout=options.timeout,
        ),
    )


def identify(source: ModelSource, prepared: Prepared) -> tuple[WeightsDigest, dict[str, Any]]:
    """What identifies the weights behind a source, and what the model was made of: what the source says, and
    where that is silent, what training left in the checkpoint's folder or the GGUF file."""
    if prepared.name == openai_engine.NAME:
        return WeightsDigest("served", source.checkpoint), dict(source.description)
    path = locate_checkpoint(source.checkpoint)
    if prepared.name != llama_cpp_engine.NAME:
        checkpoint = inspect_checkpoint(path, kinds=("model", "adapter"))
        weights = WeightsDigest("checkpoint", weights_digest(checkpoint))
        return weights, {**training_description(path), **_given(source)}
    head = read_head(path)
    description = {**head.configuration, **_given(source)}
    if source.origin is not None:
        origin = inspect_checkpoint(source.origin, kinds=("model", "adapter"))
        return WeightsDigest("checkpoint", weights_digest(origin)), description
    if head.weights_digest is not None:
        return WeightsDigest("checkpoint", head.weights_digest), description
    digest = weights_digest(Checkpoint(path, "gguf"))
    return WeightsDigest(f"gguf {prepared.quantization}", digest), description


def _given(source: ModelSource) -> dict[str, Any]:
    return {name: value for name, value in source.description.items() if value is not None}


class EnginePool:
    """Keeps the engine that was opened last, so that adapters on one base load it once. Use it as a context
    manager: its end closes the engine."""

    def __init__(self) -> None:
        self._engine: TextEngine | None = None
        self._prepared: Prepared | None = None

    def __enter__(self) -> "EnginePool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def engine(self, prepared: Prepared) -> TextEngine:
        """An engine that answers as `prepared`; the one before may be of no use afterwards."""
        open_engine, last = self._engine, self._prepared
        if open_engine is not None and last is not None and prepared.adapt and last.base == prepared.base:
            if last is not prepared:
                self._prepared = None  # should it fail, the engine answers as neither
                try:
                    prepared.adapt(open_engine)
                except UsageError:  # what is loaded can't become this one
                    return self._open(prepared)
            self._prepared = prepared
            return open_engine
        return self._open(prepared)

    def _open(self, prepared: Prepared) -> TextEngine:
        self.close()
        self._engine, self._prepared = prepared.open(), prepared
        return self._engine

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()
        self._engine = self._prepared = None
