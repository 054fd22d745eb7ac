"""A column: one response, its surface metrics, and the table of criteria."""

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.review.row import Answer
from tui.review.rules import Mark, difference, marked
from tui.review.session import ReviewSession
from tui.safe_text import safe_line, safe_text
from tui.theme import CURRENT, DIFFERS, DONE, FAILED, PLAIN, QUIET, STRONG
from tui.widgets.lines import Piece, cells_of, fitted, spread, strip_of
from tui.wrapping import WrappedText, shorten

YOU = 6
LEAST_TEXT = 3
DELTA = 5


class Column(Widget):
    """Draws the answer of its number in the session's row; repaints single lines when told what changed."""

    DEFAULT_CSS = "Column { width: 1fr; height: 1fr; }"

    def __init__(self, session: ReviewSession, number: int) -> None:
        super().__init__()
        self.session = session
        self.number = number
        self._last = False
        self._scroll = 0
        self._title_shown = 0
        self._wrapped: WrappedText | None = None

    @property
    def answer(self) -> Answer | None:
        answers = self.session.row.answers
        return answers[self.number] if self.number < len(answers) else None

    # What changed

    def show_new(self) -> None:
        """Another response stands here: from its first line."""
        self._scroll = 0
        self._wrapped = None
        self.refresh()

    def set_last(self, last: bool) -> None:
        """Whether no other column stands to the right."""
        if last != self._last:
            self._last = last
            self.refresh()

    def refresh_title(self) -> None:
        now = cells_of(self._title_pieces())
        self.refresh(Region(0, 0, min(max(now, self._title_shown), self.size.width), 1))
        self._title_shown = now

    def refresh_criterion(self, criterion: int) -> None:
        if self._rows < len(self.session.view.criteria):
            self.refresh()
            return
        width = 1 + self._names_width + YOU
        if self.answer is not None and self.answer.committed:
            width = self.size.width
        self.refresh(Region(0, self._table_top + 1 + criterion, min(width, self.size.width), 1))

    def page(self, pages: int) -> bool:
        """Scroll the response by pages; returns whether there was anything to scroll."""
        text, height = self._text(), self._text_height
        there = max(0, self._scroll + pages * max(1, height - 1))
        if pages > 0 and not text.has(self._scroll + height):
            return False
        if there == self._scroll:
            return False
        self._scroll = there
        self.refresh(Region(0, 1, self.size.width, height + 1))
        return True

    # Where things stand

    @property
    def _table_top(self) -> int:
        return max(2, self.size.height - self._rows - 1)

    @property
    def _rows(self) -> int:
        """How many criteria are on show: fewer than there are where the text would have no room."""
        return max(1, min(len(self.session.view.criteria), self.size.height - LEAST_TEXT - 3))

    @property
    def _first_row(self) -> int:
        """The criterion on the table's first line, so that the one under the cursor is on show."""
        return max(0, self.session.place.criterion - self._rows + 1)

    @property
    def _text_height(self) -> int:
        return max(0, self._table_top - 2)

    @property
    def _text_width(self) -> int:
        return max(1, self.size.width - 3)

    @property
    def _names_width(self) -> int:
        return max(len(name) for name in self.session.view.criteria) + 1

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        answer = self.answer
        joint = {0: "┬", self._table_top - 1: "┼"}.get(y, "│")
        edge: Piece = ("" if self._last else joint, QUIET)
        inner = width - len(edge[0])
        if answer is None:
            return Strip.blank(width, PLAIN)
        return strip_of([*fitted(self._pieces(y, answer, inner), inner), edge], width)

    def _pieces(self, y: int, answer: Answer, width: int) -> list[Piece]:
        if y == 0:
            self._title_shown = cells_of(self._title_pieces())
            return spread(self._title_pieces(), [], width, ("─", QUIET))
        if y < self._table_top - 1:
            return self._text_pieces(y - 1, answer)
        if y == self._table_top - 1:
            return self._below_text(answer, width)
        if y == self._table_top:
            return self._table_head(answer, width)
        return self._table_row(y - self._table_top - 1 + self._first_row, answer, width)

    def _title_pieces(self) -> list[Piece]:
        answer = self.answer
        if answer is None:
            return []
        current = self.session.place.column == self.number
        name = shorten(safe_line(answer.label), max(1, self.size.width - 20))
        state = f" {marked(answer.marks)}/{len(answer.marks)} "
        end: Piece = (
            ("◆ committed ", DONE) if answer.committed else ("✓ ", DONE) if answer.complete else ("", PLAIN)
        )
        label: Piece = (f"▶ {name} ", CURRENT) if current else (f"─ {name} ", STRONG)
        return [label, (state, PLAIN), end]

    def _text(self) -> WrappedText:
        if self._wrapped is None or self._wrapped.width != self._text_width:
            self._scroll = 0
            text = self.answer.text if self.answer else ""
            self._wrapped = WrappedText(safe_text(text), self._text_width)
        return self._wrapped

    def _text_pieces(self, line: int, answer: Answer) -> list[Piece]:
        if not answer.text.strip():
            return [(" ∅ the response is empty", QUIET)] if line == 0 else []
        found = self._text().line(self._scroll + line)
        return [(" " + found, PLAIN)] if found else []

    def _below_text(self, answer: Answer, width: int) -> list[Piece]:
        above = "↑" if self._scroll else ""
        below = "↓" if self._text().has(self._scroll + self._text_height) else ""
        more: list[Piece] = [(f" {above}{below} Space b ", STRONG)] if above or below else []
        if not answer.committed:
            return spread([], more, width, ("─", QUIET))
        known = surface_pieces(answer, self.session.view.language)
        return spread([(" ", PLAIN), *known, (" ", PLAIN)], more, width, ("─", QUIET))

    def _judge_width(self, width: int) -> int:
        free = width - 1 - self._names_width - YOU - DELTA - 1
        return max(5, min(free, len(self.session.row.judge or "") + 2))

    def _table_head(self, answer: Answer, width: int) -> list[Piece]:
        head = " " * (1 + self._names_width) + "you".rjust(YOU)
        judge = self.session.row.judge
        if answer.committed and judge:
            room = self._judge_width(width)
            head += shorten(safe_line(judge), room - 2).rjust(room) + "Δ".rjust(DELTA)
        elif answer.committed:
            head += "  no judge has scored this"
        return [(head, QUIET)]

    def _table_row(self, criterion: int, answer: Answer, width: int) -> list[Piece]:
        if criterion >= len(answer.marks):
            return []
        here = self.session.place == (self.number, criterion)
        name = self.session.view.criteria[criterion].ljust(self._names_width)
        yours, judges = answer.marks[criterion], answer.judge[criterion]
        pieces: list[Piece] = [
            ("▸" + name if here else " " + name, STRONG if here else PLAIN),
            (" " * (YOU - 3), PLAIN),
            (f" {shown_mark(yours)} ", CURRENT if here else STRONG if yours else PLAIN),
        ]
        if answer.committed and self.session.row.judge:
            delta = difference(yours, judges)
            style = DIFFERS if delta else PLAIN
            pieces.append((shown_mark(judges).rjust(self._judge_width(width)), PLAIN))
            pieces.append((shown_difference(delta).rjust(DELTA), style))
        return pieces


