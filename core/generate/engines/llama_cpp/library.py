"""llama.cpp, silent and with Python's memory rules: the library, and a GGUF file opened by it.

The cores and the memory of this machine that are ours to use are told here too.

llama-cpp-python's own `Llama` class is not used: it decodes one sequence, prints from C, parses the chat
template with a formatter that does not know `{% generation %}`, and loses tokens longer than 32 bytes.
"""

import ctypes
import os
from collections import deque
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from core.extras import needs_extra
from store import UsageError, XlitError

CPUS = Path("/sys/devices/system/cpu")
QUOTA = Path("/sys/fs/cgroup/cpu.max")
MEMORY = Path("/proc/meminfo")


def default_threads() -> int:
    """How many threads to compute with: `OMP_NUM_THREADS`, as torch does, or the physical cores given to us,
    by affinity and the quota of a container: in these sums two threads of a core wait for each other."""
    setting = os.environ.get("OMP_NUM_THREADS", "")
    if setting.isdecimal() and int(setting):
        return int(setting)
    affinity = getattr(os, "sched_getaffinity", None)
    cpus = affinity(0) if affinity else range(os.cpu_count() or 1)
    cores = {_first_line(CPUS / f"cpu{cpu}" / "topology" / "thread_siblings_list") or cpu for cpu in cpus}
    quota, _, period = _first_line(QUOTA).partition(" ")
    if quota.isdecimal() and period.isdecimal():
        return max(1, min(len(cores), int(quota) // int(period)))
    return len(cores)


def available_memory() -> int | None:
    """Bytes that can be taken without pushing another program out; None where the system does not tell."""
    try:
        lines = MEMORY.read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        return None


def _first_line(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


GGML_LEVEL_ERROR = 4
POOLING_NONE = "0"

_errors: deque[str] = deque(maxlen=3)
_kept: list[Any] = []  # the C side holds the callback for the life of the process


def llama_cpp_library() -> Any:
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


def forget_errors() -> None:
    """From now on `last_error` tells of what comes."""
    _errors.clear()


class GgufModel:
    """A GGUF file opened by llama.cpp; with `vocab_only` its weights stay on disk."""

    def __init__(self, path: Path, *, vocab_only: bool = False, gpu_layers: int | None = None) -> None:
        """`gpu_layers`: how many layers go to a GPU; None for all when llama.cpp was built for one.

        Raises `XlitError`, with llama.cpp's reason, when the file can't be loaded, and `UsageError` for
        layers on a GPU when llama.cpp was built for none.
        """
        self._llama = llama_cpp_library()
        gpu = bool(self._llama.llama_supports_gpu_offload())
        if gpu_layers and not gpu:
            raise UsageError(
                f"{gpu_layers} layers can't go to a GPU: this llama-cpp-python is built for the CPU alone."
            )
        forget_errors()
        settings = self._llama.llama_model_default_params()
        settings.vocab_only = vocab_only
        settings.n_gpu_layers = gpu_layers if gpu_layers is not None else -1 if gpu and not vocab_only else 0
        self.on_gpu = settings.n_gpu_layers != 0
        self.model = self._llama.llama_model_load_from_file(str(path).encode(), settings)
        if not self.model:
            raise XlitError(f"{path} can't be loaded: {_cause()}.")
        self.vocabulary = self._llama.llama_model_get_vocab(self.model)
        self.size = int(self._llama.llama_vocab_n_tokens(self.vocabulary))
        self.context_length = int(self._llama.llama_model_n_ctx_train(self.model))

    def writes_text(self) -> bool:
        """Whether this is a decoder that continues a text; encoders and embedding models do not."""
        architecture = self.metadata("general.architecture")
        return (
            not self._llama.llama_model_has_encoder(self.model)
            and self._llama.llama_model_has_decoder(self.model)
            and self.metadata(f"{architecture}.attention.causal") != "false"
            and self.metadata(f"{architecture}.pooling_type") in (None, POOLING_NONE)
        )

    def metadata(self, key: str) -> str | None:
        """A value from the head of the file, as text of at most 127 bytes."""
        buffer = ctypes.create_string_buffer(128)
        size = self._llama.llama_model_meta_val_str(self.model, key.encode(), buffer, len(buffer))
        return None if size < 0 else buffer.value.decode("utf-8", "replace")

    def tokenize(self, text: str) -> list[int]:
        """The ids of a text in which special tokens are parsed; none is added. Raises `XlitError` for what
        is no text."""
        try:
            raw = text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise XlitError(f"Character {error.start} of the prompt is half of a surrogate pair.") from None
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

    def text(self, tokens: Sequence[int]) -> bytes:
        """The bytes of some tokens. Neighbouring tokens of one byte each (SentencePiece's way with characters
        that it does not know) that together are no UTF-8 are U+FFFD, one for each byte, as in the tokenizers
        of transformers."""
        pieces = []
        for single, run in groupby(tokens, self._is_byte):
            raw = b"".join(map(self.piece, run))
            pieces.append("\ufffd".encode() * len(raw) if single and not _is_utf8(raw) else raw)
        return b"".join(pieces)

    def _is_byte(self, token: int) -> bool:
        attributes = self._llama.llama_vocab_get_attr(self.vocabulary, token)
        return bool(attributes & self._llama.LLAMA_TOKEN_ATTR_BYTE)

    def end_tokens(self) -> list[int]:
        """The ids that llama.cpp takes for the end of an answer."""
        return [token for token in range(self.size) if self._llama.llama_vocab_is_eog(self.vocabulary, token)]

    def close(self) -> None:
        if self.model:
            self._llama.llama_model_free(self.model)
            self.model = None


def _cause() -> str:
    """Why a model could not be loaded, in words for a reader who does not know llama.cpp."""
    reason = last_error().removeprefix("llama_model_load: error loading model: ").rstrip(".")
    if "unknown model architecture" in reason:
        return f"{reason}. A newer llama-cpp-python may know it"
    return reason


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
