"""The ledger: for every rating of the journal, whether it counts and why not; and the surface metrics that
stand. Nothing stored is changed: these are views.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# A rater who is asked again is a rater of its own with a version that ends in `#` and a number from 2 on (see
# `store.queries.raters`). Digits compare as text: '2' and '10' come after '1'; '', '0' and '02' do not.
_REPEAT = """EXISTS (
        SELECT 1 FROM rater WHERE rater.id = rating.rater_id
          AND rtrim(rater.version, '0123456789') LIKE '%#'
          AND substr(rater.version, length(rtrim(rater.version, '0123456789')) + 1) > '1')"""

_SUPERSEDED = """EXISTS (
        SELECT 1 FROM rating AS later
        WHERE later.response_id = rating.response_id AND later.rater_id = rating.rater_id
          AND later.criterion_id = rating.criterion_id AND later.id > rating.id)"""

_LANGUAGE_0 = """EXISTS (
        SELECT 1 FROM criterion AS own
        JOIN criterion AS aspect ON aspect.rubric_id = own.rubric_id AND aspect.name = 'language'
        JOIN current_rating AS wrong ON wrong.response_id = rating.response_id
             AND wrong.rater_id = rating.rater_id AND wrong.criterion_id = aspect.id AND wrong.score = 0
        WHERE own.id = rating.criterion_id AND own.name <> 'language')"""

_REPLACED = """EXISTS (
        SELECT 1 FROM adjudicator
        JOIN criterion AS own ON own.id = rating.criterion_id AND own.rubric_id = adjudicator.rubric_id
        JOIN rater ON rater.id = rating.rater_id AND rater.kind = 'human'
        JOIN current_rating AS final ON final.response_id = rating.response_id
             AND final.rater_id = adjudicator.rater_id AND final.criterion_id = rating.criterion_id
        WHERE adjudicator.response_id = rating.response_id AND adjudicator.rater_id <> rating.rater_id)"""

# Who has settled a response on a rubric: of several committed adjudications the last one.
_ADJUDICATION = """
FROM assignment AS {name} JOIN campaign AS {name}_campaign ON {name}_campaign.id = {name}.campaign_id
WHERE {name}.kind = 'adjudication' AND EXISTS (
        SELECT 1 FROM entry WHERE entry.response_id = {name}.response_id
          AND entry.rater_id = {name}.rater_id AND entry.kind = 'commit')"""

ADJUDICATOR = f"""
CREATE VIEW adjudicator AS
SELECT settled.response_id, settled_campaign.rubric_id, settled.rater_id
{_ADJUDICATION.format(name="settled")}
  AND NOT EXISTS (
        SELECT 1 {_ADJUDICATION.format(name="later")}
          AND later.response_id = settled.response_id AND later.id > settled.id
          AND later_campaign.rubric_id = settled_campaign.rubric_id)
"""

LEDGER = f"""
CREATE VIEW ledger AS
SELECT rating.id, rating.entry_id, rating.response_id, rating.rater_id, rating.criterion_id,
       rating.score, rating.skipped,
       (SELECT criterion.rubric_id FROM criterion WHERE criterion.id = rating.criterion_id) AS rubric_id,
       (SELECT rater.kind FROM rater WHERE rater.id = rating.rater_id) AS rater_kind,
       (rating.score IS NOT NULL AND NOT {_SUPERSEDED} AND NOT {_REPEAT}) AS stands,
       EXISTS (
        SELECT 1 FROM assignment WHERE assignment.response_id = rating.response_id
          AND assignment.rater_id = rating.rater_id AND assignment.kind = 'adjudication'
          AND NOT EXISTS (
                SELECT 1 FROM assignment AS other WHERE other.response_id = assignment.response_id
                  AND other.rater_id = assignment.rater_id AND other.kind <> 'adjudication')) AS adjudicates,
       {_LANGUAGE_0} AS wrong_language,
       {_REPLACED} AS replaced,
       CASE
        WHEN {_SUPERSEDED} THEN 'superseded'
        WHEN rating.skipped THEN 'skipped'
        WHEN rating.score IS NULL THEN 'cleared'
        WHEN {_REPEAT} THEN 'repeat'
        WHEN {_LANGUAGE_0} THEN 'language 0' END AS left_out
FROM rating
"""

CURRENT_METRIC = """
CREATE VIEW current_metric AS
SELECT surface_metric.id, surface_metric.response_id, surface_metric.metric, surface_metric.tool,
       surface_metric.value, surface_metric.label, surface_metric.detail
FROM surface_metric
WHERE NOT EXISTS (
        SELECT 1 FROM surface_metric AS later
        WHERE later.response_id = surface_metric.response_id AND later.metric = surface_metric.metric
          AND later.id > surface_metric.id)
"""


def upgrade() -> None:
    for view in (ADJUDICATOR, LEDGER, CURRENT_METRIC):
        op.execute(view)
