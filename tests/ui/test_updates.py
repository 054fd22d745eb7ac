"""What another program writes comes onto the screen by itself, and moves nothing that is being read."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import Session, select

from store import open_store
from store.queries import journal, models, raters, responses, rubrics, suites
from store.queries.journal import Score
from store.session import writing
from store.tables import Entry
from tests.ui.conftest import JUDGE
from tests.ui.long_store import fill, long_text
from tests.ui.seen import Column, Seen, compare_screen
from tests.ui.terminal import Terminal

pytestmark = pytest.mark.whole


@contextmanager
def room(store: Path, width: int = 200, height: int = 50) -> Iterator[Terminal]:
    terminal = Terminal(["compare", "--lang", "ru", "--reviewer", "nv", "--store", str(store)], width, height)
    terminal.wait_for("● saved")
    terminal.read(quiet=0.5)
    yield terminal
    terminal.end()


def elsewhere(store: Path, write: Callable[[Session], object]) -> None:
    """Another program's transaction."""
    engine = open_store(store)
    with writing(engine) as session:
        write(session)
    engine.dispose()


def add_response(session: Session, number: int, text: str, model: str = "a newer model") -> None:
    """A response of a new model to the Russian instruction of this number."""
    suite = suites.list_suites(session)[0].id
    new = {
        "instruction_id": suites.instructions_of(session, suite, "ru")[number - 1].id,
        "model_id": models.model_id(session, model),
        "decoding_id": models.decoding_id(session, "imported", None, {}),
        "text": text,
    }
    assert responses.add_responses(session, [new]) == 1


def judge_all(session: Session, score: int) -> None:
    """The judge's scores of the responses to the first instruction."""
    judge_some(session, score, range(1, 5))


def judge_some(session: Session, score: int, wanted: Iterable[int]) -> None:
    judge = raters.rater_id(session, "llm", JUDGE, "1")
    criteria = [
        criterion.id or 0 for criterion in rubrics.criteria_of(session, rubrics.default_rubric_id(session))
    ]
    for response in wanted:
        journal.append(session, judge, [Score(response, criterion, score) for criterion in criteria])


def seen_on(terminal: Terminal) -> Seen:
    found = compare_screen(terminal.text)
    assert found is not None, terminal.text
    return found


def start_of(column: Column) -> str:
    """The first words of a text, however it is wrapped."""
    return " ".join(column.text.split())[:300]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "room.db"
    fill(path, 3)
    return path


def test_a_new_models_response_comes_as_the_last_column_and_moves_neither_columns_nor_cursor(store):
    with room(store) as terminal:
        terminal.press("21l1j")
        before = seen_on(terminal)
        assert before.place == (1, "B", "logic")
        elsewhere(store, lambda session: add_response(session, 1, "Совсем новый ответ."))
        terminal.wait_for("Совсем новый ответ.")
        terminal.read()
        after = seen_on(terminal)
        assert "new: 1 more response to this instruction" in terminal.text
        assert after.labels == ["A", "B", "C", "D", "E"]
        assert after.place == before.place
        assert [column.marks for column in after.columns[:4]] == [column.marks for column in before.columns]
        assert [start_of(column) for column in after.columns[:4]] == [
            start_of(column) for column in before.columns
        ]
        assert after.columns[4].text.split() == ["Совсем", "новый", "ответ."]
        # The next keys go where the cursor was.
        terminal.press("2")
        assert seen_on(terminal).columns[1].marks["logic"] == "2"


def test_what_has_been_scrolled_to_stays_on_show_when_a_column_joins(store):
    with room(store) as terminal:
        terminal.press(" ")
        first_line = seen_on(terminal).columns[0].text.split("\n")[0].split()
        assert len(first_line) > 3
        elsewhere(store, lambda session: add_response(session, 1, "Совсем новый ответ."))
        terminal.wait_for("Совсем новый ответ.")
        terminal.read()
        assert " ".join(first_line) in " ".join(seen_on(terminal).columns[0].text.split())


