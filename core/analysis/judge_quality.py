"""What is known of a judge: how far it agrees with people and with itself, and what it leans towards.

A *pair* is a human's and the judge's score of the same response for the same criterion; a response that two
humans scored gives two pairs. Which scores take part in agreement is said by `store.queries.ledger`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

from core.analysis.agreement_table import Agreement, agreement
from store.labels import versioned_name
from store.queries.calibration import CriterionScores, Judge, Length, Scale, WrongLanguage

ENGLISH = "en"

# Of two responses, the rank correlation is 1 or -1 whatever they are.
FEWEST = 3

Rated = Mapping[int, int]


@dataclass(frozen=True)
class AgreementByLanguage:
    """The agreement over all responses, over those to English and to other instructions, and by language."""

    all: Agreement
    english: Agreement
    non_english: Agreement
    languages: dict[str, Agreement]


@dataclass(frozen=True)
class LanguageBias:
    """The mean of (judge minus human) over the pairs of each language, in points of the scale.

    `means`: language -> (mean, number of pairs). `gap`: the mean over the non-English languages of their
    means, minus the English one; None where `undefined` says why.
    """

    means: dict[str, tuple[float, int]]
    gap: float | None
    undefined: str | None


@dataclass(frozen=True)
class LengthCorrelation:
    """Spearman's rank correlation with length, within languages.

    `languages`: language -> (rho, number of responses). `rho`: their mean, weighted by the numbers, which add
    up to `n`; so that languages in which responses are longer and scores higher make no correlation.
    `left_out`: language -> why it has no rho. `rho` is None where `undefined` says why.
    """

    rho: float | None
    n: int
    languages: dict[str, tuple[float, int]]
    left_out: dict[str, str]
    undefined: str | None


@dataclass(frozen=True)
class LengthBias:
    """How scores go with the length of the response in characters.

    `judge_alone`: the judge's scores of all its responses. On the responses that humans scored as well:
    `judge`, its scores; `humans`, the means of the humans' scores of each; `difference`, judge minus humans.
    """

    judge_alone: LengthCorrelation
    judge: LengthCorrelation
    humans: LengthCorrelation
    difference: LengthCorrelation


@dataclass(frozen=True)
class SelfAgreement:
    """How far a judge that was asked repeatedly agrees with itself.

    `pairs`: all pairs of its scores of the same response, the earlier first. `responses`: how many have two
    or more scores; `all_same`: the percent of these on which all scores are the same, None without any.
    """

    pairs: Agreement
    responses: int
    all_same: float | None


@dataclass(frozen=True)
class CriterionCalibration:
    """A judge on one criterion.

    `humans`: humans (rows) and the judge (columns). `among_humans`: every two humans on responses that the
    judge scored too, the one first by name in the rows: what a judge can reach at best. `wrong_language`:
    how many of the pairs are on a response that one of the two found in the wrong language.
    """

    criterion: str
    rubric: str
    humans: AgreementByLanguage
    wrong_language: int
    among_humans: AgreementByLanguage
    language_bias: LanguageBias
    length_bias: LengthBias
    with_itself: SelfAgreement


@dataclass(frozen=True)
class JudgeCalibration:
    """A judge on every criterion that it scored.

    `times`: how often it was asked. `responses`: how many it scored (the first time); `shared`: how many of
    these the `humans` scored too. `missing`: what can't be known of it, and what to do about that.
    """

    kind: str
    name: str
    version: str
    times: int
    responses: int
    shared: int
    humans: list[str]
    criteria: list[CriterionCalibration]
    missing: list[str]

    @property
    def label(self) -> str:
        return versioned_name(self.name, self.version)


@dataclass(frozen=True)
class Calibration:
    """All judges in question. `suite` None: the responses to all suites. `missing`: why there is no judge."""

    suite: str | None
    languages: list[str]
    judges: list[JudgeCalibration] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data for JSON; each agreement with its table in percent as well."""
        return asdict(self, dict_factory=_plain)


