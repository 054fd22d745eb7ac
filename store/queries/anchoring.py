"""What people scored before and after they saw what a judge had judged, from the journal.

`Entry.judge_shown` says whether a judge's scores were on the screen when a score was set. Of every person,
response and criterion, the *first look* is the last score that was set blind before any was set with a judge
on show; the *second look* is the last one that was set with a judge on show. A response was *revealed* to a
person who committed it (unless a blind campaign keeps judges hidden from them), or who did anything about it
with a judge on show; the last time of that is when it was last seen. Repeats are left out. What was skipped
or cleared is no score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import TextClause, bindparam, text
from sqlmodel import Session

from store.queries.raters import people


@dataclass(frozen=True)
class Look:
    """On `n` responses to the instruction `key`, a person first gave `before` for the criterion; what stood
    after the reveal is `after` (None: taken back), and the judge's score is `judge`."""

    key: str
    language: str
    rater_id: int
    criterion_id: int
    judge_id: int
    before: int
    after: int | None
    judge: int
    n: int


@dataclass(frozen=True)
class LookCounts:
    """How many scores of people (person x response x criterion) there are by what was on show.

    `revealed`: given blind, on a response that was revealed later; `blind`: given blind, never revealed;
    `open`: given with a judge on show from the start.
    """

    revealed: int
    blind: int
    open: int


# The first and the second look of every person at every response and criterion, by the ids of their rows.
_LOOKS = """
WITH score_set AS (
    SELECT rating.id AS id, rating.response_id AS response_id, rating.rater_id AS rater_id,
           rating.criterion_id AS criterion_id, entry.judge_shown AS shown,
           min(CASE WHEN entry.judge_shown THEN rating.id END)
               OVER (PARTITION BY rating.response_id, rating.rater_id, rating.criterion_id) AS first_shown
    FROM rating
    JOIN entry ON entry.id = rating.entry_id
    JOIN criterion ON criterion.id = rating.criterion_id AND criterion.rubric_id = :rubric
         AND rating.rater_id IN :people
    JOIN response ON response.id = rating.response_id
    JOIN instruction ON instruction.id = response.instruction_id AND instruction.suite_id = :suite
), look AS (
    SELECT response_id, rater_id, criterion_id,
           max(CASE WHEN first_shown IS NULL OR id < first_shown THEN id END) AS first_id,
           max(CASE WHEN shown THEN id END) AS second_id
    FROM score_set
    GROUP BY response_id, rater_id, criterion_id
), seen AS (
    SELECT response_id, rater_id, max(created_at) AS last_seen FROM entry
    WHERE judge_shown OR (kind = 'commit' AND NOT EXISTS (
        SELECT 1 FROM assignment JOIN campaign ON campaign.id = assignment.campaign_id
        WHERE assignment.response_id = entry.response_id AND assignment.rater_id = entry.rater_id
          AND campaign.blind AND NOT campaign.reveal))
    GROUP BY response_id, rater_id
), pair AS (
    SELECT look.response_id AS response_id, look.rater_id AS rater_id, look.criterion_id AS criterion_id,
           first_look.score AS before_score,
           CASE WHEN look.second_id IS NULL THEN first_look.score ELSE second_look.score END AS after_score,
           seen.last_seen AS last_seen
    FROM look
    LEFT JOIN rating AS first_look ON first_look.id = look.first_id
    LEFT JOIN rating AS second_look ON second_look.id = look.second_id
    LEFT JOIN seen ON seen.response_id = look.response_id AND seen.rater_id = look.rater_id
)
"""

_COUNTS = """
SELECT sum(CASE WHEN before_score IS NOT NULL AND last_seen IS NOT NULL THEN 1 ELSE 0 END) AS revealed,
       sum(CASE WHEN before_score IS NOT NULL AND last_seen IS NULL THEN 1 ELSE 0 END) AS blind,
       sum(CASE WHEN before_score IS NULL AND after_score IS NOT NULL THEN 1 ELSE 0 END) AS open
FROM pair
"""

_REVEALED = """
SELECT instruction."key" AS "key", instruction.language AS language, pair.rater_id AS rater_id,
       pair.criterion_id AS criterion_id, judge.rater_id AS judge_id, pair.before_score AS before,
       pair.after_score AS after, judge.score AS judge, count(*) AS n
FROM pair
JOIN current_rating AS judge ON judge.response_id = pair.response_id AND judge.rater_id IN :judges
     AND judge.criterion_id = pair.criterion_id AND judge.score IS NOT NULL
JOIN response ON response.id = pair.response_id
JOIN instruction ON instruction.id = response.instruction_id
WHERE pair.before_score IS NOT NULL
  AND EXISTS (SELECT 1 FROM rating AS judged JOIN entry ON entry.id = judged.entry_id
              WHERE judged.response_id = judge.response_id AND judged.rater_id = judge.rater_id
                AND judged.criterion_id = judge.criterion_id AND judged.score IS NOT NULL
                AND entry.created_at <= pair.last_seen)
GROUP BY instruction."key", instruction.language, pair.rater_id, pair.criterion_id, judge.rater_id,
         pair.before_score, pair.after_score, judge.score
ORDER BY instruction."key", instruction.language, pair.rater_id, pair.criterion_id, judge.rater_id,
         pair.before_score, pair.after_score IS NOT NULL, pair.after_score, judge.score
"""


def look_counts(session: Session, suite_id: int, rubric_id: int) -> LookCounts:
    """How many scores of people on a rubric, of responses to a suite, were given blind, and revealed."""
    row = session.connection().execute(_statement(session, _COUNTS, suite=suite_id, rubric=rubric_id)).one()
    return LookCounts(int(row.revealed or 0), int(row.blind or 0), int(row.open or 0))


def looks(session: Session, suite_id: int, rubric_id: int, judge_ids: Sequence[int]) -> list[Look]:
    """The scores given blind and revealed later, beside the current score of each of these judges.

    A judge gives no row where it has no score for the response and criterion, or had none yet when the person
    last saw the response with what judges said. The journal does not say which judge was on show.
    """
    statement = _statement(session, _REVEALED, suite=suite_id, rubric=rubric_id, judges=list(judge_ids))
    return [Look(**row) for row in session.connection().execute(statement).mappings()]


def _statement(session: Session, question: str, **values: Any) -> TextClause:
    values["people"] = people(session)
    return text(_LOOKS + question).bindparams(
        *(bindparam(name, value, expanding=isinstance(value, list)) for name, value in values.items())
    )
