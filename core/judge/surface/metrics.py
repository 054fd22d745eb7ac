"""`xlit-core judge surface`: the metrics that need no judge, over every response that lacks them."""

import os
from array import array
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from core.judge.scope import chosen_languages, expected_among
from core.judge.surface import language as language_id
from core.judge.surface import spelling
from core.judge.surface.language import LanguageIdentifier
from core.judge.surface.measure import (
    LANGUAGE,
    SPELLING,
    Chunk,
    Measurer,
    Row,
    Tools,
    language_tool,
)
from core.judge.surface.processes import measured_by_processes
from core.judge.surface.spelling import (
    Dictionary,
    find_dictionary,
    named_dictionary,
    spelling_tool,
    what_to_install,
)
from core.progress import Progress, progress, say
from core.text.scripts import UNSPACED_LANGUAGES
from store import UsageError
from store.languages import normal_language
from store.provenance import RunRecord, record_run
from store.queries import surface
from store.queries.responses import response_texts
from store.session import reading, writing

METRICS = (LANGUAGE, SPELLING)

# Responses measured between two commits: so few that a reviewer's key waits for none of them.
CHUNK = 200

# A process with its dictionary takes some tenths of a second to start, which must be worth it.
RESPONSES_PER_PROCESS = 1000

# A chunk ends with so many characters, so that neither it nor its commit takes long.
CHARACTERS = 1_000_000

# How many chunks of a language must be left before a second process takes part, which has to load the
# dictionary and to look up the same words again.
WORTH_SHARING = 3

_LACKS_LANGUAGE, _LACKS_SPELLING = 1, 2
_METRICS_LACKED = {1: (LANGUAGE,), 2: (SPELLING,), 3: (LANGUAGE, SPELLING)}


def judge_surface(
    engine: Engine,
    *,
    metrics: Sequence[str] = METRICS,
    languages: list[str] | None = None,
    dictionaries: Path | None = None,
    dictionary_names: dict[str, str] | None = None,
    lid: Path | None = None,
    processes: int | None = None,
) -> RunRecord:
    """Measure every response of the store that this version of the tools has not measured yet.

    A response is measured against the language that it is *expected* in: its instruction's, or the one that
    the modifier demands (`store.queries.expected_language`). The rows of the two metrics are:

    * `language`: `label` is the language identified, `value` its probability (0 to 1); both are None for a
      text without letters, with the `reason` in `detail`. `detail` also has `foreign`: the stretches
      [start, end, label] in another language than the expected one (`surface.foreign`); it is left out when
      the model does not know that language.
    * `spelling`: `value` is the share of words that pass the dictionary of the expected language, also for a
      response in another language (who reads the number decides). `detail` has `words`, how many were
      checked, and `misspelt`, the [start, end) offsets of those that did not pass.

    `languages` are the instructions' languages (default: all in the store); `dictionaries` and `lid` as in
    `find_dictionary` and `LanguageIdentifier`; `dictionary_names` names the dictionary of a language by its
    file name: `{"pt": "pt_PT"}`. A language without a dictionary is a failed unit of the run. `processes`:
    how many measure at once (None: one for each core that this process may use, and fewer when there is
    little to do; 1: this one). The rows are the same with any number of them.

    Raises `UsageError` for a metric, dictionary or model that is not there, `XlitError` when a process ended
    of itself; what was measured until then is kept.
    """
    for metric in metrics:
        if metric not in METRICS:
            raise UsageError(f"No surface metric {metric!r}. There are: {', '.join(METRICS)}.")
    if processes is not None and processes < 1:
        raise UsageError(f"{processes} processes can't measure anything. Give 1 or more, or leave it out.")
    identified_by = language_tool(LanguageIdentifier(lid)) if LANGUAGE in metrics else None
    chosen = chosen_languages(engine, languages)
    dictionaries_found = _Dictionaries()
    if SPELLING in metrics:
        dictionaries_found = _dictionaries(
            expected_among(engine, chosen), dictionaries, dictionary_names or {}
        )
    spelt_by = {code: spelling_tool(dictionary) for code, dictionary in dictionaries_found.of.items()}
    parameters = {
        "metrics": list(metrics),
        "languages": chosen,
        "tools": [*([identified_by] if identified_by else []), *dict.fromkeys(spelt_by.values())],
    }
    libraries = [*language_id.LIBRARIES, *spelling.LIBRARIES]
    with record_run(engine, "judge surface", parameters, libraries=libraries) as run:
        queue = ChunkQueue(engine, CHUNK)
        total = queue.find(chosen, identified_by, spelt_by)
        if total:
            tools = Tools(lid, dictionaries_found.of)
            with (
                progress("surface", total) as bar,
                closing(_measured(tools, queue, _processes(processes, total))) as measured,
            ):
                _write(run, measured, bar)
        for code, reason in dictionaries_found.missing.items():
            run.fail(f"{SPELLING} {code}", reason)
        run.idle = not any(run.counts.values())
    return run


