"""Every screen's question is answered by an index: a store may hold millions of rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlmodel import Session

from store import open_store
from store.queries import (
    calibration,
    campaigns,
    compare,
    exporting,
    filters,
    journal,
    models,
    notes,
    overview,
    raters,
    responses,
    review_queue,
    reviewers,
    rubrics,
    suites,
)
from store.queries.calibration import Subset
from store.queries.filters import STATUSES, Filter, ViewScope
from store.queries.journal import Score
from store.queries.ledger import counts
from store.queries.overview import Scope
from store.session import reading, writing
from store.tables import LEDGER

pytestmark = pytest.mark.parts


# `last`, `later` and `answer` are other names of some of them in the questions and the views.
LARGE = (
    "response", "rating", "entry", "surface_metric", "presentation", "comment", "error_span", "assignment",
    "last", "later", "answer",
)  # fmt: skip
SUITE = RATER = 1
JUDGE = 2
CRITERIA = [1, 2]


def make_store(path: Path, instructions: int) -> Engine:
    """A suite in two languages, all answered by two models under two decodings."""
    engine = open_store(path, create=True)
    with writing(engine) as session:
        new = [
            suites.NewInstruction(str(n), language, "?")
            for n in range(instructions)
            for language in ("ru", "fr")
        ]
        suite, _ = suites.add_suite(session, "s", "1", new)
        rows = [
            {
                "instruction_id": instruction.id,
                "model_id": models.model_id(session, model),
                "decoding_id": models.decoding_id(session, drawn, None, {}),
                "text": "да",
            }
            for model in ("m1", "m2")
            for drawn in ("imported", "llama.cpp")
            for language in ("ru", "fr")
            for instruction in suites.instructions_of(session, suite, language)
        ]
        responses.add_responses(session, rows)
        raters.rater_id(session, "human", "nv")
        rubrics.rubric_id(session, "r", "1", [{"name": "helpfulness"}, {"name": "language"}])
        judge = raters.rater_id(session, "llm", "gpt")
        journal.append(session, judge, [Score(1, criterion, 2) for criterion in CRITERIA])
        campaign = campaigns.add_campaign(session, name="c", rubric_id=1, seed=1, digest="")
        place = {"campaign_id": campaign, "reviewer_id": RATER, "rater_id": RATER, "kind": "normal"}
        campaigns.add_assignments(session, [{**place, "response_id": it, "position": it} for it in (1, 2)])
    return engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = make_store(tmp_path_factory.mktemp("plans") / "s.db", 3)
    yield made
    made.dispose()


@contextmanager
def recorded(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """The SQL that is asked meanwhile, with its parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        if statement.lstrip().startswith(("SELECT", "WITH")):
            seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def plans(engine: Engine, question: Callable[[Session], object]) -> list[tuple[str, list[str]]]:
    """The SQL that a question emits, and the lines of SQLite's plan for each."""
    with reading(engine) as session, recorded(engine) as seen:
        question(session)
    found = []
    with engine.connect() as connection:
        for statement, parameters in seen:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            found.append((statement, [row[3] for row in rows]))
    return found


def scanned(line: str) -> str | None:
    """The table that a line of a plan reads from end to end, if it does."""
    words = line.split()
    return words[1] if words[0] == "SCAN" else None


KEYS = [(1, 1, 0), (2, 2, 0)]
BY_MODEL = ViewScope(SUITE, "ru", ("ru",), tuple(KEYS), RATER, tuple(CRITERIA), JUDGE)
BY_LANGUAGE = replace(BY_MODEL, languages=("ru", "fr"), keys=(KEYS[0],))
OPEN = replace(BY_MODEL, revealed_only=False)
QUEUE = replace(BY_MODEL, campaign_id=1)
FILTERS = {
    "tasks": Filter(tasks=frozenset({"a", "b"})),
    "modifiers": Filter(modifiers=frozenset({"a"})),
    "identified": Filter(identified=frozenset({"ru"})),
    "scores": Filter(scores=frozenset({(1, 0), (2, 2)})),
    "responses": Filter(responses=frozenset({1, 2})),
    **{status: Filter(statuses=frozenset({status})) for status in STATUSES},
}


