"""Counting the deaths of workers, so that what kills each of its workers is given up some time.

Ray starts a dead worker again and repeats what it was at, for ever: what it lacks is a memory of it.
"""

from collections import Counter
from collections.abc import Sequence


class Deaths:
    """Remembers, outside of the workers, what each of them has begun and not ended.

    A worker that begins anew what it has not ended has died of it, or has been killed meanwhile. The end of
    something, by any worker, shows that it can be done.
    """

    def __init__(self) -> None:
        self._open: set[tuple[str, str]] = set()
        self._deaths: Counter[str] = Counter()

    def begin(self, worker: str, names: Sequence[str]) -> int:
        """Returns how often, at the most, workers have died of one of these without an end in between."""
        for name in names:
            self._deaths[name] += (worker, name) in self._open
            self._open.add((worker, name))
        return max(self._deaths[name] for name in names)

    def end(self, worker: str, names: Sequence[str]) -> None:
        for name in names:
            self._open.discard((worker, name))
            del self._deaths[name]
