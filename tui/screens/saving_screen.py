"""What a screen does with a session that writes: beside the screen, in the order of the keys, and a sentence
when it fails."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from store.file_identity import StoreReplaced
from tui.app_protocol import Leaving, app_of
from tui.review.saving import NotSaved, UnsavedChange, reason_of
from tui.review.session import ActionResult, ReviewSession
from tui.textual_private import MinimalRepaintScreen
from tui.widgets.bars import MessageLine, StatusBar

# A score that is on disk within this time is shown as saved at once; else it is shown as not saved yet.
SECONDS_TO_SAVE = 0.3

T = TypeVar("T")


class SavingScreen(MinimalRepaintScreen[None]):
    """Runs the session's actions. A key belongs to the response and criterion that are on show when it comes;
    after a failure nothing that was typed behind it counts."""

    def __init__(self, session: ReviewSession) -> None:
        super().__init__()
        self.session = session
        self.status = StatusBar(session)
        self.message = MessageLine()
        self._acting = asyncio.Lock()
        self._failures = 0
        self._shows_unsaved = False
        self._all_saved = asyncio.Event()
        self._all_saved.set()

    def _show(self, result: ActionResult) -> None:
        """Show what an action has done."""
        raise NotImplementedError

    def _redraw(self) -> None:
        """Have everything repainted that has changed in the same row."""
        raise NotImplementedError

    async def _read(self, question: Callable[[], T]) -> T | None:
        """What the store answers, once everything is saved; None: the reviewer is told why it does not, or
        leaves."""
        if not await self._rest():
            return None
        try:
            return await app_of(self).beside(question)
        except (DBAPIError, StoreReplaced) as error:
            self.message.say(f"✗ the store could not be read: {reason_of(error)}", failed=True)
        except Leaving:
            pass
        return None

    async def _score(self, action: Callable[[], ActionResult]) -> None:
        """Run an action that scores. It is about the response and criterion that are on show when its key
        comes; while the disk is slow, it is shown as not saved yet, and the next key need not wait."""
        row = self.session.row.key
        async with self._acting:
            if self.session.row.key != row:
                self.message.say("another row came on show: the key does not count")
                return
            failures, waiting = self._failures, bool(self.session.unsaved)
            result = self.session.deferred(action)
        if self.session.unsaved and not waiting:
            self._all_saved.clear()
            self.run_worker(self._save_in_order(), group="saving")
            with suppress(TimeoutError):
                async with asyncio.timeout(SECONDS_TO_SAVE):
                    await self._all_saved.wait()
        if self._failures == failures:
            self._show(result)

    async def _save_in_order(self) -> None:
        """Write what is not saved, the first key's change first. After a failure nothing behind it counts."""
        session = self.session
        try:
            while session.unsaved:
                await app_of(self).beside(session.unsaved.first.write, session.writer)
                session.unsaved.first_is_written()
                if self._shows_unsaved:
                    self._redraw()
                    self._show_state()
        except (NotSaved, DBAPIError) as error:
            self._failed(reason_of(error), session.drop_unsaved())
        except Leaving:
            pass  # the session's end writes the rest
        finally:
            self._all_saved.set()

    async def _rest(self) -> bool:
        """Wait until everything is on disk. False: something was not saved, or the reviewer leaves; then the
        key that asks does not count."""
        failures = self._failures
        try:
            if self.session.unsaved:
                await app_of(self).patient(self._all_saved.wait())
        except Leaving:
            return False
        return self._failures == failures

    async def _do(self, action: Callable[[], ActionResult]) -> bool:
        """Run one action of the session, when everything before it is saved; what it saved is on disk when
        this shows it. Returns whether it was done."""
        session = self.session
        async with self._acting:
            if not await self._rest():
                return False
            session.busy = True
            try:
                result = await app_of(self).beside(action, session.writer)
            except (NotSaved, DBAPIError) as error:
                self._failed(reason_of(error))
                return False
            except Leaving:
                return False
            finally:
                session.busy = False
            self._show(result)
        return True

    def _show_state(self) -> None:
        self._shows_unsaved = bool(self.session.unsaved)
        self.status.show(saved=True)

    def _failed(self, reason: str, dropped: UnsavedChange | None = None) -> None:
        """Tell why something is not saved; `dropped` is the first score that is not."""
        self._failures += 1
        self._shows_unsaved = False
        app_of(self).drop_typed_ahead()
        again = "Press the key again."
        if dropped is not None:
            again = f"Type again from {dropped.where} on."
        with self.one_frame(self.message):
            self._redraw()
            self.status.show(saved=False)
            self.message.say(f"✗ not saved: {reason.rstrip('.')}. {again}", failed=True)
