"""What is still to be asked for a judgement: one question for all identical responses, and none twice."""

import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from sqlmodel import Session

from core.llm.answers import BadAnswer, Reply
from core.llm.prompt_template import Prompt
from core.progress import Progress
from store.provenance import RunRecord
from store.queries import judging
from store.queries.judging import Unrated
from store.session import reading, writing

# Responses looked up at a time.
CHUNK = 200


class Judgement(Protocol):
    """What is asked about every response, and where the answers go.

    `name` is for people; `rater` is the row of the judge, `identity` its model and version; `reminder` is put
    behind a question whose answer could not be used.
    """

    name: str
    rater: int
    identity: tuple[str, ...]
    reminder: str

    def count(self, session: Session) -> int:
        """How many responses have no answer yet."""
        ...

    def pending(
        self, session: Session, after: int, limit: int, among: Sequence[int] | None = None
    ) -> list[Unrated]:
        """Those responses, by id from the one after `after`, at most `limit`; `among`: only these ids."""
        ...

    def about(self, response: Unrated) -> list[str]:
        """What a question is made of: responses with the same are alike."""
        ...

    def prompt(self, response: Unrated) -> Prompt:
        """The question."""
        ...

    def read(self, reply: Reply) -> Any:
        """What the answer says; raises `BadAnswer`."""
        ...

    def write(self, session: Session, responses: Sequence[Unrated], value: Any, run_id: int) -> int:
        """Write what was read for these responses, those left out that have it by now; returns for how
        many."""
        ...


@dataclass
class Question:
    """One thing to be asked, and the responses (all alike) that the answer is for; `taken` of them are being
    written, or are."""

    digest: str
    prompt: Prompt
    rows: list[Unrated] = field(default_factory=list)
    taken: int = 0


@dataclass(frozen=True)
class QuestionResult:
    """The result of a question: a `value` with the reply that it was read from (None: an earlier answer), or
    the reason why it came to nothing, and after how many attempts. `rows`: the responses to write it for."""

    question: Question
    value: Any = None
    reply: Reply | None = None
    reason: str | None = None
    attempts: int = 1
    rows: tuple[Unrated, ...] = ()


