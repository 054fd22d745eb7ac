"""One judgement on its way through batches: what to plan, to send and to collect.

All three look through the responses anew and know questions by their digests. So a batch that a run before
this one wrote down is sent and collected just like one of this run, and what is held in memory does not grow
with the texts.
"""

import asyncio
from collections.abc import Container, Sequence
from typing import IO

from core.judge.llm.batch.answers import Answers
from core.judge.llm.batch.lines import Line
from core.judge.llm.batch.money import most_cost
from core.judge.llm.batch.requests import request
from core.judge.llm.batch.settings import MOST_FILE_BYTES
from core.judge.llm.budget import Budget
from core.judge.llm.endpoint import Endpoint
from core.judge.llm.questions import Judgement, Outcome, Question, Questions
from core.judge.llm.reply import BadAnswer, Prompt
from core.progress import Progress
from store.provenance import RunRecord
from store.queries import batches, judging
from store.session import reading, writing
from store.tables import JudgeBatch

# Batches of a question, one after another, from which not one answer came; then it has failed.
GIVE_UP_AFTER = 3

# Answers kept in one transaction, of questions that this run does not look at.
_CHUNK = 200


class Lane:
    """A judgement, asked through batches of at most `size` questions; `attempts`: for an answer that can't be
    used; `limit`: responses looked at for new questions."""

    def __init__(
        self,
        run: RunRecord,
        judgement: Judgement,
        shown: Progress,
        endpoint: Endpoint,
        *,
        size: int,
        attempts: int,
        limit: int | None,
    ) -> None:
        self.judgement = judgement
        self.note = ""
        self._run, self._shown, self._endpoint = run, shown, endpoint
        self._size, self._attempts = size, attempts
        with reading(run.engine) as session:
            self._skip = batches.on_their_way(session, judgement.rater)
        self._questions = Questions(run, judgement, shown, limit=limit, skip=self._skip)
        self._chunks = self._questions.chunks()
        self._ready: list[str] = []
        self._fruitless: dict[int, int] = {}

    async def plan(self) -> bool:
        """Write down the next batch of new questions; False when there are no more."""
        while True:
            while len(self._ready) < self._size:
                chunk = next(self._chunks, None)
                if chunk is None:
                    break
                digests = [question.digest for question in chunk]
                self._ready += digests
                self._skip.update(digests)
                self._questions.leave(chunk)
                await asyncio.sleep(0)
            digests, self._ready = self._ready[: self._size], self._ready[self._size :]
            if not digests:
                return False
            if self._plan(digests) is not None:
                return True

    async def write_requests(
        self, batch: JudgeBatch, file: IO[bytes], budget: Budget, left: float
    ) -> tuple[int, int, list[str]]:
        """Write the requests of a batch, as far as they fit into a file and cost at most `left` US dollars.
        Returns their number, the most tokens in them, and the questions that did not fit."""
        requests = tokens_in = 0
        rest: list[str] = []
        handled: set[str] = set()
        with reading(self._run.engine) as session:
            digests = batches.digests_of(session, batch.id or 0)
        questions = Questions(self._run, self.judgement, self._shown, skip=_AllBut(digests))
        for chunk in questions.chunks():
            for question in chunk:
                if question.digest in handled:
                    continue
                handled.add(question.digest)
                prompt = self._prompt(question, batch)
                line = request(self._endpoint, question.digest, prompt)
                more, _ = self._endpoint.most_tokens(prompt)
                fits = file.tell() + len(line) <= MOST_FILE_BYTES
                if rest or not fits or most_cost(budget, requests + 1, tokens_in + more) > left:
                    rest.append(question.digest)
                    continue
                file.write(line)
                requests, tokens_in = requests + 1, tokens_in + more
            questions.leave(chunk)
            await asyncio.sleep(0)
        return requests, tokens_in, rest

    async def collect(self, batch: JudgeBatch, answers: Answers, status: str) -> None:
        """Write what the answers of a batch say, end it, and plan what is to be asked again."""
        with reading(self._run.engine) as session:
            digests = batches.digests_of(session, batch.id or 0)
        fruitless = 0 if answers.answered else self._fruitless.get(batch.id or 0, 0) + 1
        bad: dict[str, None] = {}
        unanswered: dict[str, None] = {}
        met: set[str] = set()
        questions = Questions(self._run, self.judgement, self._shown, skip=_AllBut(digests))
        questions.note = self.note
        for chunk in questions.chunks():
            outcomes = []
            for question in chunk:
                met.add(question.digest)
                line = answers.get(question.digest)
                outcome = self._outcome(batch, question, line, fruitless)
                if outcome is not None:
                    outcomes.append(outcome)
                else:
                    again = bad if line is not None and line.reply is not None else unanswered
                    again[question.digest] = None
            taken = questions.take(outcomes)
            if taken:
                questions.close(taken, questions.write(taken))
            questions.leave(chunk)
            await asyncio.sleep(0)
        self._keep([digest for digest in digests if digest not in met], answers)
        with writing(self._run.engine) as session:
            if not batches.end(session, batch.id or 0, status):
                return  # collected by another process, which has planned the rest
            for again, attempt in ((bad, batch.attempt + 1), (unanswered, batch.attempt)):
                planned = batches.plan(
                    session, again, rater=batch.rater_id, endpoint=batch.endpoint, run_id=self._run.id,
                    attempt=attempt,
                )  # fmt: skip
                if planned is not None:
                    self._fruitless[planned] = fruitless

    def _outcome(
        self, batch: JudgeBatch, question: Question, line: Line | None, fruitless: int
    ) -> Outcome | None:
        """What has come of a question; None when it is to be asked again."""
        if line is not None and line.reply is not None:
            try:
                return Outcome(question, self.judgement.read(line.reply), line.reply)
            except BadAnswer as error:
                if batch.attempt < self._attempts:
                    return None
                return Outcome(question, reason=str(error), attempts=batch.attempt)
        reason = "no answer in the batch" if line is None else line.reason
        if fruitless < GIVE_UP_AFTER and (line is None or line.again):
            return None
        return Outcome(question, reason=reason, attempts=batch.attempt)

    def _keep(self, digests: Sequence[str], answers: Answers) -> None:
        """Keep the answers to questions that this run does not look at: of other languages, for example."""
        for first in range(0, len(digests), _CHUNK):
            with writing(self._run.engine) as session:
                for digest in digests[first : first + _CHUNK]:
                    line = answers.get(digest)
                    if line is None or line.reply is None:
                        continue
                    try:
                        self.judgement.read(line.reply)
                    except BadAnswer:
                        continue
                    reply = line.reply
                    judging.keep_answer(
                        session, digest, self.judgement.rater, reply.text or "",
                        tokens_in=reply.tokens_in, tokens_out=reply.tokens_out,
                    )  # fmt: skip

    def split(self, batch: JudgeBatch) -> None:
        """The server has no room for a batch: end it, and have its halves wait for room."""
        with writing(self._run.engine) as session:
            digests = sorted(batches.digests_of(session, batch.id or 0))
            if not batches.end(session, batch.id or 0, "no room"):
                return
            half = -(-len(digests) // 2)
            for part in (digests[:half], digests[half:]):
                batches.plan(
                    session, part, rater=batch.rater_id, endpoint=batch.endpoint, run_id=self._run.id,
                    attempt=batch.attempt, status=batches.WAITING,
                )  # fmt: skip

    def plan_again(self, batch: JudgeBatch) -> None:
        """The server has lost a batch: ask its questions in a new one."""
        with writing(self._run.engine) as session:
            digests = batches.digests_of(session, batch.id or 0)
            if batches.end(session, batch.id or 0, "lost"):
                batches.plan(
                    session, digests, rater=batch.rater_id, endpoint=batch.endpoint, run_id=self._run.id,
                    attempt=batch.attempt,
                )  # fmt: skip

    def _plan(self, digests: Sequence[str]) -> int | None:
        with writing(self._run.engine) as session:
            return batches.plan(
                session, digests, rater=self.judgement.rater, endpoint=self._endpoint.shown,
                run_id=self._run.id,
            )  # fmt: skip

    def _prompt(self, question: Question, batch: JudgeBatch) -> Prompt:
        prompt = question.prompt
        if batch.attempt == 1:
            return prompt
        return Prompt(prompt.text + self.judgement.reminder, prompt.json, prompt.schema)


class _AllBut(Container[str]):
    """All digests but these."""

    def __init__(self, digests: Container[str]) -> None:
        self._digests = digests

    def __contains__(self, digest: object) -> bool:
        return digest not in self._digests
