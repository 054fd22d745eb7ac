"""A response over the whole width, with the stretch that is chosen and the errors that are marked."""

from core.text.visible import visible
from core.text.wrapping import shorten
from tui.review.display_options import DisplayOptions
from tui.review.error_spans import SpanCursor
from tui.review.session import ReviewSession
from tui.theme import Look
from tui.widgets.lines import LineWidget, Piece, fitted
from tui.widgets.response_text import ResponseText

# Longer lines are hard to read.
MOST_CELLS = 110


class SpanText(LineWidget):
    """Draws the text; it scrolls with the cursor."""

    DEFAULT_CSS = "SpanText { width: 1fr; height: 1fr; }"

    def __init__(self, session: ReviewSession, cursor: SpanCursor, display_options: DisplayOptions) -> None:
        super().__init__()
        self.session = session
        self.cursor = cursor
        self.display_options = display_options
        self._scroll = 0
        self._text: ResponseText | None = None

    @property
    def runs_left(self) -> bool:
        """Whether the text is drawn from right to left."""
        return self._wrapped().rtl and self.display_options.reorder

    def show(self) -> None:
        """The cursor or the marked errors are not as they were."""
        text = self._wrapped()
        self._mark(text)
        line, height = self._line_of_cursor(text), max(1, self.size.height - 1)
        if not self._scroll <= line < self._scroll + height:
            self._scroll = max(0, line - height // 2)
        self.redraw()

    def on_resize(self) -> None:
        self.show()
        self.refresh()

    def move_lines(self, lines: int) -> None:
        """The cursor to the word that stands nearest, some lines below (or above)."""
        text = self._wrapped()
        if not self.cursor.words:
            return
        current = self._line_of_cursor(text)
        span, other = text.wrapped.span(current), text.wrapped.span(max(0, current + lines))
        if span is None or other is None:
            return
        start = text.visible_text.drawn_offset(self.cursor.words[self.cursor.word][0])
        wanted = min(other[0] + start - span[0], max(other[0], other[1] - 1))
        before = self.cursor.word
        self.cursor.go_to(text.visible_text.raw_offset(wanted))
        if self.cursor.word == before:  # a line without a word of its own
            self.cursor.move(1 if lines > 0 else -1)

    def _line_of_cursor(self, text: ResponseText) -> int:
        if not self.cursor.words:
            return 0
        return text.wrapped.line_of(text.visible_text.drawn_offset(self.cursor.words[self.cursor.word][0]))

    def _wrapped(self) -> ResponseText:
        answer, width = self.session.answer, min(MOST_CELLS, max(1, self.size.width - 2))
        if self._text is None or self._text.wrapped.width != width:
            self._text = ResponseText(answer.text, width, answer.language)
            self._mark(self._text)
        return self._text

    def _mark(self, text: ResponseText) -> None:
        marks = [(span.start, span.end, Look.ERROR) for span in self.session.answer.spans]
        text.mark([*marks, (*self.cursor.stretch, Look.CHOSEN)])

    def pieces(self, y: int) -> list[Piece]:
        answer = self.session.answer
        if y == 0:
            title = f" errors in {shorten(visible(answer.label), 40)} · {len(answer.spans)} marked "
            return fitted([(title, Look.HEADING)], self.size.width)
        return [
            (" ", Look.PLAIN),
            *self._wrapped().pieces(self._scroll + y - 1, reorder=self.display_options.reorder),
        ]
