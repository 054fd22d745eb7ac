"""A small store as the review room finds it: Russian responses of four models, a judge, surface metrics."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from store import open_store
from store.queries import journal, models, raters, responses, rubrics, suites, surface
from store.queries.journal import Score
from store.session import writing
from tui.review.session import ReviewSession
from tui.review.view import open_view
from tui.screens import saving_screen

MODELS = (
    "LLaMA-2-7B / Dolly-En / FT",
    "LLaMA-2-7B / LIMA-En / FT",
    "TowerBase-7B / Dolly-En / LoRA",
    "gpt-3.5",
)
QUESTIONS = {
    "badminton": ("Привет, как играть в бадминтон?", "Hi, how do I play badminton?"),
    "pie": ("Как испечь пирог с яблоками?", "How do I bake an apple pie?"),
    "moon": ("Почему Луна светится?", "Why does the Moon shine?"),
}
JUDGE = "gpt-3.5-turbo-0125"


def fill(path: Path) -> None:
    """Write the store; every response's text names its model's number and its question."""
    engine = open_store(path, create=True)
    with writing(engine) as session:
        new = [
            suites.NewInstruction(key, language, text, task="give advice")
            for key, texts in QUESTIONS.items()
            for language, text in zip(("ru", "en"), texts, strict=True)
        ]
        suite, _ = suites.add_suite(session, "paper", "1", new)
        decoding = models.decoding_id(session, "imported", None, {})
        rows = [
            {
                "instruction_id": instruction.id,
                "model_id": models.model_id(session, model),
                "decoding_id": decoding,
                "text": f"Ответ {number} на «{instruction.key}»: возьмите ракетку и начните. " * 4,
            }
            for instruction in suites.instructions_of(session, suite, "ru")
            for number, model in enumerate(MODELS)
        ]
        responses.add_responses(session, rows)
        judge = raters.rater_id(session, "llm", JUDGE, "1")
        criteria = rubrics.criteria_of(session, rubrics.default_rubric_id(session))
        for response in range(1, len(rows) + 1):
            journal.append(session, judge, [Score(response, criterion.id or 0, 1) for criterion in criteria])
            metrics = {"language": (0.99, "ru"), "spelling": (0.97, None), "relevance": (1.0, None)}
            surface.add_metrics(
                session,
                [
                    {"response_id": response, "metric": name, "tool": "t", "value": value, "label": label}
                    for name, (value, label) in metrics.items()
                ],
            )
    engine.dispose()


@pytest.fixture(scope="session")
def filled_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "room.db"
    fill(path)
    return path


@pytest.fixture(autouse=True)
def _a_key_waits_for_its_score(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine takes longer to save than a screen waits before it shows a score as not saved yet. Only
    the tests about that look at what is not saved."""
    if request.path.stem not in ("test_saving", "test_store_away"):
        monkeypatch.setattr(saving_screen, "SECONDS_TO_SAVE", 10)


@pytest.fixture
def store_path(tmp_path: Path, filled_store: Path) -> Path:
    """A copy of the filled store for one test."""
    return Path(shutil.copy(filled_store, tmp_path / "room.db"))


@pytest.fixture
def engine(store_path: Path) -> Iterator[Engine]:
    found = open_store(store_path)
    yield found
    found.dispose()


@pytest.fixture
def review(engine: Engine) -> ReviewSession:
    return ReviewSession(engine, open_view(engine, language="ru", reviewer="nv"))
