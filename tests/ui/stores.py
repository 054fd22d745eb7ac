"""Stores for tests that need more than the one of conftest: other languages, texts, scores and marks."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from store import open_store
from store.queries import journal, models, raters, responses, rubrics, suites, surface
from store.queries.journal import Score
from store.session import writing

JUDGE = "gpt-3.5-turbo-0125"


@dataclass(frozen=True)
class Reply:
    """A response. `judge` are the judge's scores by criterion (none: not judged); `language` is what was
    identified; `misspelt` and `foreign` are what the surface metrics found in the text."""

    text: str
    judge: Mapping[str, int] = field(default_factory=dict)
    language: str = ""
    misspelt: Sequence[tuple[int, int]] = ()
    foreign: Sequence[tuple[int, int, str]] = ()


@dataclass(frozen=True)
class Question:
    """An instruction: its text and the replies to it (of model 0, model 1, ...) by language."""

    texts: Mapping[str, str]
    replies: Mapping[str, Sequence[Reply | str | None]]
    task: str | None = None
    modifier: str | None = None


@contextmanager
def store_of(path: Path, questions: Mapping[str, Question]) -> Iterator[Engine]:
    """A store with these questions by their keys, in their order; the replies are written in that order too.

    Models are named `model 0`, `model 1` ...; a reply of None: that model has not answered. Stores that were
    made before are copied.
    """
    made = repr(questions)
    if made not in _MADE:
        _make(path, questions)
        _MADE[made] = path.read_bytes()
    path.write_bytes(_MADE[made])
    engine = open_store(path)
    try:
        yield engine
    finally:
        engine.dispose()


# The files of stores by what they hold.
_MADE: dict[str, bytes] = {}


def _make(path: Path, questions: Mapping[str, Question]) -> None:
    engine = open_store(path, create=True)
    with writing(engine) as session:
        new = [
            suites.NewInstruction(key, language, text, task=question.task, modifier=question.modifier)
            for key, question in questions.items()
            for language, text in question.texts.items()
        ]
        suite_id, _ = suites.add_suite(session, "paper", "1", new)
        ids = {
            (row.key, row.language): row.id or 0
            for language in {instruction.language for instruction in new}
            for row in suites.instructions_of(session, suite_id, language)
        }
        for key, question in questions.items():
            for language, replies in question.replies.items():
                for number, reply in enumerate(replies):
                    if reply is not None:
                        add_reply(session, ids[key, language], f"model {number}", reply)
    engine.dispose()


def add_reply(session: Any, instruction: int, model: str, reply: Reply | str) -> int:
    """Write one response with its scores and metrics; returns its id."""
    reply = Reply(reply) if isinstance(reply, str) else reply
    row = {
        "instruction_id": instruction,
        "model_id": models.model_id(session, model),
        "decoding_id": models.decoding_id(session, "imported", None, {}),
        "text": reply.text,
    }
    responses.add_responses(session, [row])
    response = max(found for found, *_ in surface.responses_without(session, "none", "none"))
    if reply.judge:
        judge = raters.rater_id(session, "llm", JUDGE, "1")
        score(session, judge, response, reply.judge)
    add_metrics(session, response, reply)
    return response


def add_metrics(session: Any, response: int, reply: Reply) -> None:
    """Write what the surface metrics found in a response."""
    metrics = []
    if reply.language or reply.foreign:
        detail = {"foreign": [list(found) for found in reply.foreign]}
        label = reply.language or None
        metrics.append({"metric": "language", "value": 0.9, "label": label, "detail": detail})
    if reply.misspelt:
        detail = {"misspelt": [list(found) for found in reply.misspelt]}
        metrics.append({"metric": "spelling", "value": 0.5, "label": None, "detail": detail})
    surface.add_metrics(session, [{"response_id": response, "tool": "t", **row} for row in metrics])


def score(session: Any, rater: int, response: int, scores: Mapping[str, int]) -> None:
    """One action of a rater: these scores by criterion."""
    criteria = {
        row.name: row.id or 0 for row in rubrics.criteria_of(session, rubrics.default_rubric_id(session))
    }
    journal.append(session, rater, [Score(response, criteria[name], it) for name, it in scores.items()])
