"""Learning-rate schedules: the share of the peak rate at a step. A step alone decides, so resuming is
exact."""

import math
from typing import Literal, cast, get_args

from store import UsageError

Schedule = Literal["constant", "linear", "linear_to_tenth", "cosine", "inverse_sqrt"]


def known_schedule(name: str) -> Schedule:
    """The schedule of this name; raises `UsageError` that lists what there is."""
    if name not in get_args(Schedule):
        raise UsageError(f"No schedule {name!r}. There are: {', '.join(get_args(Schedule))}.")
    return cast(Schedule, name)


def learning_rate_factor(
    schedule: Schedule, step: int, *, steps: int, warmup: int = 0, timescale: int = 100
) -> float:
    """The share of the peak learning rate for update `step`, counted from 0, of `steps`.

    The rate rises linearly over `warmup` updates. After that: `constant`; `linear` to 0, `linear_to_tenth` to
    a tenth, `cosine` to 0, each at the end of the run; `inverse_sqrt` is 1/sqrt(1 + t/timescale) after t
    updates, so that it has fallen to 1/sqrt(2) after `timescale` of them.
    """
    if step < warmup:
        return step / warmup
    done = step - warmup
    part = done / max(1, steps - warmup)
    if schedule == "linear":
        return 1 - part
    if schedule == "linear_to_tenth":
        return 1 - 0.9 * part
    if schedule == "cosine":
        return (1 + math.cos(math.pi * part)) / 2
    if schedule == "inverse_sqrt":
        return 1 / math.sqrt(1 + done / timescale)
    return 1.0
