"""The writer of imported instructions and responses: each is stored once, and a contradiction is a bad
row."""

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from sqlmodel import Session

from core.exchange.records import DecodingName, ImportCounts, ImportedResponse, InstructionRow
from core.text.files import BadRow
from store.languages import language_tag, stored_language
from store.names import trimmed
from store.queries import importing, models, responses
from store.queries.suites import find_suite
from store.storable import strings_in, unstorable
from store.tables import Suite
from store.upsert import row_id

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
LARGEST_SAMPLE = 2**31 - 1


@dataclass
class ResponseWriter:
    """Writes batches of rows in the caller's session. The caller decides whether they stay."""

    session: Session
    run_id: int | None = None
    counts: ImportCounts = field(default_factory=ImportCounts)
    suites: dict[str, int] = field(default_factory=dict)
    models: dict[str, int] = field(default_factory=dict)
    _decodings: dict[tuple[str, str | None, str], int] = field(default_factory=dict)
    _languages: dict[int, list[str]] = field(default_factory=dict)
    _positions: dict[tuple[int, str], int] = field(default_factory=dict)
    _seen: bytearray = field(default_factory=bytearray)  # a byte for each id, since there may be millions
    _texts: dict[tuple[int, str], dict[str, tuple[str, str]]] = field(default_factory=dict)

    def write(self, rows: Sequence[InstructionRow]) -> list[BadRow]:
        """Write a batch. Returns the rows that could not be written, in no particular order."""
        bad: list[BadRow] = []
        sound = []
        for given in rows:
            row = _with_tag(given)
            if _surely_sound(row) or (reason := unsound(row, given.language)) is None:
                sound.append(row)
            else:
                bad.append(BadRow(row.location, reason))
        groups: dict[tuple[int, str], list[InstructionRow]] = defaultdict(list)
        for row in sound:
            suite = self._suite(row)
            language = self._language(suite, row.language)
            held = row if language == row.language else row._replace(language=language)
            groups[suite, language].append(held)
        imported: list[tuple[tuple[int, int, int, int], InstructionRow, ImportedResponse]] = []
        for (suite, language), group in groups.items():
            for instruction, row in self._instructions(suite, language, group, bad):
                if (response := row.response) is not None:
                    made_by = self._model(response.model), self._decoding(response.decoding)
                    imported.append(((instruction, *made_by, response.sample), row, response))
        self._responses(imported, bad)
        return bad

    def _language(self, suite: int, tag: str) -> str:
        """The code under which a suite holds a language already, else its tag."""
        if suite not in self._languages:
            self._languages[suite] = importing.languages_of(self.session, suite)
        return stored_language(tag, self._languages[suite])

    def _instructions(
        self, suite: int, language: str, rows: Sequence[InstructionRow], bad: list[BadRow]
    ) -> Iterator[tuple[int, InstructionRow]]:
        if not all(row.key for row in rows):
            rows = list(self._matched(suite, language, rows, bad))
        keys = {row.key for row in rows}
        known = importing.known_instructions(self.session, suite, language, keys)
        texts = {key: text for key, (_, text) in known.items()}
        sound, new = [], []
        for row in rows:
            text = texts.get(row.key)
            if text is None and row.text is None:
                bad.append(
                    BadRow(
                        row.location,
                        f"suite {row.suite.label} holds no instruction {row.key!r} ({language}), and the row "
                        "has no text for it",
                    )
                )
            elif text is not None and row.text is not None and row.text != text:
                bad.append(
                    BadRow(
                        row.location,
                        f"suite {row.suite.label} holds instruction {row.key!r} ({language}) with another "
                        "text; a changed suite needs a new version",
                    )
                )
            else:
                if text is None and row.text is not None:
                    texts[row.key] = row.text
                    new.append(self._new_instruction(suite, row))
                sound.append(row)
        importing.add_instructions(self.session, new)
        if new:
            known = importing.known_instructions(self.session, suite, language, keys)
        self.counts.instructions_new += len(new)
        self.counts.instructions_known += self._first_seen(known[row.key][0] for row in sound) - len(new)
        for row in sound:
            yield known[row.key][0], row

    def _first_seen(self, ids: Iterable[int]) -> int:
        """How many of these instructions this import meets for the first time."""
        count = 0
        for instruction_id in ids:
            if instruction_id >= len(self._seen):
                self._seen.extend(bytes(instruction_id + 1_000 - len(self._seen)))
            count += not self._seen[instruction_id]
            self._seen[instruction_id] = 1
        return count

    def _matched(
        self, suite: int, language: str, rows: Sequence[InstructionRow], bad: list[BadRow]
    ) -> Iterator[InstructionRow]:
        """The rows. One without a key gets the key of the instruction that has the same text, white space
        aside."""
        if (suite, language) not in self._texts:
            texts = importing.instruction_texts(self.session, suite, language)
            self._texts[suite, language] = {_words(text): (key, text) for key, text in texts}
        for row in rows:
            instruction = (
                (row.key, row.text) if row.key else self._texts[suite, language].get(_words(row.text or ""))
            )
            if instruction is not None:
                yield row._replace(key=instruction[0], text=instruction[1])
            else:
                bad.append(
                    BadRow(
                        row.location,
                        f"suite {row.suite.label} holds no instruction with this text ({row.language})",
                    )
                )

    def _new_instruction(self, suite: int, row: InstructionRow) -> dict[str, object]:
        group = suite, row.language
        if group not in self._positions:
            self._positions[group] = importing.next_position(self.session, suite, row.language)
        position = self._positions[group]
        self._positions[group] += 1
        return {
            "suite_id": suite, "language": row.language, "key": row.key, "position": position,
            "text": row.text, "task": row.task, "modifier": row.modifier, "check": row.check,
        }  # fmt: skip

    def _responses(
        self,
        imported: Sequence[tuple[tuple[int, int, int, int], InstructionRow, ImportedResponse]],
        bad: list[BadRow],
    ) -> None:
        if not imported:
            return
        known = importing.known_answers(self.session, [identity for identity, _, _ in imported])
        new = []
        for identity, row, response in imported:
            digest = responses.text_digest(response.text)
            known_digest = known.setdefault(identity, digest)
            if known_digest is digest:
                new.append((*identity, response.text, digest, self.run_id))
            elif known_digest == digest:
                self.counts.responses_known += 1
            else:
                bad.append(
                    BadRow(
                        row.location,
                        f"model {response.model!r} has another response to instruction {row.key!r} "
                        f"({row.language}) already; number further ones in a column `sample`",
                    )
                )
        importing.add_answers(self.session, new)
        self.counts.responses_new += len(new)

    def _suite(self, row: InstructionRow) -> int:
        label = row.suite.label
        if label not in self.suites and not row.key:
            self.suites[label] = find_suite(self.session, label).id
        if label not in self.suites:
            key = {"name": row.suite.name, "version": row.suite.version}
            more = {"licence": row.suite.licence, "source": row.suite.source}
            self.suites[label] = row_id(self.session, Suite, key, **more)
        return self.suites[label]

    def _model(self, name: str) -> int:
        name = trimmed(name)
        if name not in self.models:
            self.models[name] = models.model_id(self.session, name)
        return self.models[name]

    def _decoding(self, name: DecodingName) -> int:
        key = name.engine, name.quantization, json.dumps(dict(name.parameters)) if name.parameters else ""
        if key not in self._decodings:
            self._decodings[key] = models.decoding_id(
                self.session, name.engine, name.quantization, dict(name.parameters)
            )
        return self._decodings[key]


