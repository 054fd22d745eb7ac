"""How long to wait before a server is asked again."""

import random


def jittered(tries: int, first: float, longest: float) -> float:
    """The seconds to wait after so many tries: `first`, doubled for each further one up to `longest`, and by
    chance up to a half less, so that all who wait don't come back at once."""
    return min(longest, first * 2 ** min(tries - 1, 30)) * random.uniform(0.5, 1)