def test_what_a_judge_says_of_a_committed_response_comes_by_itself_and_of_others_stays_hidden(store):
    with room(store) as terminal:
        terminal.press("ahg")
        assert "◆ committed" in terminal.text
        row = r"language +2 +%d +(0|[+-]\d)"
        for score, delta in ((0, "+2"), (2, "0"), (1, "+1")):
            elsewhere(store, partial(judge_all, score=score))
            for _ in range(20):
                found = re.search(row % score, terminal.text)
                if found and found[1] == delta:
                    break
                terminal.read(quiet=0.3, limit=0.3)
            assert found, terminal.text
            assert found[1] == delta
            seen = seen_on(terminal)
            assert seen.place == (1, "A", "helpfulness")
            assert [set(column.marks.values()) for column in seen.columns] == [{"2"}, {"·"}, {"·"}, {"·"}]
            assert terminal.text.count(JUDGE) == 1


def test_the_first_judge_comes_by_itself(tmp_path):
    store = tmp_path / "room.db"
    fill(store, 2, judged=False)
    with room(store) as terminal:
        terminal.press("ahg")
        assert "no judge" in terminal.text
        elsewhere(store, lambda session: judge_all(session, 1))
        terminal.wait_for(JUDGE)
        terminal.read()
        assert re.search(r"fluency +2 +1 +\+1", terminal.text)
        assert seen_on(terminal).place == (1, "A", "helpfulness")


def test_an_instruction_that_is_answered_now_is_counted_and_led_to(store):
    def answer(session: Session) -> None:
        new = suites.NewInstruction("late", "ru", "Поздний вопрос?", task="plan")
        suites.add_suite(session, "paper", "1", [new])
        add_response(session, 4, "Поздний ответ.")

    with room(store) as terminal:
        before = seen_on(terminal)
        elsewhere(store, answer)
        terminal.wait_for("1/4")
        terminal.read()
        assert "new: 1 more answered" in terminal.text
        assert seen_on(terminal).columns == before.columns
        terminal.press("nnn")
        assert "Поздний вопрос?" in terminal.text
        assert "Поздний ответ." in terminal.text


def test_a_comment_that_is_being_typed_is_left_alone_and_lands_where_it_was_meant(store):
    with room(store) as terminal:
        terminal.press("l")
        terminal.press("c")
        terminal.press("начало ")
        elsewhere(store, lambda session: add_response(session, 1, "Совсем новый ответ."))
        terminal.wait_for("Совсем новый ответ.")
        terminal.press("и конец\r")
        terminal.wait_for("B: comment saved")
        assert [column.label for column in seen_on(terminal).columns if column.commented] == ["B"]
        terminal.press("L")
        terminal.wait_for("начало и конец")


def test_news_that_came_behind_another_screen_are_there_when_it_closes(store):
    with room(store) as terminal:
        terminal.press("?")
        terminal.wait_for("this page")
        elsewhere(store, lambda session: add_response(session, 1, "Совсем новый ответ."))
        terminal.read(quiet=1.8)
        assert "this page" in terminal.text
        terminal.press("q")
        terminal.wait_for("Совсем новый ответ.")


def test_news_behind_another_screen_cost_no_bytes(store):
    with room(store) as terminal:
        terminal.press("?")
        terminal.wait_for("this page")
        terminal.read(quiet=0.5)
        elsewhere(store, lambda session: add_response(session, 1, "Совсем новый ответ."))
        sent = terminal.read(quiet=1.8)
        assert len(sent) == 0


def test_what_does_not_concern_the_screen_costs_no_bytes(store):
    def another_suite(session: Session) -> None:
        new = [suites.NewInstruction("x", language, "?", task="plan") for language in ("ru", "en")]
        suite, _ = suites.add_suite(session, "another", "1", new)
        other = suites.instructions_of(session, suite, "ru")[0].id
        row = {
            "instruction_id": other,
            "model_id": models.model_id(session, "a newer model"),
            "decoding_id": models.decoding_id(session, "imported", None, {}),
            "text": "Ответ на другой вопрос.",
        }
        responses.add_responses(session, [row])

    def hidden_scores(session: Session) -> None:
        committed = session.exec(select(Entry.response_id).where(Entry.kind == "commit")).one()
        judge_some(session, 2, {1, 2, 3, 4, 5, 6} - {committed})

    with room(store) as terminal:
        terminal.press("ahg")
        before = terminal.text
        elsewhere(store, another_suite)
        elsewhere(store, lambda session: add_response(session, 2, long_text("another")))
        elsewhere(store, hidden_scores)
        assert len(terminal.read(quiet=2.5)) == 0
        assert terminal.text == before
        assert os.waitpid(terminal.pid, os.WNOHANG) == (0, 0)
