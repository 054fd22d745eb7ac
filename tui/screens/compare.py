"""The compare screen: one instruction, its responses side by side, scored with single keys."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from sqlalchemy.exc import DBAPIError
from textual import on
from textual.app import ComposeResult
from textual.events import Resize
from textual.widgets import Static

from store.queries import filters, notes
from store.queries.filters import Filter
from store.queries.notes import Note
from store.session import reading
from tui import keymap
from tui.app_protocol import app_of
from tui.review import updates
from tui.review.display_options import DisplayOptions
from tui.review.navigation import Destination
from tui.review.saving import NotSaved, reason_of
from tui.review.session import ActionResult, ReviewSession
from tui.screens.filter import FilterScreen
from tui.screens.guidelines import GuidelinesScreen
from tui.screens.notes import NotesScreen
from tui.textual_private import MinimalRepaintScreen
from tui.widgets.bars import ColumnStrip, MessageLine, RubricLine, StatusBar
from tui.widgets.entry import Entry
from tui.widgets.instruction_box import InstructionBox
from tui.widgets.workspace import Workspace

LEAST_WIDTH, LEAST_HEIGHT = 40, 12
# Lower screens have no line to spare for the rubric.
RUBRIC_HEIGHT = 18
SECONDS_BETWEEN_LOOKS = 1.0
MOST_DIGITS = 9
COMMENT_TITLE = "comment: Enter saves, Ctrl+J new line, Esc leaves it"


class CompareScreen(MinimalRepaintScreen[None]):
    """Lays out the parts, gives keys to the session, and has the parts repaint what changed."""

    CSS_PATH = "compare.tcss"
    BINDINGS = keymap.bindings(keymap.COMPARE)
    AUTO_FOCUS = "Workspace"

    def __init__(self, session: ReviewSession, wanted: Filter | None = None) -> None:
        super().__init__()
        self.session = session
        self.wanted = wanted
        self.display_options = DisplayOptions()
        self.status = StatusBar(session)
        self.instruction = InstructionBox(session, self.display_options)
        self.workspace = Workspace(session, self.display_options)
        self.rubric = RubricLine(session)
        self.strip = ColumnStrip(session)
        self.message = MessageLine()
        self.entry = Entry()
        self._searched = ""

    def compose(self) -> ComposeResult:
        yield self.status
        yield self.instruction
        yield self.workspace
        yield self.rubric
        yield self.strip
        yield self.message
        yield self.entry
        yield Static(f"too small: {LEAST_WIDTH}x{LEAST_HEIGHT} min", id="too-small", markup=False)

    async def on_mount(self) -> None:
        self.set_interval(SECONDS_BETWEEN_LOOKS, self._read_update)
        if self.wanted is not None:
            await self.narrow(self.wanted)
        self._read_ahead()

    async def on_screen_resume(self) -> None:
        """What other programs wrote was not read while another screen was on top."""
        await self._read_update()

    def on_resize(self, event: Resize) -> None:
        width, height = event.size
        self.set_class(width < LEAST_WIDTH or height < LEAST_HEIGHT, "-too-small")
        self.set_class(height < RUBRIC_HEIGHT, "-low")
        self.instruction.lay_out(width, height)

    @on(Workspace.WindowMoved)
    def _tell_what_is_on_show(self) -> None:
        self.set_class(self.workspace.shows_all, "-all-fit")
        answers = [column.answer for column in self.workspace.visible_columns]
        self.session.shows(
            response for answer in answers if answer is not None for response in answer.response_ids
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While something is typed, no key is a command."""
        return not self.entry.takes_keys

    # Scoring

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

    # Moving

    def action_move(self, columns: int, criteria: int) -> None:
        self._do(lambda: self.session.move(columns, criteria))

    async def action_go(self, steps: int) -> None:
        # Read ahead already, unless keys come faster than that.
        await self._read(self.session.neighbours([steps]))
        self._do(lambda: self.session.go(steps))

    async def action_next_unscored(self) -> None:
        moved = self.session.next_open()
        if moved is not None:
            self._do(lambda: moved)
            return
        await self._go_where(lambda: self.session.navigator.next_unscored(self.session.row.position))

    async def action_next_disagreement(self) -> None:
        await self._go_where(self.session.navigator.next_disagreement)

    def action_find(self) -> None:
        self._type("find", "a number, or words; nothing: the same again; Esc: no marks")

    def _type(self, purpose: str, title: str, text: str = "") -> None:
        self.entry.ask(purpose, title, text)
        # Now, and not when the screen comes to it: the next key is meant for the box.
        self.set_focus(self.entry, scroll_visible=False)

    async def _find(self, typed: str) -> None:
        if typed.isdecimal():
            number = int(typed[:MOST_DIGITS])  # more digits than that are out of range all the same
            self._do(lambda: self.session.go_to_number(number))
            return
        self._searched = typed or self._searched
        if not self._searched:
            return
        words, position = self._searched, self.session.row.position
        self.display_options.hits = words
        await self._go_where(lambda: self.session.navigator.find_words(words, position))
        self.instruction.lay_out(*self.size)
        self.workspace.seek()

    def _forget_hits(self) -> None:
        if self.display_options.hits:
            self.display_options.hits = ""
            self.instruction.lay_out(*self.size)
            self.workspace.redraw()

    async def _go_where(self, question: Callable[[], Destination]) -> None:
        """Ask the store beside the screen, then go where the answer leads."""
        try:
            target = await asyncio.to_thread(question)
        except DBAPIError as error:
            self.message.say(f"the store could not be read: {reason_of(error)}", failed=True)
            return
        if target.key is not None:
            await self._read([target.key])
        self._do(lambda: self.session.go_to(target))

    async def _read(self, keys: list[int]) -> None:
        """Have rows read beside the screen; where that fails, the action that needs them says so."""
        with suppress(DBAPIError):
            await asyncio.to_thread(self.session.loader.read_ahead, keys)

    def action_scroll_text(self, pages: int) -> None:
        self.message.say("" if self.workspace.page(pages) else "the whole response is on show")

    def action_scroll_instruction(self, lines: int) -> None:
        self.instruction.scroll_lines(lines)

    # Looking

    def action_diff(self) -> None:
        self.message.say(self.display_options.toggle_base(self.session.cursor.column))
        self.workspace.redraw()

    def action_marks(self) -> None:
        marked = self.display_options.mark_text = not self.display_options.mark_text
        hidden = not all(answer.revealed for answer in self.session.row.answers)
        note = " (a response shows them once it is committed)" if hidden else ""
        self.message.say(f"misspelt words and other languages are marked{note}" if marked else "")
        self.workspace.redraw()

    def action_translation(self) -> None:
        view = self.session.view
        others = [code for code in view.suite.languages if code != view.language]
        choices: list[str | None] = [None, *others]
        index = choices.index(view.translation) if view.translation in choices else 0
        wanted = choices[(index + 1) % len(choices)]
        if self._do(lambda: self.session.change_view(replace(view, translation=wanted))):
            self.message.say(f"translation: {wanted or 'none'}")

    def action_collapse(self) -> None:
        collapse = not self.session.loader.collapse
        if self._do(lambda: self.session.change_view(self.session.view, collapse=collapse)):
            self.message.say(f"responses that read the same: {'one column' if collapse else 'apart'}")

    def action_direction(self) -> None:
        self.display_options.reorder = not self.display_options.reorder
        app_of(self).order_text(self.display_options.reorder)
        self.instruction.lay_out(*self.size)
        self.workspace.redraw()
        who = "here" if self.display_options.reorder else "by the terminal"
        self.message.say(f"right-to-left text is put in order {who}")

    def action_theme(self) -> None:
        self.message.say(f"colours: {app_of(self).use_next_palette().name}")

    # Other screens

    def action_guidelines(self) -> None:
        view = self.session.view
        criterion = self.session.cursor.criterion
        self.app.push_screen(GuidelinesScreen(view.rubric, view.criteria, view.descriptions, criterion))

    def action_keys(self) -> None:
        app_of(self).show_keys("compare")

    async def action_filter(self) -> None:
        def read_counts() -> dict[str, dict[object, int]]:
            with reading(self.session.engine) as session:
                return filters.group_counts(session, self.session.view.scope)

        counts = await asyncio.to_thread(read_counts)
        screen = FilterScreen(self.session.view, counts, self.session.rows.filter)
        self.app.push_screen(screen, self._filtered)

    async def _filtered(self, wanted: Filter | None) -> None:
        if wanted is not None and wanted != self.session.rows.filter:
            await self.narrow(wanted)

    async def narrow(self, wanted: Filter) -> None:
        """Lead through the responses that fit, from here on."""
        navigator = self.session.navigator
        everything = await asyncio.to_thread(navigator.instructions)
        matches = await asyncio.to_thread(navigator.matches, wanted) if wanted else {}
        self._do(lambda: replace(self.session.narrow(wanted, matches, everything), new_row=True))

    async def action_notes(self) -> None:
        view = self.session.view

        def read_notes() -> list[Note]:
            with reading(self.session.engine) as session:
                return [
                    note
                    for language in view.languages
                    for note in notes.list_notes(session, view.rater_id, view.suite.id, language)
                ]

        self.app.push_screen(NotesScreen(await asyncio.to_thread(read_notes)), self._to_note)

    async def _to_note(self, note: Note | None) -> None:
        if note is None:
            return
        response = note.response_id

        def read_destination() -> Destination:
            rater = self.session.view.rater_id
            with reading(self.session.engine) as session:
                return Destination(self.session.navigator.key_of(session, rater, response), response)

        await self._go_where(read_destination)

    def action_spans(self) -> None:
        from tui.screens.spans import SpansScreen

        def show_what_changed(_: str | None) -> None:
            self._do(ActionResult)

        self.app.push_screen(SpansScreen(self.session, self.display_options), show_what_changed)

    def action_comment(self) -> None:
        self._type("comment", COMMENT_TITLE, self.session.answer.comment)

    async def action_overview(self) -> None:
        from tui.screens.overview import OverviewScreen

        self.app.push_screen(OverviewScreen.of_review(self.session), self._behind)

    async def _behind(self, wanted: Filter | None) -> None:
        if wanted is not None:
            await self.narrow(wanted)

    def action_quit(self) -> None:
        """Leave the room; from what another screen opened, back to that."""
        if self.wanted is None:
            self.app.exit()
        else:
            self.dismiss()

    @on(Entry.Done)
    async def _entered(self, event: Entry.Done) -> None:
        text = event.text
        failed = False
        if event.purpose == "find":
            await self._find(text.strip()) if text is not None else self._forget_hits()
        elif text is not None:
            failed = not self._do(lambda: self.session.comment(text))
        if failed:
            self._type("comment", COMMENT_TITLE, text or "")
        else:
            self.set_focus(self.workspace, scroll_visible=False)
        self.entry.release()

    # What other programs write, and reading ahead

    async def _read_update(self) -> None:
        if self.app.screen is not self:
            return  # what nobody sees need not be drawn
        try:
            update = await asyncio.to_thread(updates.read_update, self.session)
            result = updates.apply_update(self.session, update) if update is not None else None
        except (DBAPIError, NotSaved):
            return  # the store is busy or away; the next key that saves says so
        if result is None:
            return
        if result.new_row:
            self.workspace.fit_columns()
        self._redraw()
        if result.message:
            self.message.say(result.message)

    def _read_ahead(self) -> None:
        self.run_worker(
            lambda: self.session.loader.read_ahead(self.session.neighbours([1, -1])),
            thread=True, exclusive=True, group="read ahead", exit_on_error=False,
        )  # fmt: skip

    # Acting

    def _do(self, action: Callable[[], ActionResult]) -> bool:
        """Run one action of the session; what it saved is on disk when this shows it. Returns whether it
        was done."""
        try:
            result = action()
        except NotSaved as error:
            self._failed(str(error))
            return False
        except DBAPIError as error:
            self._failed(reason_of(error))
            return False
        with self.one_frame(self.message):
            if result.new_row:
                self.instruction.lay_out(*self.size)
                self.workspace.show_row()
                self._read_ahead()
            self._redraw()
            self.status.show(saved=True)
            self.message.say(result.message)
        return True

    def _redraw(self) -> None:
        for part in (self.workspace, self.status, self.rubric, self.strip):
            part.redraw()

    def _failed(self, reason: str) -> None:
        self.status.show(saved=False)
        self.message.say(f"✗ not saved: {reason}. Press the key again.", failed=True)
