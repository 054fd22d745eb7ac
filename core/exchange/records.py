"""The neutral records that every importer makes and the one writer puts into the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row begins: a file and its line, counted from 1."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class SuiteName:
    """The suite that a row belongs to; licence and source are written when the suite is new."""

    name: str
    version: str = "1"
    licence: str | None = None
    source: str | None = None

    @classmethod
    def parse(cls, label: str, licence: str | None = None, source: str | None = None) -> "SuiteName":
        """`NAME/VERSION`; without a version it is 1. A name may hold slashes itself."""
        name, slash, version = label.rpartition("/")
        return cls(name, version, licence, source) if slash else cls(version, "1", licence, source)

    @property
    def label(self) -> str:
        return f"{self.name}/{self.version}"


@dataclass(frozen=True, slots=True)
class DecodingName:
    """How an answer was drawn, as far as is known (see `store.tables.Decoding`)."""

    engine: str = "imported"
    quantization: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered. An empty text is an answer too."""

    model: str
    text: str
    decoding: DecodingName = DecodingName()
    sample: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """An instruction, with an answer to it or without.

    `text` None names an instruction by suite, language and key alone: it must have come before.
    """

    place: Place
    suite: SuiteName
    language: str
    key: str
    text: str | None
    task: str | None = None
    modifier: str | None = None
    check: dict[str, Any] | None = None
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that can't be taken, and why."""

    place: Place
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Note:
    """Something about the files as a whole that the report repeats, such as a column that was not used."""

    text: str


Record = Row | BadRow | Note
