"""The compare screen: one instruction, its responses side by side, scored with single keys."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy.exc import DBAPIError
from textual import on
from textual.app import ComposeResult
from textual.events import Key, Resize
from textual.widgets import Static

from store.file_identity import StoreReplaced
from store.queries import filters, notes
from store.queries.filters import Filter
from store.queries.notes import Note
from store.session import reading
from tui import keymap
from tui.app_protocol import Leaving, app_of
from tui.keymap import SCORE_DIGITS
from tui.review import updates
from tui.review.display_options import DisplayOptions
from tui.review.navigation import Destination
from tui.review.saving import NotSaved
from tui.review.session import ActionResult, ReviewSession
from tui.screens.filter import FilterScreen
from tui.screens.guidelines import GuidelinesScreen
from tui.screens.notes import NotesScreen
from tui.screens.saving_screen import SavingScreen
from tui.widgets.bars import ColumnStrip, RubricLine
from tui.widgets.entry import Entry
from tui.widgets.instruction_box import InstructionBox
from tui.widgets.workspace import Workspace

LEAST_WIDTH, LEAST_HEIGHT = 40, 12
# Lower screens have no line to spare for the rubric.
RUBRIC_HEIGHT = 18
SECONDS_BETWEEN_LOOKS = 1.0
MOST_DIGITS = 9
COMMENT_TITLE = "comment: Enter saves, Ctrl+J new line, Esc leaves it"


class CompareScreen(SavingScreen):
    """Lays out the parts, gives keys to the session, and has the parts repaint what changed."""

    CSS_PATH = "compare.tcss"
    BINDINGS = keymap.bindings(keymap.COMPARE)
    AUTO_FOCUS = "Workspace"

    def __init__(self, session: ReviewSession, wanted: Filter | None = None) -> None:
        super().__init__(session)
        self.wanted = wanted
        self.display_options = DisplayOptions()
        self.instruction = InstructionBox(session, self.display_options)
        self.workspace = Workspace(session, self.display_options)
        self.rubric = RubricLine(session)
        self.strip = ColumnStrip(session)
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
        self.set_interval(SECONDS_BETWEEN_LOOKS, self._look_for_news)
        if self.wanted is not None:
            await self.narrow(self.wanted)
        self._read_ahead()

    def on_screen_resume(self) -> None:
        """What other programs wrote was not read while another screen was on top."""
        self._look_for_news()

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

    async def action_score(self, score: int) -> None:
        await self._score(lambda: self.session.score(score))

    async def on_key(self, event: Key) -> None:
        """A digit that is no key of the keymap is a score all the same, or the reviewer is told the scale.
        One whose score was given to another key does nothing."""
        is_digit = len(event.key) == 1 and event.key.isdecimal()
        if is_digit and event.key not in SCORE_DIGITS and not self.entry.takes_keys:
            event.stop()
            await self._score(lambda: self.session.score(int(event.key)))

    async def action_score_best(self) -> None:
        await self._score(self.session.score_best)

    async def action_wrong_language(self) -> None:
        await self._score(self.session.wrong_language)

    async def action_clear(self) -> None:
        await self._score(self.session.clear)

    async def action_undo(self) -> None:
        await self._do(self.session.undo)

    async def action_redo(self) -> None:
        await self._do(self.session.redo)

    async def action_commit(self) -> None:
        await self._do(self.session.commit)

    async def action_commit_all(self) -> None:
        await self._do(self.session.commit_all)

    # Moving

    def action_move(self, columns: int, criteria: int) -> None:
        self._show(self.session.move(columns, criteria))

    async def action_go(self, steps: int) -> None:
        await self._do(lambda: self.session.go(steps))

    async def action_next_unscored(self) -> None:
        moved = self.session.next_open()
        if moved is not None:
            self._show(moved)
            return
        await self._go_where(lambda: self.session.navigator.next_unscored(self.session.row.position))

    async def action_next_disagreement(self) -> None:
        await self._go_where(self.session.navigator.next_disagreement)

    async def action_find(self) -> None:
        if await self._rest():
            self._type("find", "a number, or words; nothing: the same again; Esc: no marks")

    def _type(self, purpose: str, title: str, text: str = "") -> None:
        self.entry.ask(purpose, title, text)
        # Now, and not when the screen comes to it: the next key is meant for the box.
        self.set_focus(self.entry, scroll_visible=False)

    async def _find(self, typed: str) -> None:
        if typed.isdecimal():
            number = int(typed[:MOST_DIGITS])  # more digits than that are out of range all the same
            await self._do(lambda: self.session.go_to_number(number))
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
        target = await self._read(question)
        if target is not None:
            await self._do(lambda: self.session.go_to(target))

    def action_scroll_text(self, pages: int) -> None:
        self.message.say("" if self.workspace.page(pages) else "the whole response is on show")

    def scroll_lines(self, lines: int, x: float, y: float) -> None:
        """The wheel scrolls the response under the pointer, else the one under the cursor."""
        if not self.entry.takes_keys:
            self.workspace.scroll_lines(lines, x, y)

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

    async def action_translation(self) -> None:
        view = self.session.view
        others = [code for code in view.suite.languages if code != view.language]
        choices: list[str | None] = [None, *others]
        index = choices.index(view.translation) if view.translation in choices else 0
        wanted = choices[(index + 1) % len(choices)]
        if await self._do(lambda: self.session.change_view(replace(view, translation=wanted))):
            self.message.say(f"translation: {wanted or 'none'}")

    async def action_collapse(self) -> None:
        collapse = not self.session.loader.collapse
        if await self._do(lambda: self.session.change_view(self.session.view, collapse=collapse)):
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

        counts = await self._read(read_counts)
        if counts is not None:
            screen = FilterScreen(self.session.view, counts, self.session.rows.filter)
            self.app.push_screen(screen, self._filtered)

    async def _filtered(self, wanted: Filter | None) -> None:
        if wanted is not None and wanted != self.session.rows.filter:
            await self.narrow(wanted)

    async def narrow(self, wanted: Filter) -> None:
        """Lead through the responses that fit, from here on."""
        navigator = self.session.navigator
        everything = await self._read(navigator.instructions)
        matches = await self._read(lambda: navigator.matches(wanted)) if wanted else {}
        if everything is not None and matches is not None:
            await self._do(lambda: replace(self.session.narrow(wanted, matches, everything), new_row=True))

    async def action_notes(self) -> None:
        view = self.session.view

        def read_notes() -> list[Note]:
            with reading(self.session.engine) as session:
                return [
                    note
                    for language in view.languages
                    for note in notes.list_notes(session, view.rater_id, view.suite.id, language)
                ]

        listed = await self._read(read_notes)
        if listed is not None:
            self.app.push_screen(NotesScreen(listed), self._to_note)

    async def _to_note(self, note: Note | None) -> None:
        if note is None:
            return
        response = note.response_id

        def read_destination() -> Destination:
            rater = self.session.view.rater_id
            with reading(self.session.engine) as session:
                return Destination(self.session.navigator.key_of(session, rater, response), response)

        await self._go_where(read_destination)

    async def action_spans(self) -> None:
        from tui.screens.spans import SpansScreen

        def show_what_changed(_: str | None) -> None:
            self._show(ActionResult())

        if await self._rest():
            self.app.push_screen(SpansScreen(self.session, self.display_options), show_what_changed)

    async def action_comment(self) -> None:
        if await self._rest():
            self._type("comment", COMMENT_TITLE, self.session.answer.comment)

    async def action_overview(self) -> None:
        from tui.screens.overview import OverviewScreen

        if await self._rest():
            self.app.push_screen(OverviewScreen.of_review(self.session), self._behind)

    async def _behind(self, wanted: Filter | None) -> None:
        if wanted is not None:
            await self.narrow(wanted)

    async def action_quit(self) -> None:
        """Leave the room when everything is saved; from what another screen opened, back to that."""
        if not await self._rest():
            return
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
            failed = not await self._do(lambda: self.session.comment(text))
        if failed:
            self._type("comment", COMMENT_TITLE, text or "")
        else:
            self.set_focus(self.workspace, scroll_visible=False)
        self.entry.release()

    # What other programs write, and reading ahead

    def _look_for_news(self) -> None:
        # Beside the screen's own messages: what hangs here must not keep it from being painted.
        if self.app.screen is not self:
            return  # what nobody sees need not be drawn
        if not any(worker.group == "news" for worker in self.workers):
            self.run_worker(self._read_update(), group="news")

    async def _read_update(self) -> None:
        app, session = app_of(self), self.session
        try:
            update = await app.beside(lambda: updates.read_update(session))
            if update is None:
                return
            if update.new_columns:
                new = update
                update = await app.beside(lambda: updates.write_columns(session, new), session.writer)
            result = updates.apply_update(session, update)
        except StoreReplaced as error:
            self._failed(str(error))
            return
        except (DBAPIError, NotSaved, Leaving):
            return  # the store is busy or away; the next key that saves says so
        if result is None:
            return
        if result.new_row:
            self.workspace.fit_columns()
        self._redraw()
        if result.message and not self.message.failed:
            self.message.say(result.message)

    def _read_ahead(self) -> None:
        self.run_worker(
            lambda: self.session.loader.read_ahead(self.session.neighbours([1, -1])),
            thread=True, exclusive=True, group="read ahead", exit_on_error=False,
        )  # fmt: skip

    # Showing

    def _show(self, result: ActionResult) -> None:
        """Show what an action has done."""
        with self.one_frame(self.message):
            if result.new_row:
                self.instruction.lay_out(*self.size)
                self.workspace.show_row()
                self._read_ahead()
            self._redraw()
            self._show_state()
            self.message.say(result.message)

    def _redraw(self) -> None:
        for part in (self.workspace, self.status, self.rubric, self.strip):
            part.redraw()
