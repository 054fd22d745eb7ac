"""Judging in batches, in tests: one call, and what it left in the store."""

from sqlalchemy import text

from core.judge.llm_judge.settings import JudgeSettings
from core.judge.rubric.judge import judge_rubric
from store.provenance import RunRecord
from tests.core.judge.judged import SETTINGS

BATCH = {"batch_size", "poll", "wait"}


def judge_in_batches(engine, server, **options) -> RunRecord:
    if "size" in options:
        options["batch_size"] = options.pop("size")
    model = options.pop("model", "judge")
    given = {name: options.pop(name) for name in (SETTINGS | BATCH) & set(options)}
    settings = JudgeSettings(**{"model": model, "base_url": server.url, "batch": True, "poll": 0.01, **given})
    return judge_rubric(engine, settings, **options)


def batch_rows(engine):
    """(status, requests, attempt, whether it has ended) of every batch in the store."""
    statement = "SELECT status, requests, attempt, ended_at IS NOT NULL FROM judge_batch ORDER BY id"
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def answers(*names: str):
    """Rows for `answered`, in Russian."""
    return [("ru", "Кто ты?", f"Ответ {name}") for name in names]


def many(count: int):
    return answers(*map(str, range(count)))
