"""The scores of the answers to one instruction, rater by rater, as two formats compare them.

As everywhere, a score that a rater gave to an answer in the wrong language (language 0 by the same rater)
does not count, but for that of the language itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlmodel import Session, col, select

from store.errors import UsageError
from store.queries.preferring import Asked, Scored, scored_instructions
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

Counted = dict[int, list[Scored]]
"""The scores that count, by response."""


def compared(session: Session, options: Mapping[str, Any]) -> Iterator[tuple[Asked, Counted]]:
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
    return ((asked, counted(asked.scores, criterion)) for asked in found)


def counted(scores: Iterable[Scored], criterion: str) -> Counted:
    """The scores on a criterion that count."""
    scores = list(scores)
    wrong = {
        (it.response_id, it.kind, it.rater, it.version)
        for it in scores
        if it.criterion == LANGUAGE and it.score == 0 and criterion != LANGUAGE
    }
    found: Counted = {}
    for it in scores:
        who = it.response_id, it.kind, it.rater, it.version
        if it.criterion == criterion and it.score is not None and who not in wrong:
            found.setdefault(it.response_id, []).append(it)
    return found
