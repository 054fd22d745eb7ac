"""The views of what holds now (made by the migrations): of the rows of one rater about one thing the last,
unless it takes something away."""

from sqlalchemy import TableClause, column, table


def _view(name: str, *columns: str) -> TableClause:
    return table(name, *(column(found) for found in ("id", "entry_id", *columns)))


CURRENT_RATING = _view("current_rating", "response_id", "rater_id", "criterion_id", "score", "skipped")
CURRENT_COMMENT = _view("current_comment", "response_id", "rater_id", "text")
CURRENT_ERROR_SPAN = _view(
    "current_error_span",
    "response_id", "rater_id", "start_offset", "end_offset", "category", "severity", "note",
)  # fmt: skip
