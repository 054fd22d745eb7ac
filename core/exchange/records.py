"""The neutral records that every importer makes and that the writers put into the store, and their counts.

Records of which there may be millions are named tuples, because making a frozen dataclass takes five times as
long.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from core.text.files import BadRow, Location
from store.names import trimmed
from store.queries.journal import NOTHING_SHOWN, Shown
from store.tables import Rating


def _trim(record: Any, *fields: str) -> None:
    """Keep names without what can't be seen (`store.names`), whatever the file."""
    for name in fields:
        object.__setattr__(record, name, trimmed(getattr(record, name)))


@dataclass(frozen=True, slots=True)
class SuiteName:
    """The suite that a row belongs to, such as `xlit-120/1`. Licence and source are written when the suite is
    new."""

    name: str
    version: str = "1"
    licence: str | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        _trim(self, "name", "version")

    @classmethod
    def parse(cls, label: str, licence: str | None = None, source: str | None = None) -> "SuiteName":
        """Read `NAME/VERSION`. Without a version it is version 1. The name may contain slashes itself."""
        name, slash, version = label.rpartition("/")
        return cls(name, version, licence, source) if slash else cls(version, "1", licence, source)

    @property
    def label(self) -> str:
        return f"{self.name}/{self.version}"


@dataclass(frozen=True, slots=True)
class DecodingName:
    """How a response was decoded, as far as that is known (see `store.tables.Decoding`)."""

    engine: str = "imported"
    quantization: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


class ImportedResponse(NamedTuple):
    """What a model answered to one instruction. An empty text is a response too."""

    model: str
    text: str
    decoding: DecodingName = DecodingName()
    sample: int = 0


class InstructionRow(NamedTuple):
    """An instruction, with a response to it or without.

    When `text` is None, the row names an instruction by suite, language and key, and that instruction must
    have been imported before. When `key` is empty, the row names one by suite, language and text, and the
    suite must hold that text.
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
    """Something about the files as a whole that the report repeats, for example `columns not used: 'id'`."""

    text: str


@dataclass(frozen=True, slots=True)
class RaterName:
    """Who scored, such as `RaterName("anna")` (see `store.tables.Rater`)."""

    name: str
    kind: str = "human"
    version: str = ""

    def __post_init__(self) -> None:
        _trim(self, "name", "version")


@dataclass(frozen=True, slots=True)
class ResponseName:
    """One response of the store, named by what it is: suite, language, key, model and, where these are not
    enough, more.

    A field that is None is not compared. The other fields must fit exactly one response.
    """

    suite: str
    language: str
    key: str
    model: str
    sample: int | None = None
    engine: str | None = None
    quantization: str | None = None
    parameters: Mapping[str, Any] | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        _trim(self, "model")


@dataclass(frozen=True, slots=True)
class ReadText:
    """The text that a reviewer read in an annotator file. It stands for all responses to one instruction with
    the same text.

    `position` is the position in the reviewer's queue when there is a `campaign`. The responses are named by
    `digest` (of the response's text) and `about` (of suite, language and key:
    `annotator.instruction_digest`). Without these two they are the responses with `text` to `instruction` in
    `suite` and `language`. Both texts are written as in the file.
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
class ScoreRecord:
    """A rater's score on one criterion.

    When `score` is None, `skipped` tells why: True means that the criterion was left out on purpose, False
    that an earlier score was taken back.
    """

    criterion: str
    score: int | None
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """An error that a rater marked in a response (see `store.tables.ErrorSpan`)."""

    start: int
    end: int
    category: str
    severity: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class RatingAction:
    """What a rater did with a response: gave scores, wrote a comment, or marked an error.

    `rubric` is NAME/VERSION; None means the rubric of the campaign, or the default one. When `created_at` is
    None, the action happens now, and nothing is written that repeats the rater's last word in the store.
    `whole` means that `scores` holds every score that the rater gave: language 0 then skips the criteria
    without a score, and a response with a score on every criterion is committed.
    """

    location: Location
    response: ResponseName | ReadText
    rater: RaterName
    rubric: str | None = None
    scores: tuple[ScoreRecord, ...] = ()
    comment: str | None = None
    span: SpanRecord | None = None
    shown: Shown = NOTHING_SHOWN
    created_at: datetime | None = None
    whole: bool = False


Record = InstructionRow | RatingAction | BadRow | Remark


@dataclass
class ImportCounts:
    """How many rows of each kind were new and how many were known. A note is a comment or an error span."""

    instructions_new: int = 0
    instructions_known: int = 0
    responses_new: int = 0
    responses_known: int = 0
    ratings_new: int = 0
    ratings_known: int = 0
    notes_new: int = 0
    notes_known: int = 0

    def add(self, table: Any, *, new: bool) -> None:
        """Count one row of a table of the journal (`Rating`, `Comment` or `ErrorSpan`)."""
        name = f"{'ratings' if table is Rating else 'notes'}_{'new' if new else 'known'}"
        setattr(self, name, getattr(self, name) + 1)

    def lines(self, new: str) -> list[str]:
        """A line for each kind, such as `responses: 12 new, 0 known`; ratings and notes only where there are
        any."""
        lines = []
        for kind in ("instructions", "responses", "ratings", "notes"):
            added, known = getattr(self, f"{kind}_new"), getattr(self, f"{kind}_known")
            if added or known or kind in ("instructions", "responses"):
                lines.append(f"{kind}: {added:,} {new}, {known:,} known")
        return lines
