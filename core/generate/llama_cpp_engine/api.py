"""The few calls of llama.cpp that are used here, silent and with Python's memory rules.

llama-cpp-python's own `Llama` class is not used: it decodes one sequence, prints from C, parses the chat
template with a formatter that does not know `{% generation %}`, and loses tokens longer than 32 bytes.
"""

import ctypes
import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.extras import needs_extra
from store import XlitError

if TYPE_CHECKING:
    import numpy as np

TOKENS_PER_DECODE = 512
GGML_LEVEL_ERROR = 3

_errors: deque[str] = deque(maxlen=3)
_kept: list[Any] = []  # the C side holds the callback for the life of the process


def library() -> Any:
    """`llama_cpp`, with its messages kept for our errors instead of printed."""
    with needs_extra("gguf", "llama.cpp"):
        import llama_cpp
    if not _kept:

        def keep(level: int, text: bytes, _data: Any) -> None:
            if level == GGML_LEVEL_ERROR and text:
                _errors.append(text.decode("utf-8", "replace").strip())

        _kept.append(llama_cpp.llama_log_callback(keep))
        llama_cpp.llama_log_set(_kept[0], ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
    return llama_cpp


def last_error() -> str:
    """What llama.cpp said last when something failed."""
    return _errors[0] if _errors else "no reason given"


def threads() -> int:
    """How many threads to compute with: `OMP_NUM_THREADS`, as torch does, or the cores given to us."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


class GgufModel:
    """A GGUF file opened by llama.cpp; with `vocab_only` its weights stay on disk."""

    def __init__(self, path: Path, *, vocab_only: bool = False) -> None:
        """Raises `XlitError`, with llama.cpp's reason, when the file can't be loaded."""
        self._llama = library()
        _errors.clear()
        settings = self._llama.llama_model_default_params()
        settings.vocab_only = vocab_only
        if not vocab_only and self._llama.llama_supports_gpu_offload():
            settings.n_gpu_layers = -1
        self.model = self._llama.llama_model_load_from_file(str(path).encode(), settings)
        if not self.model:
            raise XlitError(f"{path} can't be loaded: {last_error()}.")
        self.vocabulary = self._llama.llama_model_get_vocab(self.model)
        self.size = int(self._llama.llama_vocab_n_tokens(self.vocabulary))
        self.context_length = int(self._llama.llama_model_n_ctx_train(self.model))

    def tokenize(self, text: str) -> list[int]:
        """The ids of a text in which special tokens are parsed; none is added."""
        raw = text.encode("utf-8")
        room = len(raw) + 8
        ids = (self._llama.llama_token * room)()
        count = self._llama.llama_tokenize(self.vocabulary, raw, len(raw), ids, room, False, True)
        if count < 0:
            raise XlitError(f"llama.cpp can't tokenise a text of {len(raw)} bytes.")
        return list(ids[:count])

    def piece(self, token: int) -> bytes:
        """The bytes of a token; a special token has none."""
        room = 64
        while True:
            buffer = ctypes.create_string_buffer(room)
            size = self._llama.llama_token_to_piece(self.vocabulary, token, buffer, room, 0, False)
            if size >= 0:
                return buffer.raw[:size]
            room = -size

    def end_tokens(self) -> list[int]:
        """The ids that llama.cpp takes for the end of an answer."""
        return [token for token in range(self.size) if self._llama.llama_vocab_is_eog(self.vocabulary, token)]

    def close(self) -> None:
        if self.model:
            self._llama.llama_model_free(self.model)
            self.model = None


class Context:
    """The memory of one sequence, `length` tokens long."""

    def __init__(self, model: GgufModel, length: int, *, exact: bool) -> None:
        """`exact` keeps keys and values in float32 (else float16), as transformers does with such weights."""
        self._llama = library()
        self.length = length
        self._size = model.size
        settings = self._llama.llama_context_default_params()
        settings.n_ctx = length
        settings.n_batch = settings.n_ubatch = TOKENS_PER_DECODE
        settings.n_seq_max = 1
        settings.n_threads = settings.n_threads_batch = threads()
        settings.flash_attn_type = self._llama.LLAMA_FLASH_ATTN_TYPE_DISABLED
        if exact:
            settings.type_k = settings.type_v = self._llama.GGML_TYPE_F32
        self._context = self._llama.llama_init_from_model(model.model, settings)
        if not self._context:
            raise XlitError(f"llama.cpp has no memory for {length} tokens: {last_error()}.")

    def clear(self) -> None:
        """Forget the sequence."""
        self._llama.llama_memory_clear(self._llama.llama_get_memory(self._context), True)

    def feed(self, tokens: Sequence[int]) -> "np.ndarray[Any, np.dtype[np.float32]]":
        """Append tokens to the sequence; returns the logits (vocabulary,) after the last one, in llama.cpp's
        own memory: valid until the next call."""
        import numpy as np

        for start in range(0, len(tokens), TOKENS_PER_DECODE):
            part = tokens[start : start + TOKENS_PER_DECODE]
            ids = (self._llama.llama_token * len(part))(*part)
            status = self._llama.llama_decode(self._context, self._llama.llama_batch_get_one(ids, len(part)))
            if status:
                raise XlitError(f"llama.cpp failed to decode (status {status}): {last_error()}.")
        pointer = self._llama.llama_get_logits_ith(self._context, -1)
        return np.ctypeslib.as_array(pointer, shape=(self._size,))

    def close(self) -> None:
        if self._context:
            self._llama.llama_free(self._context)
            self._context = None
