"""Who scores which responses, and in which order: balanced, shuffled for every reviewer, and always the same
for a seed."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.campaigns.plan import CampaignPlan, Reviewer, rank
from core.campaigns.sampling import ReadingUnit
from store.errors import UsageError


@dataclass(frozen=True)
class AssignedUnit:
    """One item of a reviewer's queue: what is read, and as what (see `store.tables.Assignment.kind`)."""

    unit: ReadingUnit
    kind: str = "normal"


Queues = dict[str, list[AssignedUnit]]
"""What every reviewer (by name) reads, in order."""


def assign_queues(units: Sequence[ReadingUnit], known: Sequence[ReadingUnit], plan: CampaignPlan) -> Queues:
    """The queues of the plan's reviewers. `known` are the units whose scores are known.

    Every unit goes to the `plan.overlap` reviewers of its language who have least so far. Units are assigned
    model by model, so that all reviewers have about the same number of them and the same mix of models.
    Raises `UsageError` when a language has too few reviewers, or when a queue is too short for its repeats
    and checks.
    """
    shares = _shares(units, plan)
    queues: Queues = {}
    for reviewer in plan.reviewers:
        items = [AssignedUnit(unit) for unit in shares[reviewer.name]]
        items += [AssignedUnit(unit, "check") for unit in _checks(reviewer, items, known, plan)]
        queues[reviewer.name] = _with_repeats(reviewer, _shuffled(reviewer, items, plan), plan)
    return queues


def _spoken(reviewer: Reviewer, plan: CampaignPlan) -> tuple[str, ...]:
    return reviewer.languages or plan.languages


def _shares(units: Sequence[ReadingUnit], plan: CampaignPlan) -> dict[str, list[ReadingUnit]]:
    shares: dict[str, list[ReadingUnit]] = {reviewer.name: [] for reviewer in plan.reviewers}
    speakers = {
        language: [reviewer.name for reviewer in plan.reviewers if language in _spoken(reviewer, plan)]
        for language in plan.languages
    }
    for language, names in speakers.items():
        if len(names) < plan.overlap:
            raise UsageError(
                f"{language} is read by {', '.join(names) or 'nobody'}, and {plan.overlap} shall score every "
                f"response. Add --reviewer NAME:{language}."
            )
    # The languages with the fewest reviewers come first, so that who reads several gets less of the others.
    for language in sorted(plan.languages, key=lambda code: (len(speakers[code]), code)):
        in_language = [unit for unit in units if unit.language == language]
        in_language.sort(key=lambda unit: (unit.responses[0].model, rank(plan.seed, "turn", *unit.identity)))
        for unit in in_language:

            def turn(name: str, unit: ReadingUnit = unit) -> tuple[int, bytes]:
                return len(shares[name]), rank(plan.seed, "reviewer", name, *unit.identity)

            for name in sorted(speakers[language], key=turn)[: plan.overlap]:
                shares[name].append(unit)
    return shares


def _checks(
    reviewer: Reviewer, items: Sequence[AssignedUnit], known: Sequence[ReadingUnit], plan: CampaignPlan
) -> list[ReadingUnit]:
    """The checks of a reviewer: the same for all reviewers of a language, but for units that are in the own
    queue anyway."""
    if not plan.checks:
        return []
    own = {item.unit.identity for item in items}
    spoken = {item.unit.language for item in items}
    free = [unit for unit in known if unit.language in spoken and unit.identity not in own]
    if len(free) < plan.checks:
        raise UsageError(
            f"{reviewer.name} can be given {len(free)} responses whose scores are known from {plan.known!r}, "
            f"--checks wants {plan.checks}. `xlit-core judge rules` scores responses to instructions with a "
            "known answer; --known names another rater."
        )
    return sorted(free, key=lambda unit: rank(plan.seed, "check", *unit.identity))[: plan.checks]


def _shuffled(reviewer: Reviewer, items: Sequence[AssignedUnit], plan: CampaignPlan) -> list[AssignedUnit]:
    """The items, one language after the other in the reviewer's order, and shuffled within each language."""
    order = {language: number for number, language in enumerate(_spoken(reviewer, plan))}
    return sorted(
        items,
        key=lambda item: (
            order[item.unit.language],
            rank(plan.seed, "place", reviewer.name, *item.unit.identity),
        ),
    )


def _with_repeats(reviewer: Reviewer, items: list[AssignedUnit], plan: CampaignPlan) -> list[AssignedUnit]:
    """The queue with some of its units a second time, within the same language.

    A repeat that is inserted before position j of the queue without repeats comes at least j - i items after
    position i, because other repeats can only move it further back.
    """
    if not plan.repeats:
        return items
    ends = {item.unit.language: number + 1 for number, item in enumerate(items)}
    early = [
        number
        for number, item in enumerate(items)
        if item.kind == "normal" and number + plan.min_gap <= ends[item.unit.language]
    ]
    if len(early) < plan.repeats:
        raise UsageError(
            f"{reviewer.name} reads {len(items)} responses; {len(early)} of them come at least "
            f"{plan.min_gap} places before the last of their language, and --repeats wants {plan.repeats}. "
            "Give fewer, or less --apart."
        )

    def drawn(number: int) -> bytes:
        return rank(plan.seed, "repeat", reviewer.name, *items[number].unit.identity)

    before: dict[int, list[AssignedUnit]] = {}
    for number in sorted(early, key=drawn)[: plan.repeats]:
        unit = items[number].unit
        first, last = number + plan.min_gap, ends[unit.language]
        position = first + int.from_bytes(drawn(number)[-8:], "big") % (last - first + 1)
        before.setdefault(position, []).append(AssignedUnit(unit, "repeat"))
    queue: list[AssignedUnit] = []
    for number in range(len(items) + 1):
        queue += before.get(number, [])
        queue += items[number : number + 1]
    return queue
