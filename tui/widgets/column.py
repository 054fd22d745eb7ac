"""A column: one response, what is known of it, and the table of criteria."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from core.text.visible import visible
from core.text.wrapping import shorten
from store.queries.expected_language import is_language
from store.queries.surface import NO_PROSE, TOO_SHORT, UNKNOWN_LANGUAGE, not_measured_because
from tui.app_protocol import first_key
from tui.review.display_options import DisplayOptions, DisplayState
from tui.review.row import Answer, Row
from tui.review.scoring import count_scored
from tui.review.session import ReviewSession
from tui.theme import Look
from tui.widgets.lines import LineWidget, Piece, spread
from tui.widgets.response_text import MarkedSpan, ResponseText, foreign, marks_in_text, misspelt
from tui.widgets.score_table import ScoreTable

if TYPE_CHECKING:
    from core.text.diff import Differences

LEAST_TEXT = 3
# With fewer lines of text than this, the table gives way: several criteria share a line.
GOOD_TEXT = 8
# Longer lines are hard to read.
MOST_CELLS = 120


class Column(LineWidget):
    """Draws the answer of its number in the session's row."""

    DEFAULT_CSS = "Column { width: 1fr; height: 1fr; }"

    def __init__(self, session: ReviewSession, display_options: DisplayOptions, number: int) -> None:
        super().__init__()
        self.session = session
        self.display_options = display_options
        self.number = number
        self.edge = True
        self._scroll = 0
        self._text: ResponseText | None = None
        self._text_of: Answer | None = None
        self._marks: list[MarkedSpan] = []
        self._marked: tuple[Row, DisplayState] | None = None
        self._drawn_state: object = None
        self._sought = True

    @property
    def answer(self) -> Answer | None:
        answers = self.session.row.answers
        return answers[self.number] if self.number < len(answers) else None

    # What changed

    def show_new(self) -> None:
        """Another response stands here: from its first line, or from what was searched for."""
        self._scroll = 0
        self._text = None
        self._sought = False
        self.refresh()

    def seek(self) -> None:
        """What was searched for comes into sight, if it is in the text."""
        self._sought = False
        self.redraw()

    def set_edge(self, edge: bool) -> None:
        """Whether a line parts this column from another one to the right."""
        if edge != self.edge:
            self.edge = edge
            self.refresh()

    def page(self, pages: int) -> bool:
        """Scroll the response by pages; returns whether there was anything to scroll."""
        return self.scroll_lines(pages * max(1, self._text_height - 1))

    def scroll_lines(self, lines: int) -> bool:
        """Scroll the response by lines; returns whether there was anything to scroll."""
        wrapped, height = self._current_text()[0].wrapped, self._text_height
        there = max(0, self._scroll + lines)
        if (lines > 0 and not wrapped.has(self._scroll + height)) or there == self._scroll:
            return False
        self._scroll = there
        self.redraw()
        return True

    def _bring_in(self, text: ResponseText, offset: int) -> None:
        line, height = text.wrapped.line_of(text.visible_text.drawn_offset(offset)), self._text_height
        if not self._scroll <= line < self._scroll + height:
            self._scroll = max(0, line - height // 2) if line >= height else 0

    # Where things stand

    @property
    def _inner(self) -> int:
        return max(1, self.size.width - self.edge)

    @property
    def _table(self) -> ScoreTable:
        criteria, room = self.session.view.criteria, self.size.height - 2
        lines, across = len(criteria) + 1, 1
        cells = self._inner // ScoreTable.cell_width(criteria)
        if room - lines < GOOD_TEXT and cells > 1:
            lines, across = -(-len(criteria) // cells), cells
        elif room - lines < LEAST_TEXT:
            lines = max(2, room - LEAST_TEXT)
        return ScoreTable(criteria, self._inner, lines, across)

    @property
    def _text_height(self) -> int:
        return max(1, self.size.height - 2 - self._table.lines)

    @property
    def _cursor(self) -> int | None:
        cursor = self.session.cursor
        return cursor.criterion if cursor.column == self.number else None

    # Drawing

    def changeable(self) -> Iterable[int]:
        """Most keys leave the text as it is, and it is most of the lines."""
        answer, height = self.answer, self.size.height
        if not self._sought:
            self._current_text()
        state = (
            answer and (answer.text, answer.spans, answer.revealed, answer.surface),
            (self._scroll, self._text_height, self.display_options.state, self.display_options.reorder),
        )
        same, self._drawn_state = state == self._drawn_state, state
        return [0, *range(1 + self._text_height, height)] if same else range(height)

    def pieces(self, y: int) -> list[Piece]:
        answer = self.answer
        if answer is None:
            return []
        below = 1 + self._text_height
        if y == 0:
            return self._line(spread(self._title(answer), [], self._inner, ("─", Look.QUIET)), "┬")
        if y < below:
            return self._line(self._text_line(y - 1, answer), "│")
        if y == below:
            return self._line(self._below_text(answer), "┼")
        judge = self.session.view.judge
        unsaved = self.session.unsaved.criteria(self.number)
        head = judge.label if judge else None
        cells = self._table.pieces(y - below - 1, answer, head, self._cursor, unsaved)
        return self._line(cells, "│")

    def _line(self, pieces: list[Piece], edge: str) -> list[Piece]:
        return spread(pieces, [(edge, Look.QUIET)] if self.edge else [], self.size.width, (" ", Look.PLAIN))

    def _title(self, answer: Answer) -> list[Piece]:
        state = f" {count_scored(answer.scores)}/{len(answer.scores)} "
        pieces: list[Piece] = [(state, Look.PLAIN)]
        if self.session.unsaved.criteria(self.number):
            pieces.append(("? ", Look.STRONG))
        elif answer.committed:
            pieces.append(("◆ committed ", Look.DONE))
        elif answer.complete:
            pieces.append(("✓ ", Look.DONE))
        if answer.comment:
            pieces.append(("✎ ", Look.STRONG))
        if answer.spans:
            pieces.append((f"‹{len(answer.spans)}› ", Look.STRONG))
        if self.session.fits(answer):
            pieces.append(("∈ filter ", Look.QUIET))
        room = self._inner - sum(len(text) for text, _ in pieces) - 4
        name = shorten(visible(answer.label), max(1, room))
        current = self._cursor is not None
        label: Piece = (f"▶ {name} ", Look.CURRENT) if current else (f"─ {name} ", Look.STRONG)
        return [label, *pieces]

    def _current_text(self) -> tuple[ResponseText, list[MarkedSpan]]:
        """The response, wrapped to the width of now, and the marks in it."""
        answer = self.answer
        text = answer.text if answer else ""
        width = min(MOST_CELLS, max(1, self._inner - 2))
        drawn = self._text
        if drawn is None or drawn.wrapped.width != width or (self._text_of and self._text_of.text != text):
            top = drawn.wrapped.span(self._scroll) if drawn else None
            language = answer.language if answer else ""
            drawn = self._text = ResponseText(text, width, language)
            # The line that was on top stays there, as far as the other width allows.
            self._scroll = drawn.wrapped.line_of(top[0]) if top and top[0] else 0
            self._marks, self._marked = [], None
        self._text_of = answer
        row, state = self.session.row, self.display_options.state
        if answer and (self._marked is None or self._marked[0] is not row or self._marked[1] != state):
            self._marked = (row, state)
            marks = marks_in_text(row, self.number, self.display_options)
            if marks != self._marks:
                self._marks = marks
                drawn.mark(marks)
        if not self._sought:
            self._sought = True
            hit = next((mark for mark in self._marks if Look.HIT in mark[2]), None)
            if hit is not None:
                self._bring_in(drawn, hit[0])
        return drawn, self._marks

    def _text_line(self, line: int, answer: Answer) -> list[Piece]:
        if not answer.text.strip():
            return [(" ∅ the response is empty", Look.QUIET)] if line == 0 else []
        text = self._current_text()[0].pieces(self._scroll + line, reorder=self.display_options.reorder)
        return [(" ", Look.PLAIN), *text] if text else []

    def _below_text(self, answer: Answer) -> list[Piece]:
        above = "↑" if self._scroll else ""
        wrapped = self._current_text()[0].wrapped
        below = "↓" if wrapped.has(self._scroll + self._text_height) else ""
        keys = f"{first_key(self, 'text.down')} {first_key(self, 'text.up')}"
        more: list[Piece] = [(f" {above}{below} {keys} ", Look.STRONG)] if above or below else []
        facts = self._facts(answer)
        left = [(" ", Look.PLAIN), *facts, (" ", Look.PLAIN)] if facts else []
        return spread(left, more, self._inner, ("─", Look.QUIET))

    def _facts(self, answer: Answer) -> list[Piece]:
        """What the line under a text says of it: how it differs, what was measured, what is marked."""
        parts: list[list[Piece]] = []
        differences = self.display_options.differences(self.session.row, self.number)
        if differences is not None:
            parts.append([(_compared(differences, self.display_options.base == self.number), Look.STRONG)])
        if answer.revealed:
            parts.append(surface_pieces(answer, marked=self.display_options.mark_text))
        pieces: list[Piece] = []
        for part in parts:
            pieces += [(" · ", Look.PLAIN), *part] if pieces else part
        return pieces


def _compared(differences: "Differences", is_base: bool) -> str:
    if not differences.comparable:
        return "too long to compare"
    if is_base:
        return "base"
    if not differences.spans and not differences.missing:
        return "same words"
    return f"+{differences.differing} −{differences.missing} words"


NO_LANGUAGE = {
    NO_PROSE: "language: no prose",
    TOO_SHORT: "language: too short to tell",
    UNKNOWN_LANGUAGE: "language: unknown to the identifier",
}


def surface_pieces(answer: Answer, *, marked: bool = False) -> list[Piece]:
    """The surface metrics of a response, in words that need no colour; with `marked`, also how much is
    marked in the text because of them."""
    pieces: list[Piece] = []
    identified = answer.surface.get("language")
    if identified is not None and identified.label:
        probability = "" if identified.value is None else f" {identified.value:.2f}"
        pieces.append((f"{visible(identified.label)}{probability}", Look.PLAIN))
        if not is_language(identified.label, answer.expected):
            pieces.append((" · wrong language", Look.FAILED))
    elif identified is not None:
        pieces.append((NO_LANGUAGE[not_measured_because(identified.detail.get("reason"))], Look.QUIET))
    spelling = answer.surface.get("spelling")
    if spelling is not None and spelling.value is not None:
        count = f" ({len(misspelt(answer))} wrong)" if marked else ""
        pieces.append((f"{' · ' if pieces else ''}spelling {spelling.value:.0%}{count}", Look.PLAIN))
    others = {label for _, _, label in foreign(answer)} - {identified.label if identified else None}
    if marked and others:
        languages = ", ".join(sorted(visible(label) for label in others))
        pieces.append((f" · parts in {languages}", Look.FAILED))
    relevance = answer.surface.get("relevance")
    if relevance is not None and relevance.value is not None:
        relevant = relevance.value >= 0.5
        word = "relevant" if relevant else "not relevant"
        pieces.append((f"{' · ' if pieces else ''}{word}", Look.PLAIN if relevant else Look.FAILED))
    return pieces or [("not measured", Look.QUIET)]
