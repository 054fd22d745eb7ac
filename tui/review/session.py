"""A reviewer at work: where the cursor is, what the keys do, and that it is saved before it is shown.

Knows the store and the rules, no terminal: a screen calls the methods and draws `row` and `place`.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlmodel import Session

from store.queries import compare, journal, reviewers
from store.queries.journal import Score, Shown
from store.session import reading
from tui.review import rules
from tui.review.row import Answer, Row, View, current_marks, load_row
from tui.review.rules import Change, Place
from tui.review.saving import NotSaved, saving

NEXT_HINT = "end of the row: n goes to the next instruction"


@dataclass(frozen=True)
class Outcome:
    """What a key did: the sentence for the reviewer ("" for none), and whether another row is on show."""

    message: str = ""
    new_row: bool = False


class ReviewSession:
    """One reviewer in one view. Every method that changes something returns an `Outcome` or raises
    `NotSaved`; then nothing has changed, in the store or here."""

    def __init__(
        self,
        engine: Engine,
        view: View,
        *,
        run_id: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.engine = engine
        self.view = view
        self.run_id = run_id
        self._clock = clock
        self._on_show: dict[int, float] = {}
        with reading(engine) as session:
            bookmark = reviewers.bookmark_of(session, view.rater_id, view.bookmark)
        self.instructions = self._instructions()
        start = self.instructions[0]
        if bookmark is not None and bookmark.instruction_id in self.instructions:
            start = bookmark.instruction_id
        self.row, self.place = self._opened(start, None)
        if bookmark is not None and bookmark.instruction_id == start:
            column = self.row.column_of(bookmark.response_id)
            if column is not None and bookmark.criterion in view.criteria:
                self.place = Place(column, view.criteria.index(bookmark.criterion))

    # What the screen shows

    @property
    def number(self) -> int:
        """The place of the instruction on show, from 1."""
        return self.instructions.index(self.row.instruction_id) + 1

    @property
    def answer(self) -> Answer:
        """The response under the cursor."""
        return self.row.answers[self.place.column]

    @property
    def left(self) -> int:
        """How many scores the row still wants."""
        return len(rules.open_places(self.row.marks))

    def shows(self, response_ids: Iterable[int]) -> None:
        """The screen tells which responses can be read now; the time to a score is counted from here."""
        now = self._clock()
        self._on_show = {found: self._on_show.get(found, now) for found in response_ids}

    # Scoring

    def score(self, score: int) -> Outcome:
        """Score the criterion under the cursor and move on."""
        best = self.view.best[self.place.criterion]
        if score > best:
            return Outcome(f"{self.view.criteria[self.place.criterion]} goes from 0 to {best}")
        marks = self.answer.marks
        change = rules.set_score(marks, self.place.criterion, score, self.view.language_criterion)
        skipped = sum(mark == rules.SKIPPED for mark in change.values())
        reopened = sum(mark is None for mark in change.values())
        said = f"wrong language: {skipped} left out (u brings them back)" if skipped else ""
        return self._change(change, said or (f"{reopened} open again" if reopened else ""), self.place)

    def score_best(self) -> Outcome:
        """The highest score on every criterion of the response, and on to the next column."""
        change = rules.best_everywhere(self.answer.marks, self.view.best)
        return self._change(change, "", self._last_of_column())

    def wrong_language(self) -> Outcome:
        """Language 0, the rest left out, and on to the next column."""
        language = self.view.language_criterion
        if language is None:
            return Outcome("this rubric has no criterion named language")
        change = rules.wrong_language(self.answer.marks, language)
        return self._change(change, f"{self.answer.label}: wrong language", self._last_of_column())

    def clear(self) -> Outcome:
        """Take the mark under the cursor away; the cursor stays."""
        change = rules.clear(self.answer.marks, self.place.criterion, self.view.language_criterion)
        if not change:
            return Outcome("nothing to clear here")
        return self._change(change, "", None)

    def _last_of_column(self) -> Place:
        return Place(self.place.column, len(self.view.criteria) - 1)

    def _change(self, change: Change, message: str, moving_from: Place | None) -> Outcome:
        answer, here = self.answer, self.place
        row = self.row.marks
        row[here.column] = rules.applied(answer.marks, change)
        there = rules.after_scoring(row, moving_from) if moving_from is not None else here
        scores = [
            Score(
                answer.response_id,
                self.view.criterion_ids[place],
                mark.score if mark else None,
                mark == rules.SKIPPED,
            )
            for place, mark in change.items()
        ]
        with saving(self.engine) as session:
            journal.append(session, self.view.rater_id, scores, self._shown(answer), run_id=self.run_id)
            self._remember(session, self.row, there or here)
        answer.marks = row[here.column]
        self.place = there or here
        return Outcome(message or (NEXT_HINT if there is None else ""))

    # Taking back

    def undo(self) -> Outcome:
        """Take back the last action, and go where it was."""
        return self._step(journal.undo, "undone", "nothing to undo")

    def redo(self) -> Outcome:
        """Do again what was undone last, and go there."""
        return self._step(journal.redo, "done again", "nothing to redo")

    def _step(self, action: Callable[..., int | None], done: str, nothing: str) -> Outcome:
        with saving(self.engine) as session:
            # A trial tells which response is meant, so that the entry can say what was on show for it.
            with session.begin_nested() as trial:
                response_id = action(session, self.view.rater_id)
                trial.rollback()
            if response_id is None:
                return Outcome(nothing)
            instruction = compare.instruction_of_response(session, response_id)
            row = self.row
            if instruction != row.instruction_id and instruction in self.instructions:
                row = self._load(session, instruction)
            column = row.column_of(response_id)
            if column is None:
                return Outcome("what you scored last is in another view: take it back there")
            answer = row.answers[column]
            action(session, self.view.rater_id, self._shown(answer))
            marks = current_marks(session, self.view, [response_id])[response_id]
            changed = [place for place, mark in enumerate(marks) if mark != answer.marks[place]]
            there = Place(column, changed[0] if changed else 0)
            self._remember(session, row, there)
        answer.marks = marks
        new_row = row is not self.row
        self.row, self.place = row, there
        return Outcome(f"{done}: {answer.label}", new_row=new_row)

    # Committing: done with a response, so the judge may be seen

    def commit(self) -> Outcome:
        """Done with the response under the cursor: reveals the judge's scores and the surface metrics."""
        answer = self.answer
        if answer.committed:
            return Outcome(f"{answer.label} is committed already")
        left = len(answer.marks) - rules.marked(answer.marks)
        if left:
            ready = [other.label for other in self.row.answers if other.complete and not other.committed]
            hint = f" (G commits {', '.join(ready)})" if ready else ""
            return Outcome(f"{answer.label}: {left} to score before it can be committed{hint}")
        return self._commit([answer])

    def commit_all(self) -> Outcome:
        """Done with every complete response of the row."""
        ready = [answer for answer in self.row.answers if answer.complete and not answer.committed]
        if not ready:
            return Outcome("no complete response to commit in this row")
        return self._commit(ready)

    def _commit(self, answers: list[Answer]) -> Outcome:
        with saving(self.engine) as session:
            for answer in answers:
                journal.commit_response(session, self.view.rater_id, answer.response_id, self._shown(answer))
            self._remember(session, self.row, self.place)
        for answer in answers:
            answer.committed = True
        return Outcome(f"committed: {', '.join(answer.label for answer in answers)}")

    # Moving

    def move(self, columns: int = 0, criteria: int = 0) -> Outcome:
        """Move the cursor within the row; it stops at the edges."""
        column = min(max(self.place.column + columns, 0), len(self.row.answers) - 1)
        criterion = min(max(self.place.criterion + criteria, 0), len(self.view.criteria) - 1)
        self.place = Place(column, criterion)
        return Outcome()

    def go(self, steps: int) -> Outcome:
        """To the next (1) or previous (-1) instruction, at its first open criterion."""
        there = self.number - 1 + steps
        if not 0 <= there < len(self.instructions):
            return Outcome("this is the last instruction" if steps > 0 else "this is the first instruction")
        self.row, self.place = self._opened(self.instructions[there], self.row)
        return Outcome(new_row=True)

    def next_unscored(self) -> Outcome:
        """To the next criterion that wants a score: in this row, in later ones, from the start."""
        here = rules.next_open(self.row.marks, self.place)
        if here is not None:
            self.place = here
            return Outcome()
        with reading(self.engine) as session:
            found = reviewers.unscored_instruction(
                session,
                self.view.rater_id,
                self.view.suite.id,
                self.view.language,
                [source.key for source in self.view.sources],
                self.view.criterion_ids,
                self.row.position,
            )
        if found is None:
            return Outcome("everything is scored")
        if found == self.row.instruction_id:
            self.place = rules.first_open(self.row.marks) or self.place
            return Outcome()
        if found not in self.instructions:
            self.instructions = self._instructions()
        self.row, self.place = self._opened(found, self.row)
        return Outcome(new_row=True)

    def close(self) -> str:
        """Remember the place. Returns why that failed, or ""."""
        try:
            with saving(self.engine) as session:
                self._remember(session, self.row, self.place)
        except NotSaved as error:
            return str(error)
        return ""

    # Reading and writing

    def _instructions(self) -> list[int]:
        keys = [source.key for source in self.view.sources]
        with reading(self.engine) as session:
            return compare.answered_by(session, self.view.suite.id, self.view.language, keys)

    def _opened(self, instruction_id: int, leaving: Row | None) -> tuple[Row, Place]:
        with saving(self.engine) as session:
            row = self._load(session, instruction_id)
            place = rules.first_open(row.marks) or Place(0, 0)
            if leaving is not None:
                self._remember(session, row, place)
        return row, place

    def _load(self, session: Session, instruction_id: int) -> Row:
        row, new_columns = load_row(session, self.view, instruction_id)
        reviewers.present(session, self.view.rater_id, new_columns)
        return row

    def _shown(self, answer: Answer) -> Shown:
        since = self._on_show.get(answer.response_id)
        looked = None if since is None else round((self._clock() - since) * 1000)
        return Shown(looked_ms=looked, judge=answer.committed, names=self.view.names_shown)

    def _remember(self, session: Session, row: Row, place: Place) -> None:
        reviewers.save_bookmark(
            session,
            self.view.rater_id,
            self.view.bookmark,
            row.instruction_id,
            row.answers[place.column].response_id if row.answers else None,
            self.view.criteria[place.criterion],
        )
