"""What the sections on scores have in common: cells of means, names, and how intervals were made."""

import re
from collections.abc import Sequence

from core.analysis.means import Mean
from core.analysis.scores import Scores
from core.report.document import Cell
from store.labels import model_labels

NOT_SCORED = "not scored, or only in the wrong language"

WRONG_LANGUAGE = (
    "For every criterion but language, a response is left out where the same rater gave language 0 "
    "(the paper, section 4)."
)


def mean_cell(mean: Mean | None, why: str = NOT_SCORED, *, best: bool = False) -> Cell:
    """A mean with its interval and n; without one, `why`."""
    if mean is None:
        return Cell(None, why=why)
    return Cell(mean.value, mean.low, mean.high, mean.n, best=best)


def dot(mean: Mean | None) -> tuple[float, float | None, float | None] | None:
    """A mean as charts take it."""
    return None if mean is None else (mean.value, mean.low, mean.high)


def best_of(means: Sequence[Mean | None]) -> float | None:
    """The highest value of several that are not all alike; None of fewer than two."""
    values = [mean.value for mean in means if mean is not None]
    return max(values) if len(set(values)) > 1 else None


def how_drawn(number: int, seed: int) -> str:
    """How the intervals come about."""
    return (
        f"95% intervals are percentile intervals of a bootstrap over instructions ({number:,} resamples, "
        f"seed {seed}): all translations of an instruction, and all responses to it, are drawn together. "
        "What comes from one instruction alone has none."
    )


def model_names(scored: Scores) -> tuple[str, ...]:
    """The models' names, in the order of `scored.sources`."""
    return tuple(model_labels(scored.sources))


def nothing_scored(scored: Scores) -> tuple[str, ...]:
    """Sentences for a suite without responses or without scores; none where there are both."""
    if not scored.responses:
        return (
            f"There is no response to {scored.suite} yet: `xlit-core generate` or `xlit-core import` brings "
            "some.",
        )
    if not scored.raters:
        return (
            f"Nobody has scored a response to {scored.suite} on this rubric yet: `xlit-tui` for people, "
            "`xlit-core judge rubric` for an LLM.",
        )
    return ()


def slug(name: str, otherwise: str) -> str:
    """A name for files: small letters, digits and hyphens; `otherwise` when nothing is left of it."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].strip("-") or otherwise
