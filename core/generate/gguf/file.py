"""What stands in the head of a GGUF file, and the keys of our own in it: read, and added."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.extras import needs_extra
from store import XlitError

STOP_TOKENS = "xlit.stop_token_ids"
SOURCE_DIGEST = "xlit.source_digest"
NORMALIZATION = "xlit.normalization"
DROPS_FIRST_SPACE = "xlit.drops_first_space"
CONVERTER = "xlit.converter"
SPECIAL_TOKENS = ("bos", "eos", "unk", "pad")


@dataclass(frozen=True)
class GgufHead:
    """`number_format`: of the weights, as llama.cpp names its file types (`f32`, `q8_0`, `q4_k_m`).
    `special_tokens`: texts by chat-template name (`bos_token` ...). `stop_tokens` and `source_digest` are
    None in files that `core.generate.gguf.convert` did not make.

    `normalization`: the Unicode form (`NFC`) that text must be brought into before llama.cpp cuts it.
    `drops_first_space`: an answer's first character, when it is a space, is no part of its text: its first
    token begins a word. `converter`: what has written the file, with its version.
    """

    number_format: str
    chat_template: str | None
    special_tokens: dict[str, str]
    stop_tokens: tuple[int, ...] | None
    source_digest: str | None
    normalization: str | None = None
    drops_first_space: bool = False
    converter: str | None = None


def read_head(path: Path) -> GgufHead:
    """The head of a GGUF file. Raises `XlitError` when the file is torn or not GGUF."""
    with needs_extra("gguf", "Reading a GGUF file"):
        import gguf
    try:
        fields = gguf.GGUFReader(path).fields
        file_type = gguf.LlamaFileType(int(_value(fields, "general.file_type", 1024)))
        tokens = fields["tokenizer.ggml.tokens"]
        special = {}
        for name in SPECIAL_TOKENS:
            number = _value(fields, f"tokenizer.ggml.{_GGUF_NAMES.get(name, name)}_token_id")
            if number is not None:
                special[f"{name}_token"] = str(tokens.contents(int(number)))
        stop = _value(fields, STOP_TOKENS)
        return GgufHead(
            number_format=file_type.name.removeprefix("MOSTLY_").removeprefix("ALL_").lower(),
            chat_template=_value(fields, "tokenizer.chat_template"),
            special_tokens=special,
            stop_tokens=None if stop is None else tuple(int(token) for token in stop),
            source_digest=_value(fields, SOURCE_DIGEST),
            normalization=_value(fields, NORMALIZATION),
            drops_first_space=bool(_value(fields, DROPS_FIRST_SPACE, _is_sentencepiece(fields))),
            converter=_value(fields, CONVERTER),
        )
    except Exception as error:  # on torn files the reader fails in many ways
        raise XlitError(f"{path} is torn, or is no GGUF file of a language model. Make it again.") from error


_GGUF_NAMES = {"unk": "unknown", "pad": "padding"}


def _is_sentencepiece(fields: Any) -> bool:
    """Whether a file of other make has SentencePiece's tokenizer, that puts a space before text."""
    model = _value(fields, "tokenizer.ggml.model")
    return model == "llama" and bool(_value(fields, "tokenizer.ggml.add_space_prefix", True))


def _value(fields: Any, key: str, default: Any = None) -> Any:
    return fields[key].contents() if key in fields else default


def copy_with_keys(file: Path, out: Path, keys: Mapping[str, str | bool | int | Sequence[int]]) -> None:
    """Write a GGUF file again as `out`, with some keys more or with other values: texts, yes or no, numbers,
    and lists of token ids.

    Raises `XlitError` for weights in float16 that are not finite, as those too large for it are.
    """
    import gguf
    import numpy as np

    reader = gguf.GGUFReader(file)
    fields = reader.fields
    with closing(gguf.GGUFWriter(out, str(fields["general.architecture"].contents()))) as writer:
        for name, field in fields.items():
            if name.startswith("GGUF.") or name == "general.architecture" or name in keys:
                continue
            kind = field.types[0]
            inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(name, field.contents(), kind, inner)
        for name, value in keys.items():
            if isinstance(value, str):
                writer.add_string(name, value)
            elif isinstance(value, bool):
                writer.add_bool(name, value)
            elif isinstance(value, int):
                writer.add_uint32(name, value)
            else:
                writer.add_array(name, value)
        for tensor in reader.tensors:
            data = tensor.data
            if data.dtype == np.float16 and not np.isfinite(data).all():
                raise XlitError(
                    f"{tensor.name} has weights that are too large for f16. Convert to bf16 instead."
                )
            writer.add_tensor_info(tensor.name, data.shape, data.dtype, data.nbytes, tensor.tensor_type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for tensor in reader.tensors:
            writer.write_tensor_data(tensor.data)
