"""The memory of several sequences, decoded together by llama.cpp.

Every sequence has cells of its own (`kv_unified` off): with one pool for all, a token attends to the cells
of all sequences and most of that is masked away again.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.generate.engines.llama_cpp.library import (
    GgufModel,
    available_memory,
    forget_errors,
    last_error,
    llama_cpp_library,
)
from store import XlitError

if TYPE_CHECKING:
    import numpy as np

TOKENS_PER_DECODE = 512
LENGTH_STEP = 256
SHORT = 192
OUT_OF_ROOM = (1, -2)
"""Answers of `llama_decode`: no cells for the tokens; no memory for the sums."""


class NoRoom(Exception):
    """Memory does not hold so many sequences; what they held is lost. Says why."""


@dataclass(frozen=True)
class TokenSpan:
    """Tokens (ids, int32) that go to the end of a sequence, the first of them at `position`."""

    sequence: int
    position: int
    tokens: "np.ndarray[Any, Any]"


class Context:
    """Room for sequences numbered from 0, each of at least `length` tokens."""

    def __init__(self, model: GgufModel, sequences: int, length: int, *, exact: bool, threads: int) -> None:
        """`exact` keeps keys and values in float32 (else float16), as transformers does with such weights.

        Raises `NoRoom` when there is no memory for it, and `XlitError` for a model without such a memory,
        which can't continue a text token by token.
        """
        self._llama = llama_cpp_library()
        self.sequences, self.length = sequences, -(-length // LENGTH_STEP) * LENGTH_STEP
        self._vocabulary = model.size
        if not model.on_gpu and _cache_bytes(model, sequences * self.length, 4 if exact else 2) > _budget(
            model
        ):
            raise NoRoom("the memory that is free does not hold their keys and values")
        settings = self._llama.llama_context_default_params()
        settings.n_ctx = sequences * self.length
        settings.n_batch = settings.n_ubatch = max(TOKENS_PER_DECODE, sequences)
        settings.n_seq_max = settings.n_outputs_max = sequences
        settings.n_threads = settings.n_threads_batch = threads
        settings.kv_unified = False
        settings.flash_attn_type = _flash_attention(exact, model.on_gpu, length)
        if exact:
            settings.type_k = settings.type_v = self._llama.GGML_TYPE_F32
        forget_errors()
        self._context = self._llama.llama_init_from_model(model.model, settings)
        if not self._context:
            raise NoRoom(last_error())
        self._memory = self._llama.llama_get_memory(self._context)
        if not self._memory:
            self.close()
            raise XlitError("This model can't continue a text token by token, so it can't answer.")
        self._batch = _Batch(settings.n_batch)

    def feed(self, spans: Sequence[TokenSpan]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """Append as many tokens to each of some sequences (in the order of their numbers); returns the logits
        (spans, vocabulary) after their last ones, in llama.cpp's own memory: valid until the next call.

        Raises `NoRoom`, and `XlitError` when llama.cpp fails for another reason.
        """
        import numpy as np

        count = len(spans[0].tokens)
        width = max(1, TOKENS_PER_DECODE // len(spans))
        for start in range(0, count, width):
            stop = min(start + width, count)
            forget_errors()
            status = self._llama.llama_decode(
                self._context, self._batch.filled(spans, start, stop, with_logits=stop == count)
            )
            if status in OUT_OF_ROOM:
                raise NoRoom(last_error())
            if status:
                raise XlitError(f"llama.cpp failed to decode (status {status}): {last_error()}.")
        pointer = self._llama.llama_get_logits(self._context)
        return np.ctypeslib.as_array(pointer, shape=(len(spans), self._vocabulary))

    def copy(self, source: int, target: int) -> None:
        """Let a sequence hold what another one holds."""
        self._llama.llama_memory_seq_rm(self._memory, target, -1, -1)
        self._llama.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def cut(self, sequence: int, kept: int) -> bool:
        """Forget the tokens of a sequence but the first `kept`. False where the model's memory can't be cut
        (state space models); the sequence is empty then."""
        if kept and self._llama.llama_memory_seq_rm(self._memory, sequence, kept, -1):
            return True
        self._llama.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        return not kept

    def close(self) -> None:
        if self._context:
            self._llama.llama_free(self._context)
            self._context = None


class _Batch:
    """The arrays of a `llama_batch` for up to `size` tokens."""

    def __init__(self, size: int) -> None:
        import numpy as np

        llama = llama_cpp_library()
        self._tokens, self._positions, self._sequences = np.zeros((3, size), dtype=np.int32)
        self._with_logits = np.zeros(size, dtype=np.int8)
        self._ones = np.ones(size, dtype=np.int32)
        self._sequence_pointers = self._sequences.ctypes.data + 4 * np.arange(size, dtype=np.uint64)
        self._batch = llama.llama_batch()
        arrays: dict[str, np.ndarray[Any, Any]] = {
            "token": self._tokens,
            "pos": self._positions,
            "n_seq_id": self._ones,
            "seq_id": self._sequence_pointers,
            "logits": self._with_logits,
        }
        kinds = dict(llama.llama_batch._fields_)
        for name, array in arrays.items():
            setattr(self._batch, name, ctypes.cast(array.ctypes.data, kinds[name]))

    def filled(self, spans: Sequence[TokenSpan], start: int, stop: int, *, with_logits: bool) -> Any:
        """The batch with the tokens from `start` to `stop` of every part, with logits for the
        last when `with_logits`."""
        import numpy as np

        width = stop - start
        for index, span in enumerate(spans):
            here = slice(index * width, (index + 1) * width)
            self._tokens[here] = span.tokens[start:stop]
            self._positions[here] = np.arange(span.position + start, span.position + stop)
            self._sequences[here] = span.sequence
        count = len(spans) * width
        self._with_logits[:count] = 0
        self._with_logits[width - 1 : count : width] = with_logits
        self._batch.n_tokens = count
        return self._batch


def _flash_attention(exact: bool, on_gpu: bool, length: int) -> int:
    """Whether attention is computed in one go with its softmax. On a CPU that is faster only while most of
    the cells, which the plain sums take by the 256, are empty, and in float32 it is never."""
    llama = llama_cpp_library()
    if on_gpu and not exact:
        return llama.LLAMA_FLASH_ATTN_TYPE_AUTO
    if length <= SHORT and not exact:
        return llama.LLAMA_FLASH_ATTN_TYPE_ENABLED
    return llama.LLAMA_FLASH_ATTN_TYPE_DISABLED


def _cache_bytes(model: GgufModel, tokens: int, bytes_per_number: int) -> int:
    """About how much memory keys and values of so many tokens take."""
    llama, handle = llama_cpp_library(), model.model
    heads = max(llama.llama_model_n_head(handle), 1)
    width = llama.llama_model_n_embd(handle) // heads * llama.llama_model_n_head_kv(handle)
    return 2 * bytes_per_number * tokens * width * llama.llama_model_n_layer(handle)


def _budget(model: GgufModel) -> float:
    """The bytes that keys and values may take beside the weights, which are read from the system's cache of
    the file and must stay in it."""
    available = available_memory()
    return (
        float("inf")
        if available is None
        else 0.9 * available - llama_cpp_library().llama_model_size(model.model)
    )
