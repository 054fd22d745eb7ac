"""Judging in tests: one call, and what it left in the store."""

from sqlalchemy import Engine, text

from core.judge.llm_judge.settings import JudgeSettings
from core.judge.rubric.judge import judge_rubric
from store.queries import models, responses, suites
from store.session import writing


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
    return judge_rubric(engine, JudgeSettings(model="judge", base_url=server.url, **asked), **options)


def fill(store: Engine, *rows: tuple, model: str = "m") -> Engine:
    """Write one instruction for each (language, instruction, response) or (..., check), and the response."""
    with writing(store) as session:
        new = [
            suites.NewInstruction(f"k{place}", language, question, check=rest[0] if rest else None)
            for place, (language, question, _, *rest) in enumerate(rows)
        ]
        suite, _ = suites.add_suite(session, "s", "1", new)
        ids = {
            (row.language, row.key): row.id
            for language in {row[0] for row in rows}
            for row in suites.instructions_of(session, suite, language)
        }
        identity = {
            "model_id": models.model_id(session, model),
            "decoding_id": models.decoding_id(session, "imported", None, {}),
        }
        responses.add_responses(
            session,
            [
                {**identity, "instruction_id": ids[language, f"k{place}"], "text": text}
                for place, (language, _, text, *_) in enumerate(rows)
            ],
        )
    return store
