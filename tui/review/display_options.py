"""How the reviewer wants to see the responses: compared, marked, searched. Nothing of it is stored."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.review.row import Row

if TYPE_CHECKING:
    from core.text.diff import Differences

DisplayState = tuple[int | None, bool, str]


@dataclass
class DisplayOptions:
    """What the reviewer has switched on.

    `base`: the column that the others are compared to, or None. `mark_text`: misspelt words and stretches
    in another language are marked where the surface metrics may be seen. `hits`: the words searched for.
    `reorder`: right-to-left text is put in reading order here, because the terminal does not do it."""

    base: int | None = None
    mark_text: bool = False
    hits: str = ""
    reorder: bool = True
    _compared: tuple[Row, int, "list[Differences]"] | None = field(default=None, repr=False)

    @property
    def state(self) -> DisplayState:
        """What the marks in a text depend on, besides the responses themselves."""
        return self.base, self.mark_text, self.hits

    def toggle_base(self, column: int) -> str:
        """Compare to this column; when it is the base already, stop comparing. Returns the message."""
        self.base = None if self.base == column else column
        return "" if self.base is None else "marked, +: words that this column has not; −: missing words"

    def differences(self, row: Row, column: int) -> "Differences | None":
        """How the text of a column differs from the base; None when nothing is compared."""
        if self.base is None or len(row.answers) < 2:
            return None
        from core.text.diff import compare_to_base

        base = min(self.base, len(row.answers) - 1)
        texts = [answer.text for answer in row.answers]
        compared = self._compared
        if compared is None or compared[1] != base or [a.text for a in compared[0].answers] != texts:
            compared = self._compared = (row, base, compare_to_base(texts, base))
        return compared[2][column]
