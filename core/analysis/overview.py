"""Humans against a judge, criterion by criterion: the tables of the overview and of a report."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from core.analysis.agreement import Agreement, agreement
from store.queries.models import criteria_of
from store.queries.overview import Scope, pair_counts


@dataclass(frozen=True)
class CriterionAgreement:
    """The agreement of humans (rows) and a judge (columns) on one criterion, on the criterion's scale."""

    criterion_id: int
    criterion: str
    agreement: Agreement


def human_against_judge(
    session: Session, scope: Scope, rubric_id: int, human_ids: Sequence[int], judge_id: int
) -> list[CriterionAgreement]:
    """One table per criterion, in the rubric's order, also where no response was scored by both.

    What counts as a pair: see `store.queries.overview.pair_counts`.
    """
    pairs: dict[int, dict[tuple[int, int], int]] = {}
    for found in pair_counts(session, scope, rubric_id, human_ids, judge_id):
        pairs.setdefault(found.criterion_id, {})[found.human, found.judge] = found.n
    return [
        CriterionAgreement(
            row.id or 0, row.name, agreement(pairs.get(row.id or 0, {}), row.minimum, row.maximum)
        )
        for row in criteria_of(session, rubric_id)
    ]
