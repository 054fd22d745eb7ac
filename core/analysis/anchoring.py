"""Anchoring: whether people move their scores towards a judge's once they have seen them.

A score counts that was given blind, on a response that was revealed later (`store.queries.anchoring`): what
the person gave before, what stood after, and the judge's score. A score that was not touched after the reveal
stood as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlmodel import Session

from core.analysis.agreement import Estimate, estimate, exact, kappa, pair_count, sampled_figures
from core.analysis.bootstrap import Floats, Resamples, interval
from core.analysis.means import RaterGroup, all_rater_groups
from core.analysis.scores import CriterionScale, Scores
from store.queries.anchoring import Look, LookCounts, look_counts, looks

BEFORE, AFTER = 0, 1


@dataclass(frozen=True)
class Shift:
    """What became of the `n` scores of `who` on a criterion, beside those of a judge.

    `changed` of them ended on another score after the reveal: `towards` the judge's, `away` from it, or to
    one as far from it. `taken_back`: had no score any more; they are not among the `n`. All others are
    (before, after): `distance`, the mean absolute difference to the judge in points of the scale; `exact`,
    percent with the judge's score; `kappa`, with quadratic weights. `moved` is the distance after minus the
    distance before: below 0 where people came closer.
    """

    judge: RaterGroup
    who: RaterGroup
    criterion: CriterionScale
    n: int
    changed: int
    towards: int
    away: int
    taken_back: int
    distance: tuple[Estimate, Estimate]
    moved: Estimate
    exact: tuple[Estimate, Estimate]
    kappa: tuple[Estimate, Estimate]


@dataclass(frozen=True)
class Anchoring:
    """`counts`: how many scores there are by what was on show. `shifts`: for every judge, people together (if
    several) and then each person, on every criterion with such scores. `judges` are all that there are."""

    counts: LookCounts
    judges: tuple[RaterGroup, ...]
    shifts: tuple[Shift, ...]


def anchoring(
    session: Session, suite_id: int, rubric_id: int, scored: Scores, resamples: Resamples
) -> Anchoring:
    """The anchoring of the people of a suite. `scored` is that suite on that rubric, `resamples` are
    resamples of `scored.keys`; scores that are not on the criterion's scale are left out."""
    rater_groups = all_rater_groups(scored)
    judges = tuple(rater_group for rater_group in rater_groups if rater_group.kind != "human")
    ids = {scored.raters[rater_group.raters[0]].id: rater_group for rater_group in judges}
    looks_of: dict[tuple[int, int, int], list[Look]] = {}
    for look in looks(session, suite_id, rubric_id, list(ids)):
        looks_of.setdefault((look.judge_id, look.criterion_id, look.rater_id), []).append(look)
    cluster_of = {key: index for index, key in enumerate(scored.keys)}
    people = [rater_group for rater_group in rater_groups if rater_group.kind == "human"]
    shifts = [
        shift
        for judge_id, judge in ids.items()
        for who in people
        for criterion in scored.criteria
        if (
            shift := _shift(
                judge,
                who,
                criterion,
                [
                    look
                    for rater in who.raters
                    for look in looks_of.get((judge_id, criterion.id, scored.raters[rater].id), ())
                    if _on_scale(look, criterion)
                ],
                cluster_of,
                resamples,
            )
        )
    ]
    return Anchoring(look_counts(session, suite_id, rubric_id), judges, tuple(shifts))


def distance(counts: Floats) -> Floats:
    """The mean absolute difference of tables of counts [..., K, K], in points; nan without pairs."""
    scale = np.arange(counts.shape[-1])
    difference = np.abs(scale[:, None] - scale[None, :])
    n = pair_count(counts)
    total = (counts * difference).sum(axis=(-2, -1))
    mean: Floats = np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
    return mean


def _moved(counts: Floats) -> Floats:
    far = distance(counts)
    return far[..., AFTER] - far[..., BEFORE]


def _on_scale(look: Look, criterion: CriterionScale) -> bool:
    scale = range(criterion.minimum, criterion.maximum + 1)
    return all(score in scale for score in (look.before, look.judge, look.after) if score is not None)


def _shift(
    judge: RaterGroup,
    who: RaterGroup,
    criterion: CriterionScale,
    looks: Sequence[Look],
    cluster_of: dict[str, int],
    resamples: Resamples,
) -> Shift | None:
    if not looks:
        return None
    scores = criterion.maximum - criterion.minimum + 1
    tables = np.zeros((len(cluster_of), 2, scores, scores))
    changed = towards = away = taken_back = 0
    for look in looks:
        if look.after is None:
            taken_back += look.n
            continue
        for time, score in ((BEFORE, look.before), (AFTER, look.after)):
            at = (score - criterion.minimum, look.judge - criterion.minimum)
            tables[(cluster_of[look.key], time, *at)] += look.n
        closer = abs(look.before - look.judge) - abs(look.after - look.judge)
        changed += look.n * (look.before != look.after)
        towards += look.n * (closer > 0)
        away += look.n * (closer < 0)
    n = int(tables[:, BEFORE].sum())
    total = tables.sum(axis=0)
    by_time = [distance, exact, kappa]
    values = [figure(total) for figure in by_time]
    ends = [(np.full(2, np.nan), np.full(2, np.nan)) for _ in by_time]
    moved = estimate(float(_moved(total)), np.nan, np.nan)
    if tables.any(axis=(1, 2, 3)).sum() > 1:
        *sampled, shifts = sampled_figures(tables, resamples, [*by_time, _moved])
        ends = [interval(own) for own in sampled]
        low, high = interval(shifts)
        moved = estimate(float(_moved(total)), float(low), float(high))
    far, same, beyond_chance = (
        (estimate(value[0], low[0], high[0]), estimate(value[1], low[1], high[1]))
        for value, (low, high) in zip(values, ends, strict=True)
    )
    return Shift(
        judge, who, criterion, n, changed, towards, away, taken_back, far, moved, same, beyond_chance
    )
