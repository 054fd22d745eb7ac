"""A store with any number of Russian responses of seven models, written in bulk.

The schema and the small tables are made by `store`; what is a row for each instruction or response goes past
its idempotent writers, straight into the tables: a million responses take a minute or two.
"""

import hashlib
import random
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from store import open_store
from store.queries import models, raters, rubrics, suites
from store.session import writing

MODELS = (
    "LLaMA-2-7B / Dolly-En / FT", "LLaMA-2-7B / Dolly-DT / FT", "LLaMA-2-7B / LIMA-En / FT",
    "LLaMA-2-13B / Dolly-En / FT", "LLaMA-2-13B / Dolly-En / LoRA", "TowerBase-7B / Dolly-En / FT",
    "TowerBase-7B / Dolly-En / LoRA",
)  # fmt: skip
JUDGE = "gpt-3.5-turbo-0125"
# One instruction in so many has a judge's scores and surface metrics; the first one has.
JUDGED_EVERY = 5

WORDS = (
    "ракетка волан игра поле сетка удар правило победа очко подача стена мяч тренер школа город вечер утро "
    "можно нужно сначала потом затем всегда иногда быстро медленно возьмите начните держите встаньте помните "
    "хороший новый большой первый второй лёгкий трудный это как чтобы если когда и но на в с по для"
)


def first_words(instruction: int) -> str:
    """How the Russian text of an instruction begins, by its place in the suite from 0."""
    return f"Вопрос {instruction + 1}: как научиться играть"


def first_words_of_responses(instruction: int) -> str:
    """How every response to it begins."""
    return f"На вопрос {instruction + 1} ответ"


def build(path: Path, responses: int, characters: int) -> None:
    """Write a store of at least `responses` responses of about `characters` characters, in one suite.

    It appears at `path` when it is complete; one that is there already is left as it is.
    """
    if path.exists():
        return
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    engine = open_store(unfinished, create=True)
    with writing(engine) as session:
        suite, _ = suites.add_suite(session, "long", "1", [])
        judge = raters.rater_id(session, "llm", JUDGE, "1")
        known_models = [models.model_id(session, name) for name in MODELS]
        decoding = models.decoding_id(session, "imported", None, {})
        criteria = [it.id or 0 for it in rubrics.criteria_of(session, rubrics.default_rubric_id(session))]
    engine.dispose()
    count = -(-responses // len(MODELS))
    connection = sqlite3.connect(unfinished)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    _insert(connection, "instruction", _instructions(suite, count))
    _insert(connection, "response", _responses(known_models, decoding, count, characters))
    judged = [
        instruction * len(MODELS) + place
        for instruction in range(0, count, JUDGED_EVERY)
        for place in range(1, len(MODELS) + 1)
    ]
    _insert(connection, "surface_metric", _metrics(judged))
    _insert(connection, "entry", _entries(judged, judge))
    _insert(connection, "rating", _ratings(judged, judge, criteria))
    connection.commit()
    connection.close()
    unfinished.rename(path)


Values = dict[str, object]


def _insert(connection: sqlite3.Connection, table: str, rows: Iterator[Values]) -> None:
    """Insert rows that all have the keys of the first one."""
    first = next(rows)
    names, places = ", ".join(f'"{name}"' for name in first), ", ".join(f":{name}" for name in first)
    statement = f"INSERT INTO {table} ({names}) VALUES ({places})"
    connection.execute(statement, first)
    connection.executemany(statement, rows)


def _instructions(suite: int, count: int) -> Iterator[Values]:
    texts = {"ru": "{} в бадминтон и не устать?", "en": "Question {}: how do I learn to play badminton?"}
    for number in range(count):
        for language, text in texts.items():
            filled = text.format(first_words(number) if language == "ru" else number + 1)
            yield {
                "suite_id": suite, "key": f"q{number:06}", "language": language, "position": number,
                "text": filled, "task": "give advice",
            }  # fmt: skip


def _responses(model_ids: list[int], decoding: int, count: int, characters: int) -> Iterator[Values]:
    chosen = random.Random(1)
    words = " ".join(chosen.choices(WORDS.split(), k=50_000))
    now = _stored(datetime.now(UTC))
    for number in range(count):
        for place, model in enumerate(model_ids):
            beginning = f"{first_words_of_responses(number)} {place + 1}."
            start = chosen.randrange(len(words) - characters)
            text = f"{beginning} {words[start : start + characters - len(beginning) - 1]}"
            yield {
                # `_instructions` writes the Russian one of each pair first.
                "instruction_id": 2 * number + 1, "model_id": model, "decoding_id": decoding, "sample": 0,
                "text": text, "text_digest": hashlib.sha256(text.encode()).hexdigest(), "created_at": now,
            }  # fmt: skip


def _metrics(responses: Iterable[int]) -> Iterator[Values]:
    values = {"language": (0.99, "ru"), "spelling": (0.97, None), "relevance": (1.0, None)}
    for response in responses:
        for metric, (value, label) in values.items():
            yield {
                "response_id": response, "metric": metric, "tool": "bulk", "value": value, "label": label,
                "detail": "{}",
            }  # fmt: skip


def _entries(responses: Iterable[int], judge: int) -> Iterator[Values]:
    now = _stored(datetime.now(UTC))
    for number, response in enumerate(responses, start=1):
        yield {
            "id": number, "rater_id": judge, "kind": "score", "response_id": response, "created_at": now,
            "judge_shown": 0, "names_shown": 0, "app_version": "bulk",
        }  # fmt: skip


def _ratings(responses: Iterable[int], judge: int, criteria: list[int]) -> Iterator[Values]:
    for number, response in enumerate(responses, start=1):
        for criterion in criteria:
            yield {
                "entry_id": number, "response_id": response, "rater_id": judge, "criterion_id": criterion,
                "score": (response + criterion) % 3, "skipped": 0,
            }  # fmt: skip


def _stored(time: datetime) -> str:
    """A point in time as SQLAlchemy writes it into SQLite."""
    return time.strftime("%Y-%m-%d %H:%M:%S.%f")
