"""What stands in the head of a GGUF file, and the keys of our own in it: read, and added."""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.extras import needs_extra
from core.generate.gguf.head import ARRAY, BOOL, INT32, MAGIC, STRING, UINT32, GgufFile
from store import XlitError

STOP_TOKENS = "xlit.stop_token_ids"
SOURCE_DIGEST = "xlit.source_digest"
NORMALIZATION = "xlit.normalization"
DROPS_FIRST_SPACE = "xlit.drops_first_space"
CONVERTER = "xlit.converter"
TOKENS = "tokenizer.ggml.tokens"
WEIGHTS_DIGEST = "xlit.weights_digest"
CONFIGURATION = "xlit.configuration"
SPECIAL_TOKENS = ("bos", "eos", "unk", "pad")

_COPIED = 2**24  # bytes, or numbers, at a time


@dataclass(frozen=True)
class GgufHead:
    """`number_format`: of the weights, as llama.cpp names its file types (`f32`, `q8_0`, `q4_k_m`).
    `special_tokens`: texts by chat-template name (`bos_token` ...). `stop_tokens` and `source_digest` are
    None in files that `core.generate.gguf.convert` did not make.

    `normalization`: the Unicode form (`NFC`) that text must be brought into before llama.cpp cuts it.
    `drops_first_space`: an answer's first character, when it is a space, is no part of its text: its first
    token begins a word. `converter`: what has written the file, with its version. `weights_digest` and
    `configuration`: of the checkpoint that it was made from (`weights_digest` and `training_description` in
    `core.generate.checkpoint`).
    """

    number_format: str
    chat_template: str | None
    special_tokens: dict[str, str]
    stop_tokens: tuple[int, ...] | None
    source_digest: str | None
    normalization: str | None = None
    drops_first_space: bool = False
    converter: str | None = None
    weights_digest: str | None = None
    configuration: dict[str, Any] = field(default_factory=dict)


def read_head(path: Path) -> GgufHead:
    """The head of a GGUF file. Raises `XlitError` when the file is torn or not GGUF."""
    with needs_extra("gguf", "Reading a GGUF file"):
        import gguf
    try:
        with GgufFile(path) as file:
            file_type = gguf.LlamaFileType(int(file.value("general.file_type", 1024)))
            special = {}
            for name in SPECIAL_TOKENS:
                number = file.value(f"tokenizer.ggml.{_GGUF_NAMES.get(name, name)}_token_id")
                if number is not None:
                    special[f"{name}_token"] = file.text_at(TOKENS, int(number))
            stop = file.value(STOP_TOKENS)
            return GgufHead(
                number_format=file_type.name.removeprefix("MOSTLY_").removeprefix("ALL_").lower(),
                chat_template=file.value("tokenizer.chat_template"),
                special_tokens=special,
                stop_tokens=None if stop is None else tuple(int(token) for token in stop),
                source_digest=file.value(SOURCE_DIGEST),
                normalization=file.value(NORMALIZATION),
                drops_first_space=bool(file.value(DROPS_FIRST_SPACE, _is_sentencepiece(file))),
                converter=file.value(CONVERTER),
                weights_digest=file.value(WEIGHTS_DIGEST),
                configuration=json.loads(file.value(CONFIGURATION, "{}")),
            )
    except Exception as error:  # a torn file fails in many ways
        raise XlitError(f"{path} is torn, or is no GGUF file of a language model. Make it again.") from error


_GGUF_NAMES = {"unk": "unknown", "pad": "padding"}


def _is_sentencepiece(file: GgufFile) -> bool:
    """Whether a file of other make has SentencePiece's tokenizer, that puts a space before text."""
    model = file.value("tokenizer.ggml.model")
    return model == "llama" and bool(file.value("tokenizer.ggml.add_space_prefix", True))


def copy_with_keys(file: Path, out: Path, keys: Mapping[str, str | bool | int | Sequence[int]]) -> None:
    """Write a GGUF file again as `out`, with some keys more or with other values: texts, yes or no, numbers,
    and lists of token ids. Everything else is copied byte by byte.

    Raises `XlitError` for weights in float16 that are not finite, as those too large for it are.
    """
    with GgufFile(file) as source, out.open("wb") as target:
        _check_finite(source)
        kept = [entry for name, entry in source.entries.items() if name not in keys]
        version = source.data[4:8]
        target.write(MAGIC + version)
        target.write(struct.pack(f"{source.order}QQ", len(source.tensors), len(kept) + len(keys)))
        for entry in kept:
            target.write(source.data[entry.start : entry.end])
        for name, value in keys.items():
            target.write(_packed_text(source.order, name) + _packed_value(source.order, value))
        target.write(source.data[source.tensors_start : source.tensors_end])
        target.write(bytes(-target.tell() % source.alignment))
        for start in range(source.data_start, len(source.data), _COPIED):
            target.write(source.data[start : start + _COPIED])


def _check_finite(source: GgufFile) -> None:
    import gguf
    import numpy as np

    for tensor in source.tensors:
        if tensor.kind != gguf.GGMLQuantizationType.F16:
            continue
        start = source.data_start + tensor.offset
        for first in range(0, tensor.elements, _COPIED):
            count = min(_COPIED, tensor.elements - first)
            values = np.frombuffer(
                source.data[start + 2 * first : start + 2 * (first + count)], dtype=f"{source.order}f2"
            )
            if not np.isfinite(values).all():
                raise XlitError(
                    f"{tensor.name} has weights that are too large for f16. Convert to bf16 instead."
                )


def _packed_text(order: str, text: str) -> bytes:
    raw = text.encode("utf-8")
    return struct.pack(f"{order}Q", len(raw)) + raw


def _packed_value(order: str, value: str | bool | int | Sequence[int]) -> bytes:
    """The kind of a value and the value; whole numbers are of 32 bits, in lists with a sign."""
    if isinstance(value, str):
        return struct.pack(f"{order}I", STRING) + _packed_text(order, value)
    if isinstance(value, bool):
        return struct.pack(f"{order}I?", BOOL, value)
    if isinstance(value, int):
        return struct.pack(f"{order}II", UINT32, value)
    return struct.pack(f"{order}IIQ{len(value)}i", ARRAY, INT32, len(value), *value)
