"""Preference pairs for DPO (Rafailov et al., arXiv 2305.18290) as TRL reads them: JSON Lines with `prompt`,
`chosen` and `rejected`, each a list of chat messages (huggingface.co/docs/trl/dataset_formats).

Two answers to the same instruction in the same language are a pair when the mean score of one, over the
raters, is at least `margin` above that of the other; ties and answers that read the same are left out.

As everywhere, a score that a rater gave to an answer in the wrong language (language 0 by the same rater)
does not count, but for that of the language itself: pairs about that come from `criterion` language.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from statistics import mean
from typing import Any, ClassVar, TextIO

from sqlmodel import Session

from store.errors import UsageError
from store.queries import raters, rubrics
from store.queries.preferences import ResponseScore, ScoredInstruction, scored_instructions
from store.queries.responses import response_texts
from store.queries.suites import find_suite

LANGUAGE = "language"
CRITERION = "helpfulness"
OPTIONS = {
    "criterion": f"the criterion whose scores are compared (default: {CRITERION})",
    "rater": "only the scores of the rater of this name (default: those of all people)",
    "suite": "only this suite (name or name/version)",
    "language": "only instructions in this language",
}

CountedScores = dict[int, list[ResponseScore]]
"""The scores that count, by response."""


def scored_by_instruction(
    session: Session, options: Mapping[str, Any]
) -> Iterator[tuple[ScoredInstruction, CountedScores]]:
    """Every instruction that has scores, with those that count. Raises `UsageError` for a criterion, rater or
    suite that isn't there."""
    criterion, rater = options.get("criterion", CRITERION), options.get("rater")
    known = rubrics.criterion_names(session)
    if criterion not in known:
        raise UsageError(f"No criterion {criterion!r} in the store. There are: {', '.join(known) or 'none'}.")
    if rater is not None and not raters.is_known(session, rater):
        raise UsageError(f"No rater {rater!r} in the store. `xlit-core status` lists them.")
    suite = find_suite(session, options["suite"]).id if options.get("suite") else None
    instructions = scored_instructions(
        session, {criterion, LANGUAGE}, rater=rater, suite_id=suite, language=options.get("language")
    )
    return ((instruction, counted_scores(instruction.scores, criterion)) for instruction in instructions)


def counted_scores(scores: Iterable[ResponseScore], criterion: str) -> CountedScores:
    """The scores on a criterion that count, by response."""
    scores = list(scores)
    wrong = {
        (score.response_id, score.kind, score.rater, score.version)
        for score in scores
        if score.criterion == LANGUAGE and score.score == 0 and criterion != LANGUAGE
    }
    counted: CountedScores = {}
    for score in scores:
        scored_by = score.response_id, score.kind, score.rater, score.version
        if score.criterion == criterion and score.score is not None and scored_by not in wrong:
            counted.setdefault(score.response_id, []).append(score)
    return counted


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
            means = {
                response: mean(score.score or 0 for score in response_scores)
                for response, response_scores in scores.items()
            }
            pairs = [
                (first, second) if means[first] > means[second] else (second, first)
                for first, second in combinations(sorted(means), 2)
                if abs(means[first] - means[second]) >= margin
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
