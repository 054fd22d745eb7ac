"""The queue of answers that are left to make: its units, claims and the lease on the claims."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from core.generate.counters import AnswerCounter
from core.generate.decoding import Decoding
from core.generate.engines.base import Chat, Request
from store.process import this_process
from store.provenance import RunRecord
from store.queries import claims
from store.session import reading, writing
from store.tables import Instruction


@dataclass(frozen=True, eq=False)
class Unit:
    """One answer to one instruction. `sample` numbers the answers to the same instruction, from 0."""

    instruction_id: int
    language: str
    key: str
    chat: Chat
    sample: int = 0

    @property
    def label(self) -> str:
        """The unit's name in messages: `ru/k7`, and for its second sample `ru/k7#2`."""
        return f"{self.language}/{self.key}" + (f"#{self.sample + 1}" if self.sample else "")


def units_of(instructions: Sequence[Instruction], samples: int = 1) -> list[Unit]:
    """The instructions as chats of one user message, `samples` times each."""
    return [
        Unit(row.id or 0, row.language, row.key, [{"role": "user", "content": row.text}], sample)
        for row in instructions
        for sample in range(samples)
    ]


def longest_first(units: Sequence[Unit], length: Callable[[Unit], int]) -> list[Unit]:
    """The units by prompt length. Prompts of similar length follow each other, so that batches have little
    padding, and the longest come first, so that a lack of memory shows at the start."""
    return sorted(units, key=lambda unit: (-length(unit), unit.instruction_id, unit.sample))


@dataclass(eq=False)
class ModelTask:
    """One model under one decoding, and the run that makes its answers. `source`: the index of the model
    among those of the command."""

    source: int
    name: str
    model_id: int
    decoding_id: int
    decoding: Decoding
    run: RunRecord
    counters: dict[str, AnswerCounter] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Item:
    """A unit of a task."""

    task: ModelTask
    unit: Unit

    @property
    def counter(self) -> AnswerCounter:
        return self.task.counters[self.unit.language]

    @property
    def request(self) -> Request:
        unit = self.unit
        return Request(unit.chat, self.task.decoding.request_seed(unit.language, unit.key, unit.sample))


class WorkQueue:
    """Items in their order, which are claimed in the store `chunk` at a time when the engine asks for more.

    Items that another run has claimed are put aside in `elsewhere`; `look_again` puts them back into the
    queue. `on_their_way` holds the items that were handed out and have not come back.
    """

    def __init__(self, store: Engine, items: Iterable[Item], chunk: int) -> None:
        self._store, self._chunk = store, chunk
        self._waiting = deque(items)
        self._ready: deque[Item] = deque()
        self.elsewhere: list[Item] = []
        self.on_their_way: dict[Item, None] = {}

    def requests(self) -> Iterator[tuple[Item, Request]]:
        """The requests of the items that this run could claim, until none is left. The generator may be
        started again when its consumer has failed."""
        while self._any_ready():
            item = self._ready.popleft()
            self.on_their_way[item] = None
            item.counter.start()
            yield item, item.request

    def back(self, item: Item) -> None:
        """An item has come back, answered or failed."""
        self.on_their_way.pop(item, None)

    def look_again(self) -> None:
        """Try again to claim the items that other runs had."""
        self._waiting.extend(self.elsewhere)
        self.elsewhere = []

    def holders(self) -> list[tuple[int, str]]:
        """The (run id, process) of other runs that hold what is elsewhere."""
        tasks = dict.fromkeys(item.task for item in self.elsewhere)
        with reading(self._store) as session:
            held_by_task = [claims.holders(session, task.model_id, task.decoding_id) for task in tasks]
        own = {task.run.id for task in tasks}
        return sorted({holder for held in held_by_task for holder in held if holder[0] not in own})

    def _any_ready(self) -> bool:
        """Claim chunks until an item is ready; False when none is left to claim."""
        while self._waiting and not self._ready:
            part = [self._waiting.popleft() for _ in range(min(self._chunk, len(self._waiting)))]
            for task, items in groupby(part, key=lambda item: item.task):
                self._ready.extend(self._claimed(task, list(items)))
        return bool(self._ready)

    def _claimed(self, task: ModelTask, items: list[Item]) -> list[Item]:
        by_work = {(item.unit.instruction_id, item.unit.sample): item for item in items}
        with writing(self._store) as session:
            got, there = claims.take(
                session,
                task.model_id,
                task.decoding_id,
                list(by_work),
                run_id=task.run.id,
                process=this_process(),
            )
        for work in there:
            by_work[work].counter.there += 1
        mine = there.union(got)
        self.elsewhere += [item for work, item in by_work.items() if work not in mine]
        return [by_work[work] for work in got]


class Lease:
    """Prolongs the claims of some runs for as long as its block lasts, and gives them back at its end."""

    def __init__(self, store: Engine, run_ids: Sequence[int]) -> None:
        self._store, self._run_ids = store, list(run_ids)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        with writing(self._store) as session:
            claims.release(session, self._run_ids)

    def _renew(self) -> None:
        while not self._ended.wait(claims.LEASE.total_seconds() / 4):
            try:
                with writing(self._store) as session:
                    claims.renew(session, self._run_ids)
            except Exception:  # the writer meets it too; a lease that lapses harms nobody
                continue
