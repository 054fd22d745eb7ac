"""The neutral records that every importer makes and the writers put into the store, and the counts of them.

Those of which there may be millions are named tuples: a frozen dataclass takes five times as long to make.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from core.text.files import BadRow, Location
from store.queries.journal import NOTHING_SHOWN, Shown
from store.tables import Rating


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


class ImportedResponse(NamedTuple):
    """What a model answered. An empty text is an answer too."""

    model: str
    text: str
    decoding: DecodingName = DecodingName()
    sample: int = 0


class InstructionRow(NamedTuple):
    """An instruction, with an answer to it or without.

    `text` None names an instruction by suite, language and key alone: it must have come before. An empty
    `key` names one by suite, language and text: the suite must hold that text.
    """

    location: Location
    suite: SuiteName
    language: str
    key: str
    text: str | None
    task: str | None = None
    modifier: str | None = None
    check: dict[str, Any] | None = None
    response: ImportedResponse | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about the files as a whole that the report repeats, such as a column that was not used."""

    text: str


@dataclass(frozen=True, slots=True)
class RaterName:
    """Who scored (see `store.tables.Rater`)."""

    name: str
    kind: str = "human"
    version: str = ""


@dataclass(frozen=True, slots=True)
class ResponseName:
    """One response of the store by what it is. None says nothing: what is said must fit one response."""

    suite: str
    language: str
    key: str
    model: str
    sample: int | None = None
    engine: str | None = None
    quantization: str | None = None
    parameters: Mapping[str, Any] | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class ReadText:
    """What a reviewer read in a text file: all responses to one instruction that read the same.

    `position` is the place in the reviewer's queue when there is a `campaign`. `digest` (of the response) and
    `about` (of suite, language and key: `annotator.instruction_digest`) name it; without them it is the
    responses with `text` to `instruction` in `suite` and `language`. `text` is as the file shows it.
    """

    text: str
    instruction: str
    campaign: str | None = None
    position: int | None = None
    digest: str | None = None
    about: str | None = None
    suite: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A score on a criterion. None with `skipped`: left out on purpose; None without: taken back."""

    criterion: str
    score: int | None
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """An error span (see `store.tables.ErrorSpan`)."""

    start: int
    end: int
    category: str
    severity: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """What a rater said about a response: scores, a comment, a span.

    `rubric` is NAME/VERSION; None is the campaign's, or the default one. `created_at` None: now, and what the
    rater said last in the store is not said again. `whole`: these are all marks that the rater gave, so that
    language 0 leaves out the rest, and a response with every mark is done.
    """

    location: Location
    response: ResponseName | ReadText
    rater: RaterName
    rubric: str | None = None
    scores: tuple[Score, ...] = ()
    comment: str | None = None
    span: Span | None = None
    shown: Shown = NOTHING_SHOWN
    created_at: datetime | None = None
    whole: bool = False


Record = InstructionRow | Action | BadRow | Remark


@dataclass
class ImportCounts:
    """Rows by kind; a note is a comment or an error span."""

    instructions_new: int = 0
    instructions_known: int = 0
    responses_new: int = 0
    responses_known: int = 0
    ratings_new: int = 0
    ratings_known: int = 0
    notes_new: int = 0
    notes_known: int = 0

    def add(self, table: Any, *, new: bool) -> None:
        """Count a row of one of the journal's tables."""
        name = f"{'ratings' if table is Rating else 'notes'}_{'new' if new else 'known'}"
        setattr(self, name, getattr(self, name) + 1)

    def lines(self, new: str) -> list[str]:
        """A line for each kind; ratings and notes only where there were any."""
        lines = []
        for kind in ("instructions", "responses", "ratings", "notes"):
            added, known = getattr(self, f"{kind}_new"), getattr(self, f"{kind}_known")
            if added or known or kind in ("instructions", "responses"):
                lines.append(f"{kind}: {added:,} {new}, {known:,} known")
        return lines
