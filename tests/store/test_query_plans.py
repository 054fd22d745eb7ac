"""Every screen's question is answered by an index: a store may hold millions of rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlmodel import Session

from store import open_store
from store.queries import compare, exporting, journal, models, notes, responses, reviewers, suites
from store.session import reading, writing

LARGE = ("response", "rating", "entry", "surface_metric", "presentation", "comment", "error_span")
SUITE = RATER = 1
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
        models.rater_id(session, "human", "nv")
        models.rubric_id(session, "r", "1", [{"name": "helpfulness"}, {"name": "language"}])
        judge = models.rater_id(session, "llm", "gpt")
        journal.append(session, judge, [journal.Score(1, criterion, 2) for criterion in CRITERIA])
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
QUESTIONS: dict[str, Callable[[Session], object]] = {
    "answered_by": lambda it: compare.answered_by(it, SUITE, "ru", KEYS),
    "responses_to": lambda it: compare.responses_to(it, 1),
    "judge_scores": lambda it: compare.judge_scores(it, [1, 2], CRITERIA),
    "surface_of": lambda it: compare.surface_of(it, [1, 2]),
    "suite_with_responses": lambda it: compare.suite_with_responses(it, "ru", None),
    "highest_ids": compare.highest_ids,
    "presented": lambda it: reviewers.presented(it, RATER, [1, 2]),
    "unscored": lambda it: reviewers.unscored_instruction(it, RATER, SUITE, "ru", KEYS, CRITERIA, 0),
    "committed_responses": lambda it: journal.committed_responses(it, RATER, [1, 2]),
    "current_ratings": lambda it: journal.current_ratings(it, RATER, [1, 2]),
    "undo": lambda it: journal.undo(it, RATER),
    "redo": lambda it: journal.redo(it, RATER),
    "comments_of": lambda it: notes.comments_of(it, RATER, [1, 2]),
    "spans_of": lambda it: notes.spans_of(it, RATER, [1, 2]),
    "commented_responses": lambda it: notes.commented_responses(it, RATER, SUITE, "ru"),
    "list_notes of one": lambda it: notes.list_notes(it, RATER, SUITE, "ru"),
}
# Those that read one end of an index, or all notes.
ONCE: dict[str, Callable[[Session], object]] = {
    "sources_of": lambda it: compare.sources_of(it, SUITE, "fr"),
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


@pytest.mark.parametrize(
    "name", [*ONCE, "highest_ids", "responses_to", "commented_responses", "list_notes of one"]
)
def test_ten_times_the_responses_take_no_more_steps(tmp_path, name):
    question = {**QUESTIONS, **ONCE}[name]
    few, many = (make_store(tmp_path / f"{size}.db", size) for size in (20, 200))
    for engine in (few, many):
        with writing(engine) as session:
            notes.set_comment(session, RATER, [1, 2], "x")
            notes.mark_span(session, RATER, [1], 0, 1, "fluency", "minor")
    assert 0 < steps(many, question) < 1.5 * steps(few, question)
