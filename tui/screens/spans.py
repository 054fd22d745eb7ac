"""Marking errors in the text of one response: a stretch chosen by words, its category and its severity."""

from collections.abc import Callable

from sqlalchemy.exc import DBAPIError
from textual.app import ComposeResult

from core.text.visible import visible
from core.text.words import words
from tui import keymap
from tui.app_protocol import Leaving, app_of
from tui.review.display_options import DisplayOptions
from tui.review.error_spans import CATEGORIES, SEVERITIES, SpanCursor
from tui.review.saving import NotSaved, reason_of
from tui.review.session import ActionResult, ReviewSession
from tui.screens.choice import ChoiceScreen
from tui.textual_private import MinimalRepaintScreen
from tui.widgets.bars import MessageLine
from tui.widgets.span_text import SpanText

HINTS = (
    ("cursor.left,cursor.right", "word"),
    ("cursor.up,cursor.down", "line"),
    ("span.anchor", "start here"),
    ("span.category", "category"),
    ("span.remove", "take away"),
    ("span.next,span.previous", "next, previous error"),
    ("app.back", "back"),
)


class SpansScreen(MinimalRepaintScreen[str]):
    """The response under the cursor of the session, over the whole screen."""

    BINDINGS = keymap.bindings(keymap.SPANS)
    AUTO_FOCUS = ""

    def __init__(self, session: ReviewSession, display_options: DisplayOptions) -> None:
        super().__init__()
        self.session = session
        text = session.answer.text
        self.cursor = SpanCursor(words(text), len(text))
        self.text = SpanText(session, self.cursor, display_options)
        self.message = MessageLine(HINTS, "spans")

    def compose(self) -> ComposeResult:
        yield self.text
        yield self.message

    def action_move(self, across: int, lines: int) -> None:
        if across:
            # The next word of right-to-left text stands to the left.
            self.cursor.move(-across if self.text.runs_left else across)
        else:
            self.text.move_lines(lines)
        self._show()

    def action_anchor(self) -> None:
        self.cursor.toggle_anchor()
        self._show()

    def action_next_span(self, steps: int) -> None:
        starts = sorted({span.start for span in self.session.answer.spans})
        if not starts:
            self.message.say("no errors are marked yet")
            return
        current = self.cursor.words[self.cursor.word][0]
        before = [start for start in starts if start < current]
        after = [start for start in starts if start > current]
        self.cursor.go_to((after or starts)[0] if steps > 0 else (before or starts)[-1])
        self._show()

    def action_choose(self) -> None:
        start, end = self.cursor.stretch
        if end <= start:
            self.message.say("the response is empty: there is nothing to mark")
            return
        excerpt = visible(self.session.answer.text[start:end])

        def with_category(category: str | None) -> None:
            if category is not None:
                choices = ChoiceScreen(f"{category}: how bad is “{excerpt}”", SEVERITIES)
                self.app.push_screen(choices, lambda severity: self._mark(start, end, category, severity))

        self.app.push_screen(ChoiceScreen(f"what is wrong with “{excerpt}”", CATEGORIES), with_category)

    async def _mark(self, start: int, end: int, category: str, severity: str | None) -> None:
        if severity is not None:
            self.cursor.anchor = None
            await self._save(lambda: self.session.mark_span(start, end, category, severity))

    async def action_remove(self) -> None:
        span = self.cursor.span_here(self.session.answer.spans)
        if span is None:
            self.message.say("no marked error under the cursor")
        else:
            await self._save(lambda: self.session.remove_span(span.start, span.end, span.category))

    async def _save(self, action: Callable[[], ActionResult]) -> None:
        session = self.session
        session.busy = True
        try:
            result = await app_of(self).beside(action, session.writer)
        except (NotSaved, DBAPIError) as error:
            app_of(self).drop_typed_ahead()
            self.message.say(f"✗ not saved: {reason_of(error).rstrip('.')}. Do it again.", failed=True)
            return
        except Leaving:
            return
        finally:
            session.busy = False
        self._show()
        self.message.say(result.message)

    def _show(self) -> None:
        self.text.show()
        span = self.cursor.span_here(self.session.answer.spans)
        self.message.say(
            f"{span.severity} {span.category}" + (f": {span.note}" if span.note else "") if span else ""
        )

    def action_keys(self) -> None:
        app_of(self).show_keys("spans")

    def action_close(self) -> None:
        self.dismiss("")
