"""Writing answers as they finish, in a thread of its own, so that the engine need not wait for the disk."""

import threading
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Engine

from core.generate.engine import Failed, Generation
from core.generate.worklist import Item
from store.queries import claims, responses
from store.session import writing


class Writer:
    """Takes outcomes and writes each at once; those that come while the disk is busy, together.

    What is written is counted in its item's tally, and its claim given back in the same transaction. Use it
    as a context manager: its end waits until all is written, and raises what went wrong.
    """

    def __init__(self, store: Engine) -> None:
        self._store = store
        self._queue: SimpleQueue[tuple[Item, Generation | Failed] | None] = SimpleQueue()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._queue.put(None)
        self._thread.join()
        if error is None:
            self._check()

    def put(self, item: Item, outcome: Generation | Failed) -> None:
        """Hand an outcome over. Raises what an earlier one could not be written for."""
        self._check()
        self._queue.put((item, outcome))

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        ended = False
        while not ended:
            batch = [self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get())
            ended = None in batch
            outcomes = [found for found in batch if found is not None]
            if outcomes and self._error is None:
                try:
                    self._write(outcomes)
                except Exception as error:
                    self._error = error

    def _write(self, outcomes: list[tuple[Item, Generation | Failed]]) -> None:
        with writing(self._store) as session:
            for item, outcome in outcomes:
                task, unit = item.task, item.unit
                if isinstance(outcome, Failed):
                    task.run.fail(unit.label, outcome.reason, session=session)
                else:
                    task.run.count("answers", responses.add_responses(session, [_row(item, outcome)]))
                work = [(unit.instruction_id, unit.sample)]
                claims.settle(session, task.model_id, task.decoding_id, work, run_id=task.run.id)
        for item, outcome in outcomes:
            item.tally.add(outcome)


def _row(item: Item, answer: Generation) -> dict[str, Any]:
    return {
        "instruction_id": item.unit.instruction_id,
        "sample": item.unit.sample,
        "model_id": item.task.model_id,
        "decoding_id": item.task.decoding_id,
        "text": answer.text,
        "finish_reason": answer.finish_reason,
        "tokens_in": answer.tokens_in,
        "tokens_out": answer.tokens_out,
        "seconds": answer.seconds,
        "prompt_digest": answer.prompt_digest,
        "run_id": item.task.run.id,
    }
