"""How scores go with the length of responses: the paper's footnote 1 in numbers.

Spearman's rank correlation of score and length in characters, within languages
(`core.analysis.judge_quality`): every score takes part that takes part in agreement, also of responses in the
wrong language, as where judges are calibrated.
"""

from dataclasses import dataclass

from core.analysis.judge_quality import LengthBias, LengthCorrelation, length_bias, length_correlation
from core.analysis.means import RaterGroup, all_rater_groups, main_rater_groups, mean_ratings
from core.analysis.scores import Scores, paired_scores
from core.extras import needs_extra
from store.queries.calibration import Length


@dataclass(frozen=True)
class RaterLengthCorrelation:
    """A rater group on one criterion (its index): the correlation over all responses that it scored."""

    rater_group: RaterGroup
    criterion: int
    correlation: LengthCorrelation


@dataclass(frozen=True)
class JudgeLengthBias:
    """A judge or a rule beside people on one criterion (its index), on the responses that both scored."""

    rater_group: RaterGroup
    criterion: int
    bias: LengthBias


def length_of_all(scored: Scores) -> list[RaterLengthCorrelation]:
    """Every main rater group on every criterion that it scored, criterion by criterion."""
    scored = paired_scores(scored)
    answers = _answers(scored)
    by_voice = [(rater_group, _scores(scored, rater_group)) for rater_group in main_rater_groups(scored)]
    with needs_extra("report", "The correlation of scores and length"):
        return [
            RaterLengthCorrelation(rater_group, criterion, length_correlation(given[criterion], answers))
            for criterion in range(len(scored.criteria))
            for rater_group, given in by_voice
            if criterion in given
        ]


def length_beside_people(scored: Scores) -> list[JudgeLengthBias]:
    """Every judge and rule on every criterion for which people scored some of its responses too."""
    scored = paired_scores(scored)
    answers = _answers(scored)
    each = [(rater_group, _rated(scored, rater)) for rater_group, rater in _raters(scored)]
    people = [given for rater_group, given in each if rater_group.kind == "human"]
    biases = []
    with needs_extra("report", "The correlation of scores and length"):
        for criterion in range(len(scored.criteria)):
            humans = [given.get(criterion, {}) for given in people]
            for rater_group, given in each:
                own = given.get(criterion, {})
                if rater_group.kind != "human" and any(own.keys() & marks.keys() for marks in humans):
                    biases.append(JudgeLengthBias(rater_group, criterion, length_bias(own, humans, answers)))
    return biases


def _answers(scored: Scores) -> dict[int, Length]:
    return {
        index: Length(response.language, response.length) for index, response in enumerate(scored.responses)
    }


def _raters(scored: Scores) -> list[tuple[RaterGroup, int]]:
    return [
        (rater_group, rater_group.raters[0])
        for rater_group in all_rater_groups(scored)
        if not rater_group.together
    ]


def _scores(scored: Scores, rater_group: RaterGroup) -> dict[int, dict[int, float]]:
    """The rater group's (mean) score of each response, by criterion; both are indices."""
    ratings = mean_ratings(scored, rater_group, counting=False)
    scores: dict[int, dict[int, float]] = {}
    for response, criterion, value in zip(
        ratings.response.tolist(), ratings.criterion.tolist(), ratings.value.tolist(), strict=True
    ):
        scores.setdefault(criterion, {})[response] = value / ratings.unit
    return scores


def _rated(scored: Scores, rater: int) -> dict[int, dict[int, int]]:
    """A rater's score of each response, by criterion; both are indices."""
    scores: dict[int, dict[int, int]] = {}
    mine = scored.rater == rater
    for response, criterion, score in zip(
        scored.response[mine].tolist(),
        scored.criterion[mine].tolist(),
        scored.score[mine].tolist(),
        strict=True,
    ):
        scores.setdefault(criterion, {})[response] = score
    return scores
