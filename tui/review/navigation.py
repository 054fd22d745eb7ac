"""Where to go next: questions about the whole view that only read, and so may run beside the screen."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Engine
from sqlmodel import Session

from store.queries import filters
from store.queries.filters import Filter
from store.session import reading
from store.tables import Bookmark
from tui.review import row
from tui.review.view import View


@dataclass(frozen=True)
class Destination:
    """Where a question leads: the key of a row, and in it a response and a criterion if one is meant.

    `message` is for the reviewer. Without a key there is nothing to go to.
    """

    key: int | None = None
    response_id: int | None = None
    criterion_id: int | None = None
    message: str = ""


@dataclass(frozen=True)
class RowList:
    """The keys of the rows that next and previous lead through: all of a view, or those that a filter leaves.

    With a filter, `matches` are the responses that fit it, by the keys of their rows.
    """

    keys: Sequence[int]
    filter: Filter = field(default_factory=Filter)
    matches: Mapping[int, Set[int]] = field(default_factory=dict)

    @cached_property
    def _numbers(self) -> dict[int, int]:
        return {key: number for number, key in enumerate(self.keys, start=1)}

    def number_of(self, key: int) -> int | None:
        """The number of a row, from 1; None: the filter has left it out."""
        return self._numbers.get(key)

    def step(self, key: int, steps: int) -> int | None:
        """The row some steps after (or before) another; None: there is none. From a row that the filter has
        left out, the first (or last)."""
        number = self.number_of(key)
        if number is None:
            return self.keys[0 if steps > 0 else -1]
        index = number - 1 + steps
        return self.keys[index] if 0 <= index < len(self.keys) else None

    def neighbours(self, key: int, steps: Iterable[int]) -> list[int]:
        """The rows that lie some steps away, as far as there are any."""
        current = (self.number_of(key) or 1) - 1
        indices = [current + step for step in steps]
        return [self.keys[index] for index in indices if 0 <= index < len(self.keys)]

    def first_after(self, key: int, all_keys: Sequence[int]) -> int:
        """The first row that comes after another one in the order of `all_keys`, else the first of all."""
        position = {other: number for number, other in enumerate(all_keys)}
        current = position.get(key, 0)
        return next((other for other in self.keys if position.get(other, 0) > current), self.keys[0])


class Navigator:
    """Answers the questions for one view, whose rows go by the ids of their instructions; remembers which
    disagreements it has led to."""

    def __init__(self, engine: Engine, view: View) -> None:
        self.engine = engine
        self.view = view
        self._seen: set[tuple[int, int]] = set()

    def instructions(self) -> list[int]:
        """The instructions that hold a response, in the suite's order."""
        with reading(self.engine) as session:
            return filters.instructions_with_responses(session, self.view.scope)

    def start(self, keys: Sequence[int], bookmark: Bookmark | None) -> int:
        """The row to begin with, of those with these keys: where the reviewer stopped, else the first."""
        if bookmark is not None and bookmark.instruction_id in keys:
            return bookmark.instruction_id
        return keys[0]

    def load(
        self, session: Session, view: View, key: int, *, collapse: bool
    ) -> tuple[row.Row, dict[int, int]]:
        """The row of a key, and the columns that are not written down yet: see `tui.review.row.load_row`."""
        return row.load_row(session, view, key, collapse=collapse)

    @property
    def raters(self) -> tuple[int, ...]:
        """As whom the reviewer scores here."""
        return (self.view.rater_id,)

    def key_of(self, session: Session, rater_id: int, response_id: int) -> int | None:
        """The row in which a response stands that one of the raters has scored; None: in none."""
        return filters.lead_instruction(session, self.view.suite.id, self.view.language, response_id)

    def matches(self, wanted: Filter) -> dict[int, set[int]]:
        """The responses that fit the filter, by instruction, in the suite's order."""
        with reading(self.engine) as session:
            matching: dict[int, set[int]] = {}
            for instruction, response in filters.responses_matching(session, self.view.scope, wanted):
                matching.setdefault(instruction, set()).add(response)
            return matching

    def next_unscored(self, position: int) -> Destination:
        """The first response after a position of the suite that wants a score, else the first of all."""
        with reading(self.engine) as session:
            unscored = filters.first_unscored(session, self.view.scope, position)
        if unscored is None:
            return self._next_uncommitted(position)
        instruction, response = unscored
        return Destination(instruction, response)

    def _next_uncommitted(self, position: int) -> Destination:
        """Everything is scored; a campaign counts what is committed, so the next row that holds something
        scored and not committed, else none."""
        if self.view.campaign_id is None:
            return Destination(message="everything is scored")
        scored = self.matches(Filter(statuses=frozenset({"scored"})))
        committed = self.matches(Filter(statuses=frozenset({"committed"})))
        waiting = {key: left for key, ids in scored.items() if (left := ids - committed.get(key, set()))}
        if not waiting:
            return Destination(message="everything is scored and committed, thank you (q leaves)")
        count = sum(len(left) for left in waiting.values())
        key, left = next(iter(waiting.items()))
        message = (
            f"everything is scored; {count} not committed yet, which the campaign counts: G commits a row"
        )
        return Destination(key, min(left), message=message)

    def next_disagreement(self) -> Destination:
        """The next criterion on which reviewer and judge differ, from the largest |Δ| down; after the last,
        the first again."""
        if self.view.judge is None:
            return Destination(message="no judge has scored these responses")
        with reading(self.engine) as session:
            disagreements = filters.disagreements(session, self.view.scope)
        if not disagreements:
            hint = "" if self.view.open else " on what you have committed"
            return Destination(message=f"no disagreement with {self.view.judge.label}{hint}")
        unseen = [row for row in disagreements if (row.response_id, row.criterion_id) not in self._seen]
        if not unseen:
            self._seen.clear()
        largest = (unseen or disagreements)[0]
        self._seen.add((largest.response_id, largest.criterion_id))
        number = disagreements.index(largest) + 1
        message = f"Δ {largest.delta:+d} · disagreement {number} of {len(disagreements)}, by |Δ|"
        return Destination(largest.instruction_id, largest.response_id, largest.criterion_id, message)

    def find_words(self, words: str, position: int) -> Destination:
        """The first response after a position whose text, or whose instruction, holds some words; then from
        the start. Small and capital letters are the same, and so are composed and decomposed ones."""
        wanted = folded(words)
        with reading(self.engine) as session:
            for after, upto in ((position, None), (-1, position)):
                for instruction, response, question, text in filters.texts_in_view(
                    session, self.view.scope, after, upto
                ):
                    if wanted in folded(text):
                        return Destination(instruction, response)
                    if wanted in folded(question):
                        return Destination(instruction)
        return Destination(message=f"nothing holds “{words}”")


def folded(text: str) -> str:
    """A text as it is compared when it is searched."""
    return unicodedata.normalize("NFC", text).casefold()
