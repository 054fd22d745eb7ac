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

from sqlmodel import Session, col, select

from store.errors import UsageError
from store.queries.preferences import ResponseScore, ScoredInstruction, response_texts, scored_instructions
from store.queries.suites import find_suite
from store.tables import Criterion, Rater

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
    """Every instruction with scores. Raises `UsageError` for a criterion, rater or suite that isn't there."""
    criterion, rater = options.get("criterion", CRITERION), options.get("rater")
    known = sorted(set(session.exec(select(Criterion.name))))
    if criterion not in known:
        raise UsageError(f"No criterion {criterion!r} in the store. There are: {', '.join(known) or 'none'}.")
    if rater is not None and session.exec(select(Rater.id).where(col(Rater.name) == rater)).first() is None:
        raise UsageError(f"No rater {rater!r} in the store. `xlit-core status` lists them.")
    suite = find_suite(session, options["suite"]).id if options.get("suite") else None
    found = scored_instructions(
        session, {criterion, LANGUAGE}, rater=rater, suite_id=suite, language=options.get("language")
    )
    return ((asked, counted_scores(asked.scores, criterion)) for asked in found)


def counted_scores(scores: Iterable[ResponseScore], criterion: str) -> CountedScores:
    """The scores on a criterion that count."""
    scores = list(scores)
    wrong = {
        (it.response_id, it.kind, it.rater, it.version)
        for it in scores
        if it.criterion == LANGUAGE and it.score == 0 and criterion != LANGUAGE
    }
    found: CountedScores = {}
    for it in scores:
        who = it.response_id, it.kind, it.rater, it.version
        if it.criterion == criterion and it.score is not None and who not in wrong:
            found.setdefault(it.response_id, []).append(it)
    return found


MARGIN = 1.0


class PreferencesExporter:
    """Writes a pair a line."""

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
        for asked, scores in scored_by_instruction(session, options):
            means = {response: mean(it.score or 0 for it in given) for response, given in scores.items()}
            pairs = [
                (one, other) if means[one] > means[other] else (other, one)
                for one, other in combinations(sorted(means), 2)
                if abs(means[one] - means[other]) >= margin
            ]
            texts = response_texts(session, {found for pair in pairs for found in pair})
            for chosen, rejected in pairs:
                if texts[chosen] == texts[rejected]:
                    continue
                pair = {
                    "prompt": [{"role": "user", "content": asked.text}],
                    "chosen": [{"role": "assistant", "content": texts[chosen]}],
                    "rejected": [{"role": "assistant", "content": texts[rejected]}],
                }
                file.write(json.dumps(pair, ensure_ascii=False) + "\n")
                count += 1
        return count
