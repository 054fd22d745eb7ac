"""Making a campaign: from the options of a command to the assignments in the store."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from core.campaigns.assignment import Queues, assign_queues
from core.campaigns.plan import CampaignPlan, check_plan, read_reviewers
from core.campaigns.sampling import ReadingUnit, group_into_units, sample_units
from core.progress import say
from store.errors import UsageError
from store.names import case_notes, trimmed
from store.provenance import record_run
from store.queries import campaigns, raters, rubrics, suites
from store.queries.raters import repeat_version
from store.queries.reviewers import code_of, give_code, new_code
from store.session import reading, writing

SECONDS_A_RESPONSE = 60.0


@dataclass(frozen=True)
class CampaignRequest:
    """A campaign as a command asks for it. An empty list means everything that there is."""

    name: str
    suites: Sequence[str]
    languages: Sequence[str]
    models: Sequence[str]
    reviewers: Sequence[str]
    options: dict[str, Any]
    blind: bool = True
    reveal: bool = False
    codes: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", trimmed(self.name))
        object.__setattr__(self, "models", tuple(map(trimmed, self.models)))
        names = {name: self.options[name] for name in ("main", "known") if self.options.get(name)}
        own = {name: trimmed(value) for name, value in names.items()}
        object.__setattr__(self, "options", {**self.options, **own})


@dataclass(frozen=True)
class PlannedCampaign:
    """A campaign before it is written.

    `seconds` is the time that a response takes, and `measured` says whether it comes from the journal.
    """

    plan: CampaignPlan
    units: list[ReadingUnit]
    queues: Queues
    seconds: float
    measured: bool

    @property
    def digest(self) -> str:
        """The SHA-256 (in hex) of the plan and of all assignments that follow from it, by content."""
        assigned = [
            [name, number, item.kind, *response.identity]
            for name, queue in sorted(self.queues.items())
            for number, item in enumerate(queue, start=1)
            for response in item.unit.responses
        ]
        content = json.dumps([self.plan.as_dict(), assigned], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """The plan and its counts as plain data."""
        return {
            "plan": self.plan.as_dict(),
            "responses": sum(len(unit.responses) for unit in self.units),
            "readings": sum(len(queue) for queue in self.queues.values()),
            "seconds_a_response": round(self.seconds, 1),
            "seconds_measured": self.measured,
            "languages": {
                language: {
                    "responses": sum(len(unit.responses) for unit in units),
                    "texts": len(units),
                }
                for language, units in _by_language(self.units).items()
            },
            "reviewers": {
                name: {
                    "readings": len(queue),
                    "languages": list(dict.fromkeys(item.unit.language for item in queue)),
                    **Counter(item.kind for item in queue),
                    "hours": round(len(queue) * self.seconds / 3600, 2),
                }
                for name, queue in self.queues.items()
            },
        }


@dataclass(frozen=True)
class CreatedCampaign:
    """What became of a request. `new` says whether there was no such campaign before.

    `codes` are the reviewers' new codes. They are not kept anywhere else.
    """

    planned: PlannedCampaign
    new: bool
    codes: dict[str, str]


def plan_campaign(engine: Engine, request: CampaignRequest) -> PlannedCampaign:
    """What a campaign would be. Nothing is written. Raises `UsageError` as `create_campaign` does."""
    with reading(engine) as session:
        return _planned(session, request)


def create_campaign(engine: Engine, request: CampaignRequest) -> CreatedCampaign:
    """Write a campaign. When the same campaign is there already, nothing is written.

    Raises `UsageError` when there is nothing to score, when the plan can't be met, and when there is another
    campaign with this name.
    """
    with record_run(engine, "xlit-core campaign create", {"name": request.name}) as run:
        with writing(engine) as session:
            planned = _planned(session, request)
            rubric = rubrics.default_rubric_id(session)
            campaign = campaigns.find_campaign(session, request.name)
            if campaign is not None and (campaign.digest, campaign.blind, campaign.reveal) != (
                planned.digest, request.blind, request.reveal,
            ):  # fmt: skip
                raise UsageError(
                    f"There is another campaign named {request.name!r}, made with another plan or from other "
                    "responses. Give this one another name."
                )
            if campaign is None:
                campaign_id = campaigns.add_campaign(
                    session, name=request.name, rubric_id=rubric, seed=planned.plan.seed, blind=request.blind,
                    reveal=request.reveal, plan=planned.plan.as_dict(), digest=planned.digest, run_id=run.id,
                )  # fmt: skip
                _assign(session, campaign_id, planned.queues)
            new_codes = give_codes(session, list(planned.queues)) if request.codes else {}
            notes = case_notes(session, planned.queues)
        run.note("plan", planned.plan.as_dict())
        run.count("assignments", sum(len(queue) for queue in planned.queues.values()))
        run.idle = campaign is not None and not new_codes
    for note in notes:
        say(note)
    return CreatedCampaign(planned, campaign is None, new_codes)


def give_codes(session: Session, names: Sequence[str]) -> dict[str, str]:
    """A new code for each of these people who has none. Only its hash is kept, so that it can't be read
    again."""
    new_codes = {}
    for name in names:
        if code_of(session, name) is None:
            new_codes[name] = new_code()
            give_code(session, raters.rater_id(session, "human", name), new_codes[name])
    return new_codes


def _planned(session: Session, request: CampaignRequest) -> PlannedCampaign:
    if not request.name:
        raise UsageError("A campaign needs a name.")
    if request.reveal and not request.blind:
        raise UsageError("--open shows everything from the start: leave out --reveal.")
    chosen = [suites.find_suite(session, label) for label in request.suites] or suites.list_suites(session)
    candidates_found = campaigns.candidates(
        session, [suite.id for suite in chosen], request.languages or None, request.models or None
    )
    if not candidates_found:
        raise UsageError(
            "The store holds no responses that fit: see --suite, --lang and --model, and `xlit-core status`."
        )
    models_there = {candidate.model for candidate in candidates_found}
    missing = [name for name in request.models if name not in models_there]
    if missing:
        names = sorted(
            {
                candidate.model
                for candidate in campaigns.candidates(session, [candidate.id for candidate in chosen])
            }
        )
        raise UsageError(f"No responses of a model {missing[0]!r} to score. There are: {', '.join(names)}.")
    languages = tuple(request.languages) or tuple(
        sorted({candidate.language for candidate in candidates_found})
    )
    plan = CampaignPlan(
        suites=tuple(sorted({candidate.suite for candidate in candidates_found})),
        languages=languages,
        models=tuple(sorted(models_there)),
        reviewers=read_reviewers(request.reviewers, languages),
        **request.options,
    )
    check_plan(plan)
    if request.reveal and (plan.repeats or plan.checks):
        raise UsageError(
            "--reveal shows after each response what the judges said: repeats and checks would then measure "
            "memory. Leave out one or the other."
        )
    units = sample_units(candidates_found, plan)
    known: list[ReadingUnit] = []
    if plan.checks:
        # Checks are drawn from all responses, whatever their model or instruction.
        all_candidates = campaigns.candidates(session, [candidate.id for candidate in chosen], languages)
        rated = campaigns.scored_by(
            session, raters.ids_named(session, plan.known), [candidate.id for candidate in chosen]
        )
        known = group_into_units(candidate for candidate in all_candidates if candidate.response_id in rated)
    seconds = campaigns.looking_seconds(session)
    queues = assign_queues(units, known, plan)
    return PlannedCampaign(plan, units, queues, seconds or SECONDS_A_RESPONSE, seconds is not None)


def _assign(session: Session, campaign_id: int, queues: Queues) -> None:
    assignments = []
    for name, queue in queues.items():
        first = raters.rater_id(session, "human", name)
        repeat_rater = None
        for position, item in enumerate(queue, start=1):
            if item.kind == "repeat" and repeat_rater is None:
                repeat_rater = raters.rater_id(session, "human", name, repeat_version("", 2))
            assignments += [
                {
                    "campaign_id": campaign_id,
                    "reviewer_id": first,
                    "rater_id": repeat_rater if item.kind == "repeat" else first,
                    "response_id": response.response_id,
                    "position": position,
                    "kind": item.kind,
                }
                for response in item.unit.responses
            ]
    campaigns.add_assignments(session, assignments)


def _by_language(units: Sequence[ReadingUnit]) -> dict[str, list[ReadingUnit]]:
    by_language: dict[str, list[ReadingUnit]] = {}
    for unit in units:
        by_language.setdefault(unit.language, []).append(unit)
    return by_language


def paper_plan(options: dict[str, Any], sample: int) -> dict[str, Any]:
    """The options of a plan, with those of the paper where none are given.

    Raises `UsageError` without a main model.
    """
    if options.get("main") is None:
        raise UsageError(
            "The paper's plan has a main model, all of whose answers are scored: add --main MODEL."
        )
    chosen = any(options.get(name) is not None for name in ("sample", "per_task", "keys"))
    return options if chosen else {**options, "sample": sample}