def matching(scope: ViewScope, chosen: Filter) -> Callable[[Session], object]:
    return lambda it: filters.responses_matching(it, scope, chosen)


def of_scope(scope: ViewScope) -> dict[str, Callable[[Session], object]]:
    """The questions about a whole view."""
    return {
        "instructions": lambda it: filters.instructions_with_responses(it, scope),
        "first_unscored": lambda it: filters.first_unscored(it, scope, 1),
        "disagreements": lambda it: filters.disagreements(it, scope),
        "texts": lambda it: list(filters.texts_in_view(it, scope, 0, None)),
        "group_counts": lambda it: filters.group_counts(it, scope),
        "judges_in": lambda it: raters.judges_in(it, scope),
        **{f"matching {name}": matching(scope, chosen) for name, chosen in FILTERS.items()},
    }


def undo_and_redo(session: Session) -> None:
    for score in (1, 2):
        journal.append(session, RATER, [Score(1, criterion, score) for criterion in CRITERIA])
    assert journal.undo(session, RATER) == journal.redo(session, RATER) == 1
    session.rollback()


VIEWS = {
    f"{question} {name}": asked
    for name, scope in (
        ("by model", BY_MODEL),
        ("by language", BY_LANGUAGE),
        ("open", OPEN),
        ("queue", QUEUE),
    )
    for question, asked in of_scope(scope).items()
}
QUESTIONS: dict[str, Callable[[Session], object]] = {
    **VIEWS,
    "lead_instruction": lambda it: filters.lead_instruction(it, SUITE, "ru", 4),
    "languages_answered": lambda it: filters.languages_answered(it, SUITE, KEYS),
    "responses_to": lambda it: compare.responses_to(it, 1),
    "surface_of": lambda it: compare.surface_of(it, [1, 2]),
    "suite_with_responses": lambda it: compare.suite_with_responses(it, "ru", None),
    "highest_ids": compare.highest_ids,
    "presented": lambda it: reviewers.presented(it, RATER, [1, 2]),
    "bookmark_of": lambda it: reviewers.bookmark_of(it, RATER, "compare s/1 ru"),
    "committed_responses": lambda it: journal.committed_responses(it, RATER, [1, 2]),
    "current_ratings": lambda it: journal.current_ratings(it, RATER, [1, 2]),
    "undo": undo_and_redo,
    "comments_of": lambda it: notes.comments_of(it, RATER, [1, 2]),
    "spans_of": lambda it: notes.spans_of(it, RATER, [1, 2]),
    "list_notes of one": lambda it: notes.list_notes(it, RATER, SUITE, "ru"),
    "queue_of": lambda it: review_queue.queue_of(it, 1, RATER),
    "done_positions": lambda it: review_queue.done_positions(it, 1, RATER),
    "commit_times": lambda it: review_queue.commit_times(it, 1, RATER),
    "open_campaign_of": lambda it: review_queue.open_campaign_of(it, "nv", SUITE, sealed=True),
    "reviewers_in": lambda it: campaigns.reviewers_in(it, 1),
    "last_position": lambda it: campaigns.last_position(it, 1, RATER),
    "assigned": lambda it: campaigns.assignments_of(it, 1),
    "given": lambda it: campaigns.marks_given(it, 1, CRITERIA),
    "known_scores": lambda it: campaigns.known_scores(it, [JUDGE], [1, 2]),
    "ledger of responses": lambda it: (
        it.connection().execute(LEDGER.select().where(LEDGER.c.response_id.in_([1, 2]))).all()
    ),
    "ledger of a rater": lambda it: (
        it.connection()
        .execute(LEDGER.select().where(LEDGER.c.rater_id == JUDGE, counts(together=True)))
        .all()
    ),
    "heat_map": lambda it: overview.heat_map(it, Scope(SUITE, "ru"), 1, [RATER, JUDGE]),
    "pair_counts": lambda it: overview.pair_counts(it, Scope(SUITE, "ru"), 1, [RATER], JUDGE),
    "calibration": lambda it: calibration.scores(it, [RATER, JUDGE], Subset(SUITE)),
    "in_wrong_language": lambda it: calibration.in_wrong_language(it, [RATER, JUDGE], Subset(SUITE)),
}
# A view in which no judge has scored anything.
UNJUDGED = replace(BY_MODEL, lead="fr", languages=("fr",))
# Those that read one end of an index, or all notes, or the few things that a judge or a reviewer said.
ONCE: dict[str, Callable[[Session], object]] = {
    "sources_of": lambda it: compare.sources_of(it, SUITE, "fr"),
    "judges_in without scores": lambda it: raters.judges_in(it, UNJUDGED),
    "the first text": lambda it: next(filters.texts_in_view(it, BY_MODEL, -1, None)),
    "the next unscored": lambda it: filters.first_unscored(it, BY_MODEL, 1),
    "disagreements of a few": lambda it: filters.disagreements(it, BY_MODEL),
    "list_notes of all": lambda it: notes.list_notes(it, None, SUITE, "ru"),
    "note_rows": lambda it: list(exporting.note_rows(it)),
    "note_rows of a suite": lambda it: list(exporting.note_rows(it, suite_id=SUITE, language="ru")),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_of_the_room_reads_no_large_table_from_end_to_end(engine, name):
    found = plans(engine, QUESTIONS[name])
    assert found
    for statement, lines in found:
        assert not [line for line in lines if scanned(line) in LARGE], f"{lines} in {statement}"


def test_a_scan_is_noticed(engine):
    ((_, lines),) = plans(engine, lambda it: it.connection().execute(text("SELECT score FROM rating")))
    assert [scanned(line) for line in lines] == ["rating"]


def steps(engine: Engine, question: Callable[[Session], object]) -> int:
    """How many instructions SQLite's virtual machine takes to answer."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    with reading(engine) as session:
        question(session)  # what is compiled or loaded once is not counted
        connection: Any = session.connection().connection.dbapi_connection
        connection.set_progress_handler(step, 1)
        question(session)
        connection.set_progress_handler(None, 1)
    return count


@pytest.fixture(scope="module")
def unscored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Engine]]:
    """A store, and one with ten times the responses; in both there are two comments and an error span."""
    engines = []
    for size in (20, 200):
        engine = make_store(tmp_path_factory.mktemp("unscored") / f"{size}.db", size)
        with writing(engine) as session:
            notes.set_comment(session, RATER, [1, 2], "x")
            notes.mark_span(session, RATER, [1], 0, 1, "fluency", "minor")
        engines.append(engine)
    yield engines[0], engines[1]
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize(
    "name", [*ONCE, "highest_ids", "responses_to", "lead_instruction", "list_notes of one"]
)
def test_ten_times_the_responses_take_no_more_steps(unscored, name):
    few, many = (steps(engine, {**QUESTIONS, **ONCE}[name]) for engine in unscored)
    assert 0 < many < 1.5 * few


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Engine]]:
    """A store, and one with ten times the responses: all scored, commented, committed and judged."""
    engines = []
    for size in (10, 100):
        engine = make_store(tmp_path_factory.mktemp("scored") / f"{size}.db", size)
        with writing(engine) as session:
            every = range(1, compare.highest_ids(session).response + 1)
            for rater, score in ((RATER, 1), (JUDGE, 2)):
                scores = [Score(found, criterion, score) for found in every for criterion in CRITERIA]
                journal.append(session, rater, scores)
            notes.set_comment(session, RATER, every, "x")
            for found in every:
                journal.commit_response(session, RATER, found)
        engines.append(engine)
    yield engines[0], engines[1]
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize("name", VIEWS)
def test_ten_times_a_view_takes_about_ten_times_the_steps(scored, name):
    few, many = (steps(engine, VIEWS[name]) for engine in scored)
    assert 0 < many < 15 * few
