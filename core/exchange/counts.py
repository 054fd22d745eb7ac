"""What an import has put in (`new`) and what was there already (`known`)."""

from dataclasses import dataclass
from typing import Any

from store.tables import Rating


@dataclass
class Counts:
    """Rows by kind; a note is a comment or an error span."""

    instructions_new: int = 0
    instructions_known: int = 0
    responses_new: int = 0
    responses_known: int = 0
    ratings_new: int = 0
    ratings_known: int = 0
    notes_new: int = 0
    notes_known: int = 0

    def said(self, part: Any, *, new: bool) -> None:
        """Count a row of one of the journal's tables."""
        name = f"{'ratings' if part is Rating else 'notes'}_{'new' if new else 'known'}"
        setattr(self, name, getattr(self, name) + 1)

    def lines(self, new: str) -> list[str]:
        """A line for each kind; ratings and notes only where there were any."""
        told = []
        for kind in ("instructions", "responses", "ratings", "notes"):
            added, known = getattr(self, f"{kind}_new"), getattr(self, f"{kind}_known")
            if added or known or kind in ("instructions", "responses"):
                told.append(f"{kind}: {added:,} {new}, {known:,} known")
        return told
