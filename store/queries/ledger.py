"""What counts: the one place that says which ratings stand, and which of them take part in means.

The view `ledger` (made by the migrations) has a row for every row of the journal, with

    rubric_id, rater_kind   of which rubric the criterion is, and whose it is: human, llm or rule
    stands                  the last score of its rater for the criterion, who was asked for the first time
    adjudicates             given to settle a disagreement (an assignment of the kind `adjudication`)
    wrong_language          for another criterion than language, and the same rater gave language 0
    replaced                by another reviewer's committed adjudication, which has a mark for the same
                            criterion: not in the means of people together
    left_out                why it is not in the means of its own rater (one of `REASONS`); NULL: it counts

A person's own means are those of the person's scores, adjudicated or not; the mean of people together takes
the adjudicator's score where there is one. For a judge or a rule the two are the same.

Agreement is no mean: it reads the scores that stand, also those in the wrong language and those that were
replaced. A score that adjudicates is in none, since only responses are adjudicated on which others differ.
"""

from collections import Counter
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, select
from sqlmodel import Session, col

from store.tables import LEDGER, Instruction, Response

SUPERSEDED, CLEARED, SKIPPED, REPEAT = "superseded", "cleared", "skipped", "repeat"
WRONG_LANGUAGE, REPLACED = "language 0", "replaced"
REASONS = {
    SUPERSEDED: "a later rating of the same rater stands",
    CLEARED: "the rater took the score back",
    SKIPPED: "the rater left the criterion out on purpose",
    REPEAT: "the rater was asked again; the first answer counts",
    WRONG_LANGUAGE: "the same rater gave language 0 (the paper, section 4)",
    REPLACED: "another reviewer adjudicated the response",
}


def counts(ledger: Any = LEDGER, *, together: bool) -> ColumnElement[bool]:
    """Whether a rating takes part in means: of people `together`, or else of its own rater."""
    counted = and_(ledger.c.stands, not_(ledger.c.wrong_language))
    return and_(counted, not_(ledger.c.replaced)) if together else counted


def counts_for(name: str, *, together: bool) -> str:
    """`counts` as SQL, on the ledger under the name `name`."""
    replaced = f" AND NOT {name}.replaced" if together else ""
    return f"({name}.stands AND NOT {name}.wrong_language{replaced})"


def is_paired(ledger: Any = LEDGER) -> ColumnElement[bool]:
    """Whether a rating takes part in agreement."""
    return and_(ledger.c.stands, not_(ledger.c.adjudicates))


# `is_paired` as SQL on the ledger under the name `name`.
PAIRED = "({name}.stands AND NOT {name}.adjudicates)"


def reasons(session: Session, suite_id: int, rubric_id: int) -> dict[str, int]:
    """How many ratings on a rubric, of responses to a suite, are in no mean of people together, of a judge or
    of a rule, by the reason: those of `REASONS` that occur, in its order."""
    reason = func.coalesce(LEDGER.c.left_out, REPLACED)
    statement = (
        select(reason, func.count())
        .select_from(LEDGER)
        .join(Response, col(Response.id) == LEDGER.c.response_id)
        .join(Instruction, col(Instruction.id) == Response.instruction_id)
        .where(
            col(Instruction.suite_id) == suite_id,
            LEDGER.c.rubric_id == rubric_id,
            not_(counts(together=True)),
        )
        .group_by(reason)
    )
    found = Counter({row[0]: row[1] for row in session.connection().execute(statement)})
    return {reason: found[reason] for reason in REASONS if found[reason]}
