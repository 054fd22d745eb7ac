"""A store to be shared out among reviewers, and reviewers who work through their queues without a screen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from core.campaigns.create import CampaignRequest, CreatedCampaign, create_campaign
from store import open_store
from store.queries import campaigns, journal, models, responses, review_queue, rubrics, suites
from store.queries.journal import Score
from store.queries.review_queue import QueueItem
from store.session import reading, writing
from store.tables import Rater

MODELS = ("base", "main", "other")
SAME = "The very same answer."
OPTIONS: dict[str, Any] = {"seed": 1}


def without_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every campaign and merge is a run, and asking git for the revision takes most of its time."""
    monkeypatch.setattr("store.provenance.git_revision", lambda: None)


def make_store(
    store: str | Path, *, keys: int = 12, languages: tuple[str, ...] = ("ru", "fr"), backwards: bool = False
) -> Engine:
    """Answers of three models to instructions of four tasks in these languages. `base` and `other` answer
    every fourth instruction in the same words. `backwards`: the same content under other row numbers."""
    engine = open_store(store, create=True)
    with writing(engine) as session:
        new = [
            suites.NewInstruction(f"k{n:03}", language, f"Question {n}?", task=f"task {n % 4}")
            for n in range(keys)
            for language in languages
        ]
        suite, _ = suites.add_suite(session, "paper", "1", new)
        decoding = models.decoding_id(session, "imported", None, {})
        answers = [
            (instruction, model)
            for language in languages
            for instruction in suites.instructions_of(session, suite, language)
            for model in MODELS
        ]
        if backwards:
            answers.reverse()
        written = [
            {
                "instruction_id": instruction.id,
                "model_id": models.model_id(session, model),
                "decoding_id": decoding,
                "text": answer_of(model, instruction.key, instruction.language),
            }
            for instruction, model in answers
        ]
        responses.add_responses(session, written)
        rubrics.default_rubric_id(session)
    return engine


def answer_of(model: str, key: str, language: str) -> str:
    """What a model answered."""
    same = model != "main" and int(key[1:]) % 4 == 0
    return SAME if same else f"{model} says to {key} in {language}."


def campaign(engine: Engine, name: str, reviewers: list[str], **wanted: Any) -> CreatedCampaign:
    """A campaign of these reviewers; `wanted` are fields of `Wanted` or options of the plan."""
    fields = {key: wanted.pop(key) for key in list(wanted) if key in CampaignRequest.__dataclass_fields__}
    asked = {"suites": (), "languages": (), "models": (), **fields}
    return create_campaign(
        engine, CampaignRequest(name=name, reviewers=reviewers, options={**OPTIONS, **wanted}, **asked)
    )


def stops_of(engine: Engine, name: str, reviewer: str) -> list[QueueItem]:
    """The queue of a reviewer."""
    with reading(engine) as session:
        found = campaigns.campaign_named(session, name)
        return review_queue.queue_of(session, found.id or 0, rater_of(session, reviewer))


def rater_of(session: Any, name: str, version: str = "") -> int:
    """The id of a person who is there."""
    return session.exec(select(Rater.id).where(Rater.name == name, Rater.version == version)).one()


def work(
    engine: Engine,
    name: str,
    reviewer: str,
    score: Callable[[QueueItem, str], int] = lambda stop, criterion: 2,
    most: int | None = None,
) -> None:
    """Score and commit the places of a queue (at most `most`) by a function of place and criterion."""
    stops = stops_of(engine, name, reviewer)[:most]
    with writing(engine) as session:
        criteria = rubrics.criteria_of(session, rubrics.default_rubric_id(session))
        for stop in stops:
            for response in stop.response_ids:
                given = [Score(response, it.id or 0, score(stop, it.name)) for it in criteria]
                journal.append(session, stop.rater_id, given)
                journal.commit_response(session, stop.rater_id, response)