def calibrate_judge(
    judge: Judge,
    given: Mapping[int, CriterionScores],
    by_humans: Mapping[int, CriterionScores],
    humans: Mapping[int, str],
    answers: Mapping[int, Length],
    scales: Sequence[Scale],
    wrong: WrongLanguage,
) -> JudgeCalibration:
    """The figures of one judge, which needs scipy.

    `given` and `by_humans` are the scores of the judge's raters and of the `humans` (id -> name), by
    criterion; `answers` are the responses that the judge rated; `scales` are those of the judge's criteria;
    `wrong` are the responses that the raters found in the wrong language.
    """
    asked = (judge.rater_ids[time] for time in sorted(judge.rater_ids))
    raters = [rater for rater in asked if any(own.get(rater) for own in given.values())]
    everybody = {
        scale.criterion_id: given.get(scale.criterion_id, {}) | by_humans.get(scale.criterion_id, {})
        for scale in scales
    }
    criteria: list[CriterionCalibration] = []
    judged: set[int] = set()
    shared: set[int] = set()
    scorers: set[int] = set()
    for scale in scales if raters else ():
        scores = everybody[scale.criterion_id]
        own = scores.get(raters[0], {})
        both = {human: _common(scores.get(human, {}), own) for human in humans}
        judged |= own.keys()
        shared |= {response for rated in both.values() for response in rated}
        scorers |= {human for human, rated in both.items() if rated}
        in_wrong = {rater: set(wrong.get((scale.criterion_id, rater), ())) for rater in (raters[0], *humans)}
        criteria.append(
            CriterionCalibration(
                criterion=scale.criterion,
                rubric=scale.rubric,
                humans=(
                    with_humans := _by_language(
                        [(rated_by_human, own) for rated_by_human in both.values()], answers, scale
                    )
                ),
                wrong_language=sum(
                    len(rated.keys() & (in_wrong[human] | in_wrong[raters[0]]))
                    for human, rated in both.items()
                ),
                among_humans=_by_language(combinations(both.values(), 2), answers, scale),
                language_bias=language_bias(with_humans.languages),
                length_bias=length_bias(own, list(both.values()), answers),
                with_itself=self_agreement([scores.get(rater, {}) for rater in raters], scale),
            )
        )
    return JudgeCalibration(
        kind=judge.kind,
        name=judge.name,
        version=judge.version,
        times=len(raters),
        responses=len(judged),
        shared=len(shared),
        humans=[name for human, name in humans.items() if human in scorers],
        criteria=criteria,
        missing=_missing(len(judged), len(shared), len(raters), judge.kind),
    )


def language_bias(languages: Mapping[str, Agreement]) -> LanguageBias:
    """The second's mean minus the first's in every language, from their agreement there."""
    means = {
        language: (agreement_there.bias, agreement_there.n)
        for language, agreement_there in languages.items()
        if agreement_there.bias is not None
    }
    english = [bias * n for language, (bias, n) in means.items() if is_english(language)]
    pairs = sum(n for language, (_, n) in means.items() if is_english(language))
    others = [bias for language, (bias, _) in means.items() if not is_english(language)]
    if english and others:
        return LanguageBias(means, sum(others) / len(others) - sum(english) / pairs, None)
    lacking = "in English" if others else "in another language than English" if english else ""
    return LanguageBias(means, None, f"no response {lacking} was scored by both".replace("  ", " "))


def length_bias(judged: Rated, humans: Sequence[Rated], answers: Mapping[int, Length]) -> LengthBias:
    """How the scores of a judge and of humans go with the length of responses."""
    marks: dict[int, list[int]] = {}
    for rated in humans:
        for response, score in rated.items():
            if response in judged:
                marks.setdefault(response, []).append(score)
    # Each is a whole number divided once, or equal differences might not be equal in the last binary place.
    differences = {
        response: (judged[response] * len(given) - sum(given)) / len(given)
        for response, given in marks.items()
    }
    means = {response: sum(given) / len(given) for response, given in marks.items()}
    return LengthBias(
        judge_alone=length_correlation(judged, answers),
        judge=length_correlation({response: judged[response] for response in marks}, answers),
        humans=length_correlation(means, answers),
        difference=length_correlation(differences, answers),
    )