def shown_mark(mark: Mark | None) -> str:
    """A mark as the table shows it: the score, `–` for left out, `·` for not scored."""
    if mark is None:
        return "·"
    return "–" if mark.score is None else str(mark.score)


def shown_difference(delta: int | None) -> str:
    """Δ as the table shows it: with its sign, 0 when both agree, nothing when one has no score."""
    return "" if delta is None else f"{delta:+d}" if delta else "0"


def surface_pieces(answer: Answer, language: str) -> list[Piece]:
    """The surface metrics of a response, in words that need no colour."""
    pieces: list[Piece] = []
    identified = answer.surface.get("language")
    if identified is not None and identified.label:
        probability = "" if identified.value is None else f" {identified.value:.2f}"
        pieces.append((f"{safe_line(identified.label)}{probability}", PLAIN))
        if identified.label != language:
            pieces.append((" · wrong language", FAILED))
    spelling = answer.surface.get("spelling")
    if spelling is not None and spelling.value is not None:
        pieces.append((f"{' · ' if pieces else ''}spelling {spelling.value:.0%}", PLAIN))
    relevance = answer.surface.get("relevance")
    if relevance is not None and relevance.value is not None:
        word = "relevant" if relevance.value >= 0.5 else "not relevant"
        pieces.append((f"{' · ' if pieces else ''}{word}", PLAIN if relevance.value >= 0.5 else FAILED))
    return pieces or [("not measured", QUIET)]
