"""The one writer behind every importer: rows go into the store once, and contradictions are bad rows."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlmodel import Session

from core.exchange.counts import Counts
from core.exchange.records import Answer, BadRow, DecodingName, Row
from core.exchange.storable import strings_in, unstorable
from store.queries import importing, importing_actions, models, responses
from store.queries.suites import find_suite
from store.tables import Instruction, Suite
from store.upsert import insert_missing, row_id

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
LARGEST_SAMPLE = 2**31 - 1


@dataclass
class Writer:
    """Writes batches of rows in the caller's session, which decides whether they stay."""

    session: Session
    run_id: int | None = None
    counts: Counts = field(default_factory=Counts)
    suites: dict[str, int] = field(default_factory=dict)
    models: dict[str, int] = field(default_factory=dict)
    _decodings: dict[str, int] = field(default_factory=dict)
    _positions: dict[tuple[int, str], int] = field(default_factory=dict)
    _seen: set[int] = field(default_factory=set)
    _texts: dict[tuple[int, str], dict[str, tuple[str, str]]] = field(default_factory=dict)

    def write(self, rows: Sequence[Row]) -> list[BadRow]:
        """Write a batch; returns the rows that could not be written, in no order."""
        bad: list[BadRow] = []
        sound = []
        for row in rows:
            reason = unsound(row)
            if reason is None:
                sound.append(row)
            else:
                bad.append(BadRow(row.place, reason))
        groups: dict[tuple[int, str], list[Row]] = defaultdict(list)
        for row in sound:
            groups[self._suite(row), row.language].append(row)
        answers: dict[tuple[int, int], list[tuple[int, Row, Answer]]] = defaultdict(list)
        for (suite, language), group in groups.items():
            for instruction, row in self._instructions(suite, language, group, bad):
                if row.answer is not None:
                    who = self._model(row.answer.model), self._decoding(row.answer.decoding)
                    answers[who].append((instruction, row, row.answer))
        for (model, decoding), given in answers.items():
            self._responses(model, decoding, given, bad)
        return bad

    def _instructions(
        self, suite: int, language: str, rows: Sequence[Row], bad: list[BadRow]
    ) -> Iterator[tuple[int, Row]]:
        if not all(row.key for row in rows):
            rows = list(self._matched(suite, language, rows, bad))
        keys = {row.key for row in rows}
        known = importing.known_instructions(self.session, suite, language, keys)
        texts = {key: text for key, (_, text) in known.items()}
        kept, new = [], []
        for row in rows:
            text = texts.get(row.key)
            if text is None and row.text is None:
                bad.append(
                    BadRow(
                        row.place,
                        f"suite {row.suite.label} holds no instruction {row.key!r} ({language}), and the row "
                        "has no text for it",
                    )
                )
            elif text is not None and row.text is not None and row.text != text:
                bad.append(
                    BadRow(
                        row.place,
                        f"suite {row.suite.label} holds instruction {row.key!r} ({language}) with another "
                        "text; a changed suite needs a new version",
                    )
                )
            else:
                if text is None and row.text is not None:
                    texts[row.key] = row.text
                    new.append(self._new_instruction(suite, row))
                kept.append(row)
        insert_missing(self.session, Instruction, new, ["suite_id", "language", "key"])
        if new:
            known = importing.known_instructions(self.session, suite, language, keys)
        here = {known[row.key][0] for row in kept} - self._seen
        self._seen |= here
        self.counts.instructions_new += len(new)
        self.counts.instructions_known += len(here) - len(new)
        for row in kept:
            yield known[row.key][0], row

    def _matched(self, suite: int, language: str, rows: Sequence[Row], bad: list[BadRow]) -> Iterator[Row]:
        """The rows; those without a key with that of the instruction that has their text, blanks aside."""
        if (suite, language) not in self._texts:
            texts = importing_actions.instruction_texts(self.session, suite, language)
            self._texts[suite, language] = {_words(text): (key, text) for key, text in texts}
        for row in rows:
            found = (
                (row.key, row.text) if row.key else self._texts[suite, language].get(_words(row.text or ""))
            )
            if found is not None:
                yield replace(row, key=found[0], text=found[1])
            else:
                bad.append(
                    BadRow(
                        row.place,
                        f"suite {row.suite.label} holds no instruction with this text ({row.language})",
                    )
                )

    def _new_instruction(self, suite: int, row: Row) -> dict[str, object]:
        place = suite, row.language
        if place not in self._positions:
            self._positions[place] = importing.next_position(self.session, suite, row.language)
        position = self._positions[place]
        self._positions[place] += 1
        return {
            "suite_id": suite, "language": row.language, "key": row.key, "position": position,
            "text": row.text, "task": row.task, "modifier": row.modifier, "check": row.check,
        }  # fmt: skip

    def _responses(
        self, model: int, decoding: int, given: Sequence[tuple[int, Row, Answer]], bad: list[BadRow]
    ) -> None:
        instructions = {instruction for instruction, _, _ in given}
        known = importing.known_answers(self.session, model, decoding, instructions)
        new = []
        for instruction, row, answer in given:
            identity = instruction, answer.sample
            digest = responses.text_digest(answer.text)
            if identity not in known:
                known[identity] = digest
                new.append(
                    {
                        "instruction_id": instruction,
                        "model_id": model,
                        "decoding_id": decoding,
                        "sample": answer.sample,
                        "text": answer.text,
                        "run_id": self.run_id,
                    }
                )
            elif known[identity] == digest:
                self.counts.responses_known += 1
            else:
                bad.append(
                    BadRow(
                        row.place,
                        f"model {answer.model!r} has another response to instruction {row.key!r} "
                        f"({row.language}) already; number further ones in a column `sample`",
                    )
                )
        responses.add_responses(self.session, new)
        self.counts.responses_new += len(new)

    def _suite(self, row: Row) -> int:
        label = row.suite.label
        if label not in self.suites and not row.key:
            self.suites[label] = find_suite(self.session, label).id
        if label not in self.suites:
            key = {"name": row.suite.name, "version": row.suite.version}
            more = {"licence": row.suite.licence, "source": row.suite.source}
            self.suites[label] = row_id(self.session, Suite, key, **more)
        return self.suites[label]

    def _model(self, name: str) -> int:
        if name not in self.models:
            self.models[name] = models.model_id(self.session, name)
        return self.models[name]

    def _decoding(self, name: DecodingName) -> int:
        parameters = dict(name.parameters)
        digest = models.decoding_digest(name.engine, name.quantization, parameters)
        if digest not in self._decodings:
            self._decodings[digest] = models.decoding_id(
                self.session, name.engine, name.quantization, parameters
            )
        return self._decodings[digest]


def _words(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def unsound(row: Row) -> str | None:
    """Why a row can't be stored whatever the store holds, or None."""
    if not LANGUAGE.fullmatch(row.language):
        return f"{row.language!r} is no language code such as `en` or `pt-BR`"
    needed: dict[str, str | None] = {
        "suite": row.suite.name,
        "suite version": row.suite.version,
        "key": row.key or None,
        "instruction": row.text,
    }
    others: dict[str, Any] = {"task": row.task, "modifier": row.modifier, "check": row.check}
    if row.answer is not None:
        answer = row.answer
        needed |= {"model": answer.model, "engine": answer.decoding.engine}
        others |= {"response": answer.text, "quantization": answer.decoding.quantization}
        others["parameters"] = answer.decoding.parameters
        if not 0 <= answer.sample <= LARGEST_SAMPLE:
            return f"the sample is {answer.sample}, not a number from 0"
    for name, value in {**needed, **others}.items():
        reason = next(filter(None, map(unstorable, strings_in(value))), None)
        if reason is not None:
            return f"the {name} {reason}"
    empty = next((name for name, text in needed.items() if text is not None and not text.strip()), None)
    return None if empty is None else f"the {empty} is empty"
