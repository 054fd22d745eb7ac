"""Sending a batch, so that it is made at the server once, whatever happens on the way."""

import asyncio
import tempfile

from sqlalchemy import Engine

from core.endpoint.reply import Busy
from core.judge.llm.batch.api import LONGEST_WAIT, BatchApi, backoff
from core.judge.llm.batch.lane import Lane
from core.judge.llm.batch.remote import Remote
from core.judge.llm.budget import Budget
from store import XlitError
from store.queries import batches
from store.session import reading, writing
from store.tables import JudgeBatch

# Times that the server is asked to make a batch, when it can't be told whether it has.
TRIES = 20


class Sender:
    """Sends batches that are written down and that the server has not made; `uncertain` are those, by id, of
    which it can't be told whether it has."""

    def __init__(self, engine: Engine, api: BatchApi, budget: Budget, run_id: int) -> None:
        self._engine, self._api, self._budget, self._run_id = engine, api, budget, run_id
        self.uncertain: set[int] = set()

    async def send(self, lane: Lane, batch: JudgeBatch, left: float) -> int | None:
        """Send a batch, so much of it as may cost `left` US dollars; the rest becomes one of its own.
        Returns how many requests: 0 when nothing was left to ask, None when not one may be sent."""
        batch_id = batch.id or 0
        with tempfile.TemporaryFile() as file:
            requests, tokens_in, rest = await lane.write_requests(batch, file, self._budget, left)
            if not requests and rest:
                return None
            with writing(self._engine) as session:
                if not batches.is_to_send(session, batch_id, self._run_id):
                    return 0
                if not requests:
                    batches.end(session, batch_id, "empty")
                    return 0
                if rest:
                    batches.hand_on(session, batch, rest)
                batches.measure(session, batch_id, requests, tokens_in)
            file_id = await self._api.upload(file, f"xlit-{batch.tag}.jsonl")
        with reading(self._engine) as session:
            if not batches.is_to_send(session, batch_id, self._run_id):
                return 0  # another process has taken it over
        self.uncertain.add(batch_id)
        made = await self._create(batch, file_id)
        self.uncertain.discard(batch_id)
        with writing(self._engine) as session:
            ours = batches.sent(session, batch_id, made.id, made.status)
        if not ours:
            await self._api.cancel(made.id)
            return 0
        return requests

    async def _create(self, batch: JudgeBatch, file_id: str) -> Remote:
        reason = ""
        for attempt in range(1, TRIES + 1):
            try:
                return await self._api.create(file_id, batch.tag)
            except Busy as error:
                reason = str(error)
                wait = backoff(attempt) if error.wait is None else min(error.wait, LONGEST_WAIT)
            except XlitError:
                if not reason:
                    self.uncertain.discard(batch.id or 0)
                raise
            await asyncio.sleep(wait)
            # It may have been made all the same.
            found = await self._api.find({batch.tag})
            if batch.tag in found:
                return found[batch.tag]
        raise XlitError(
            f"{self._api.shown} made no batch in {TRIES} tries, at last: {reason}. "
            "Run the same command again later."
        )
