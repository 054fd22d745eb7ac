"""Asking all the questions of some judgements through a server's Batch API."""

import asyncio
import tempfile
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Engine

from core.judge.llm_judge.batch_jobs import BatchJob, money_left, settle_batch
from core.judge.llm_judge.judge_client import ServerJudge
from core.judge.llm_judge.questions import Judgement
from core.judge.llm_judge.settings import JudgeSettings
from core.llm.answers import ServerBusy
from core.llm.batch_api import LONGEST_WAIT, VALIDATING, BatchApi, RemoteBatch, backoff
from core.llm.batch_results import BatchResults
from core.llm.prices import Budget
from core.progress import Progress, say
from store import XlitError
from store.provenance import RunRecord
from store.queries import batches
from store.session import reading, writing
from store.tables import JudgeBatch, utc_now

# Times that the server is asked to make a batch, when it can't be told whether it has.
TRIES = 20


class BatchSubmitter:
    """Sends batches that are in the store and not yet at the server; `uncertain` has the ids of
    those of which it is not known whether the server made them."""

    def __init__(self, engine: Engine, api: BatchApi, budget: Budget, run_id: int) -> None:
        self._engine, self._api, self._budget, self._run_id = engine, api, budget, run_id
        self.uncertain: set[int] = set()

    async def send(self, job: BatchJob, batch: JudgeBatch, money: float) -> int | None:
        """Send as much of a batch as costs at most `money` US dollars; the rest becomes a batch of its own.
        Returns the number of requests: 0 when nothing was left to ask, None when not one may be sent."""
        batch_id = batch.id or 0
        with tempfile.TemporaryFile() as file:
            requests, tokens_in, rest = await job.write_requests(batch, file, self._budget, money)
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

    async def _create(self, batch: JudgeBatch, file_id: str) -> RemoteBatch:
        reason = ""
        for attempt in range(1, TRIES + 1):
            try:
                return await self._api.create(file_id, batch.tag)
            except ServerBusy as error:
                reason = str(error)
                wait = backoff(attempt) if error.wait is None else min(error.wait, LONGEST_WAIT)
            except XlitError:
                if not reason:
                    self.uncertain.discard(batch.id or 0)
                raise
            await asyncio.sleep(wait)
            # It may have been made all the same.
            by_tag = await self._api.find({batch.tag})
            if batch.tag in by_tag:
                return by_tag[batch.tag]
        raise XlitError(
            f"{self._api.address} made no batch in {TRIES} tries, at last: {reason}. "
            "Run the same command again later."
        )


# A batch ends within 24 hours. One that the server does not know after this long will never be collected.
LOST_AFTER = timedelta(hours=48)


class BatchRefused(XlitError):
    """The server does not take a batch, for what is in it."""