class Questions:
    """The questions of a judgement, in the order of the responses, and what has become of them.

    Identical responses to identical instructions are one question; what was answered before, by this run or
    any other, is not asked. `limit`: how many responses at most; `among`: only the responses with these ids,
    in ascending order; `skip`: digests of questions that are already being asked elsewhere, which `skipped`
    responses had.
    """

    def __init__(
        self,
        run: RunRecord,
        judgement: Judgement,
        bar: Progress,
        *,
        limit: int | None = None,
        skip: Container[str] = (),
        among: Sequence[int] | None = None,
    ) -> None:
        self.run, self.judgement, self.bar = run, judgement, bar
        self._limit, self._skip, self._among = limit, skip, among
        self.skipped = 0
        self._open: dict[str, Question] = {}
        self.note = ""

    def chunks(self) -> Iterator[list[Question]]:
        """The questions to be asked, some at a time; responses whose answer is known are rated at once.

        A question that comes again while it is open gains a response and is not handed out again.
        """
        for rows in self.responses():
            new: dict[str, Question] = {}
            for row in rows:
                digest = question_digest(self.judgement, row)
                if digest in self._skip:
                    self.skipped += 1
                    continue
                question = self._open.get(digest)
                if question is None:
                    question = self._open[digest] = new[digest] = Question(digest, self.judgement.prompt(row))
                question.rows.append(row)
            known = self.take(self._known(new))
            if known:
                self.run.count("from cache", len(known))
                self.close(known, self.write(known))
                for result in known:
                    del new[result.question.digest]
            yield list(new.values())

    def leave(self, questions: Iterable[Question]) -> None:
        """Forget questions that get no result here: one that comes again is handed out again."""
        for question in questions:
            self._open.pop(question.digest, None)

    def take(self, results: Sequence[QuestionResult]) -> list[QuestionResult]:
        """The results with the responses that they are to be written for."""
        taken = []
        for result in results:
            question = result.question
            taken.append(replace(result, rows=tuple(question.rows[question.taken :])))
            question.taken = len(question.rows)
        return taken

    def put_back(self, results: Sequence[QuestionResult]) -> list[QuestionResult]:
        """Undo `take` for results that could not be written."""
        for result in results:
            result.question.taken -= len(result.rows)
        return list(results)

    def write(self, results: Sequence[QuestionResult]) -> list[int]:
        """Write results in one transaction, each answer with its value; returns for how many responses each
        one was written. May run in a thread of its own."""
        judgement, run_id = self.judgement, self.run.id
        written = []
        with writing(self.run.engine) as session:
            for result in results:
                question, reply = result.question, result.reply
                if result.reason is not None:
                    for row in result.rows:
                        self.run.fail(row.unit, result.reason, result.attempts, session=session)
                    written.append(0)
                    continue
                if reply is not None:
                    judging.keep_answer(
                        session, question.digest, judgement.rater, reply.text or "",
                        tokens_in=reply.tokens_in, tokens_out=reply.tokens_out,
                    )  # fmt: skip
                written.append(judgement.write(session, result.rows, result.value, run_id))
        return written

    def close(self, results: Sequence[QuestionResult], written: Sequence[int]) -> list[QuestionResult]:
        """Count written results; returns those still to be written for responses that came meanwhile."""
        more = []
        for result, count in zip(results, written, strict=True):
            question = result.question
            if len(question.rows) > question.taken:
                more.append(replace(result, reply=None))
            else:
                del self._open[question.digest]
            if count:
                self.run.count("rated", count)
            self.bar.advance(len(result.rows), self.note)
        return more

    def unanswered(self) -> Iterator[list[Unrated]]:
        """For an estimate: a response of every new question, without writing anything."""
        seen: set[bytes] = set()
        for rows in self.responses():
            new: dict[str, list[Unrated]] = {}
            for row in rows:
                digest = question_digest(self.judgement, row)
                if digest in self._skip or bytes.fromhex(digest) in seen:
                    continue
                new.setdefault(digest, []).append(row)
            with reading(self.run.engine) as session:
                known = judging.known_answers(session, list(new))
            seen.update(map(bytes.fromhex, new))
            yield [alike[0] for digest, alike in new.items() if digest not in known]

    def responses(self, after: int = 0) -> Iterator[list[Unrated]]:
        """The responses without an answer, some at a time, from the one after the id `after`."""
        if self._among is not None:
            for first in range(0, len(self._among), CHUNK):
                ids = self._among[first : first + CHUNK]
                with reading(self.run.engine) as session:
                    rows = self.judgement.pending(session, after, CHUNK, ids)
                if rows:
                    yield rows
            return
        last, left = after, self._limit
        while left is None or left > 0:
            size = CHUNK if left is None else min(CHUNK, left)
            with reading(self.run.engine) as session:
                rows = self.judgement.pending(session, last, size)
            if not rows:
                return
            yield rows
            last = rows[-1].response_id
            left = None if left is None else left - len(rows)

    def _known(self, questions: dict[str, Question]) -> list[QuestionResult]:
        """What earlier answers say, of those that this version can read."""
        with reading(self.run.engine) as session:
            known = judging.known_answers(session, list(questions))
        results = []
        for digest, answer in known.items():
            try:
                value = self.judgement.read(Reply(answer))
            except BadAnswer:  # kept by a version that read answers in another way
                continue
            results.append(QuestionResult(questions[digest], value))
        return results


def question_digest(judgement: Judgement, response: Unrated) -> str:
    """The SHA-256 (hex) under which an answer is kept: who judges how, and what about."""
    asked = [*judgement.identity, *judgement.about(response)]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()
