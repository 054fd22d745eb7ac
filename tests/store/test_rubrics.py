"""The default rubric: six criteria from 0 to 2, each score described."""

import pytest

from store import open_store
from store.queries import rubrics
from store.session import writing

pytestmark = pytest.mark.parts


def test_the_default_rubric_is_written_once_with_all_its_descriptions(tmp_path):
    engine = open_store(tmp_path / "s.db", create=True)
    with writing(engine) as session:
        first = rubrics.default_rubric_id(session)
        assert rubrics.default_rubric_id(session) == first
        criteria = rubrics.criteria_of(session, first)
        names = [criterion.name for criterion in criteria]
        assert names == ["helpfulness", "language", "fluency", "accuracy", "logic", "harmlessness"]
        for criterion in criteria:
            assert (criterion.minimum, criterion.maximum) == (0, 2)
            assert set(criterion.descriptions) == {"0", "1", "2"}


def test_the_names_of_criteria_are_those_of_all_rubrics_once_each(tmp_path):
    engine = open_store(tmp_path / "s.db", create=True)
    with writing(engine) as session:
        for version in ("1", "2"):
            rubrics.rubric_id(session, "r", version, [{"name": "logic"}, {"name": f"only {version}"}])
        assert rubrics.criterion_names(session) == ["logic", "only 1", "only 2"]