def _words(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def unsound(row: InstructionRow, language: str) -> str | None:
    """Why a row can't be stored in any store, or None; `language` is its language as the file has it."""
    if not _is_language(row.language):
        return f"{language!r} is no language code such as `en` or `pt-BR`"
    suite, response = row.suite, row.response
    if response is not None and not 0 <= response.sample <= LARGEST_SAMPLE:
        return f"the sample is {response.sample}, not a number from 0"
    needed = {"suite": suite.name, "suite version": suite.version}
    if row.key:
        needed["key"] = row.key
    if row.text is not None:
        needed["instruction"] = row.text
    others = {"task": row.task, "modifier": row.modifier}
    nested = {"check": row.check} if row.check else {}
    if response is not None:
        needed["model"], needed["engine"] = trimmed(response.model), response.decoding.engine
        others["response"], others["quantization"] = response.text, response.decoding.quantization
        nested |= {"parameters": dict(response.decoding.parameters)} if response.decoding.parameters else {}
    named = [*needed.items(), *others.items()]
    named += [(name, text) for name, value in nested.items() for text in strings_in(value)]
    for name, text in named:
        if text and (reason := unstorable(text)) is not None:
            return f"the {name} {reason}"
    empty = next((name for name, text in needed.items() if not text or text.isspace()), None)
    return None if empty is None else f"the {empty} is empty"


def _surely_sound(row: InstructionRow) -> bool:
    """Whether nothing can be wrong with a row. Nearly every row passes.

    All texts are checked at once, which is faster than `unsound`.
    """
    suite, response = row.suite, row.response
    if response is None or response.sample or response.decoding.parameters or row.check or not row.text:
        return False
    needed = suite.name, suite.version, row.key, row.text, trimmed(response.model), response.decoding.engine
    others = row.task or "", row.modifier or "", response.decoding.quantization or "", response.text
    return (
        _is_language(row.language)
        and all(needed)
        and not any(map(str.isspace, needed))
        and unstorable("\n".join((*needed, *others))) is None
    )


def _with_tag(row: InstructionRow) -> InstructionRow:
    """The row with its language as stores hold it."""
    tag = language_tag(row.language)
    return row if tag == row.language else row._replace(language=tag)


@lru_cache(maxsize=1_000)
def _is_language(code: str) -> bool:
    return LANGUAGE.fullmatch(code) is not None
