"""Judging in batches, in tests: one call, and what it left in the store."""

from sqlalchemy import text

from core.judge.llm_judge.runner import JudgeSettings
from core.judge.llm_judge.settings import BatchSettings
from core.judge.rubric.judge import judge_rubric
from store.provenance import RunRecord
from tests.core.judge.judged import SETTINGS

BATCH = {"size", "poll", "wait"}


def judge_in_batches(engine, server, **options) -> RunRecord:
    batch = BatchSettings(**({"poll": 0.01} | {name: options.pop(name) for name in BATCH & set(options)}))
    model = options.pop("model", "judge")
    asked = {name: options.pop(name) for name in SETTINGS & set(options)}
    return judge_rubric(engine, JudgeSettings(model, server.url, batch=batch, **asked), **options)


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
