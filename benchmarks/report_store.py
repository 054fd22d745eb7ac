"""A store of a whole study's ratings, made by a seeded generator and written in bulk.

Seven models answered every instruction of a suite in four languages; two people and a judge scored all of it
on the six criteria. A score depends on the model, the language, the instruction and the rater; what a person
finds in the wrong language has only that score. Some instructions have a modifier, and all responses surface
metrics.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from big_store import MODELS

from store import open_store
from store.queries import models, rubrics, suites
from store.queries import raters as rater_queries
from store.session import reading, writing

LANGUAGES = ("en", "fr", "pt", "ru")
RATERS = (("human", "anna", ""), ("human", "boris", ""), ("llm", "gpt-3.5-turbo-0125", "rubric-1"))
TASKS = 25
MODIFIERS = ("short", "long", "num_items_3", "markdown", "arrow")
NOW = "2026-01-01 00:00:00.000000"


def build(path: Path, instructions: int, seed: int = 1) -> tuple[int, str, int]:
    """Write a store with `instructions` instructions in each language. Returns (suite's id, suite's label,
    rubric's id)."""
    engine = open_store(path, create=True)
    with writing(engine) as session:
        new = [
            suites.NewInstruction(
                f"q{key:05}",
                language,
                f"question {key}?",
                task=f"task {key % TASKS:02}",
                modifier=dict(enumerate(MODIFIERS)).get(key % 10),
            )
            for language in LANGUAGES
            for key in range(instructions)
        ]
        suite, _ = suites.add_suite(session, "made", "1", new)
        known = [models.model_id(session, name) for name in MODELS]
        decoding = models.decoding_id(session, "imported", None, {})
        raters = [rater_queries.rater_id(session, *rater) for rater in RATERS]
        rubric = rubrics.default_rubric_id(session)
    with reading(engine) as session:
        asked = [
            [row.id for row in suites.instructions_of(session, suite, language)] for language in LANGUAGES
        ]
        criteria = [(row.id, row.name) for row in rubrics.criteria_of(session, rubric)]
    engine.dispose()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    chosen = np.random.default_rng(seed)
    places = [
        (language, key, model)
        for language in range(len(LANGUAGES))
        for key in range(instructions)
        for model in range(len(known))
    ]
    connection.executemany(
        "INSERT INTO response (id, instruction_id, model_id, decoding_id, sample, text, text_digest,"
        " created_at) VALUES (?, ?, ?, ?, 0, ?, ?, ?)",
        (
            (place + 1, asked[language][key], known[model], decoding, text,
             hashlib.sha256(text.encode()).hexdigest(), NOW)
            for place, (language, key, model) in enumerate(places)
            for text in ["word " * int(chosen.integers(5, 200))]
        ),
    )  # fmt: skip
    connection.executemany(
        "INSERT INTO surface_metric (response_id, metric, tool, value, label, detail)"
        " VALUES (?, ?, 'bulk', ?, ?, '{}')",
        (
            (place + 1, *metric)
            for place, (language, _, _) in enumerate(places)
            for metric in (
                ("language", 0.9, LANGUAGES[language] if chosen.random() < 0.9 else "en"),
                ("spelling", float(chosen.uniform(0.8, 1)), None),
                ("relevance", float(chosen.random() < 0.9), None),
            )
        ),
    )
    connection.executemany(
        "INSERT INTO entry (id, rater_id, kind, response_id, created_at, judge_shown, names_shown,"
        " app_version) VALUES (?, ?, 'score', ?, ?, 0, 0, 'bulk')",
        (
            (response + 1 + rater * len(places), raters[rater], response + 1, NOW)
            for rater in range(len(raters))
            for response in range(len(places))
        ),
    )
    connection.executemany(
        "INSERT INTO rating (entry_id, response_id, rater_id, criterion_id, score, skipped)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        _ratings(chosen, places, raters, criteria, instructions),
    )
    connection.commit()
    connection.close()
    return suite, "made/1", rubric


def _ratings(
    chosen: np.random.Generator,
    places: list[tuple[int, int, int]],
    raters: list[int],
    criteria: list[tuple[int | None, str]],
    instructions: int,
) -> Iterator[tuple[int, int, int, int | None, int | None, int]]:
    ease = chosen.normal(0, 0.6, instructions)
    for rater, rater_id in enumerate(raters):
        for response, (language, key, model) in enumerate(places):
            wrong = language > 0 and chosen.random() < 0.06 + 0.02 * model
            good = 1.3 + ease[key] - 0.08 * model - 0.15 * (language > 0) + 0.2 * (rater == 2)
            marks = np.clip(np.rint(good + chosen.normal(0, 0.7, len(criteria))), 0, 2)
            for (criterion, name), mark in zip(criteria, marks.tolist(), strict=True):
                if name == "language":
                    score: int | None = 0 if wrong else max(1, int(mark))
                else:
                    score = None if wrong and rater < 2 else int(mark)
                yield (
                    response + 1 + rater * len(places), response + 1, rater_id, criterion, score,
                    int(score is None),
                )  # fmt: skip
