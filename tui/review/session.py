"""A reviewer at work: where the cursor is, what the keys do, and that it is saved before it is shown.

It knows the store and the scoring rules, and no terminal: a screen calls the methods and draws `row` and
`cursor`.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from store.queries import compare, journal, notes, reviewers
from store.queries.filters import Filter
from store.queries.journal import Score, Shown, Step
from store.session import reading
from tui.review import scoring
from tui.review.navigation import Destination, Navigator, RowList
from tui.review.prefetch import RowLoader
from tui.review.row import Answer, Row, reread_row
from tui.review.saving import NotSaved, UnsavedChange, UnsavedChanges, saving
from tui.review.scoring import Change, ScoreCell
from tui.review.view import View

FindStep = Callable[[Session, int], Step | None]


@dataclass(frozen=True)
class ActionResult:
    """What a key did: the sentence for the reviewer ("" for none), and whether another row is on show."""

    message: str = ""
    new_row: bool = False


class ReviewSession:
    """One reviewer in one view. Every method that changes something returns an `ActionResult`, or raises
    `NotSaved`; then nothing has changed, in the store or here.

    A screen that must not wait for the disk gives scores through `deferred`: they are here at once, and stand
    in `unsaved` in the order of their keys until they are written, on `writer`. Whatever else writes runs on
    `writer` too, when `unsaved` is empty; `busy` is set meanwhile.

    With `remember`, the bookmark is kept for the next time; a look at a few responses leaves it as it was.
    `navigator` knows the rows; without one, they are the instructions of the view."""

    # What a row is, and the message when its last score is given.
    UNIT = "instruction"
    ROW_SCORED = "end of the row: n goes to the next instruction"

    def __init__(
        self,
        engine: Engine,
        view: View,
        *,
        navigator: Navigator | None = None,
        run_id: int | None = None,
        collapse: bool = True,
        remember: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.engine = engine
        self.run_id = run_id
        self.navigator = navigator or Navigator(engine, view)
        self.loader = RowLoader(engine, view, self.navigator.load, collapse=collapse)
        self.remember = remember
        self.unsaved = UnsavedChanges()
        self.busy = False
        self.writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._deferring = False
        self._clock = clock
        self._shown_since: dict[int, float] = {}
        self.rows = RowList(self.navigator.instructions())
        with reading(engine) as session:
            bookmark = reviewers.bookmark_of(session, view.rater_id, view.bookmark)
        start = self.navigator.start(self.rows.keys, bookmark)
        self.row, self.cursor = self._opened(start, leaving=False)
        if bookmark is not None and bookmark.instruction_id == self.row.instruction_id:
            column = self.row.column_of(bookmark.response_id)
            if column is not None and bookmark.criterion in view.criteria:
                self.cursor = ScoreCell(column, view.criteria.index(bookmark.criterion))

    # What the screen shows

    @property
    def view(self) -> View:
        """As the row on show is read."""
        return self.row.view

    @property
    def number(self) -> int | None:
        """The number of the row on show, from 1; None: the filter has left it out."""
        return self.rows.number_of(self.row.key)

    @property
    def answer(self) -> Answer:
        """The response under the cursor."""
        return self.row.answers[self.cursor.column]

    @property
    def left(self) -> int:
        """How many scores the row still wants."""
        return len(scoring.open_cells(self.row.scores))

    def fits(self, answer: Answer) -> bool:
        """Whether there is a filter, and this response fits it."""
        return not self.rows.matches.get(self.row.key, set()).isdisjoint(answer.response_ids)

    def shows(self, response_ids: Iterable[int]) -> None:
        """The screen tells which responses can be read now; the time to a score is counted from here."""
        now = self._clock()
        self._shown_since = {response: self._shown_since.get(response, now) for response in response_ids}

    # What is not saved yet

    def deferred(self, action: Callable[[], ActionResult]) -> ActionResult:
        """Run a method that scores; what it changes is not written, but the last of `unsaved`."""
        self._deferring = True
        try:
            return action()
        finally:
            self._deferring = False

    def drop_unsaved(self) -> UnsavedChange:
        """The first of `unsaved` could not be written. Nothing that was typed behind it counts: row and
        cursor are as they were when its key was typed. Returns it."""
        failed = self.unsaved.drop()
        self.row, self.cursor = failed.before, failed.cell
        return failed

    # Scoring

    def score(self, value: int) -> ActionResult:
        """Score the criterion under the cursor and move on."""
        best = self.view.best[self.cursor.criterion]
        if value > best:
            return ActionResult(f"{self.view.criteria[self.cursor.criterion]} goes from 0 to {best}")
        language = self.view.language_criterion
        change = scoring.set_score(self.answer.scores, self.cursor.criterion, value, language)
        skipped = sum(score == scoring.SKIPPED for score in change.values())
        reopened = sum(score is None for score in change.values())
        message = f"wrong language: {skipped} left out (u brings them back)" if skipped else ""
        return self._change(change, message or (f"{reopened} open again" if reopened else ""), self.cursor)

    def score_best(self) -> ActionResult:
        """The highest score on every criterion of the response, and on to the next column."""
        change = scoring.best_everywhere(self.answer.scores, self.view.best)
        return self._change(change, "", self._last_of_column())

    def wrong_language(self) -> ActionResult:
        """Language 0, the rest left out, and on to the next column."""
        language = self.view.language_criterion
        if language is None:
            return ActionResult("this rubric has no criterion named language")
        change = scoring.wrong_language(self.answer.scores, language)
        return self._change(change, f"{self.answer.label}: wrong language", self._last_of_column())

    def clear(self) -> ActionResult:
        """Take away the score under the cursor; the cursor stays."""
        change = scoring.clear(self.answer.scores, self.cursor.criterion, self.view.language_criterion)
        if not change:
            return ActionResult("nothing to clear here")
        return self._change(change, "", None)

    def _last_of_column(self) -> ScoreCell:
        return ScoreCell(self.cursor.column, len(self.view.criteria) - 1)

    def _change(self, change: Change, message: str, moving_from: ScoreCell | None) -> ActionResult:
        answer, cursor = self.answer, self.cursor
        changed = replace(answer, scores=scoring.applied(answer.scores, change))
        row = self.row.with_answer(cursor.column, changed)
        next_cell = cursor if moving_from is None else scoring.after_scoring(row.scores, moving_from)
        scores = [
            Score(
                response,
                self.view.criterion_ids[criterion],
                score.value if score else None,
                score == scoring.SKIPPED,
            )
            for response in answer.response_ids
            for criterion, score in change.items()
        ]
        view, shown, after = self.view, self._shown(answer), next_cell or cursor

        def write() -> None:
            with self._writing() as session:
                journal.append(session, view.rater_id, scores, shown, run_id=self.run_id)
                self._remember(session, row, after)
            unsaved.written = True

        unsaved = UnsavedChange(self.row, cursor, frozenset(change), write)
        if self._deferring:
            self.unsaved.add(unsaved)
        else:
            write()
        self.row, self.cursor = row, after
        return ActionResult(message or (self.ROW_SCORED if next_cell is None else ""))

    # Comments and error spans

    def comment(self, text: str) -> ActionResult:
        """Comment on the response under the cursor, instead of the last comment; empty: no comment."""
        answer, text = self.answer, text.strip()
        if text == answer.comment:
            return ActionResult()
        with self._writing() as session:
            shown = self._shown(answer)
            notes.set_comment(
                session, self.view.rater_id, answer.response_ids, text, shown, run_id=self.run_id
            )
        self._reread_answer()
        return ActionResult(f"{answer.label}: comment " + ("saved" if text else "taken away"))

    def mark_span(self, start: int, end: int, category: str, severity: str) -> ActionResult:
        """Mark the characters [start, end) of the response under the cursor as an error."""
        answer = self.answer
        with self._writing() as session:
            notes.mark_span(
                session, self.view.rater_id, answer.response_ids, start, end, category, severity,
                shown=self._shown(answer), run_id=self.run_id,
            )  # fmt: skip
        self._reread_answer()
        return ActionResult(f"{answer.label}: {severity} {category} error marked")

    def remove_span(self, start: int, end: int, category: str) -> ActionResult:
        """Take an error span of the response under the cursor away."""
        answer = self.answer
        with self._writing() as session:
            notes.remove_span(
                session, self.view.rater_id, answer.response_ids, start, end, category,
                self._shown(answer), run_id=self.run_id,
            )  # fmt: skip
        self._reread_answer()
        return ActionResult(f"{answer.label}: {category} error taken away")

    def _reread_answer(self) -> None:
        answer = self.answer
        with reading(self.engine) as session:
            comment = notes.comments_of(session, self.view.rater_id, [answer.response_id])
            spans = notes.spans_of(session, self.view.rater_id, [answer.response_id])
        reread = replace(
            answer,
            comment=comment.get(answer.response_id, ""),
            spans=tuple(spans.get(answer.response_id, ())),
        )
        self.row = self.row.with_answer(self.cursor.column, reread)

    # Taking back

    def undo(self) -> ActionResult:
        """Take back the last action, and go where it was."""
        return self._step(journal.next_undo, max, "undone", "nothing to undo")

    def redo(self) -> ActionResult:
        """Do again what was undone last, and go there."""
        return self._step(journal.next_redo, min, "done again", "nothing to redo")

    def _step(self, find: FindStep, first: Callable[..., Step], done: str, nothing: str) -> ActionResult:
        with self._writing() as session:
            # Of what several raters did, the last is undone first, and the last undone is done again first.
            steps = [step for rater in self.navigator.raters if (step := find(session, rater)) is not None]
            if not steps:
                return ActionResult(nothing)
            step = first(steps, key=lambda step: step.target_id)
            row = self.row if self._is_on_show(step) else self._row_of(session, step)
            column = row.column_of(step.response_id)
            if column is None:
                return ActionResult("what you scored last is in another view: take it back there")
            before = row.answers[column]
            journal.take_step(session, step, self._shown(before))
            after = reread_row(session, row)
            column = after.column_of(step.response_id) or 0
            scores = zip(before.scores, after.answers[column].scores, strict=True)
            changed = [criterion for criterion, (old, new) in enumerate(scores) if old != new]
            cursor = ScoreCell(column, changed[0] if changed else self.cursor.criterion)
            self._remember(session, after, cursor)
        self.loader.forget(after.key)
        new_row = after.key != self.row.key or len(after.answers) != len(self.row.answers)
        self.row, self.cursor = after, cursor
        return ActionResult(f"{done}: {after.answers[column].label}", new_row=new_row)

    def _is_on_show(self, step: Step) -> bool:
        return self.view.rater_id == step.rater_id and self.row.column_of(step.response_id) is not None

    def _row_of(self, session: Session, step: Step) -> Row:
        """The row in which an action was; the one on show if it was in none."""
        key = self.navigator.key_of(session, step.rater_id, step.response_id)
        return self.row if key is None or key == self.row.key else self._load(session, key)

    # Committing: done with a response, so the judge may be seen

    def commit(self) -> ActionResult:
        """Done with the response under the cursor: reveals the judge's scores and the surface metrics."""
        answer = self.answer
        if answer.committed:
            return ActionResult(f"{answer.label} is committed already")
        left = len(answer.scores) - scoring.count_scored(answer.scores)
        if left:
            ready = [other.label for other in self.row.answers if other.complete and not other.committed]
            hint = f" (G commits {', '.join(ready)})" if ready else ""
            return ActionResult(f"{answer.label}: {left} to score before it can be committed{hint}")
        return self._commit([self.cursor.column])

    def commit_all(self) -> ActionResult:
        """Done with every complete response of the row."""
        answers = enumerate(self.row.answers)
        ready = [column for column, answer in answers if answer.complete and not answer.committed]
        if not ready:
            return ActionResult("no complete response to commit in this row")
        return self._commit(ready)

    def _commit(self, columns: list[int]) -> ActionResult:
        row = self.row
        with self._writing() as session:
            for column in columns:
                answer = row.answers[column]
                for response in answer.response_ids:
                    journal.commit_response(session, self.view.rater_id, response, self._shown(answer))
                revealed = answer.revealed or self.view.reveal
                row = row.with_answer(column, replace(answer, committed=True, revealed=revealed))
            self._remember(session, row, self.cursor)
        self.row = row
        return ActionResult(f"committed: {', '.join(row.answers[column].label for column in columns)}")

    # Moving

    def move(self, columns: int = 0, criteria: int = 0) -> ActionResult:
        """Move the cursor within the row; it stops at the edges."""
        column = min(max(self.cursor.column + columns, 0), len(self.row.answers) - 1)
        criterion = min(max(self.cursor.criterion + criteria, 0), len(self.view.criteria) - 1)
        self.cursor = ScoreCell(column, criterion)
        return ActionResult()

    def go(self, steps: int) -> ActionResult:
        """To the next (1) or previous (-1) instruction, at its first open criterion."""
        key = self.rows.step(self.row.key, steps)
        if key is not None:
            return self.go_to(Destination(key))
        word = "last" if steps > 0 else "first"
        return ActionResult(
            f"this is the {word} {self.UNIT}" + (" of the filter" if self.rows.filter else "")
        )

    def go_to(self, destination: Destination) -> ActionResult:
        """To a row, and in it to a response and a criterion where the destination names them."""
        if destination.key is None:
            return ActionResult(destination.message)
        new_row = destination.key != self.row.key
        row, cursor = self._opened(destination.key, leaving=True) if new_row else (self.row, self.cursor)
        column = row.column_of(destination.response_id)
        if column is not None:
            scores = row.answers[column].scores
            criterion = next((index for index, score in enumerate(scores) if score is None), 0)
            if destination.criterion_id in self.view.criterion_ids:
                criterion = self.view.criterion_ids.index(destination.criterion_id)
            cursor = ScoreCell(column, criterion)
        self.row, self.cursor = row, cursor
        elsewhere = destination.response_id is not None and column is None
        message = "that response is not in this view" if elsewhere else destination.message
        return ActionResult(message, new_row=new_row)

    def go_to_number(self, number: int) -> ActionResult:
        """To the instruction of this number, from 1."""
        if not 1 <= number <= len(self.rows.keys):
            return ActionResult(f"there are {self.UNIT}s 1 to {len(self.rows.keys)}")
        return self.go_to(Destination(self.rows.keys[number - 1]))

    def next_open(self) -> ActionResult | None:
        """To the next criterion of the row that wants a score; None: the row has no more."""
        cell = scoring.next_open(self.row.scores, self.cursor)
        if cell is None:
            return None
        self.cursor = cell
        return ActionResult()

    def neighbours(self, steps: Iterable[int]) -> list[int]:
        """The rows that lie some steps away, as far as there are any."""
        return self.rows.neighbours(self.row.key, steps)

    # Which rows and how they are read

    def narrow(
        self, wanted: Filter, matches: Mapping[int, set[int]], all_instructions: list[int]
    ) -> ActionResult:
        """Lead through the instructions in `matches` alone; with an empty filter through all of them."""
        if wanted and not matches:
            return ActionResult("no response fits this filter: it is left as it was")
        before = self.rows
        self.rows = RowList(list(matches), wanted, matches) if wanted else RowList(all_instructions)
        if not wanted:
            return ActionResult("no filter")
        count = sum(len(responses) for responses in matches.values())
        message = f"filter: {count} responses to {len(matches)} instructions (f x Enter: none)"
        if self.number is not None:
            return ActionResult(message)
        try:
            key = self.rows.first_after(self.row.key, all_instructions)
            return replace(self.go_to(Destination(key)), message=message)
        except NotSaved:
            self.rows = before
            raise

    def change_view(self, view: View, *, collapse: bool | None = None) -> ActionResult:
        """Read the row in another way: with another translation, with or without collapsed columns."""
        before = self.loader.view, self.loader.collapse
        response, criterion = self.answer.response_id, self.cursor.criterion
        self.loader.change(view, collapse=before[1] if collapse is None else collapse)
        try:
            self.row, cursor = self._opened(self.row.key, leaving=False)
        except (NotSaved, DBAPIError):
            self.loader.change(before[0], collapse=before[1])
            raise
        self.navigator.view = view
        column = self.row.column_of(response)
        self.cursor = cursor if column is None else ScoreCell(column, criterion)
        return ActionResult(new_row=True)

    def close(self) -> str:
        """Write what is not on disk yet, and keep the bookmark. Returns what could not be written, and why,
        as a sentence, or ""."""
        self.writer.shutdown(wait=True)
        try:
            self.unsaved.write_all()
        except NotSaved as error:
            count, where = len(self.unsaved), self.drop_unsaved().where
            return f"{count} of the last scores were not saved, from {where} on: {error}"
        try:
            with saving(self.engine) as session:
                self._remember(session, self.row, self.cursor)
        except NotSaved as error:
            return f"The place where you stopped was not saved: {error}"
        return ""

    # Reading and writing

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        """A write about the row on show; what else was read ahead stays good."""
        with saving(self.engine) as session:
            before = compare.highest_ids(session)
            yield session
            session.flush()
            after = compare.highest_ids(session)
        self.loader.wrote(before, after, self.row.key)

    def _opened(self, key: int, *, leaving: bool) -> tuple[Row, ScoreCell]:
        with saving(self.engine) as session:
            row = self._load(session, key)
            fitting = self.rows.matches.get(key, set())
            columns = [
                column
                for column, answer in enumerate(row.answers)
                if not fitting.isdisjoint(answer.response_ids)
            ]
            cursor = scoring.start_cell(row.scores, columns)
            if leaving:
                self._remember(session, row, cursor)
        return row, cursor

    def _load(self, session: Session, key: int) -> Row:
        loaded = self.loader.take(session, key)
        reviewers.present(session, self.loader.view.rater_id, loaded.new_columns)
        return loaded.row

    def _shown(self, answer: Answer) -> Shown:
        since = self._shown_since.get(answer.response_id)
        looked = None if since is None else round((self._clock() - since) * 1000)
        return Shown(looked_ms=looked, judge=answer.revealed, names=self.view.names_shown)

    def _remember(self, session: Session, row: Row, cursor: ScoreCell) -> None:
        if not self.remember:
            return
        view = self.loader.view
        reviewers.save_bookmark(
            session,
            view.rater_id,
            view.bookmark,
            row.instruction_id,
            row.answers[cursor.column].response_id if row.answers else None,
            view.criteria[cursor.criterion],
        )
