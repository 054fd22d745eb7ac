"""One judgement asked through batches: what is planned, sent and collected.

A batch in the store holds the digests of its questions. Which responses these are about is looked up in one
pass over the unrated responses, and each batch then reads only its own. So a batch that an earlier run wrote
down is sent and collected just like one of this run, and what is held in memory does not grow with the texts.
"""

import asyncio
import json
import math
from collections.abc import Collection, Container, Iterable, Sequence
from typing import IO

from core.judge.llm_judge.judge_client import MAX_TOKENS, AcceptedOptions, AdaptiveClient
from core.judge.llm_judge.questions import Judgement, Question, QuestionResult, Questions, question_digest
from core.judge.llm_judge.settings import MOST_FILE_BYTES
from core.llm.answers import BadAnswer
from core.llm.batch_results import BatchResults, ResultLine
from core.llm.prices import Budget
from core.llm.prompt_template import Prompt
from core.progress import Progress
from store.provenance import RunRecord
from store.queries import batches, judging
from store.session import reading, writing
from store.tables import JudgeBatch

# OpenAI's reasoning models, which take no temperature and have another name for the limit of new tokens.
_REASONING = ("o1", "o3", "o4", "gpt-5")

# After so many batches in a row from which not one answer came, a question has failed.
GIVE_UP_AFTER = 3

# Answers to questions outside this run's languages that are kept in one transaction.
_CHUNK = 200


class BatchJob:
    """A judgement, asked through batches of at most `size` questions; `attempts`: for an answer that can't be
    used; `limit`: responses looked at for new questions."""

    def __init__(
        self,
        run: RunRecord,
        judgement: Judgement,
        bar: Progress,
        client: AdaptiveClient,
        *,
        size: int,
        attempts: int,
        limit: int | None,
    ) -> None:
        self.judgement = judgement
        self.note = ""
        self._run, self._bar, self._client = run, bar, client
        self._size, self._attempts = size, attempts
        with reading(run.engine) as session:
            self._skip = batches.on_their_way(session, judgement.rater)
        self._questions = Questions(run, judgement, bar, limit=limit, skip=self._skip)
        self._chunks = self._questions.chunks()
        self._ready: list[str] = []
        self._fruitless: dict[int, int] = {}
        self._response_ids: dict[bytes, list[int]] = {}  # by the digest of the question about them
        self._last_response = 0  # the last one in `_response_ids`

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
        self, batch: JudgeBatch, file: IO[bytes], budget: Budget, money: float
    ) -> tuple[int, int, list[str]]:
        """Write the requests of a batch, as far as they fit into a file and cost at most `money` US dollars.
        Returns their number, the most tokens in them, and the digests of the questions that did not fit."""
        requests = tokens_in = 0
        rest: list[str] = []
        handled: set[str] = set()
        questions = await self._questions_of(self._digests(batch))
        for chunk in questions.chunks():
            for question in chunk:
                if question.digest in handled:
                    continue
                handled.add(question.digest)
                prompt = self._prompt(question, batch)
                line = batch_request(self._client, question.digest, prompt)
                more, _ = self._client.most_tokens(prompt)
                fits = file.tell() + len(line) <= MOST_FILE_BYTES
                if rest or not fits or most_cost(budget, requests + 1, tokens_in + more) > money:
                    rest.append(question.digest)
                    continue
                file.write(line)
                requests, tokens_in = requests + 1, tokens_in + more
            questions.leave(chunk)
            await asyncio.sleep(0)
        return requests, tokens_in, rest

    async def collect(self, batch: JudgeBatch, lines: BatchResults, status: str) -> None:
        """Write what the answers of a batch say, end it, and plan what is to be asked again."""
        digests = self._digests(batch)
        fruitless = 0 if lines.answered else self._fruitless.get(batch.id or 0, 0) + 1
        bad: dict[str, None] = {}
        unanswered: dict[str, None] = {}
        met: set[str] = set()
        questions = await self._questions_of(digests)
        questions.note = self.note
        for chunk in questions.chunks():
            results = []
            for question in chunk:
                met.add(question.digest)
                line = lines.get(question.digest)
                result = self._result(batch, question, line, fruitless)
                if result is not None:
                    results.append(result)
                else:
                    again = bad if line is not None and line.reply is not None else unanswered
                    again[question.digest] = None
            taken = questions.take(results)
            if taken:
                questions.close(taken, questions.write(taken))
            questions.leave(chunk)
            await asyncio.sleep(0)
        self._keep([digest for digest in digests if digest not in met], lines)
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
        """The server no longer knows a batch: ask its questions in a new one."""
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
                session, digests, rater=self.judgement.rater, endpoint=self._client.address,
                run_id=self._run.id,
            )  # fmt: skip

    def _digests(self, batch: JudgeBatch) -> set[str]:
        with reading(self._run.engine) as session:
            return batches.digests_of(session, batch.id or 0)

    async def _questions_of(self, digests: Collection[str]) -> Questions:
        """The questions with these digests, with the responses that are still unrated."""
        await self._look_through()
        ids = [
            response_id
            for digest in digests
            for response_id in self._response_ids.get(bytes.fromhex(digest), ())
        ]
        return Questions(self._run, self.judgement, self._bar, skip=_AllBut(digests), among=sorted(ids))

    async def _look_through(self) -> None:
        """Note which question each unrated response belongs to: all of them the first time, and later those
        that have come since."""
        questions = Questions(self._run, self.judgement, self._bar)
        for responses in questions.responses(after=self._last_response):
            for response in responses:
                digest = bytes.fromhex(question_digest(self.judgement, response))
                self._response_ids.setdefault(digest, []).append(response.response_id)
            self._last_response = responses[-1].response_id
            await asyncio.sleep(0)

    def _result(
        self, batch: JudgeBatch, question: Question, line: ResultLine | None, fruitless: int
    ) -> QuestionResult | None:
        """What has come of a question; None when it is to be asked again."""
        if line is not None and line.reply is not None:
            try:
                return QuestionResult(question, self.judgement.read(line.reply), line.reply)
            except BadAnswer as error:
                if batch.attempt < self._attempts:
                    return None
                return QuestionResult(question, reason=str(error), attempts=batch.attempt)
        reason = "no answer in the batch" if line is None else line.reason
        if fruitless < GIVE_UP_AFTER and (line is None or line.again):
            return None
        return QuestionResult(question, reason=reason, attempts=batch.attempt)

    def _keep(self, digests: Sequence[str], lines: BatchResults) -> None:
        """Keep the answers to questions that this run does not look at: of other languages, for example."""
        for first in range(0, len(digests), _CHUNK):
            with writing(self._run.engine) as session:
                for digest in digests[first : first + _CHUNK]:
                    line = lines.get(digest)
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


