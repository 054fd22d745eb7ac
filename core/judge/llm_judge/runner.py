"""Running judgements: estimate, agreement, questions, answers, and what they cost."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.judge.llm_judge.batch_runner import BatchRunner
from core.judge.llm_judge.estimate import EXPECTED_TOKENS_OUT, Agree, estimate_cost
from core.judge.llm_judge.judge_client import AdaptiveClient, JudgeClient, ServerJudge
from core.judge.llm_judge.local import AT_A_TIME, LocalJudge
from core.judge.llm_judge.questions import Judgement, Question, QuestionResult, Questions
from core.judge.llm_judge.settings import NO_BATCHES, JudgeSettings
from core.llm.answers import BadAnswer, RequestFailed
from core.llm.keys import default_address, host_of, is_this_machine
from core.llm.limits import FailureStreak
from core.llm.prices import Budget, BudgetSpent, read_prices
from core.progress import progress, say
from store import UsageError, XlitError
from store.provenance import RunRecord
from store.queries import batches, judging
from store.session import reading

# Questions asked at once, where nothing else is said.
CONCURRENCY = 16


def open_judge(settings: JudgeSettings) -> JudgeClient:
    """The judge that these settings name; asks nothing yet.

    Raises `UsageError` for `max_cost` without a known price, and as `AdaptiveClient` and `LocalJudge` do.
    """
    if settings.checkpoint is not None:
        at_a_time = settings.concurrency or AT_A_TIME
        return LocalJudge(settings.model, Path(settings.checkpoint), at_a_time=at_a_time)
    prices = read_prices(settings.prices)
    base_url = settings.base_url or default_address()
    price, source = prices.find(settings.model, None if is_this_machine(host_of(base_url)) else base_url)
    if settings.max_cost is not None and price is None:
        raise UsageError(
            f"No price is known for {settings.model!r}, so --max-cost can't be held: give it with --prices "
            f"in a file like {prices.files[0]}."
        )
    client = AdaptiveClient(
        settings.model, settings.base_url, timeout=settings.timeout, temperature=settings.temperature
    )
    if price is not None and settings.batch:
        price = price.batched()
    budget = Budget(price, settings.max_cost, price_source=source)
    return ServerJudge(client, budget, settings.concurrency or CONCURRENCY)


def run_judgements(
    run: RunRecord,
    judgements: Sequence[Judgement],
    judge: JudgeClient,
    settings: JudgeSettings,
    *,
    limit: int | None = None,
    agree: Agree = None,
) -> None:
    """Ask `judgements` of one judge about every response that lacks them: one after another, or as `settings`
    say all through the server's Batch API. Questions that are on their way in a batch are not asked again.

    `limit`: how many responses at most for each. `agree` is asked before the first question, when there is
    one to ask; when it says no, nothing is asked. Raises `UsageError` for `batch` with a judge of one's own,
    `XlitError` when the judge can't be asked any more; what was rated until then stays.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"limit must be at least 1, not {limit}.")
    with reading(run.engine) as session:
        totals = [judgement.count(session) for judgement in judgements]
        raters = [judgement.rater for judgement in judgements]
        collect = settings.batch and bool(batches.open_batches(session, raters))
    if not any(totals) and not collect:
        run.idle = True
        return
    if agree is not None and not _agreed(run, judgements, judge, limit, agree, settings.batch):
        say("Nothing was asked.")
        run.idle = True
        return
    try:
        if not settings.batch:
            asyncio.run(_ask_directly(run, judgements, totals, judge, settings, limit))
        elif isinstance(judge, ServerJudge):
            asyncio.run(_ask_in_batches(run, judgements, totals, judge, settings, limit))
        else:
            raise UsageError(NO_BATCHES)
    except ExceptionGroup as group:
        raise _error_to_show(group) from None
    finally:
        _count_cost(run, judge.budget)


def _agreed(
    run: RunRecord,
    judgements: Sequence[Judgement],
    judge: JudgeClient,
    limit: int | None,
    agree: Agree,
    batch: bool,
) -> bool:
    if agree is None or isinstance(judge, LocalJudge):
        return True
    with reading(run.engine) as session:
        about_out = judging.mean_tokens_out(session, judgements[0].rater) or EXPECTED_TOKENS_OUT
        skip = [batches.on_their_way(session, judgement.rater) for judgement in judgements]
    with progress("looking at what there is to ask", len(judgements)) as bar:
        every = [
            Questions(run, judgement, bar, limit=limit, skip=digests)
            for judgement, digests in zip(judgements, skip, strict=True)
        ]
        estimate = estimate_cost(every, judge.model, judge.budget, about_out=about_out, batch=batch)
    if not estimate.questions:
        return True
    if estimate.cost is None and is_this_machine(host_of(judge.address)):
        say(estimate.sentence)
        return True
    return agree(estimate)


async def _ask_directly(
    run: RunRecord,
    judgements: Sequence[Judgement],
    totals: Sequence[int],
    judge: JudgeClient,
    settings: JudgeSettings,
    limit: int | None,
) -> None:
    async with judge:
        for judgement, total in zip(judgements, totals, strict=True):
            wanted = total if limit is None else min(total, limit)
            if not wanted:
                continue
            with reading(run.engine) as session:
                skip = batches.on_their_way(session, judgement.rater)
            with progress(judgement.name, wanted) as bar:
                questions = Questions(run, judgement, bar, limit=limit, skip=skip)
                runner = DirectRunner(questions, judge, settings.attempts)
                await runner.all()
            if questions.skipped:
                run.count("on their way in batches", questions.skipped)
                say(
                    f"{questions.skipped} responses were not asked about, they are on their way in a batch: "
                    "the same command with --batch collects the answers."
                )
            if runner.budget_spent:
                _report_spent_budget(run, judgement, judge.budget)
                return


