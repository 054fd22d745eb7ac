"""Which responses a campaign is about: instructions are drawn by task, and responses that read the same
become one unit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from core.campaigns.plan import CampaignPlan, rank
from store.errors import UsageError
from store.queries.campaigns import Candidate

Key = tuple[str, str]
"""An instruction in all its languages: suite and key."""


@dataclass(frozen=True)
class ReadingUnit:
    """Responses to one instruction that read the same. They are read once and scored together."""

    responses: tuple[Candidate, ...]

    @property
    def language(self) -> str:
        return self.responses[0].language

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What is read, whatever model wrote it: suite, key, language, digest of the text."""
        first = self.responses[0]
        return first.suite, first.key, first.language, first.text_digest


def sample_units(candidates: Sequence[Candidate], plan: CampaignPlan) -> list[ReadingUnit]:
    """The units that a plan wants scored, by suite, key, language and text.

    Raises `UsageError` when the plan wants more instructions than a language has, or names one that is not
    there.
    """
    wanted: list[Candidate] = []
    for language in plan.languages:
        in_language = [candidate for candidate in candidates if candidate.language == language]
        if not in_language:
            raise UsageError(f"No responses in {language!r} to score. Leave it out of --lang.")
        keys = _keys(in_language, language, plan)
        wanted += [
            candidate
            for candidate in in_language
            if (candidate.suite, candidate.key) in keys or candidate.model == plan.main
        ]
    return group_into_units(wanted)


def group_into_units(responses: Iterable[Candidate]) -> list[ReadingUnit]:
    """Responses grouped where they read the same. The order does not depend on row numbers."""
    groups: dict[tuple[str, str, str, str], list[Candidate]] = {}
    for response in responses:
        groups.setdefault((response.suite, response.key, response.language, response.text_digest), []).append(
            response
        )
    return [
        ReadingUnit(tuple(sorted(same, key=lambda response: response.identity)))
        for _, same in sorted(groups.items())
    ]


def _keys(candidates: Sequence[Candidate], language: str, plan: CampaignPlan) -> set[Key]:
    tasks: dict[str, set[Key]] = {}
    for candidate in candidates:
        tasks.setdefault(candidate.task or "", set()).add((candidate.suite, candidate.key))
    all_keys = {key for keys in tasks.values() for key in keys}
    if plan.keys is not None:
        return _keys_named(all_keys, plan.keys, language)
    if plan.sample is None and plan.per_task is None:
        return all_keys
    # The language is no part of the rank, so that the same keys are drawn where all languages have the same.
    shuffled = {
        task: sorted(keys, key=lambda key: rank(plan.seed, "instruction", *key))
        for task, keys in sorted(tasks.items())
    }
    if plan.per_task is not None:
        counts = dict.fromkeys(shuffled, plan.per_task)
        short = [task for task, keys in shuffled.items() if len(keys) < plan.per_task]
        if short:
            raise UsageError(
                f"{language}: task {short[0]!r} has {len(shuffled[short[0]])} instructions with responses, "
                f"--per-task wants {plan.per_task}."
            )
    else:
        sample = plan.sample or 0
        if sample > len(all_keys):
            raise UsageError(
                f"{language} has {len(all_keys)} instructions with responses, --sample wants {sample}."
            )
        counts = proportional_counts({task: len(keys) for task, keys in shuffled.items()}, sample, plan.seed)
    return {key for task, keys in shuffled.items() for key in keys[: counts[task]]}


def _keys_named(all_keys: set[Key], names: Sequence[str], language: str) -> set[Key]:
    known = {key for _, key in all_keys}
    missing = [name for name in names if name not in known]
    if missing:
        raise UsageError(
            f"{language} has no responses to the instruction {missing[0]!r} that --keys names"
            + (f" (and to {len(missing) - 1} more)." if len(missing) > 1 else ".")
        )
    return {key for key in all_keys if key[1] in names}


def proportional_counts(sizes: Mapping[str, int], total: int, seed: int) -> dict[str, int]:
    """`total` things drawn from groups of these sizes in proportion, as whole numbers.

    The largest remainders get what is left (Hare's quota); between equal remainders the seed decides.
    """
    size_of_all = sum(sizes.values())
    shares = {name: Fraction(total * size, size_of_all) for name, size in sizes.items()}
    counts = {name: int(share) for name, share in shares.items()}
    left = total - sum(counts.values())
    by_remainder = sorted(shares, key=lambda name: (counts[name] - shares[name], rank(seed, "task", name)))
    for name in by_remainder[:left]:
        counts[name] += 1
    return counts