def length_correlation(scores: Mapping[int, float], answers: Mapping[int, Length]) -> LengthCorrelation:
    """Spearman's rho of score and length in every language, and their mean weighted by responses."""
    from scipy.stats import spearmanr

    points: dict[str, tuple[list[float], list[int]]] = {}
    for response, score in scores.items():
        answer = answers[response]
        of_scores, of_lengths = points.setdefault(answer.language, ([], []))
        of_scores.append(score)
        of_lengths.append(answer.length)
    correlations: dict[str, tuple[float, int]] = {}
    left_out: dict[str, str] = {}
    for language, (of_scores, of_lengths) in sorted(points.items()):
        if len(of_scores) < FEWEST:
            left_out[language] = f"fewer than {FEWEST} responses"
        elif len(set(of_scores)) == 1:
            left_out[language] = f"every value is {of_scores[0]:g}"
        elif len(set(of_lengths)) == 1:
            left_out[language] = "all responses are of the same length"
        else:
            correlations[language] = (float(spearmanr(of_scores, of_lengths).statistic), len(of_scores))
    n = sum(count for _, count in correlations.values())
    if n:
        mean = sum(rho * count for rho, count in correlations.values()) / n
        return LengthCorrelation(mean, n, correlations, left_out, None)
    return LengthCorrelation(None, 0, correlations, left_out, _why_none(left_out))


def _why_none(left_out: Mapping[str, str]) -> str:
    reasons = set(left_out.values())
    if not reasons:
        return "no response has such a score"
    if len(reasons) == 1:
        return f"{reasons.pop()} in {'every language' if len(left_out) > 1 else next(iter(left_out))}"
    return "; ".join(f"{language}: {reason}" for language, reason in left_out.items())


def self_agreement(repeats: Sequence[Rated], scale: Scale) -> SelfAgreement:
    """The agreement of a judge's repeated scores, in the order in which it was asked."""
    given: dict[int, list[int]] = {}
    for rated in repeats:
        for response, score in rated.items():
            given.setdefault(response, []).append(score)
    several = [marks for marks in given.values() if len(marks) > 1]
    pairs = Counter(pair for marks in several for pair in combinations(marks, 2))
    same = sum(len(set(marks)) == 1 for marks in several)
    return SelfAgreement(
        pairs=agreement(pairs, scale.minimum, scale.maximum),
        responses=len(several),
        all_same=100 * same / len(several) if several else None,
    )


def is_english(language: str) -> bool:
    """Whether the code is that of English, as `en` and `en-GB` are."""
    return language.replace("_", "-").split("-")[0].lower() == ENGLISH


def _common(scores: Rated, others: Rated) -> dict[int, int]:
    """Those of the scores whose responses have one of the others too."""
    return {response: score for response, score in scores.items() if response in others}


def _by_language(
    raters: Iterable[tuple[Rated, Rated]], answers: Mapping[int, Length], scale: Scale
) -> AgreementByLanguage:
    """The agreement of a first rater and a second, over all these two and all that both scored."""
    pairs: dict[str, Counter[tuple[int, int]]] = {}
    for first, second in raters:
        for response, score in first.items():
            if response in second:
                counts = pairs.setdefault(answers[response].language, Counter())
                counts[score, second[response]] += 1

    def over(languages: Iterable[str]) -> Agreement:
        together: Counter[tuple[int, int]] = Counter()
        for language in languages:
            together.update(pairs[language])
        return agreement(together, scale.minimum, scale.maximum)

    return AgreementByLanguage(
        all=over(pairs),
        english=over(filter(is_english, pairs)),
        non_english=over(language for language in pairs if not is_english(language)),
        languages={language: over([language]) for language in sorted(pairs)},
    )


def _missing(responses: int, shared: int, times: int, kind: str) -> list[str]:
    if not responses:
        return ["It has scored no response in question."]
    sentences = []
    if not shared:
        sentences.append(
            "No person has scored any response that it scored, so nothing is known of how far it agrees with "
            "people: score some in `xlit-tui`, or import scores."
        )
    if times < 2 and kind == "llm":  # a rule always says the same
        sentences.append(
            "It was asked once, so nothing is known of how far it agrees with itself: judge again with "
            "`--repeats 3`."
        )
    return sentences


def _plain(items: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(items)
    if "counts" in plain:
        n = max(plain["n"], 1)
        plain["percent"] = [[100 * count / n for count in row] for row in plain["counts"]]
    return plain
