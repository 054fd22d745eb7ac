"""Adjudication: responses that two reviewers scored far apart are queued for a third reviewer.

The final score of an adjudicated response on a criterion is the third reviewer's, where there is one. Of all
other responses it is the mean of the reviewers' scores (`store.queries.ledger`). The third reviewer does not
see what the two have given, so that this is a third rating and not a choice between two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlmodel import Session

from core.campaigns.create import give_codes
from core.campaigns.plan import rank, read_reviewers
from core.campaigns.progress import CampaignProgress, load_progress
from store.errors import UsageError
from store.provenance import record_run
from store.queries import campaigns, raters, reviewers, suites
from store.session import writing

# The two ends of a scale from 0 to 2. Careful reviewers often differ by one point, and their mean is a fair
# summary. When they differ by two, the mean is a score that neither gave.
LARGE_DIFFERENCE = 2


@dataclass(frozen=True)
class Adjudication:
    """What was queued: `reviewer` got `queued` texts and the new `codes`.

    `known` counts further texts that would have been due, but that are in this reviewer's queue already.
    """

    reviewer: str
    queued: int
    known: int
    codes: dict[str, str]


def adjudicate(engine: Engine, name: str, reviewer: str, *, by: int = LARGE_DIFFERENCE) -> Adjudication:
    """Queue the responses that two reviewers committed `by` or more points apart, on any criterion, for a
    third.

    They come at the end of the third reviewer's queue, shuffled. A response that is queued for a third
    reviewer already stays with that one. `reviewer` is `NAME` or `NAME:LANG,LANG`. Raises `UsageError` for a
    campaign that does not exist or is closed.
    """
    if by < 1:
        raise UsageError(f"--by {by}: it is at least 1.")
    with record_run(engine, "xlit-core campaign adjudicate", {"name": name, "by": by}) as run:
        with writing(engine) as session:
            progress = load_progress(session, name)
            if progress.campaign.closed_at is not None:
                raise UsageError(
                    f"Campaign {name!r} is closed. `xlit-core campaign close --reopen` opens it."
                )
            plan = progress.campaign.plan
            (third,) = read_reviewers([reviewer], plan["languages"])
            spoken = third.languages or tuple(plan["languages"])
            rater = raters.rater_id(session, "human", third.name)
            disagreed = _disagreements(progress, by, spoken)
            own = {response for entry in progress.of(rater) for response in entry.response_ids}
            due = [responses for responses in disagreed if not own.intersection(responses)]
            queued = _queue(session, progress, rater, third.name, due)
            coded = any(
                reviewers.code_of(session, reviewer_name) for reviewer_name in progress.reviewers.values()
            )
            new_codes = give_codes(session, [third.name]) if coded and queued else {}
        run.note("reviewer", third.name)
        run.count("queued", queued)
        run.idle = not queued
    return Adjudication(third.name, queued, len(disagreed) - len(due), new_codes)


def _disagreements(progress: CampaignProgress, by: int, languages: Sequence[str]) -> list[tuple[int, ...]]:
    """The responses on which two reviewers differ by `by` or more points, and which nobody adjudicates yet.

    Responses that read the same stand together.
    """
    taken = {entry.response_id for entry in progress.entries if entry.kind == "adjudication"}
    read = {
        entry.response_id: entry.response_ids
        for entry in progress.entries
        if entry.kind == "normal" and entry.language in languages and entry.response_id not in taken
    }
    disagreed: set[int] = set()
    for criterion in progress.criteria:
        scores = progress.scores(criterion, ("normal",))
        for response in read.keys() - disagreed:
            scores_given = [
                by_response[response] for by_response in scores.values() if response in by_response
            ]
            if scores_given and max(scores_given) - min(scores_given) >= by:
                disagreed.add(response)
    return [read[response] for response in disagreed]


def _queue(
    session: Session, progress: CampaignProgress, rater: int, name: str, due: Sequence[tuple[int, ...]]
) -> int:
    campaign = progress.campaign
    labels = set(campaign.plan["suites"])
    ids = [suite.id for suite in suites.list_suites(session) if suite.label in labels]
    identity = {
        candidate.response_id: candidate.identity
        for candidate in campaigns.candidates(session, ids, campaign.plan["languages"])
    } if due else {}  # fmt: skip
    order = sorted(
        due, key=lambda responses: rank(campaign.seed, "adjudication", name, *identity[responses[0]])
    )
    start = campaigns.last_position(session, campaign.id or 0, rater) + 1
    assignments = [
        {
            "campaign_id": campaign.id, "reviewer_id": rater, "rater_id": rater,
            "response_id": response, "position": position, "kind": "adjudication",
        }
        for position, responses in enumerate(order, start=start)
        for response in responses
    ]  # fmt: skip
    campaigns.add_assignments(session, assignments)
    return len(order)
