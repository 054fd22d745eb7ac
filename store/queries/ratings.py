"""Current scores of one rater, response by response."""

from sqlalchemy import text
from sqlmodel import Session

SCORES = """
SELECT model.name AS model, instruction.language, instruction.key, criterion.name AS criterion,
       current_rating.score
FROM current_rating
JOIN criterion ON criterion.id = current_rating.criterion_id
JOIN response ON response.id = current_rating.response_id
JOIN instruction ON instruction.id = response.instruction_id
JOIN model ON model.id = response.model_id
WHERE instruction.suite_id = :suite AND current_rating.rater_id = :rater AND current_rating.score IS NOT NULL
"""


Scores = dict[tuple[str, str, str], int]
"""Scores by (language, key, criterion)."""


def scores_by_model(session: Session, suite_id: int, rater_id: int) -> dict[str, Scores]:
    """What a rater gave to each model's responses to a suite. A model is taken to have one response to each
    instruction."""
    found: dict[str, Scores] = {}
    for row in session.connection().execute(text(SCORES), {"suite": suite_id, "rater": rater_id}):
        found.setdefault(row.model, {})[row.language, row.key, row.criterion] = row.score
    return found
