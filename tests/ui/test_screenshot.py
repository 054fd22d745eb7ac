"""Pictures made without a terminal: they show the screen, and leave the store as it was."""

import html
import re
import sqlite3

import pytest

from store import UsageError
from tui.screenshot import save_screenshot

pytestmark = pytest.mark.parts


def counts(path) -> list[int]:
    connection = sqlite3.connect(path)
    tables = ("entry", "rating", "rater", "presentation", "bookmark", "run")
    found = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
    connection.close()
    return found


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
def test_a_picture_shows_the_screen_after_the_keys_and_the_store_keeps_nothing(store_path, tmp_path, size):
    before = counts(store_path)
    picture = tmp_path / "compare.svg"
    save_screenshot(store_path, picture, language="ru", size=size, keys=["2", "1"])
    texts = [html.unescape(text) for text in re.findall(r">([^<>]+)</text>", picture.read_text())]
    shown = " ".join(texts).replace("\xa0", " ")
    assert "Привет, как играть в бадминтон?" in shown
    assert "22 left in this row" in shown
    assert not [text for text in texts if text.startswith("\xa0") and text.strip()]
    assert counts(store_path) == before


def test_a_database_by_url_is_refused(tmp_path):
    with pytest.raises(UsageError, match="SQLite"):
        save_screenshot("postgresql://host/xlit", tmp_path / "p.svg", language="ru")
