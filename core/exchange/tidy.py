"""Which tidy rows an export holds, and with which columns: ratings (current, or the whole journal), responses
or notes."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlmodel import Session

from store.errors import UsageError
from store.queries.exporting import note_rows, rating_rows, response_rows
from store.queries.suites import find_suite, language_held

OPTIONS = {
    "what": (
        "ratings (default: one rating a row), responses (one response a row, with surface metrics) "
        "or notes (one comment or error span of a human rater a row)"
    ),
    "journal": "every row of the journal of ratings, changes, clears and undone ones included",
    "text": "with the texts of instructions and responses (default: yes, but not for ratings in CSV)",
    "suite": "only this suite (name or name/version)",
    "language": "only instructions in this language",
    "pseudonyms": "the names of people replaced by pseudonyms, the same in all exports of the store",
}
_SHARED = (
    "suite", "key", "language", "task", "modifier", "instruction", "model", "engine", "quantization",
    "parameters",
)  # fmt: skip
RATINGS = (
    *_SHARED, "sample", "response_id", "response", "rater_kind", "rater", "rater_version", "rubric",
    "criterion", "score", "skipped", "judge_shown", "names_shown", "looked_ms", "created_at", "revision",
)  # fmt: skip
JOURNAL = (*RATINGS, "entry_id", "entry_kind")
RESPONSES = (
    *_SHARED, "sample", "response_id", "response",
    "finish_reason", "tokens_in", "tokens_out", "seconds", "created_at", "surface",
)  # fmt: skip
NOTES = (
    *_SHARED, "sample", "response_id", "response", "rater", "kind", "start", "end", "excerpt", "category",
    "severity", "text", "judge_shown", "names_shown", "created_at",
)  # fmt: skip
WHAT = ("ratings", "responses", "notes")
TEXTS = ("instruction", "response")


class Selection:
    """The rows that the options of an export ask for."""

    def __init__(self, options: Mapping[str, Any], *, text: bool) -> None:
        """`text` says whether the texts are included when the options don't say. Raises `UsageError`."""
        self.what = options.get("what", "ratings")
        if self.what not in WHAT:
            raise UsageError(f"Export what? {self.what!r} is neither `ratings`, `responses` nor `notes`.")
        self.journal = bool(options.get("journal", False))
        if self.journal and self.what != "ratings":
            raise UsageError("Only ratings have a journal: leave out `journal`, or export ratings.")
        self.pseudonyms: Mapping[str, str] = options.get("pseudonyms", {})
        self.suite, self.language = options.get("suite"), options.get("language")
        names = {"ratings": JOURNAL if self.journal else RATINGS, "responses": RESPONSES, "notes": NOTES}
        with_text = options.get("text", text)
        self.columns = tuple(name for name in names[self.what] if with_text or name not in TEXTS)

    def rows(self, session: Session) -> Iterator[dict[str, Any]]:
        """The rows, as they are read from the store, each with exactly `columns` and in their order.

        Raises `UsageError` at once when the store has no such suite.
        """
        suite = find_suite(session, self.suite).id if self.suite else None
        only: dict[str, Any] = {
            "suite_id": suite,
            "language": language_held(session, self.language) if self.language else None,
        }
        if self.what == "responses":
            rows = response_rows(session, **only)
        elif self.what == "notes":
            rows = note_rows(session, **only)
        else:
            rows = rating_rows(session, **only, journal=self.journal)
        return ({name: row[name] for name in self.columns} for row in map(self._disguised, rows))

    def _disguised(self, row: dict[str, Any]) -> dict[str, Any]:
        if self.pseudonyms and row.get("rater_kind", "human") == "human" and "rater" in row:
            return {**row, "rater": self.pseudonyms[row["rater"]]}
        return row