async def _ask_in_batches(
    run: RunRecord,
    judgements: Sequence[Judgement],
    totals: Sequence[int],
    judge: ServerJudge,
    settings: JudgeSettings,
    limit: int | None,
) -> None:
    wanted = sum(total if limit is None else min(total, limit) for total in totals)
    async with judge:
        with progress(f"{judgements[0].name} in batches", wanted) as bar:
            runner = BatchRunner(run, judgements, judge, settings, bar, limit=limit)
            try:
                await runner.all()
            except asyncio.CancelledError:
                say("Batches that were sent go on: the same command collects the answers.")
                raise
    if runner.budget_spent:
        for judgement in judgements:
            _report_spent_budget(run, judgement, judge.budget)


def _report_spent_budget(run: RunRecord, judgement: Judgement, budget: Budget) -> None:
    with reading(run.engine) as session:
        left = judgement.count(session)
    if left:
        most = budget.most
        run.fail(judgement.name, f"stopped before ${most:g}; {left} responses are left: raise --max-cost")


def _count_cost(run: RunRecord, budget: Budget) -> None:
    if not budget.requests:
        return
    run.count("asked", budget.requests)
    run.count("tokens in", budget.tokens_in)
    run.count("tokens out", budget.tokens_out)
    if budget.price is not None:
        run.count("US dollars", round(budget.spent, 6))


def _error_to_show(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to show of those that ended the run: one line for the user before anything else."""
    for_user = group.subgroup(XlitError)
    error: BaseException = for_user or group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


# Questions held beyond those on their way: ready to be asked the moment another has ended, or answered and
# not yet written.
READY = 8


class DirectRunner:
    """Asks a judge question by question, many at a time. An answer that can't be used is asked for again, up
    to `attempts` times in all, with a reminder of the form; then the question has failed."""

    def __init__(self, questions: Questions, judge: JudgeClient, attempts: int) -> None:
        self._questions, self._judge, self._attempts = questions, judge, attempts
        self._failure_streak = FailureStreak(judge.address)
        self._unwritten: list[QuestionResult] = []
        self._writing = False
        self._tasks: asyncio.TaskGroup
        self._slots: asyncio.Semaphore
        self.budget_spent = False

    async def all(self) -> None:
        """Ask everything that there is to ask.

        Raises an `ExceptionGroup` with the `XlitError` that ended it; what was answered until then is
        written. Ends early, with `budget_spent`, when the next question could cost too much.
        """
        self._slots = asyncio.Semaphore(self._judge.at_a_time + READY)
        try:
            async with asyncio.TaskGroup() as self._tasks:
                for chunk in self._questions.chunks():
                    for question in chunk:
                        await self._slots.acquire()
                        if self.budget_spent:
                            return
                        self._tasks.create_task(self._ask(question))
                    await asyncio.sleep(0)
        finally:
            # The run ends here: write what was paid for and is not yet written.
            if self._unwritten:
                self._questions.write(self._questions.take(self._unwritten))

    async def _ask(self, question: Question) -> None:
        result = await self._result(question)
        if result is None:
            self._slots.release()
            return
        # Its slot becomes free when it is written, so little is ever paid for and not yet on disk.
        self._unwritten.append(result)
        if not self._writing:
            self._writing = True
            self._tasks.create_task(self._write())

    async def _result(self, question: Question) -> QuestionResult | None:
        """The result of a question; None when there is no money left for it."""
        prompt, reason = question.prompt, ""
        for attempt in range(1, self._attempts + 1):
            try:
                reply = await self._judge.ask(prompt)
                self._failure_streak.answered()
                value = self._questions.judgement.read(reply)
                return QuestionResult(question, value, reply)
            except BadAnswer as error:
                reason = str(error)
                prompt = replace(prompt, text=question.prompt.text + self._questions.judgement.reminder)
            except BudgetSpent:
                self.budget_spent = True
                return None
            except RequestFailed as error:
                self._failure_streak.failed(error)
                return QuestionResult(question, reason=str(error), attempts=attempt)
        return QuestionResult(question, reason=reason, attempts=self._attempts)

    async def _write(self) -> None:
        """Write the results that have come, together; meanwhile more may come."""
        try:
            while self._unwritten:
                results, self._unwritten = self._questions.take(self._unwritten), []
                try:
                    written = await asyncio.shield(asyncio.to_thread(self._questions.write, results))
                except Exception:
                    self._unwritten[:0] = self._questions.put_back(results)
                    raise
                self._questions.note = self._note()
                more = self._questions.close(results, written)
                self._unwritten[:0] = more
                for _ in range(len(results) - len(more)):
                    self._slots.release()
        finally:
            self._writing = False

    def _note(self) -> str:
        budget = self._judge.budget
        spent = f", ${budget.spent:.4f}" if budget.price else ""
        failed = len(self._questions.run.failures)
        return f"{budget.tokens_in + budget.tokens_out} tokens{spent}, {failed} failed"
