"""How scores go with the length of responses: the paper's footnote 1 in numbers.

Spearman's rank correlation of score and length in characters, within languages (`core.analysis.calibration`):
every score takes part, also of responses in the wrong language, as where judges are calibrated.
"""

from dataclasses import dataclass

from core.analysis.calibration import LengthBias, LengthCorrelation, length_bias, length_correlation
from core.analysis.scored import Scored
from core.analysis.scores import Voice, all_voices, main_voices, opinions
from core.extras import needs_extra
from store.queries.calibration import Answer


@dataclass(frozen=True)
class VoiceAndLength:
    """A voice on one criterion (its place): the correlation over all responses that it scored."""

    voice: Voice
    criterion: int
    correlation: LengthCorrelation


@dataclass(frozen=True)
class JudgeAndLength:
    """A judge or a rule beside people on one criterion (its place), on the responses that both scored."""

    voice: Voice
    criterion: int
    bias: LengthBias


def length_of_all(scored: Scored) -> list[VoiceAndLength]:
    """Every main voice on every criterion that it scored, criterion by criterion."""
    answers = _answers(scored)
    by_voice = [(voice, _scores(scored, voice)) for voice in main_voices(scored)]
    with needs_extra("report", "The correlation of scores and length"):
        return [
            VoiceAndLength(voice, criterion, length_correlation(given[criterion], answers))
            for criterion in range(len(scored.criteria))
            for voice, given in by_voice
            if criterion in given
        ]


def length_beside_people(scored: Scored) -> list[JudgeAndLength]:
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
                    found.append(JudgeAndLength(voice, criterion, length_bias(own, humans, answers)))
    return found


def _answers(scored: Scored) -> dict[int, Answer]:
    return {
        place: Answer(response.language, response.length) for place, response in enumerate(scored.responses)
    }


def _raters(scored: Scored) -> list[tuple[Voice, int]]:
    return [(voice, voice.raters[0]) for voice in all_voices(scored) if not voice.together]


def _scores(scored: Scored, voice: Voice) -> dict[int, dict[int, float]]:
    """The voice's (mean) score of each response, by criterion; places as keys."""
    said = opinions(scored, voice, counting=False)
    found: dict[int, dict[int, float]] = {}
    for response, criterion, value in zip(
        said.response.tolist(), said.criterion.tolist(), said.value.tolist(), strict=True
    ):
        found.setdefault(criterion, {})[response] = value / said.unit
    return found


def _rated(scored: Scored, rater: int) -> dict[int, dict[int, int]]:
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
