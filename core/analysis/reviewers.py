"""How reviewers work: their pace, and whether one scores unlike the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import sqrt
from statistics import fmean, pstdev, stdev

# A longer time between two responses is a break, not work.
BREAK = timedelta(minutes=10)
PACE_RULE = "per hour: responses committed per hour of work; more than 10 minutes between two is a break."

FEWEST = 10
FAR = 0.5
ERRORS = 2.0
NARROW, WIDE = 0.5, 2.0
OUTLIER_RULE = (
    f"unlike others: on a criterion with {FEWEST} or more shared responses, the mean difference to the "
    f"others' mean is at least {FAR} points and {ERRORS:.0f} standard errors, or the standard deviation of "
    f"the scores is less than {NARROW} or more than {WIDE:.0f} times the others'. Whoever is farthest comes "
    "first, and the rest are then compared among themselves."
)


def per_hour(times: Sequence[datetime]) -> float | None:
    """Responses per hour of work, from the times at which they were committed; None: not known yet."""
    gaps = [later - earlier for earlier, later in pairwise(sorted(times))]
    worked = [gap.total_seconds() for gap in gaps if gap <= BREAK]
    return 3600 * len(worked) / sum(worked) if sum(worked) else None


@dataclass(frozen=True)
class ReviewerBias:
    """How one reviewer's scores lie to the others' on the `n` responses that both have scored.

    `difference`: mean of (own score minus the mean of the others' scores), in points of the scale, with its
    standard `error` (None for one response); `spread` and `others_spread`: the standard deviations of the own
    scores and of all scores of the others.
    """

    n: int
    difference: float
    error: float | None
    spread: float
    others_spread: float

    @property
    def unlike(self) -> str | None:
        """In words, in what this reviewer is unlike the others by `OUTLIER_RULE`; None: in nothing."""
        if self.n < FEWEST or self.error is None:
            return None
        if abs(self.difference) >= max(FAR, ERRORS * self.error):
            return f"{self.difference:+.1f} points from the others (n={self.n})"
        if self.spread < NARROW * self.others_spread:
            return f"hardly varies: SD {self.spread:.1f}, others {self.others_spread:.1f} (n={self.n})"
        if self.spread > WIDE * self.others_spread:
            return f"varies more: SD {self.spread:.1f}, others {self.others_spread:.1f} (n={self.n})"
        return None


def reviewer_bias(own: Mapping[int, int], others: Sequence[Mapping[int, int]]) -> ReviewerBias | None:
    """From the scores by response of one reviewer and of each of the others; None: they share nothing."""
    beside = {response: [scores[response] for scores in others if response in scores] for response in own}
    shared = {response: scores for response, scores in beside.items() if scores}
    if not shared:
        return None
    differences = [own[response] - fmean(scores) for response, scores in shared.items()]
    return ReviewerBias(
        n=len(shared),
        difference=fmean(differences),
        error=stdev(differences) / sqrt(len(shared)) if len(shared) > 1 else None,
        spread=pstdev(own[response] for response in shared),
        others_spread=pstdev(score for scores in shared.values() for score in scores),
    )


def outliers(scores: Mapping[int, Mapping[int, int]]) -> dict[int, str]:
    """Who scores unlike the others by `OUTLIER_RULE`, and in what; from reviewer -> response -> score.

    One who is far off pulls the mean that the others are compared with, hence one at a time. Of two who
    differ, nobody can tell which one is off: both are named.
    """
    named: dict[int, str] = {}
    left = dict(scores)
    while len(left) > 1:
        biases = {
            reviewer: reviewer_bias(own, [scored for other, scored in left.items() if other != reviewer])
            for reviewer, own in left.items()
        }
        off = {
            reviewer: (abs(bias.difference), bias.unlike)
            for reviewer, bias in biases.items()
            if bias is not None and bias.unlike is not None
        }
        if not off:
            break
        farthest = max(difference for difference, _ in off.values())
        for reviewer, (difference, reason) in off.items():
            if difference == farthest:
                named[reviewer] = reason
                del left[reviewer]
    return named
