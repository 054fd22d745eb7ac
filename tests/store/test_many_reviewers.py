"""Several reviewers score at the same moment: what was acknowledged is there, once, and nobody is refused."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text

from store import open_store
from store.queries import journal, rubrics
from store.queries import raters as rater_queries
from store.queries.journal import Score
from tests.reviewing import make_store
from tui.review.saving import saving

pytestmark = pytest.mark.parts


PEOPLE, TEXTS = 6, 6


def test_every_acknowledged_score_is_there_once_and_nobody_waits_in_vain(new_store):
    make_store(new_store, keys=1).dispose()
    together = Barrier(PEOPLE)

    def reviewer(name: str) -> list[tuple[str, int, int, int]]:
        engine = open_store(new_store)
        together.wait()
        said = []
        with saving(engine) as session:
            rater = rater_queries.rater_id(session, "human", name)
            criteria = [it.id or 0 for it in rubrics.criteria_of(session, rubrics.default_rubric_id(session))]
        for response in range(1, TEXTS + 1):
            for criterion in criteria:
                with saving(engine) as session:
                    journal.append(session, rater, [Score(response, criterion, (response + criterion) % 3)])
                said.append((name, response, criterion, (response + criterion) % 3))
            with saving(engine) as session:
                journal.commit_response(session, rater, response)
        engine.dispose()
        return said

    with ThreadPoolExecutor(PEOPLE) as pool:
        said = [it for part in pool.map(reviewer, [f"r{n}" for n in range(PEOPLE)]) for it in part]
    engine = open_store(new_store)
    with engine.connect() as connection:
        sql = "SELECT name, response_id, criterion_id, score FROM rating JOIN rater ON rater.id = rater_id"
        kept = [tuple(row) for row in connection.execute(text(sql))]
        raters = connection.execute(text("SELECT count(*) FROM rater")).scalar()
    engine.dispose()
    assert Counter(kept) == Counter(said)
    assert max(Counter(kept).values()) == 1
    assert raters == PEOPLE
