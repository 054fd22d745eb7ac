"""What an actor on a cluster does: it holds an engine, and answers one block of requests after another.

Crashes of workers are counted outside of them, so that what kills each of its workers is given up some time:
Ray starts a dead worker again and repeats what it was at, for ever, as it has no memory of it.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from core.generate.decoding import Decoding
from core.generate.engines.base import Failed, Generation, Request, TextEngine
from core.generate.engines.registry import EnginePool, Prepared, prepare
from core.generate.loop import reason_of
from core.generate.settings import EngineOptions, ModelSource
from store import XlitError


class CrashCounter:
    """Counts crashes of workers by block and by model; it lives outside of the workers.

    A worker that begins a block again without having ended it has crashed on it, or was killed meanwhile.
    When any worker ends a block, its count is reset: it can be done.
    """

    def __init__(self) -> None:
        self._open: set[tuple[str, str]] = set()
        self._crashes: Counter[str] = Counter()

    def begin(self, worker: str, names: Sequence[str]) -> int:
        """Note that a worker begins some things; returns the largest number of crashes since one of them was
        last ended."""
        for name in names:
            self._crashes[name] += (worker, name) in self._open
            self._open.add((worker, name))
        return max(self._crashes[name] for name in names)

    def end(self, worker: str, names: Sequence[str]) -> None:
        for name in names:
            self._open.discard((worker, name))
            del self._crashes[name]


# A block, or a model, of which so many workers have died without an end is given up.
MOST_CRASHES = 5
GIVEN_UP = f"its worker died of it, or was killed, {MOST_CRASHES} times over: most likely it is out of memory"

Result = Generation | Failed


class Answerer:
    """Answers blocks, each of one model, with the engine of the model that it worked on last."""

    def __init__(
        self,
        sources: Sequence[ModelSource],
        decoding: Decoding,
        options: EngineOptions,
        crashes: Any,
    ) -> None:
        """`crashes`: the handle of an actor that is `core.generate.engines.ray.actor.CrashCounter`."""
        self._sources, self._decoding, self._options, self._crashes = sources, decoding, options, crashes
        self._pool = EnginePool()
        self._prepared: dict[int, Prepared] = {}
        self._closed: dict[int, str] = {}

    def __call__(self, block: dict[str, Sequence[Any]]) -> dict[str, list[str]]:
        """A row `block` (its number), `source` and `requests` (JSON: a list of index, chat and seed) as a row
        `outcomes` (JSON: a list of index and outcome, one for each request)."""
        (number,), (source,), (requests_json,) = block["block"], block["source"], block["requests"]
        requests = {index: Request(chat, seed) for index, chat, seed in json.loads(str(requests_json))}
        names = [f"block {number}", f"model {source}"]
        if self._count("begin", names) >= MOST_CRASHES:
            outcomes: dict[int, Result] = dict.fromkeys(requests, Failed(GIVEN_UP))
        else:
            outcomes = self._outcomes(int(source), requests)
            self._count("end", names)
        return {"outcomes": [json.dumps([(index, asdict(result)) for index, result in outcomes.items()])]}

    def _count(self, event: str, names: list[str]) -> Any:
        import ray

        worker = ray.get_runtime_context().get_actor_id()
        return ray.get(getattr(self._crashes, event).remote(worker, names))

    def _outcomes(self, source: int, requests: dict[int, Request]) -> dict[int, Result]:
        outcomes: dict[int, Result] = {}
        reason = "the engine gave no answer"
        try:
            engine = self._engine(source)
            for index, outcome in engine.stream(requests.items()):
                outcomes[index] = outcome
        except Exception as error:  # of any engine; the next block gets a fresh one
            reason = _one_line(error)
            self._pool.close()
        return {index: outcomes.get(index, Failed(reason)) for index in requests}

    def _engine(self, source: int) -> TextEngine:
        """Raises `XlitError` when the model can't be opened; it is not tried again then."""
        if source in self._closed:
            raise XlitError(self._closed[source])
        try:
            if source not in self._prepared:
                self._prepared[source] = prepare(self._sources[source], self._decoding, self._options)
            return self._pool.engine(self._prepared[source])
        except Exception as error:
            self._closed[source] = _one_line(error)
            raise


def read_outcomes(text: str) -> Iterator[tuple[int, Result]]:
    """What `Answerer` has written as `outcomes`."""
    for index, fields in json.loads(text):
        yield index, Failed(**fields) if "reason" in fields else Generation(**fields)


def _one_line(error: Exception) -> str:
    return str(error) if isinstance(error, XlitError) else reason_of(error)
