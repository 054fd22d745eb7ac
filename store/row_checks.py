"""What a row of the journal or a response must be, whether a file or another store brings it."""

from datetime import datetime, timedelta
from typing import Any

from store.tables import Criterion
from store.tables.columns import utc_now

# Clocks of other machines may be ahead of ours.
CLOCK_TOLERANCE = timedelta(days=1)


def score_problem(score: Any, criterion: Criterion) -> str | None:
    """Why this is no score on a criterion; None when it is one, or none was given."""
    if score is None:
        return None
    if not isinstance(score, int) or isinstance(score, bool):
        return f"{criterion.name} is {str(score)[:40]!r}, not a whole number"
    if not criterion.minimum <= score <= criterion.maximum:
        return f"{criterion.name} is {score}, not from {criterion.minimum} to {criterion.maximum}"
    return None


def time_problem(created_at: datetime) -> str | None:
    """Why nothing can have been done at this time (UTC); None when it can."""
    if created_at > utc_now() + CLOCK_TOLERANCE:
        return f"its time is {created_at:%Y-%m-%d}, in the future"
    return None
