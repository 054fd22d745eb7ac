"""Judging in tests: one call, and what it left in the store."""

from sqlalchemy import text

from core.judge.llm.run import JudgeSettings
from core.judge.rubric.run import judge_rubric


def ratings(engine):
    statement = (
        "SELECT r.response_id, c.name, r.score FROM current_rating AS r "
        "JOIN criterion AS c ON c.id = r.criterion_id JOIN rater ON rater.id = r.rater_id WHERE kind = 'llm'"
    )
    found: dict[int, dict[str, int]] = {}
    with engine.connect() as connection:
        for response, name, score in connection.execute(text(statement)):
            found.setdefault(response, {})[name] = score
    return found


SETTINGS = {"attempts", "concurrency", "timeout", "temperature", "max_cost", "prices"}


def judge(engine, server, **options):
    asked = {name: options.pop(name) for name in SETTINGS & set(options)}
    return judge_rubric(engine, JudgeSettings("judge", server.url, **asked), **options)
