"""The criteria with the reviewer's scores, and the judge's when they may be seen, as lines of pieces."""

from collections.abc import Set

from core.text.visible import visible
from core.text.wrapping import shorten
from tui.review.row import Answer
from tui.review.scoring import CriterionScore, difference
from tui.theme import Look
from tui.widgets.lines import Piece, cells_of

YOU_CELLS = 6
DELTA_CELLS = 5
SCORE_CELLS = 3
GRID_JUDGE_CELLS = 5


class ScoreTable:
    """A criterion a line under a head; or, where lines are few, several criteria a line: `across` of them.

    `first` is the criterion on the first line where not all lines fit.
    """

    def __init__(self, criteria: tuple[str, ...], width: int, lines: int, across: int) -> None:
        self.criteria = criteria
        self.width = width
        self.across = across
        self.lines = lines
        self.names_width = max(len(name) for name in criteria) + 1

    @staticmethod
    def cell_width(criteria: tuple[str, ...]) -> int:
        """How many cells a criterion needs where several stand on a line."""
        return 1 + max(len(name) for name in criteria) + 1 + SCORE_CELLS + GRID_JUDGE_CELLS + 1

    def pieces(
        self,
        line: int,
        answer: Answer,
        judge: str | None,
        cursor: int | None,
        unsaved: Set[int] = frozenset(),
    ) -> list[Piece]:
        """One line of the table; `judge` is the head of its column, None where no judge has scored. The
        scores of the criteria in `unsaved` are not on disk yet."""
        if self.across > 1:
            first = line * self.across
            pieces: list[Piece] = []
            for criterion in range(first, min(first + self.across, len(self.criteria))):
                cell = self._cell(criterion, answer, judge, cursor, unsaved)
                room = self.width // self.across
                pieces += [*cell, (" " * max(0, room - cells_of(cell)), Look.PLAIN)]
            return pieces
        if line == 0:
            return self._head(answer, judge)
        rows = self.lines - 1
        first = max(0, (cursor or 0) - rows + 1)
        criterion = first + line - 1
        if criterion >= len(self.criteria):
            return []
        return self._row(criterion, answer, judge, cursor, unsaved)

    def _name(self, criterion: int, cursor: int | None) -> Piece:
        name = self.criteria[criterion].ljust(self.names_width)
        current = criterion == cursor
        return ("▸" + name if current else " " + name, Look.STRONG if current else Look.PLAIN)

    def _score(self, criterion: int, answer: Answer, cursor: int | None, unsaved: Set[int]) -> Piece:
        score = answer.scores[criterion]
        mark = "?" if criterion in unsaved else " "
        look = Look.CURRENT if criterion == cursor else Look.STRONG if score else Look.PLAIN
        return (f" {score_text(score)}{mark}", look)

    def _cell(
        self, criterion: int, answer: Answer, judge: str | None, cursor: int | None, unsaved: Set[int]
    ) -> list[Piece]:
        pieces = [self._name(criterion, cursor), self._score(criterion, answer, cursor, unsaved)]
        if answer.revealed and judge:
            judges = answer.judge[criterion]
            delta = difference(answer.scores[criterion], judges)
            pieces.append((f"{score_text(judges)}", Look.PLAIN))
            pieces.append((difference_text(delta).rjust(3), Look.DIFFERS if delta else Look.PLAIN))
        return pieces

    def _judge_width(self, judge: str) -> int:
        free = self.width - 1 - self.names_width - YOU_CELLS - DELTA_CELLS - 1
        return max(5, min(free, len(judge) + 2))

    def _head(self, answer: Answer, judge: str | None) -> list[Piece]:
        head = " " * (1 + self.names_width) + "you".rjust(YOU_CELLS)
        if answer.revealed and judge:
            room = self._judge_width(judge)
            head += shorten(visible(judge), room - 2).rjust(room) + "Δ".rjust(DELTA_CELLS)
        elif answer.revealed:
            head += "  no judge"
        return [(head, Look.QUIET)]

    def _row(
        self, criterion: int, answer: Answer, judge: str | None, cursor: int | None, unsaved: Set[int]
    ) -> list[Piece]:
        pieces = [
            self._name(criterion, cursor),
            (" " * (YOU_CELLS - SCORE_CELLS), Look.PLAIN),
            self._score(criterion, answer, cursor, unsaved),
        ]
        if answer.revealed and judge:
            judges = answer.judge[criterion]
            delta = difference(answer.scores[criterion], judges)
            pieces.append((score_text(judges).rjust(self._judge_width(judge)), Look.PLAIN))
            pieces.append((difference_text(delta).rjust(DELTA_CELLS), Look.DIFFERS if delta else Look.PLAIN))
        return pieces


def score_text(score: CriterionScore | None) -> str:
    """A score as the table shows it: `2`, `–` for left out, `·` for not scored."""
    if score is None:
        return "·"
    return "–" if score.value is None else str(score.value)


def difference_text(delta: int | None) -> str:
    """Δ as the table shows it: `+1`, `0` when both agree, nothing when one has no score."""
    return "" if delta is None else f"{delta:+d}" if delta else "0"