@dataclass
class _Dictionaries:
    """The dictionaries of languages, and why others have none."""

    of: dict[str, Dictionary] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def _dictionaries(expected: Sequence[str], folder: Path | None, names: dict[str, str]) -> _Dictionaries:
    named = {code: named_dictionary(name, folder) for code, name in names.items()}
    for code in named:
        if code not in expected:
            say(
                f"The store holds no responses expected in {code!r}, so dictionary {names[code]} is not used."
            )
    dictionaries = _Dictionaries()
    for code in expected:
        dictionary = named.get(code)
        if normal_language(code) in UNSPACED_LANGUAGES:
            dictionaries.missing[code] = (
                f"{code!r} is written without spaces between words, and spelling is measured by words"
            )
        elif dictionary := dictionary or find_dictionary(code, folder):
            dictionaries.of[code] = dictionary
        else:
            dictionaries.missing[code] = what_to_install(code)
    return dictionaries


def _processes(asked: int | None, responses: int) -> int:
    """How many processes shall measure so many responses."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return asked or max(1, min(cores, responses // RESPONSES_PER_PROCESS))


def _measured(tools: Tools, queue: "ChunkQueue", processes: int) -> Generator[list[Row], None, None]:
    if processes > 1:
        yield from measured_by_processes(tools, queue.next_chunk, processes)
        return
    measurer = Measurer(tools)
    while chunk := queue.next_chunk(0):
        yield measurer.measure(chunk)


def _write(run: RunRecord, measured: Iterator[list[Row]], bar: Progress) -> None:
    for rows in measured:
        with writing(run.engine) as session:
            for metric in METRICS:
                own = [{**row, "run_id": run.id} for row in rows if row["metric"] == metric]
                if own:
                    run.count(metric, surface.add_metrics(session, own))
        bar.advance(len({row["response_id"] for row in rows}))


@dataclass
class _Left:
    """The responses of a language that are still to be dealt out, the next one last: ids, and what they lack
    as a key of `_METRICS_LACKED`."""

    ids: "array[int]"
    lacks: bytearray


class ChunkQueue:
    """Deals out the responses that lack a metric, as chunks in one language each.

    A process that asks again gets its last language again, else one that no other process has, and else one
    that has still much left: so each dictionary is loaded, and each word looked up, in as few processes as
    can be.
    """

    def __init__(self, engine: Engine, chunk_size: int) -> None:
        """`chunk_size`: how many responses a chunk has at most."""
        self._engine, self._chunk_size = engine, chunk_size
        self._left: dict[str, _Left] = {}
        self._last: dict[int, str] = {}

    def find(self, languages: Sequence[str], identified_by: str | None, spelt_by: dict[str, str]) -> int:
        """Look for what lacks the metrics of these tools: one for `language` (None: not asked for), and those
        for `spelling` by the language that a response is expected in. `languages` are those of the
        instructions. Returns how many responses lack something."""
        lacking: dict[str, dict[int, int]] = {}
        with reading(self._engine) as session:
            if identified_by is not None:
                for response_id, language in surface.responses_without(
                    session, LANGUAGE, identified_by, languages
                ):
                    lacking.setdefault(language, {})[response_id] = _LACKS_LANGUAGE
            for expected, tool in spelt_by.items():
                own = lacking.setdefault(expected, {})
                for response_id, _ in surface.responses_without(
                    session, SPELLING, tool, languages, expected=expected
                ):
                    own[response_id] = own.get(response_id, 0) + _LACKS_SPELLING
        for language, own in lacking.items():
            if own:
                ids = sorted(own, reverse=True)
                self._left[language] = _Left(
                    array("q", ids), bytearray(own[response_id] for response_id in ids)
                )
        return sum(len(left.ids) for left in self._left.values())

    def next_chunk(self, process: int) -> Chunk | None:
        """The next chunk for a process, by its number; None when there is nothing left for it."""
        language = self._language_for(process)
        if language is None:
            return None
        self._last[process] = language
        left = self._left[language]
        with reading(self._engine) as session:
            texts = response_texts(session, left.ids[-self._chunk_size :].tolist())
        responses: list[tuple[int, str, tuple[str, ...]]] = []
        characters = 0
        while left.ids and len(responses) < self._chunk_size and characters < CHARACTERS:
            response_id, lacks = left.ids.pop(), left.lacks.pop()
            characters += len(texts[response_id])
            responses.append((response_id, texts[response_id], _METRICS_LACKED[lacks]))
        if not left.ids:
            del self._left[language]
        return Chunk(language, responses)

    def _language_for(self, process: int) -> str | None:
        last = self._last.get(process)
        if last in self._left:
            return last
        taken = {language for other, language in self._last.items() if other != process}
        enough = WORTH_SHARING * self._chunk_size
        wanted = [language for language in self._left if language not in taken] or [
            language for language, left in self._left.items() if len(left.ids) >= enough
        ]
        return max(wanted, key=lambda language: len(self._left[language].ids), default=None)
