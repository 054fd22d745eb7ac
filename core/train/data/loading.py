"""Loading instruction data: every row of every source read, checked and counted; then mixed and sampled."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core.text.visible import visible
from core.train.data.fields import METADATA, UNUSED, FieldLog, value_at, without_fields
from core.train.data.formats import UNDETERMINED, Conversation, ParsedRow, parse_row
from core.train.data.sampling import Mix, mix_conversations
from core.train.data.sources import BadRow, DataSource, source_rows
from core.train.data.turns import Unfit, check_messages
from store import UsageError

OnBad = Literal["refuse", "skip"]

MOST_LISTED = 1000

_SHOWN = 20

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")


@dataclass
class SourceCount:
    """What became of the rows of one source in one language.

    `formats`: rows by format; `good`, `duplicates` (good ones whose messages came before in that language),
    `unanswered` (conversations that lost a question at their end), `chosen` (in the result; a conversation
    that is drawn twice counts twice); `fields`: by the name of a field, in how many rows it became what
    (see `core.train.data.fields`).
    """

    source: str
    language: str
    formats: Counter[str] = field(default_factory=Counter)
    good: int = 0
    duplicates: int = 0
    unanswered: int = 0
    chosen: int = 0
    fields: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def unused(self) -> dict[str, int]:
        """The fields that no use is known for, with the number of rows in which they hold something."""
        return {name: outcomes[UNUSED] for name, outcomes in self.fields.items() if outcomes[UNUSED]}


@dataclass(frozen=True)
class TrainingData:
    """The conversations to learn from, in order, and what was left out.

    `bad`: the first `MOST_LISTED` rows that were skipped, `bad_count` all of them, by source in
    `bad_by_source`; `digest`: SHA-256 (hex) over language and messages of what was chosen, in order.
    """

    conversations: list[Conversation]
    counts: list[SourceCount]
    bad: list[BadRow]
    bad_by_source: dict[str, int]
    digest: str

    @property
    def bad_count(self) -> int:
        return sum(self.bad_by_source.values())

    def as_dict(self) -> dict[str, Any]:
        """Counts and digest as plain data, for provenance."""
        sources = [vars(count) | {"formats": dict(count.formats)} for count in self.counts]
        return {
            "conversations": len(self.conversations),
            "digest": self.digest,
            "sources": sources,
            "bad": self.bad_by_source,
        }

    def lines(self) -> list[str]:
        """What was read, chosen and left out, one line a source and language, and the first bad rows."""
        lines = []
        for count in self.counts:
            formats = ", ".join(f"{number} {name}" for name, number in count.formats.most_common())
            notes = [
                f"{number} {what}"
                for number, what in (
                    (count.duplicates, "duplicates (kept)"),
                    (count.unanswered, "with a last question that has no answer (left out)"),
                )
                if number
            ]
            also = f"; {', '.join(notes)}" if notes else ""
            lines.append(f"{count.source} [{count.language}]: {formats}; {count.chosen} chosen{also}")
            if count.unused:
                unused = ", ".join(f"{visible(name)} ({rows} rows)" for name, rows in count.unused.items())
                lines.append(f"{count.source} [{count.language}]: fields that are not used: {unused}")
        lines += [f"{source}: bad rows skipped: {number}" for source, number in self.bad_by_source.items()]
        lines += [f"bad: {row}" for row in self.bad[:_SHOWN]]
        if self.bad_count > _SHOWN:
            lines.append(f"... and {self.bad_count - _SHOWN} more bad rows")
        return lines


def load_data(
    sources: Sequence[DataSource],
    *,
    seed: int = 1,
    size: int | None = None,
    mix: Mix = "concat",
    on_bad: OnBad = "refuse",
) -> TrainingData:
    """Read sources, and choose from them (see `core.train.data.sampling.mix_conversations`).

    A row's id is its field `row` or `id`, else its number in the source. A row's `language`, `lang` or
    `language_code` goes before the source's. Raises `UsageError` that names the first bad row and says how
    many more there are, unless they are skipped; when no row has a field that an option names; and when
    nothing is left, or less than `size`.
    """
    reader = _Reader()
    for source in sources:
        reader.read(source)
    if reader.bad and on_bad == "refuse":
        more = sum(reader.bad_by_source.values()) - 1
        rest = f" (bad rows beside it: {more})" if more else ""
        raise UsageError(f"{reader.bad[0]}{rest}. Mend the data, or leave bad rows out with --skip-bad.")
    if not reader.conversations:
        names = ", ".join(source.name for source in sources)
        raise UsageError(f"{names or 'The data'} holds no conversation to learn from.")
    if size is not None and mix == "concat" and size > len(reader.conversations):
        raise UsageError(f"{size} conversations are wanted, and there are {len(reader.conversations)}.")
    chosen = mix_conversations(reader.conversations, mix, seed=seed, size=size)
    for conversation in chosen:
        reader.counts[conversation.source, conversation.language].chosen += 1
    return TrainingData(
        chosen, list(reader.counts.values()), reader.bad, dict(reader.bad_by_source), _digest(chosen)
    )


class _Reader:
    def __init__(self) -> None:
        self.conversations: list[Conversation] = []
        self.counts: dict[tuple[str, str], SourceCount] = {}
        self.bad: list[BadRow] = []
        self.bad_by_source: Counter[str] = Counter()
        self._seen: set[tuple[str, str]] = set()

    def read(self, source: DataSource) -> None:
        self._absent = {*source.columns.values(), *source.drop}
        for number, entry in enumerate(source_rows(source), start=1):
            if isinstance(entry, BadRow):
                self._refuse(source, entry)
                continue
            location, row = entry
            try:
                self._take(source, location, number, row)
            except Unfit as error:
                self._refuse(source, BadRow(location, str(error)))
        if self._absent:
            raise UsageError(
                f"No row of {source.name} holds {sorted(self._absent)[0]!r}, which --column or --drop-field "
                "names."
            )

    def _take(self, source: DataSource, location: str, number: int, row: Any) -> None:
        log = FieldLog()
        if self._absent:
            self._absent -= {path for path in source.columns.values() if value_at(row, path) is not None}
        if source.drop:
            row = without_fields(row, source.drop, log)
            self._absent -= log.outcomes.keys()
        parsed = parse_row(row, source.format, source.columns)
        messages, unanswered = check_messages(parsed.messages)
        language = self._language(source, row, parsed)
        conversation = Conversation(
            messages,
            language,
            source.label,
            location,
            next(iter(_named(row, source.names("id")).values()), str(number)),
            unanswered,
            parsed.tools,
        )
        self.conversations.append(conversation)
        count = self.counts.setdefault((source.label, language), SourceCount(source.label, language))
        count.formats[parsed.format] += 1
        for name, outcome in (parsed.fields | log.outcomes).items():
            count.fields.setdefault(name, Counter())[outcome] += 1
        count.good += 1
        count.unanswered += unanswered
        content = (language, conversation.digest())
        count.duplicates += content in self._seen
        self._seen.add(content)

    def _language(self, source: DataSource, row: Any, parsed: ParsedRow) -> str:
        """The row's language, else the source's. A language that is no code is a field not used, unless
        another one is."""
        named = _named(row, source.names("language"))
        code = next((path for path, value in named.items() if _LANGUAGE.fullmatch(value)), None)
        for path in named:
            parsed.fields[path] = "language" if path == code else METADATA if code else UNUSED
        return (named[code] if code else source.language) or UNDETERMINED

    def _refuse(self, source: DataSource, row: BadRow) -> None:
        self.bad_by_source[source.label] += 1
        if len(self.bad) < MOST_LISTED:
            self.bad.append(row)


def _named(row: Any, paths: Sequence[str]) -> dict[str, str]:
    """The fields among these that hold a text or a whole number, as text."""
    named = {}
    if isinstance(row, Mapping):
        for path in paths:
            value = value_at(row, path)
            if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
                named[path] = str(value).strip()
    return named


def _digest(conversations: Sequence[Conversation]) -> str:
    digest = hashlib.sha256()
    for conversation in conversations:
        digest.update(json.dumps([conversation.language, conversation.digest()]).encode())
    return digest.hexdigest()
