"""The lines around the workspace: where the reviewer is, the columns that don't fit, and messages."""

from core.text.visible import visible
from core.text.wrapping import shorten
from tui.app_protocol import first_key
from tui.review.scoring import count_scored
from tui.review.session import ReviewSession
from tui.theme import Look
from tui.widgets.lines import LineWidget, Piece, cells_of, fitted, spread

Hints = tuple[tuple[str, str], ...]

# The ids of commands (several with a comma between them), and the word that their first keys stand before.
HINTS: Hints = (
    ("score.0,score.1,score.2", "score"),
    ("cursor.up,cursor.down", "criterion"),
    ("cursor.left,cursor.right", "column"),
    ("instruction.next,instruction.previous", "next, prev"),
    ("look.diff", "diff"),
    ("response.commit", "judge"),
    ("journal.undo", "undo"),
    ("response.comment", "comment"),
    ("app.keys", "all keys"),
)


class StatusBar(LineWidget):
    """Language, suite, position, what is left; who reviews, blind or not, and whether it is saved."""

    DEFAULT_CSS = "StatusBar { height: 1; }"

    def __init__(self, session: ReviewSession) -> None:
        super().__init__()
        self.session = session
        self._saved = True

    def show(self, *, saved: bool) -> None:
        """Show whether the last key is on disk; repaints what has changed."""
        self._saved = saved
        self.redraw()

    def pieces(self, y: int) -> list[Piece]:
        view = self.session.view
        left = [(" xlit  ", Look.HEADING), *self.position_pieces()]
        mode = "open" if view.open else "names shown" if view.names_shown else "blind"
        right: list[Piece] = [
            (f"{shorten(visible(view.reviewer), 16)}  ", Look.PLAIN),
            (f"{mode}  ", Look.PLAIN),
            self._state_piece(),
            (f"  {first_key(self, 'app.keys')} keys", Look.QUIET),
        ]
        # On a narrow screen, whether it is saved is the last to be left out.
        width = self.size.width
        for dispensable in (0, -1, 0):
            if cells_of([*left, *right]) <= width:
                break
            right.pop(dispensable)
        return spread(fitted(left, width - cells_of(right)), right, width, (" ", Look.PLAIN))

    def _state_piece(self) -> Piece:
        if not self._saved:
            return ("✗ not saved", Look.FAILED)
        unsaved = len(self.session.unsaved)
        return (f"? {unsaved} saving", Look.STRONG) if unsaved else ("● saved", Look.DONE)

    def position_pieces(self) -> list[Piece]:
        """Where the reviewer is, and how much is left."""
        session, view = self.session, self.session.view
        number = "–" if session.number is None else str(session.number)
        where = f"{view.language} · {shorten(visible(view.campaign or view.suite.label), 24)} · "
        count = f"{number}/{len(session.rows.keys)}{' filtered' if session.rows.filter else ''} · "
        return [
            (where, Look.PLAIN),
            (count, Look.PLAIN),
            (f"{session.left:>2}", Look.PLAIN),
            (" left in this row", Look.PLAIN),
        ]


class ColumnStrip(LineWidget):
    """One line with the state of every column, for terminals where they don't all fit."""

    DEFAULT_CSS = "ColumnStrip { height: 1; }"

    def __init__(self, session: ReviewSession) -> None:
        super().__init__()
        self.session = session

    def pieces(self, y: int) -> list[Piece]:
        answers, current = self.session.row.answers, self.session.cursor.column
        room = max(3, min(24, self.size.width // max(1, len(answers)) - 8))
        items: list[Piece] = []
        for number, answer in enumerate(answers):
            unsaved = bool(self.session.unsaved.criteria(number))
            state = " ?" if unsaved else " ◆" if answer.committed else " ✓" if answer.complete else ""
            name = shorten(visible(answer.label), room)
            text = f"{name} {count_scored(answer.scores)}/{len(answer.scores)}{state}"
            items.append((f"[{text}]", Look.CURRENT) if number == current else (f" {text} ", Look.PLAIN))
        first = 0
        while first < current and cells_of(items[first : current + 1]) > self.size.width - 2:
            first += 1
        return [("‹" if first else " ", Look.QUIET), *items[first:]]


class RubricLine(LineWidget):
    """What the rubric says of the score under the cursor; of an open criterion, what it says of each."""

    DEFAULT_CSS = "RubricLine { height: 1; }"

    # A line that changes with every key must stay short: on a slow line each cell is a byte or two.
    MOST_CELLS = 120

    def __init__(self, session: ReviewSession) -> None:
        super().__init__()
        self.session = session

    def pieces(self, y: int) -> list[Piece]:
        session = self.session
        criterion = session.cursor.criterion
        descriptions = session.view.descriptions[criterion]
        score = session.answer.scores[criterion] if session.row.answers else None
        room = min(self.MOST_CELLS, self.size.width) - 2
        if score is not None and score.value is not None:
            text = f"{score.value}  {descriptions.get(score.value, '')}"
        elif score is not None:
            text = "–  left out: the response is in the wrong language"
        else:
            values = sorted(descriptions, reverse=True)
            cells = room // max(1, len(values)) - 4
            sentences = {value: _first_sentence(descriptions[value]) for value in values}
            text = "  ".join(f"{value} {shorten(sentences[value], cells)}" for value in values)
        return [(" " + shorten(visible(text), room), Look.QUIET)]


def _first_sentence(text: str) -> str:
    return text.split(". ")[0].rstrip(".")


class MessageLine(LineWidget):
    """What the last key did, when that needs words; before the first message, the keys used most."""

    DEFAULT_CSS = "MessageLine { height: 1; }"

    def __init__(self, hints: Hints = HINTS, screen_name: str = "compare") -> None:
        super().__init__()
        self.hints = hints
        self.screen_name = screen_name
        self._text = ""
        self._failed = False
        self._begun = False

    @property
    def text(self) -> str:
        return self._text

    @property
    def failed(self) -> bool:
        """Whether the sentence says that something failed: it stays until a key answers it."""
        return self._failed

    def say(self, text: str, *, failed: bool = False) -> None:
        """Show a sentence instead of the last one, or nothing."""
        self._begun = self._begun or bool(text)
        self._text, self._failed = text, failed
        self.redraw()

    def pieces(self, y: int) -> list[Piece]:
        room = self.size.width - 1
        if not self._begun:
            return [(" " + shorten(self._hints(), room), Look.QUIET)]
        look = Look.FAILED if self._failed else Look.PLAIN
        return [(" " + shorten(visible(self._text), room), look)]

    def _hints(self) -> str:
        return "  ".join(
            " ".join([*(first_key(self, id, self.screen_name) for id in ids.split(",")), word])
            for ids, word in self.hints
        )
