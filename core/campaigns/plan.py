"""The parameters of a campaign's plan, and the order by which everything in it is drawn and shuffled."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from store.errors import UsageError
from store.names import trimmed

# The paper (arXiv 2402.14778, section 4): in every language 30 instructions answered by all models, and all
# other responses of the main model.
PAPER_SAMPLE = 30
MIN_GAP = 20


@dataclass(frozen=True)
class Reviewer:
    """A person who scores `languages` in this order. None given means all languages of the plan."""

    name: str
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class CampaignPlan:
    """Which responses are scored, by whom, and how often.

    `suites` (labels), `languages` and `models` (names) say which responses there are to choose from. One of
    three options chooses the instructions in each language: `sample` is their number in all, spread over the
    tasks in proportion; `per_task` is their number in each task; `keys` names them. Without any of the three
    all instructions are taken. Every model's responses to these are scored, and of the model `main` all
    responses.

    `overlap` reviewers score each response. Every reviewer scores `repeats` of the own responses a second
    time, at least `min_gap` items later, and `checks` responses whose scores are known from the rater
    `known`.
    """

    suites: tuple[str, ...]
    languages: tuple[str, ...]
    models: tuple[str, ...]
    reviewers: tuple[Reviewer, ...]
    seed: int = 1
    sample: int | None = None
    per_task: int | None = None
    keys: tuple[str, ...] | None = None
    main: str | None = None
    overlap: int = 1
    repeats: int = 0
    min_gap: int = MIN_GAP
    checks: int = 0
    known: str = "known-answers"

    def as_dict(self) -> dict[str, Any]:
        """The plan as it is kept in the store, where `min_gap` is called `apart`."""
        return {"apart" if name == "min_gap" else name: value for name, value in asdict(self).items()}


def check_plan(plan: CampaignPlan) -> None:
    """Raises `UsageError` for a plan that makes no sense, whatever the store holds."""
    if not plan.reviewers:
        raise UsageError("Nobody is named to score: add --reviewer NAME or NAME:LANG,LANG.")
    names = [reviewer.name for reviewer in plan.reviewers]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise UsageError(
            f"Reviewer {repeated!r} is named twice. Give all languages at once: {repeated}:fr,de."
        )
    ways = {"--sample": plan.sample, "--per-task": plan.per_task, "--keys": plan.keys}
    chosen = [option for option, value in ways.items() if value is not None]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} are two ways to choose instructions: give one.")
    if plan.main is not None and plan.main not in plan.models:
        raise UsageError(f"No model {plan.main!r} among these responses. There are: {_listed(plan.models)}.")
    for option, value, least in (
        ("--sample", plan.sample, 1), ("--per-task", plan.per_task, 1), ("--overlap", plan.overlap, 1),
        ("--repeats", plan.repeats, 0), ("--apart", plan.min_gap, 1), ("--checks", plan.checks, 0),
    ):  # fmt: skip
        if value is not None and value < least:
            raise UsageError(f"{option} {value}: it is at least {least}.")


def read_reviewers(values: Sequence[str], languages: Sequence[str]) -> tuple[Reviewer, ...]:
    """The reviewers that a command names, each as `NAME` or `NAME:LANG,LANG`.

    Raises `UsageError` for an empty name and for a language that is not in the plan.
    """
    reviewers = []
    for value in values:
        name, _, codes = value.partition(":")
        chosen = tuple(dict.fromkeys(code.strip() for code in codes.split(",") if code.strip()))
        name = trimmed(name)
        if not name:
            raise UsageError(f"--reviewer {value!r} has no name. Give NAME or NAME:LANG,LANG.")
        for code in chosen:
            if code not in languages:
                raise UsageError(
                    f"--reviewer {value!r}: there are no responses in {code!r} to score. "
                    f"Languages: {_listed(languages)}."
                )
        reviewers.append(Reviewer(name, chosen))
    return tuple(reviewers)


def rank(seed: int, *parts: Any) -> bytes:
    """The sort key of a thing in a shuffled order: the SHA-256 of the seed and of what the thing is.

    Every machine, and every store with the same content, therefore finds the same order.
    """
    content = json.dumps([seed, *parts], ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
