"""`xlit-core judge rubric`: an LLM rates responses on the six criteria."""

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine

from core.judge.llm.endpoint import LIBRARIES, AskFailed, Endpoint, Reply
from core.judge.rubric.parsing import BadAnswer, parse_answer
from core.judge.rubric.prompts import Prompt, load_prompt
from core.judge.scope import chosen_languages
from core.progress import Progress, progress
from store import UsageError, XlitError
from store.provenance import RunRecord, record_run
from store.queries import journal, judging, models, rubrics
from store.queries.journal import Score
from store.queries.judging import Unrated
from store.session import reading, writing

# Responses looked up at a time.
CHUNK = 200

# Responses in a row for which the server was busy or broken, after all retries, before the run ends.
GIVE_UP_AFTER = 10

REMINDER = "\n\nAnswer with the JSON object of all six criteria and nothing else."


def judge_rubric(
    engine: Engine,
    *,
    model: str,
    base_url: str | None = None,
    prompt: Path | None = None,
    languages: list[str] | None = None,
    limit: int | None = None,
    concurrency: int = 4,
    attempts: int = 3,
    timeout: float = 60,
) -> RunRecord:
    """Have `model` behind an OpenAI-compatible endpoint rate every response that it has not rated yet.

    Its 1 to 3 stars are kept as 0 to 2, under the rater of kind `llm` with the model's name and the prompt's
    version. All six scores are kept as the judge gave them, also where it says that the language is wrong:
    leaving those out is the analysis's rule. Identical responses to identical instructions are asked once,
    and answers are kept, so that nothing is paid for twice. Ratings are written as each answer comes.

    An answer that can't be used is asked for again, up to `attempts` times in all (with a reminder of the
    form after the first); then the response stays unrated and is a failed unit of the run. `limit`: how many
    responses at most; `concurrency`: requests at a time; `timeout`: seconds for each.

    Raises `XlitError` when the endpoint refuses the key, can't be reached, or is out of order for
    `GIVE_UP_AFTER` responses in a row; what was rated until then stays.
    """
    for name, number in (("concurrency", concurrency), ("attempts", attempts), ("limit", limit)):
        if number is not None and number < 1:
            raise UsageError(f"{name} must be at least 1, not {number}.")
    wording = load_prompt(prompt)
    endpoint = Endpoint(model, base_url, timeout=timeout)
    chosen = chosen_languages(engine, languages)
    parameters = {
        "model": model,
        "endpoint": endpoint.shown,
        "prompt": wording.version,
        "languages": chosen,
        "limit": limit,
        "concurrency": concurrency,
        "attempts": attempts,
        "timeout": timeout,
    }
    with record_run(engine, "judge rubric", parameters, libraries=LIBRARIES) as run:
        with writing(engine) as session:
            rater = models.rater_id(session, "llm", model, wording.version)
            rubric = rubrics.default_rubric_id(session)
            criteria = {
                criterion.name: criterion.id or 0 for criterion in models.criteria_of(session, rubric)
            }
            total = judging.count_unrated(session, rater, chosen)
        run.idle = total == 0
        with progress(f"rubric {model}", total if limit is None else min(total, limit)) as shown:
            judge = _Judge(run, endpoint, wording, rater, criteria, attempts, shown)
            try:
                asyncio.run(judge.rate_all(chosen, limit, concurrency))
            except ExceptionGroup as group:
                raise _first(group) from None
    return run


@dataclass
class _Question:
    """One thing to be asked, and the responses (all alike) that the answer is for."""

    digest: str
    instruction: str
    text: str
    rows: list[Unrated] = field(default_factory=list)


