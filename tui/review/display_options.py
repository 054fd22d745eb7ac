"""How the reviewer wants to see the responses: compared, with marks, searched. Nothing of it is stored."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.review.row import Row

if TYPE_CHECKING:
    from core.text.diff import Differences

DisplayState = tuple[int | None, bool, str]


@dataclass
class DisplayOptions:
    """`base`: the column that the others are compared to, or None. `marks`: misspelt words and stretches in
    another language are marked where the surface metrics may be seen. `hits`: the words searched for.
    `reorder`: right-to-left text is put in reading order here, because the terminal does not do it."""

    base: int | None = None
    marks: bool = False
    hits: str = ""
    reorder: bool = True
    _compared: tuple[Row, int, "list[Differences]"] | None = field(default=None, repr=False)

    @property
    def state(self) -> DisplayState:
        """What the marks in a text depend on, besides the responses themselves."""
        return self.base, self.marks, self.hits

    def toggle_base(self, column: int) -> str:
        """Compare to this column; when it is the base already, no more. Returns what to say."""
        self.base = None if self.base == column else column
        return "" if self.base is None else "marked, +: words that this column has not; −: missing words"

    def differences(self, row: Row, column: int) -> "Differences | None":
        """How the text of a column differs from the base; None when nothing is compared."""
        if self.base is None or len(row.answers) < 2:
            return None
        from core.text.diff import compare_to_base

        base = min(self.base, len(row.answers) - 1)
        texts = [answer.text for answer in row.answers]
        known = self._compared
        same = known is not None and known[1] == base and [a.text for a in known[0].answers] == texts
        if known is None or not same:
            known = self._compared = (row, base, compare_to_base(texts, base))
        return known[2][column]
