"""How scores go with the length of responses: the paper's footnote 1 in numbers.

Spearman's rank correlation of score and length in characters, within languages
(`core.analysis.judge_quality`): every score takes part, also of responses in the wrong language, as where
judges are calibrated.
"""

from dataclasses import dataclass

from core.analysis.judge_quality import LengthBias, LengthCorrelation, length_bias, length_correlation
from core.analysis.means import RaterGroup, all_rater_groups, main_rater_groups, mean_ratings
from core.analysis.scores import Scores
from core.extras import needs_extra
from store.queries.calibration import Length


@dataclass(frozen=True)
class RaterLengthCorrelation:
    """A voice on one criterion (its place): the correlation over all responses that it scored."""

    voice: RaterGroup
    criterion: int
    correlation: LengthCorrelation


@dataclass(frozen=True)
class JudgeLengthBias:
    """A judge or a rule beside people on one criterion (its place), on the responses that both scored."""

    voice: RaterGroup
    criterion: int
    bias: LengthBias


def length_of_all(scored: Scores) -> list[RaterLengthCorrelation]:
    """Every main voice on every criterion that it scored, criterion by criterion."""
    answers = _answers(scored)
    by_voice = [(voice, _scores(scored, voice)) for voice in main_rater_groups(scored)]
    with needs_extra("report", "The correlation of scores and length"):
        return [
            RaterLengthCorrelation(voice, criterion, length_correlation(given[criterion], answers))
            for criterion in range(len(scored.criteria))
            for voice, given in by_voice
            if criterion in given
        ]


def length_beside_people(scored: Scores) -> list[JudgeLengthBias]:
    """Every judge and rule on every criterion for which people scored some of its responses too."""
    answers = _answers(scored)
    each = [(voice, _rated(scored, place)) for voice, place in _raters(scored)]
    people = [given for voice, given in each if voice.kind == "human"]
    found = []
    with needs_extra("report", "The correlation of scores and length"):
        for criterion in range(len(scored.criteria)):
            humans = [given.get(criterion, {}) for given in people]
            for voice, given in each:
                own = given.get(criterion, {})
                if voice.kind != "human" and any(own.keys() & marks.keys() for marks in humans):
                    found.append(JudgeLengthBias(voice, criterion, length_bias(own, humans, answers)))
    return found


def _answers(scored: Scores) -> dict[int, Length]:
    return {
        place: Length(response.language, response.length) for place, response in enumerate(scored.responses)
    }


def _raters(scored: Scores) -> list[tuple[RaterGroup, int]]:
    return [(voice, voice.raters[0]) for voice in all_rater_groups(scored) if not voice.together]


def _scores(scored: Scores, voice: RaterGroup) -> dict[int, dict[int, float]]:
    """The voice's (mean) score of each response, by criterion; places as keys."""
    said = mean_ratings(scored, voice, counting=False)
    found: dict[int, dict[int, float]] = {}
    for response, criterion, value in zip(
        said.response.tolist(), said.criterion.tolist(), said.value.tolist(), strict=True
    ):
        found.setdefault(criterion, {})[response] = value / said.unit
    return found


def _rated(scored: Scores, rater: int) -> dict[int, dict[int, int]]:
    """A rater's score of each response, by criterion; places as keys."""
    found: dict[int, dict[int, int]] = {}
    mine = scored.rater == rater
    for response, criterion, score in zip(
        scored.response[mine].tolist(),
        scored.criterion[mine].tolist(),
        scored.score[mine].tolist(),
        strict=True,
    ):
        found.setdefault(criterion, {})[response] = score
    return found