@dataclass
class _Judge:
    run: RunRecord
    endpoint: Endpoint
    prompt: Prompt
    rater: int
    criteria: dict[str, int]
    attempts: int
    shown: Progress
    open: dict[str, _Question] = field(default_factory=dict)
    busy_in_a_row: int = 0

    async def rate_all(self, languages: list[str], limit: int | None, concurrency: int) -> None:
        """Ask about every response without a rating, `concurrency` at a time."""
        places = asyncio.Semaphore(concurrency)
        last, left = 0, limit
        async with self.endpoint, asyncio.TaskGroup() as tasks:
            while left is None or left > 0:
                size = CHUNK if left is None else min(CHUNK, left)
                with reading(self.run.engine) as session:
                    rows = judging.unrated(session, self.rater, languages, after=last, limit=size)
                if not rows:
                    return
                last = rows[-1].response_id
                left = None if left is None else left - len(rows)
                for question in self._not_answered_yet(rows):
                    await places.acquire()
                    task = tasks.create_task(self._ask(question))
                    task.add_done_callback(lambda _: places.release())

    def _not_answered_yet(self, rows: list[Unrated]) -> list[_Question]:
        """The questions that these responses pose; those answered before are rated at once."""
        new: dict[str, _Question] = {}
        for row in rows:
            digest = question_digest(self.endpoint.model, self.prompt.version, row.instruction, row.text)
            question = self.open.get(digest)
            if question is None:
                question = self.open[digest] = new[digest] = _Question(digest, row.instruction, row.text)
            question.rows.append(row)
        with reading(self.run.engine) as session:
            known = judging.known_answers(session, list(new))
        for digest, answer in known.items():
            try:
                scores = parse_answer(answer)
            except BadAnswer:  # kept by a version that read answers in another way
                continue
            self.run.count("from cache")
            self._rate(new.pop(digest), scores, None)
        return list(new.values())

    async def _ask(self, question: _Question) -> None:
        prompt = self.prompt.render(question.instruction, question.text)
        reason = ""
        for attempt in range(1, self.attempts + 1):
            try:
                reply = await self.endpoint.ask(prompt if attempt == 1 else prompt + REMINDER)
                self._count(reply)
                scores = parse_answer(reply.text, finish_reason=reply.finish_reason, refusal=reply.refusal)
            except BadAnswer as error:
                reason = str(error)
                continue
            except AskFailed as error:
                self._give_up(question, str(error), attempt)
                self._still_there(error)
                return
            self._rate(question, scores, reply)
            return
        self._give_up(question, reason, self.attempts)

    def _rate(self, question: _Question, scores: dict[str, int], reply: Reply | None) -> None:
        """Write the ratings of all the responses of a question, and its answer when it is new, as one."""
        with writing(self.run.engine) as session:
            if reply is not None:
                judging.keep_answer(
                    session, question.digest, self.rater, reply.text or "",
                    tokens_in=reply.tokens_in, tokens_out=reply.tokens_out,
                )  # fmt: skip
            done = judging.rated_by(session, self.rater, [row.response_id for row in question.rows])
            for row in question.rows:
                if row.response_id in done:  # by another process, meanwhile
                    continue
                new = [Score(row.response_id, self.criteria[name], score) for name, score in scores.items()]
                journal.append(session, self.rater, new, run_id=self.run.id)
                self.run.count("rated")
        self._close(question)

    def _give_up(self, question: _Question, reason: str, attempts: int) -> None:
        for row in question.rows:
            self.run.fail(row.unit, reason, attempts)
        self._close(question)

    def _close(self, question: _Question) -> None:
        del self.open[question.digest]
        tokens = self.run.counts.get("tokens in", 0) + self.run.counts.get("tokens out", 0)
        self.shown.advance(len(question.rows), f"{tokens} tokens, {len(self.run.failures)} failed")

    def _still_there(self, error: AskFailed) -> None:
        self.busy_in_a_row = self.busy_in_a_row + 1 if error.busy else 0
        if self.busy_in_a_row >= GIVE_UP_AFTER:
            raise XlitError(
                f"{self.endpoint.shown} failed {GIVE_UP_AFTER} times in a row, at last with: {error}. "
                "Run the same command again later; what was rated stays."
            )

    def _count(self, reply: Reply) -> None:
        self.busy_in_a_row = 0
        self.run.count("asked")
        self.run.count("tokens in", reply.tokens_in or 0)
        self.run.count("tokens out", reply.tokens_out or 0)


def question_digest(model: str, prompt_version: str, instruction: str, response: str) -> str:
    """The SHA-256 (hex) under which a judge's answer is kept."""
    return hashlib.sha256(json.dumps([model, prompt_version, instruction, response]).encode()).hexdigest()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to show of those that ended the run: one line for the user before anything else."""
    for_user = group.subgroup(XlitError)
    found: BaseException = for_user or group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
