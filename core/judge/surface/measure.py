"""The surface metrics of one response after another: texts go in, rows of the store come out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.judge.surface.foreign import RULES, foreign_stretches
from core.judge.surface.language import Identified, LanguageIdentifier
from core.judge.surface.spelling import Dictionary, Speller, Spelling
from core.text.prose import blank_code
from store.languages import normal_language
from store.queries.surface import NO_PROSE, UNKNOWN_LANGUAGE

LANGUAGE, SPELLING = "language", "spelling"

Row = dict[str, Any]


@dataclass(frozen=True)
class Tools:
    """What is measured with: the identification model's file (None: the default one, see
    `LanguageIdentifier`), and the dictionary of each language that has one."""

    lid: Path | None = None
    dictionaries: dict[str, Dictionary] = field(default_factory=dict)


@dataclass(frozen=True)
class Chunk:
    """Responses that are expected in one `language`: (id, text, the metrics that it lacks)."""

    language: str
    responses: Sequence[tuple[int, str, tuple[str, ...]]]


class Measurer:
    """Measures with the tools given; each is loaded when it is first needed, and kept."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._identifier: LanguageIdentifier | None = None
        self._spellers: dict[str, Speller] = {}

    def measure(self, chunk: Chunk) -> list[Row]:
        """The rows of `store.tables.SurfaceMetric` for the responses of a chunk, without their run."""
        return [
            {"response_id": response_id, "metric": metric, **row}
            for response_id, text, metrics in chunk.responses
            for metric, row in self._measured(chunk.language, text, metrics)
        ]

    def _measured(self, language: str, text: str, metrics: Sequence[str]) -> list[tuple[str, Row]]:
        prose = blank_code(text)
        measured = []
        if LANGUAGE in metrics:
            measured.append((LANGUAGE, self._language(language, text, prose)))
        if SPELLING in metrics:
            speller = self._speller(language)
            measured.append((SPELLING, {"tool": speller.tool, **_spelling_row(speller.check_prose(prose))}))
        return measured

    def _language(self, language: str, text: str, prose: str) -> Row:
        if self._identifier is None:
            self._identifier = LanguageIdentifier(self._tools.lid)
        identifier = self._identifier
        identified = identifier.identify(text, prose)
        if identified.label is not None and normal_language(language) not in identifier.languages:
            guess = identified.label, identified.probability or 0.0
            identified = Identified(None, None, UNKNOWN_LANGUAGE, guess)
        detail: dict[str, Any] = {"reason": identified.reason} if identified.reason else {}
        if identified.guess is not None:
            detail["guess"] = list(identified.guess)
        stretches = foreign_stretches(text, language, identifier, identified, prose)
        if stretches is not None:
            detail["foreign"] = [[stretch.start, stretch.end, stretch.label] for stretch in stretches]
        return {
            "tool": language_tool(identifier),
            "value": identified.probability,
            "label": identified.label,
            "detail": detail,
        }

    def _speller(self, language: str) -> Speller:
        if language not in self._spellers:
            self._spellers[language] = Speller(language, self._tools.dictionaries[language])
        return self._spellers[language]


def language_tool(identifier: LanguageIdentifier) -> str:
    """The name of what measures `language`: model, preparation and the rules for stretches."""
    return f"{identifier.tool} {RULES}"


def _spelling_row(spelling: Spelling) -> Row:
    detail: dict[str, Any] = {
        "words": spelling.words,
        "other_script": spelling.other_script,
        "misspelt": [list(span) for span in spelling.misspelt],
    }
    if not spelling.words:
        detail["reason"] = NO_PROSE
    return {"value": spelling.share, "label": None, "detail": detail}
