"""`xlit-core judge surface`: the metrics that need no judge, over every response that lacks them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from core.judge.scope import chosen_languages
from core.judge.surface import language as language_id
from core.judge.surface import spelling
from core.judge.surface.dictionaries import find_dictionary, what_to_install
from core.judge.surface.foreign import RULES, foreign_stretches
from core.judge.surface.language import LanguageIdentifier, normal_language
from core.judge.surface.spelling import Speller
from core.judge.surface.words import UNSPACED
from core.progress import Progress, progress
from store import UsageError
from store.provenance import RunRecord, record_run
from store.queries import surface
from store.session import reading, writing

METRICS = ("language", "spelling")

# Responses measured between two commits: small enough that little is lost, large enough to be quick.
CHUNK = 500

# Takes the instruction's language and the response.
Measure = Callable[[str, str], dict[str, Any]]


def judge_surface(
    engine: Engine,
    *,
    metrics: Sequence[str] = METRICS,
    languages: list[str] | None = None,
    dictionaries: Path | None = None,
    lid: Path | None = None,
) -> RunRecord:
    """Measure every response of the store that this version of the tools has not measured yet.

    `language`: `label` is the language identified, `value` its probability (0 to 1); both None for a text
    without letters, with the `reason` in `detail`. There too `foreign`: the stretches [start, end, label] in
    another language than the *instruction's* (`surface.foreign`); left out when the model does not know
    that one. `spelling`: `value` is the share of words that pass the dictionary of the instruction's
    language, also for a response in another language (who reads the number decides); `detail` holds `words`,
    how many were checked, and `misspelt`, their [start, end) offsets.

    `languages` are the instructions' languages (default: all in the store); `dictionaries` and `lid` as in
    `find_dictionary` and `LanguageIdentifier`. A language without a dictionary is a failed unit of the run.
    """
    for metric in metrics:
        if metric not in METRICS:
            raise UsageError(f"No surface metric {metric!r}. There are: {', '.join(METRICS)}.")
    identifier = LanguageIdentifier(lid) if "language" in metrics else None
    identified_by = f"{identifier.tool} {RULES}" if identifier else ""
    chosen = chosen_languages(engine, languages)
    spellers: dict[str, Speller | str] = {}
    if "spelling" in metrics:
        spellers = {code: _speller(code, dictionaries) for code in chosen}

    parameters = {
        "metrics": list(metrics),
        "languages": chosen,
        "tools": ([identified_by] if identifier else [])
        + [speller.tool for speller in spellers.values() if isinstance(speller, Speller)],
    }
    libraries = [*language_id.LIBRARIES, *spelling.LIBRARIES]
    with record_run(engine, "judge surface", parameters, libraries=libraries) as run:
        if identifier:
            _measure_all(run, "language", identified_by, chosen, _language_measure(identifier))
        for code, speller in spellers.items():
            if isinstance(speller, Speller):
                _measure_all(run, "spelling", speller.tool, [code], _spelling_measure(speller))
            else:
                run.fail(f"spelling {code}", speller)
        run.idle = not any(run.counts.values())
    return run


def _speller(code: str, dictionaries: Path | None) -> Speller | str:
    """The speller for a language, or the sentence that says why there is none."""
    if normal_language(code) in UNSPACED:
        return f"{code!r} is written without spaces between words, and spelling is measured by words"
    dictionary = find_dictionary(code, dictionaries)
    return Speller(code, dictionary) if dictionary else what_to_install(code)


def _language_measure(identifier: LanguageIdentifier) -> Measure:
    def measure(language: str, text: str) -> dict[str, Any]:
        found = identifier.identify(text)
        detail: dict[str, Any] = {"reason": found.reason} if found.reason else {}
        stretches = foreign_stretches(text, language, identifier, found)
        if stretches is not None:
            detail["foreign"] = [[stretch.start, stretch.end, stretch.label] for stretch in stretches]
        return {"value": found.probability, "label": found.label, "detail": detail}

    return measure


def _spelling_measure(speller: Speller) -> Measure:
    def measure(_: str, text: str) -> dict[str, Any]:
        found = speller.check(text)
        detail: dict[str, Any] = {"words": found.words, "misspelt": [list(span) for span in found.misspelt]}
        if not found.words:
            detail["reason"] = "no words"
        return {"value": found.share, "detail": detail}

    return measure


def _measure_all(run: RunRecord, metric: str, tool: str, languages: list[str], measure: Measure) -> None:
    with reading(run.engine) as session:
        total = surface.count_without(session, metric, tool, languages)
    if total == 0:
        return
    named = f"{metric} {languages[0]}" if len(languages) == 1 else metric
    with progress(named, total) as shown:
        _measure_chunks(run, metric, tool, languages, measure, shown)


def _measure_chunks(
    run: RunRecord, metric: str, tool: str, languages: list[str], measure: Measure, shown: Progress
) -> None:
    last = 0
    while True:
        with reading(run.engine) as session:
            chunk = surface.responses_without(session, metric, tool, languages, after=last, limit=CHUNK)
        if not chunk:
            return
        rows = [
            {"response_id": found, "metric": metric, "tool": tool, "run_id": run.id, **measure(asked, text)}
            for found, asked, text in chunk
        ]
        with writing(run.engine) as session:
            run.count(metric, surface.add_metrics(session, rows))
        last = chunk[-1][0]
        shown.advance(len(chunk))