class BatchRunner:
    """Sends questions in batches, looks how far they are, and collects the answers.

    Every batch is in the store before it is sent, and marked at the server with its tag; so it is sent once
    and collected, whenever a run is killed, by the next one. All of the judgements' batches are on their way
    at the same time.
    """

    def __init__(
        self,
        run: RunRecord,
        judgements: Sequence[Judgement],
        judge: ServerJudge,
        settings: JudgeSettings,
        bar: Progress,
        *,
        limit: int | None,
    ) -> None:
        self._run, self._settings, self._bar = run, settings, bar
        self._client, self._budget = judge.client, judge.budget
        self._api = BatchApi(judge.client)
        self._sender = BatchSubmitter(run.engine, self._api, judge.budget, run.id)
        self._jobs = {
            judgement.rater: BatchJob(
                run,
                judgement,
                bar,
                judge.client,
                size=settings.batch_size,
                attempts=settings.attempts,
                limit=limit,
            )
            for judgement in judgements
        }
        self._remotes: dict[int, RemoteBatch] = {}
        self._alone: set[int] = set()  # sent when no other was on its way
        self._no_room = self._no_money = False
        self._note = ""
        self.budget_spent = False

    async def all(self) -> None:
        """Send, wait and collect until all is answered, or, where the settings say not to wait, once.

        Ends early, with `budget_spent`, when the next question could cost too much. Raises `XlitError` when
        the server takes no batch, or can't be asked any more; what is on its way is collected by a later run.
        """
        try:
            await self._take_up()
            while True:
                await self._collect_ended()
                await self._send()
                unfinished = [
                    batch for batch in self._open() if batch.remote_id is not None or self._is_ours(batch)
                ]
                if self.budget_spent or not unfinished:
                    return
                if not self._settings.wait:
                    self._leave_on_their_way(unfinished)
                    return
                await asyncio.sleep(self._settings.poll)
        except XlitError:
            self._give_back()
            raise

    async def _take_up(self) -> None:
        """Find out what has become of the batches of runs before this one."""
        with reading(self._run.engine) as session:
            earlier = batches.open_batches(session, list(self._jobs))
        for batch in earlier:
            if batch.endpoint != self._api.address:
                say(
                    f"{batch.requests} questions are on their way in a batch at {batch.endpoint}: "
                    "the same command with that --base-url collects them."
                )
        lost = [batch for batch in self._open() if batch.remote_id is None]
        if not lost:
            return
        tags = {batch.tag for batch in lost}
        at_server = await self._api.find(tags)
        if len(at_server) < len(tags):
            # One that was made a moment ago may not be in the list yet.
            await asyncio.sleep(self._settings.poll)
            at_server = await self._api.find(tags)
        with writing(self._run.engine) as session:
            for batch in lost:
                remote = at_server.get(batch.tag)
                if remote is not None:
                    batches.sent(session, batch.id or 0, remote.id, remote.status)
                else:
                    batches.take_over(session, batch.id or 0, self._run.id)

    async def _collect_ended(self) -> None:
        """Ask the server how far the batches are, and collect those that have ended. Raises
        `XlitError` for those that were not taken, after all others."""
        refused = None
        for batch in self._open():
            if batch.remote_id is None:
                continue
            remote = await self._api.retrieve(batch.remote_id)
            if remote is None:
                self._not_at_server(batch)
                continue
            self._remotes[batch.id or 0] = remote
            self._show_progress()
            if remote.ended:
                try:
                    await self._finish(batch, remote)
                except BatchRefused as error:
                    refused = error
            elif remote.status != batch.status:
                with writing(self._run.engine) as session:
                    batches.note_status(session, batch.id or 0, remote.status)
        if refused is not None:
            raise refused

    async def _finish(self, batch: JudgeBatch, remote: RemoteBatch) -> None:
        if remote.no_room and not remote.output_file:
            if batch.requests == 1 and batch.id in self._alone:
                self._end(batch, "no room")
                raise BatchRefused(f"{self._api.address} has no room for a batch of even one question.")
            self._jobs[batch.rater_id].split(batch)
            self._no_room = True
        elif remote.status == "failed" and not remote.output_file:
            self._end(batch, "failed")
            await self._delete_files(remote)
            raise BatchRefused(f"{self._api.address} did not take a batch: {self._refusal(remote)}.")
        else:
            await self._collect(batch, remote)
            self._no_room = self._no_money = False
        del self._remotes[batch.id or 0]
        await self._delete_files(remote)

    async def _collect(self, batch: JudgeBatch, remote: RemoteBatch) -> None:
        with reading(self._run.engine) as session:
            digests = batches.digests_of(session, batch.id or 0)
        with tempfile.TemporaryFile() as file:
            for name in (remote.output_file, remote.error_file):
                if name is None:
                    continue
                if not await self._api.download(name, file):
                    say(f"{self._api.address} has the file {name} of the batch {remote.id} no more.")
                file.write(b"\n")  # also behind a last line that was cut
            results = BatchResults(file, digests, self._client)
            missing = remote.status == "completed" and results.lines < batch.requests
            settle_batch(self._budget, batch, results, whole=not missing)
            await self._jobs[batch.rater_id].collect(batch, results, remote.status)
        say(f"Batch {remote.id}: {remote.status}, {results.answered} of {batch.requests} questions answered.")

    def _not_at_server(self, batch: JudgeBatch) -> None:
        with reading(self._run.engine) as session:
            if batches.batch_of(session, batch.id or 0).ended_at is not None:
                return  # collected by another process
        if utc_now() - batch.created_at < LOST_AFTER:
            raise XlitError(
                f"{self._api.address} does not know the batch {batch.remote_id}, in which {batch.requests} "
                "questions are on their way. Is this the key of another project? After 48 hours they are "
                "asked again."
            )
        say(f"{self._api.address} does not know the batch {batch.remote_id} any more: it is asked again.")
        self._jobs[batch.rater_id].plan_again(batch)

    async def _send(self) -> None:
        """Send what is to be sent, and new questions, as far as there are room and money."""
        for job in self._jobs.values():
            while True:
                unfinished = self._open()
                on_their_way = [batch for batch in unfinished if batch.remote_id is not None]
                if not on_their_way:
                    self._no_room = self._no_money = False
                if self._no_room or self._no_money:
                    return
                rater = job.judgement.rater
                unsent = [batch for batch in unfinished if self._is_ours(batch) and batch.rater_id == rater]
                if any(batch.status == batches.WAITING for batch in unsent) and any(
                    batch.status == VALIDATING for batch in on_their_way
                ):
                    return  # whether there is room for more is being found out
                if not unsent:
                    if not await job.plan():
                        break
                    continue
                # Those that have waited for room come first.
                batch = min(unsent, key=lambda batch: (batch.status != batches.WAITING, batch.id))
                requests = await self._send_one(job, batch, money_left(self._budget, on_their_way))
                if requests is not None:
                    if not on_their_way:
                        self._alone.add(batch.id or 0)
                    continue
                if not on_their_way:
                    self._stop_for_money()
                    return
                self._no_money = True

    async def _send_one(self, job: BatchJob, batch: JudgeBatch, money: float) -> int | None:
        requests = await self._sender.send(job, batch, money)
        if requests:
            self._run.count("sent in batches", requests)
            with reading(self._run.engine) as session:
                remote_id = batches.batch_of(session, batch.id or 0).remote_id
            again = f", for the {batch.attempt}. time" if batch.attempt > 1 else ""
            say(f"Batch {remote_id}: {requests} questions sent{again}.")
        return requests

    def _stop_for_money(self) -> None:
        """There is no money for one more question."""
        self.budget_spent = True
        self._give_back()

    def _give_back(self) -> None:
        """End the batches that were not sent, so that a direct run does not wait for them."""
        for batch in self._open():
            if self._is_ours(batch) and batch.id not in self._sender.uncertain:
                self._end(batch, "not sent")

    def _leave_on_their_way(self, unfinished: Sequence[JudgeBatch]) -> None:
        questions = sum(batch.requests for batch in unfinished)
        self._run.count("on their way in batches", questions)
        say(
            f"{questions} questions are on their way in {len(unfinished)} batches: run the same command "
            "later (within 24 hours they are answered) to collect the answers."
        )

    def _is_ours(self, batch: JudgeBatch) -> bool:
        """Whether a batch is to be sent, and by this run."""
        return batch.remote_id is None and batch.run_id == self._run.id

    def _open(self) -> list[JudgeBatch]:
        with reading(self._run.engine) as session:
            unfinished = batches.open_batches(session, list(self._jobs))
        return [batch for batch in unfinished if batch.endpoint == self._api.address]

    def _end(self, batch: JudgeBatch, status: str) -> None:
        with writing(self._run.engine) as session:
            batches.end(session, batch.id or 0, status)

    def _show_progress(self) -> None:
        remotes = self._remotes.values()
        note = (
            f"{len(remotes)} batches: {sum(remote.completed for remote in remotes)} answered, "
            f"{sum(remote.failed for remote in remotes)} failed at the server"
        )
        if note != self._note:
            self._note = note
            for job in self._jobs.values():
                job.note = note
            self._bar.advance(0, note)

    def _refusal(self, remote: RemoteBatch) -> str:
        if not remote.errors:
            return "it does not say why"
        first = remote.errors[0]
        message = self._client.message(Exception(first.message or first.code))
        more = f" (and {len(remote.errors) - 1} more)" if len(remote.errors) > 1 else ""
        return (f"line {first.line}: " if first.line else "") + message.rstrip(".") + more

    async def _delete_files(self, remote: RemoteBatch) -> None:
        for name in (remote.input_file, remote.output_file, remote.error_file):
            if name is not None:
                await self._api.delete(name)
