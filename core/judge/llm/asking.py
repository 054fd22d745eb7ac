"""Asking all the questions of a judgement, many at a time, and writing the answers as they come."""

import asyncio
from dataclasses import replace

from core.endpoint.reply import AskFailed
from core.endpoint.retrying import GivingUp
from core.judge.llm.asker import Asker
from core.judge.llm.budget import BudgetSpent
from core.judge.llm.questions import Outcome, Question, Questions
from core.judge.llm.reply import BadAnswer

# Questions beyond those on their way: with their prompt written, so that one starts the moment another has
# ended, or answered and not yet written.
READY = 8


class Asking:
    """Puts questions to an asker. An answer that can't be used is asked for again, up to `attempts` times in
    all, with a reminder of the form; then the question has failed."""

    def __init__(self, questions: Questions, asker: Asker, attempts: int) -> None:
        self._questions, self._asker, self._attempts = questions, asker, attempts
        self._giving_up = GivingUp(asker.shown)
        self._unwritten: list[Outcome] = []
        self._writing = False
        self._tasks: asyncio.TaskGroup
        self._places: asyncio.Semaphore
        self.budget_spent = False

    async def all(self) -> None:
        """Ask everything that there is to ask.

        Raises an `ExceptionGroup` with the `XlitError` that ended it; what was answered until then is
        written. Ends early, with `budget_spent`, when the next question could cost too much.
        """
        self._places = asyncio.Semaphore(self._asker.at_a_time + READY)
        try:
            async with asyncio.TaskGroup() as self._tasks:
                for chunk in self._questions.chunks():
                    for question in chunk:
                        await self._places.acquire()
                        if self.budget_spent:
                            return
                        self._tasks.create_task(self._one(question))
                    await asyncio.sleep(0)
        finally:
            # Of a run that is stopped here, what was paid for and not yet written.
            if self._unwritten:
                self._questions.write(self._questions.take(self._unwritten))

    async def _one(self, question: Question) -> None:
        outcome = await self._outcome(question)
        if outcome is None:
            self._places.release()
            return
        # Its place is free when it is written: what is paid for and not yet on disk is never much.
        self._unwritten.append(outcome)
        if not self._writing:
            self._writing = True
            self._tasks.create_task(self._write())

    async def _outcome(self, question: Question) -> Outcome | None:
        """What comes of a question; None when there is no money left for it."""
        prompt, reason = question.prompt, ""
        for attempt in range(1, self._attempts + 1):
            try:
                reply = await self._asker.ask(prompt)
                self._giving_up.answered()
                value = self._questions.judgement.read(reply)
                return Outcome(question, value, reply)
            except BadAnswer as error:
                reason = str(error)
                prompt = replace(prompt, text=question.prompt.text + self._questions.judgement.reminder)
            except BudgetSpent:
                self.budget_spent = True
                return None
            except AskFailed as error:
                self._giving_up.failed(error)
                return Outcome(question, reason=str(error), attempts=attempt)
        return Outcome(question, reason=reason, attempts=self._attempts)

    async def _write(self) -> None:
        """Write what has come, together; while that goes to the disk, more comes."""
        try:
            while self._unwritten:
                outcomes, self._unwritten = self._questions.take(self._unwritten), []
                try:
                    written = await asyncio.shield(asyncio.to_thread(self._questions.write, outcomes))
                except Exception:
                    self._unwritten[:0] = self._questions.put_back(outcomes)
                    raise
                self._questions.note = self._note()
                more = self._questions.close(outcomes, written)
                self._unwritten[:0] = more
                for _ in range(len(outcomes) - len(more)):
                    self._places.release()
        finally:
            self._writing = False

    def _note(self) -> str:
        budget = self._asker.budget
        spent = f", ${budget.spent:.4f}" if budget.price else ""
        failed = len(self._questions.run.failures)
        return f"{budget.tokens_in + budget.tokens_out} tokens{spent}, {failed} failed"
