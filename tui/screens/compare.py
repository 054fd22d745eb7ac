"""The compare screen: one instruction, its responses side by side, scored with single keys."""

from collections.abc import Callable

from sqlalchemy.exc import DBAPIError
from textual import on
from textual.app import ComposeResult
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Static

from tui import keymap
from tui.review.saving import NotSaved, reason_of
from tui.review.session import Outcome, ReviewSession
from tui.screens.keys import KeysScreen
from tui.widgets.bars import ColumnStrip, MessageLine, StatusBar
from tui.widgets.instruction_box import InstructionBox
from tui.widgets.workspace import Workspace

LEAST_WIDTH, LEAST_HEIGHT = 40, 12


class CompareScreen(Screen[None]):
    """Lays out the parts, gives keys to the session, and has the parts repaint what changed."""

    CSS_PATH = "compare.tcss"
    BINDINGS = keymap.bindings(keymap.COMPARE)
    AUTO_FOCUS = "Workspace"

    def __init__(self, session: ReviewSession) -> None:
        super().__init__()
        self.session = session
        self.status = StatusBar(session)
        self.instruction = InstructionBox(session)
        self.workspace = Workspace(session)
        self.strip = ColumnStrip(session)
        self.message = MessageLine()

    def compose(self) -> ComposeResult:
        yield self.status
        yield self.instruction
        yield self.workspace
        yield self.strip
        yield self.message
        yield Static(f"too small: xlit wants {LEAST_WIDTH}x{LEAST_HEIGHT}", id="too-small", markup=False)

    def on_resize(self, event: Resize) -> None:
        width, height = event.size
        self.set_class(width < LEAST_WIDTH or height < LEAST_HEIGHT, "-too-small")
        self.instruction.lay_out(width, height)

    @on(Workspace.WindowMoved)
    def _tell_what_is_on_show(self) -> None:
        self.set_class(self.workspace.shows_all, "-all-fit")
        answers = [column.answer for column in self.workspace.visible_columns]
        self.session.shows(answer.response_id for answer in answers if answer is not None)

    # Keys

    def action_score(self, score: int) -> None:
        self._do(lambda: self.session.score(score))

    def action_score_best(self) -> None:
        self._do(self.session.score_best)

    def action_wrong_language(self) -> None:
        self._do(self.session.wrong_language)

    def action_clear(self) -> None:
        self._do(self.session.clear)

    def action_undo(self) -> None:
        self._do(self.session.undo)

    def action_redo(self) -> None:
        self._do(self.session.redo)

    def action_commit(self) -> None:
        self._do(self.session.commit)

    def action_commit_all(self) -> None:
        self._do(self.session.commit_all)

    def action_move(self, columns: int, criteria: int) -> None:
        self._do(lambda: self.session.move(columns, criteria))

    def action_go(self, steps: int) -> None:
        self._do(lambda: self.session.go(steps))

    def action_next_unscored(self) -> None:
        self._do(self.session.next_unscored)

    def action_scroll_text(self, pages: int) -> None:
        self.message.say("" if self.workspace.page(pages) else "the whole response is on show")

    def action_scroll_instruction(self, lines: int) -> None:
        self.instruction.scroll_lines(lines)

    def action_keys(self) -> None:
        self.app.push_screen(KeysScreen(keymap.COMPARE))

    def action_quit(self) -> None:
        self.app.exit()

    def _do(self, action: Callable[[], Outcome]) -> None:
        """Run one action of the session; what it saved is on disk when this shows it."""
        before = self.workspace.before()
        try:
            outcome = action()
        except NotSaved as error:
            self._failed(str(error))
            return
        except DBAPIError as error:
            self._failed(reason_of(error))
            return
        if outcome.new_row:
            self.instruction.lay_out(*self.size)
            self.workspace.show_row()
            self.status.refresh()
            self.strip.refresh()
        elif self.workspace.before() != before:
            self.workspace.show_change(before)
            if not self.workspace.shows_all:
                self.strip.show()
        self.status.show(saved=True)
        self.message.say(outcome.message)

    def _failed(self, reason: str) -> None:
        self.status.show(saved=False)
        self.message.say(f"✗ not saved: {reason}. Press the key again.", failed=True)
