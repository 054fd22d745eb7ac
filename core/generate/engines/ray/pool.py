"""Answers from engines that are spread over a Ray cluster (Ray Data, https://docs.ray.io/en/latest/data/data.html)."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import count, groupby
from types import TracebackType
from typing import Any, Self

from core.generate.decoding import Decoding
from core.generate.engines.base import Failed, Generation, Request
from core.generate.engines.ray.actor import Answerer, CrashCounter, read_outcomes
from core.generate.engines.ray.cluster import joined, share_out
from core.generate.queue import Item
from core.generate.settings import EngineOptions, ModelSource, RaySettings
from core.progress import say
from store import XlitError

# A block is answered whole before its answers come back, and repeated whole when its worker is killed; at its
# end an engine runs out of requests to fill its batch with. So many batches are the most.
BATCHES_IN_BLOCK = 4


class RayPool:
    """A cluster whose actors hold an engine each, for the length of a `with` block.

    xlit must be installed on every node, and each checkpoint be at the same path there, or be the name of a
    model on the hub. Requests and answers cross as plain rows; nothing but this process sees the store.

    A worker that dies is started again and repeats the block that it was at; a block, or a model, that its
    workers die of each time (`core.generate.engines.ray.actor.MOST_CRASHES`) comes to failures.
    """

    def __init__(
        self,
        sources: Sequence[ModelSource],
        names: Sequence[str],
        decoding: Decoding,
        options: EngineOptions,
        settings: RaySettings,
    ) -> None:
        """`names`: of the sources' engines."""
        self._sources = [
            replace(source, engine=name, description={}) for source, name in zip(sources, names, strict=True)
        ]
        self._decoding, self._options, self._settings = decoding, options, settings
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Raises `XlitError` when there is no such cluster, or when it has no room for an actor."""
        with self._stack as stack:
            say("Starting Ray ..." if self._settings.address is None else "Joining the Ray cluster ...")
            stack.enter_context(joined(self._settings.address))
            import ray

            nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
            self._share = share = share_out(nodes, self._settings)
            each = f"{share.cpus:g} CPUs" + (f" and {share.gpus:g} GPUs" if share.gpus else "")
            say(f"Engines on the cluster: {share.actors}, with {each} each.")
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def stream(self, requests: Iterable[tuple[Item, Request]]) -> Iterator[tuple[Item, Generation | Failed]]:
        """One outcome for each request, in any order, as blocks of them finish; all requests are taken at
        once. Raises `XlitError` when the cluster breaks down."""
        pending = sorted(requests, key=lambda pair: pair[0].task.source)
        waiting = {index: item for index, (item, _) in enumerate(pending)}
        if not pending:
            return
        try:
            for index, outcome in self._outcomes(pending):
                if (item := waiting.pop(index, None)) is not None:
                    yield item, outcome
        except XlitError:
            raise
        except Exception as error:  # of Ray, of its workers, of what xlit lacks there
            raise XlitError(f"The Ray cluster has broken down: {_cause(error)}") from error
        for item in waiting.values():
            yield item, Failed("the cluster brought no answer back")

    def _outcomes(self, pending: Sequence[tuple[Item, Request]]) -> Iterator[tuple[int, Generation | Failed]]:
        import pyarrow
        import ray

        share = self._share
        # It needs no CPU of its own. Should it die itself, deaths are counted from nothing again.
        crashes = ray.remote(CrashCounter).options(num_cpus=0, max_restarts=-1, max_task_retries=-1).remote()
        size = block_size(len(pending), share.actors, self._options.batch_size)
        answered = ray.data.from_arrow([pyarrow.table(row) for row in blocks(pending, size)]).map_batches(
            Answerer,
            batch_size=1,
            batch_format="numpy",
            compute=ray.data.ActorPoolStrategy(size=share.actors, max_tasks_in_flight_per_actor=1),
            num_cpus=share.cpus,
            num_gpus=share.gpus or None,
            fn_constructor_args=(self._sources, self._decoding, self._options, crashes),
        )
        for block in answered.iter_batches(batch_size=None, prefetch_batches=0, batch_format="numpy"):
            for text in block["outcomes"]:
                yield from read_outcomes(str(text))


def block_size(requests: int, actors: int, batch_size: int) -> int:
    """How many requests an actor gets at a time: enough to fill an engine's batch several times over, and yet
    several blocks for each actor; few requests are shared equally."""
    equal = -(-requests // actors)
    return max(1, min(equal, max(batch_size, min(equal // 4, BATCHES_IN_BLOCK * batch_size))))


def blocks(pending: Sequence[tuple[Item, Request]], size: int) -> Iterator[dict[str, list[Any]]]:
    """The requests, `size` at a time and each time of one source, as tables of one row as `Answerer` takes
    them. A request's index is that in the sequence."""
    numbers = count()
    for source, numbered in groupby(enumerate(pending), key=lambda row: row[1][0].task.source):
        rows = [(index, request.chat, request.seed) for index, (_, request) in numbered]
        for start in range(0, len(rows), size):
            part = json.dumps(rows[start : start + size])
            yield {"block": [next(numbers)], "source": [source], "requests": [part]}


def _cause(error: Exception) -> str:
    """The line of a message that names an error: Ray puts a traceback before it and advice after it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    error_lines = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b.*: ", line)]
    cause = (error_lines or lines)[-1][:300]
    return f"{cause}. xlit must be installed on every node." if "No module named" in cause else cause
