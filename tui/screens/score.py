"""The score screen: the queue of a campaign, one response at a time, with the keys of the compare screen."""

from core.text.visible import visible
from core.text.wrapping import shorten
from store.file_identity import StoreReplaced, check_file
from tui import keymap
from tui.app_protocol import Leaving, app_of
from tui.review.queue import DONE, QueueSession
from tui.screens.compare import CompareScreen
from tui.theme import Look
from tui.widgets.bars import MessageLine, StatusBar
from tui.widgets.lines import Piece

HINTS = (
    ("score.0,score.1,score.2", "score"),
    ("cursor.up,cursor.down", "criterion"),
    ("response.commit", "done, next"),
    ("instruction.next,instruction.previous", "next, prev"),
    ("unscored.next", "next not done"),
    ("journal.undo", "undo"),
    ("response.comment", "comment"),
    ("app.keys", "all keys"),
)


class ScoreScreen(CompareScreen, inherit_bindings=False):
    """A compare screen over the items of a queue."""

    BINDINGS = keymap.bindings(keymap.SCORE)

    def __init__(self, session: QueueSession) -> None:
        super().__init__(session)
        self.status = QueueBar(session)
        self.message = MessageLine(HINTS, "score")
        if not session.queue.left:
            self.message.say(DONE)

    async def _read_update(self) -> None:
        """A queue was made beforehand, and nobody else's scores are seen in it; its file may go away."""
        try:
            await app_of(self).beside(lambda: check_file(self.session.engine))
        except StoreReplaced as error:
            self._failed(str(error))
        except Leaving:
            pass

    def action_keys(self) -> None:
        app_of(self).show_keys("score")


class QueueBar(StatusBar):
    """The status bar of a queue: the position in it, how many are left, and how fast it goes."""

    def __init__(self, session: QueueSession) -> None:
        super().__init__(session)
        self.queue_session = session

    def position_pieces(self) -> list[Piece]:
        session = self.queue_session
        view, pace = session.view, session.pace
        name = shorten(visible(view.campaign or ""), 24)
        speed = "" if pace is None else f" · {pace:.0f}/h"
        return [
            (f"{view.language} · {name} · ", Look.PLAIN),
            (f"{session.number}/{len(session.rows.keys)} · ", Look.PLAIN),
            (f"{session.queue.left} left{speed}", Look.PLAIN),
        ]
