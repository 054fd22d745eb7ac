"""The head of a GGUF file, read without making an object of every token.

The format (ggml, docs/gguf.md): magic, version, the numbers of tensors and of keys, the keys with their
values, the descriptions of the tensors, and from the next multiple of `general.alignment` on their data. A
vocabulary is an array of texts, each after its length: it is stepped over, and a text of it is read when it
is asked for, so that a head takes the same short time whatever the vocabulary.
"""

import mmap
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

MAGIC = b"GGUF"
UINT32, INT32, BOOL, STRING, ARRAY = 4, 5, 7, 8, 9
FORMATS = {  # as `struct` names them
    0: "B", 1: "b", 2: "H", 3: "h", UINT32: "I", INT32: "i", 6: "f", BOOL: "?", 10: "Q", 11: "q", 12: "d",
}  # fmt: skip
DEFAULT_ALIGNMENT = 32


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value: bytes [start, end) of the file. The value, of this `kind`, begins at `value`."""

    kind: int
    start: int
    value: int
    end: int


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor: its number of elements, its ggml type, and its offset in bytes from the start of the data."""

    name: str
    elements: int
    kind: int
    offset: int


class GgufFile:
    """A GGUF file, mapped into memory: its keys, and what is said of its tensors.

    Use as a context. Raises `ValueError` for what is no GGUF file of version 2 or 3, and `ValueError` or
    `struct.error` for one that ends within its head or before its last tensor does.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            self._read()
        except BaseException:
            self.data.close()
            raise

    def __enter__(self) -> "GgufFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.data.close()

    def __contains__(self, key: str) -> bool:
        return key in self.entries

    def _read(self) -> None:
        if self.data[:4] != MAGIC:
            raise ValueError("no GGUF file")
        self.order = "<" if self.data[4:6] != b"\0\0" else ">"
        self._length = struct.Struct(f"{self.order}Q").unpack_from
        version, tensors, keys = struct.unpack_from(f"{self.order}IQQ", self.data, 4)
        if version not in (2, 3):
            raise ValueError(f"GGUF of version {version}")
        offset = 24
        self.entries: dict[str, Entry] = {}
        for _ in range(keys):
            start = offset
            name, offset = self._text(offset)
            (kind,) = struct.unpack_from(f"{self.order}I", self.data, offset)
            value = offset + 4
            offset = self._after(kind, value)
            self.entries[name] = Entry(kind, start, value, offset)
        self.tensors_start = offset
        self.tensors = []
        for _ in range(tensors):
            tensor, offset = self._tensor(offset)
            self.tensors.append(tensor)
        self.tensors_end = offset
        self.alignment = int(self.value("general.alignment", DEFAULT_ALIGNMENT))
        self.data_start = offset + -offset % self.alignment
        self._check_length()

    def _check_length(self) -> None:
        for tensor in self.tensors:
            if self.data_start + tensor.offset + tensor_bytes(tensor) > len(self.data):
                raise ValueError(f"the file ends within {tensor.name}")

    def _text(self, offset: int) -> tuple[str, int]:
        start = offset + 8
        end = start + self._length(self.data, offset)[0]
        if end > len(self.data):
            raise ValueError("the file ends within its head")
        return self.data[start:end].decode("utf-8", "replace"), end

    def _array(self, offset: int) -> tuple[int, int, int]:
        kind, count = struct.unpack_from(f"{self.order}IQ", self.data, offset)
        return kind, count, offset + 12

    def _after(self, kind: int, offset: int) -> int:
        """The offset behind a value."""
        if kind == STRING:
            return self._after_texts(1, offset)
        if kind != ARRAY:
            return offset + struct.calcsize(f"={FORMATS[kind]}")
        inner, count, offset = self._array(offset)
        if inner == STRING:
            return self._after_texts(count, offset)
        if inner == ARRAY:
            for _ in range(count):
                offset = self._after(ARRAY, offset)
            return offset
        return offset + count * struct.calcsize(f"={FORMATS[inner]}")

    def _after_texts(self, count: int, offset: int) -> int:
        length: Callable[..., tuple[int]] = self._length
        data = self.data
        for _ in range(count):
            offset += 8 + length(data, offset)[0]
        return offset

    def _tensor(self, offset: int) -> tuple[TensorInfo, int]:
        name, offset = self._text(offset)
        (dimensions,) = struct.unpack_from(f"{self.order}I", self.data, offset)
        *shape, kind, start = struct.unpack_from(f"{self.order}{dimensions}QIQ", self.data, offset + 4)
        elements = 1
        for size in shape:
            elements *= size
        return TensorInfo(name, elements, kind, start), offset + 4 + 8 * dimensions + 12

    def value(self, key: str, default: Any = None) -> Any:
        """The value of a key: a number, yes or no, a text, or a list of these; `default` where it is not."""
        entry = self.entries.get(key)
        return default if entry is None else self._value(entry.kind, entry.value)[0]

    def _value(self, kind: int, offset: int) -> tuple[Any, int]:
        if kind == STRING:
            return self._text(offset)
        if kind != ARRAY:
            (value,) = struct.unpack_from(f"{self.order}{FORMATS[kind]}", self.data, offset)
            return value, self._after(kind, offset)
        inner, count, offset = self._array(offset)
        if inner not in (STRING, ARRAY):
            packed = f"{self.order}{count}{FORMATS[inner]}"
            return list(struct.unpack_from(packed, self.data, offset)), offset + struct.calcsize(packed)
        values = []
        for _ in range(count):
            value, offset = self._value(inner, offset)
            values.append(value)
        return values, offset

    def text_at(self, key: str, index: int) -> str:
        """One text of an array of texts. Raises `IndexError` for an index beyond it."""
        inner, count, offset = self._array(self.entries[key].value)
        if inner != STRING or not 0 <= index < count:
            raise IndexError(f"{key} has {count} values, and no text {index}")
        return self._text(self._after_texts(index, offset))[0]


def tensor_bytes(tensor: TensorInfo) -> int:
    """The size of a tensor's data; 0 for a type that is not known here."""
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    if tensor.kind not in set(GGMLQuantizationType):
        return 0
    block, size = GGML_QUANT_SIZES[GGMLQuantizationType(tensor.kind)]
    return tensor.elements // block * size
