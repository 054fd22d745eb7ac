"""Preference pairs for DPO (Rafailov et al., arXiv 2305.18290) as TRL reads them: JSON Lines with `prompt`,
`chosen` and `rejected`, each a list of chat messages (huggingface.co/docs/trl/dataset_formats).

Two answers to the same instruction in the same language are a pair when the mean score of one, over the
raters, is at least `margin` above that of the other; ties and answers that read the same are left out.

Which scores count is said by the ledger (`store.queries.ledger`), as everywhere: not one that a rater gave to
an answer in the wrong language, but for that of the language itself (pairs about that come from `criterion`
language), and of an adjudicated answer the adjudicator's alone. All are of one rubric: a criterion of the
same name in another one may have another scale.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any, ClassVar, TextIO

from sqlmodel import Session

from store.errors import UsageError
from store.queries import raters, rubrics
from store.queries.preferences import ResponseScore, ScoredInstruction, scored_criteria, scored_instructions
from store.queries.responses import response_texts
from store.queries.suites import find_suite

CRITERION = "helpfulness"
OPTIONS = {
    "criterion": f"the criterion whose scores are compared (default: {CRITERION})",
    "rubric": "the rubric of the criterion (default: the only one with scores, else the default rubric)",
    "rater": "only the scores of the rater of this name (default: those of all people)",
    "suite": "only this suite (name or name/version)",
    "language": "only instructions in this language",
}

ScoresByResponse = dict[int, list[ResponseScore]]
"""The raters' scores of each response."""


def scored_by_instruction(
    session: Session, options: Mapping[str, Any]
) -> Iterator[tuple[ScoredInstruction, ScoresByResponse]]:
    """Every instruction that has scores, with those of each response. Raises `UsageError` for a criterion,
    rubric, rater or suite that isn't there."""
    criterion, rater = options.get("criterion", CRITERION), options.get("rater")
    known = rubrics.criterion_names(session)
    if criterion not in known:
        raise UsageError(f"No criterion {criterion!r} in the store. There are: {', '.join(known) or 'none'}.")
    if rater is not None and not raters.is_known(session, rater):
        raise UsageError(f"No rater {rater!r} in the store. `xlit-core status` lists them.")
    suite = find_suite(session, options["suite"]).id if options.get("suite") else None
    rater_ids = None if rater is None else raters.ids_named(session, rater)
    chosen = _one_rubrics(session, criterion, rater_ids, options.get("rubric"))
    instructions = (
        scored_instructions(
            session, chosen, rater_ids=rater_ids, suite_id=suite, language=options.get("language")
        )
        if chosen is not None
        else ()
    )
    return ((instruction, _by_response(instruction.scores)) for instruction in instructions)


def final_score(scores: Iterable[ResponseScore]) -> Fraction | None:
    """The mean of the scores that count for these raters together, exactly; None where none does."""
    settled = [score.score for score in scores if score.settled]
    return Fraction(sum(settled), len(settled)) if settled else None


def _one_rubrics(
    session: Session, criterion: str, rater_ids: Sequence[int] | None, rubric: str | None
) -> int | None:
    """The id of the criterion in one rubric, since scales of several can't be compared: in the one asked for,
    else in the only one with scores, else in the default rubric. None: nobody has scored it."""
    scored = scored_criteria(session, criterion, rater_ids)
    labels = ", ".join(row.rubric for row in scored) or "no rubric"
    if rubric is not None:
        named = [row for row in scored if rubric in (row.rubric, row.rubric.rpartition("/")[0])]
        if len(named) != 1:
            raise UsageError(f"Rubric {rubric!r}: there are scores for {criterion!r} in {labels}.")
        return named[0].id
    if len(scored) > 1:
        default = rubrics.stored_default_rubric(session)
        scored = [row for row in scored if row.rubric_id == default]
        if not scored:
            raise UsageError(f"There are scores for {criterion!r} in {labels}: name one with --rubric.")
    return scored[0].id if scored else None


def _by_response(scores: Iterable[ResponseScore]) -> ScoresByResponse:
    by_response: ScoresByResponse = {}
    for score in scores:
        by_response.setdefault(score.response_id, []).append(score)
    return by_response


MARGIN = 1.0


class PreferencesExporter:
    """Writes one pair a line."""

    name = "preferences"
    summary = "preference pairs for DPO from scores, one JSON object a line"
    options: ClassVar[dict[str, str]] = {
        **OPTIONS,
        "margin": f"least difference of the mean scores (default: {MARGIN:g})",
    }

    def write(self, session: Session, file: TextIO, options: Mapping[str, Any]) -> int:
        margin = options.get("margin", MARGIN)
        if not margin > 0:
            raise UsageError(f"The margin is {margin:g}: it must be above 0, since ties are no preference.")
        count = 0
        for instruction, scores in scored_by_instruction(session, options):
            finals = {response: final_score(response_scores) for response, response_scores in scores.items()}
            means = {response: final for response, final in finals.items() if final is not None}
            pairs = [
                (first, second) if means[first] > means[second] else (second, first)
                for first, second in combinations(sorted(means), 2)
                if abs(means[first] - means[second]) >= Fraction(str(margin))
            ]
            texts = response_texts(session, {response for pair in pairs for response in pair})
            for chosen, rejected in pairs:
                if texts[chosen] == texts[rejected]:
                    continue
                pair = {
                    "prompt": [{"role": "user", "content": instruction.text}],
                    "chosen": [{"role": "assistant", "content": texts[chosen]}],
                    "rejected": [{"role": "assistant", "content": texts[rejected]}],
                }
                file.write(json.dumps(pair, ensure_ascii=False) + "\n")
                count += 1
        return count
