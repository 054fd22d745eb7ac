"""The time of requests that overlap, divided among them."""

import time


class Shares:
    """While `n` requests are on their way, each is given 1/n of the wall-clock time, so that all shares add
    up to it."""

    def __init__(self) -> None:
        self._each = 0.0  # seconds that a request on its way from the start would have been given
        self._since = time.monotonic()
        self._running = 0

    def begin(self) -> float:
        """A request sets out; returns its ticket for `end`."""
        self._pass()
        self._running += 1
        return self._each

    def end(self, ticket: float) -> float:
        """A request has ended; returns its share in seconds."""
        self._pass()
        self._running -= 1
        return self._each - ticket

    def _pass(self) -> None:
        now = time.monotonic()
        if self._running:
            self._each += (now - self._since) / self._running
        self._since = now