def batch_request(client: AdaptiveClient, digest: str, prompt: Prompt) -> bytes:
    """The line of a batch's file that asks a question.

    What a server takes can't be tried out here, and what it refuses would fail the whole batch. So a prompt
    for a JSON object is sent with the form `json_object`, as in the paper, and without a form where it does
    not say "JSON" itself, for then OpenAI refuses the form.
    """
    reasoning = client.model.startswith(_REASONING)
    form = 2 if "json" in prompt.text.casefold() else 3
    options = AcceptedOptions(form, limit=int(reasoning), temperature=not reasoning)
    body = {
        "model": client.model,
        "messages": [{"role": "user", "content": prompt.text}],
        **options.options(prompt, client.temperature),
    }
    line = {"custom_id": digest, "method": "POST", "url": "/v1/chat/completions", "body": body}
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def most_cost(budget: Budget, requests: int, tokens_in: int) -> float:
    """The most, in US dollars, that so many requests with so many tokens in all can cost; 0 without a
    price."""
    return budget.price.of(tokens_in, requests * MAX_TOKENS) if budget.price else 0.0


def money_left(budget: Budget, on_their_way: Iterable[JudgeBatch]) -> float:
    """The US dollars that are left when every batch on its way costs the most that it can."""
    if budget.most is None or budget.price is None:
        return math.inf
    held = sum(most_cost(budget, batch.requests, batch.tokens_in) for batch in on_their_way)
    return budget.most - budget.spent - held


def settle_batch(budget: Budget, batch: JudgeBatch, results: BatchResults, *, whole: bool) -> None:
    """A batch has ended: the cost that the server counted is spent. Where the server did not count for each
    answer, or lines are missing (not `whole`), it is the most that the batch could cost."""
    budget.requests += results.replies
    budget.tokens_in += results.tokens_in
    budget.tokens_out += results.tokens_out
    if budget.price is None:
        return
    counted = budget.price.of(results.tokens_in, results.tokens_out)
    certain = results.counted and whole
    budget.spent += counted if certain else max(counted, most_cost(budget, batch.requests, batch.tokens_in))
