"""How long a database may be silent before a wait for it ends.

PostgreSQL's own limits (`statement_timeout`) are kept by the server, and a server that hangs keeps none; so
the limit is kept on this side, between two looks at the connection.
"""

import threading
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from psycopg import Connection

# PostgreSQL's client library takes anything below this for this.
_LEAST_CONNECT_SECONDS = 2
_LOOK_SECONDS = 0.1


class TimeLimit:
    """A number of seconds for every statement of a store; it can be made shorter while one is waited for."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._shortened_at = float("-inf")

    def shorten(self, seconds: float) -> None:
        """From now on every wait ends after this long, those that have begun as well."""
        self.seconds = min(self.seconds, seconds)
        self._shortened_at = time.monotonic()

    def is_over(self, begun: float) -> bool:
        """Whether a wait that began at this time (of `time.monotonic`) has lasted long enough."""
        return time.monotonic() - max(begun, self._shortened_at) >= self.seconds

    @property
    def connect_seconds(self) -> int:
        """How long opening a connection may take, as PostgreSQL's `connect_timeout` wants it."""
        return max(_LEAST_CONNECT_SECONDS, round(self.seconds))


def connect_within(limit: TimeLimit, arguments: Any, options: dict[str, Any]) -> "Connection[Any]":
    """A connection of psycopg (opened with `arguments` and `options`) each of whose waits keeps the limit.

    A wait that does not raises `psycopg.OperationalError`, and the connection is closed: what was asked last
    may have been done or not, and a later answer to it must not be taken for the answer to something else.
    """
    import psycopg

    class LimitedConnection(psycopg.Connection[Any]):
        def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
            return super().wait(cast(Any, self._limited(gen)), *args, **kwargs)

        def _limited(self, gen: Any) -> Generator[Any, Any, Any]:
            begun = time.monotonic()
            try:
                wanted = next(gen)
                while True:
                    ready = yield wanted
                    # Nothing is ready each time that psycopg has waited a tenth of a second.
                    if not ready and limit.is_over(begun):
                        self.pgconn.finish()
                        seconds = time.monotonic() - begun
                        raise psycopg.OperationalError(f"the database has not answered for {seconds:.0f} s")
                    wanted = gen.send(ready)
            except StopIteration as ended:
                return ended.value

    options = {"connect_timeout": limit.connect_seconds, **options}

    def connect() -> psycopg.Connection[Any]:
        return LimitedConnection.connect(*arguments, **options)

    return _opened_within(limit, connect)


def _opened_within(limit: TimeLimit, connect: Callable[[], "Connection[Any]"]) -> "Connection[Any]":
    """What `connect` returns or raises. It runs on a thread that nobody waits for when the limit is over, not
    even the program's end: the library's own limit is not shortened once it waits."""
    import psycopg

    begun, ended, given_up = time.monotonic(), threading.Event(), threading.Event()
    opened: list[Connection[Any]] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            opened.append(connect())
            if given_up.is_set():
                opened[0].close()
        except Exception as error:
            errors.append(error)
        ended.set()

    threading.Thread(target=run, daemon=True, name="connect").start()
    while not ended.wait(_LOOK_SECONDS):
        if limit.is_over(begun):
            given_up.set()
            seconds = time.monotonic() - begun
            raise psycopg.OperationalError(f"the database can't be reached: no answer for {seconds:.0f} s")
    if errors:
        raise errors[0]
    return opened[0]
