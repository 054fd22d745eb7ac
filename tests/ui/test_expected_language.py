"""An answer in the language that the modifier demands is not called one in the wrong language."""

import pytest

from tests.ui.pilot import WIDE, compare_app, line_with, press, shown
from tests.ui.stores import Question, Reply, store_of

pytestmark = pytest.mark.parts


QUESTIONS = {
    "plain": Question(
        {"en": "Say it"}, {"en": [Reply("an answer", language="en"), Reply("ответ", language="ru")]}
    ),
    "asked": Question(
        {"en": "Say it in Russian"},
        {"en": [Reply("an answer", language="en"), Reply("ответ", language="ru")]},
        modifier="short+lang_ru",
    ),
}


@pytest.fixture
def engine(tmp_path):
    with store_of(tmp_path / "s.db", QUESTIONS) as engine:
        yield engine


async def test_the_column_compares_with_the_language_that_is_expected(engine):
    async with compare_app(engine, language="en", open=True).run_test(size=WIDE) as pilot:
        assert "wrong language" in line_with(pilot, "ru 0.90")
        assert shown(pilot).count("· wrong language") == 1
        assert "ru 0.90 · wrong language" in shown(pilot)
        await press(pilot, "n")
        assert shown(pilot).count("· wrong language") == 1
        assert "en 0.90 · wrong language" in shown(pilot)
