"""The locked login: what the environment and the keys of the other side can't reach."""

import os
import pwd
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from textual.binding import Binding
from textual.widgets import TextArea

from store import open_store
from store.queries import raters
from store.session import writing
from tests.ui.terminal import Terminal
from tui.app import ReviewApp
from tui.keymap import SCREENS
from tui.kiosk import CRASHED, clean
from tui.review.session import ReviewSession
from tui.screens.compare import CompareScreen
from tui.widgets.entry import Entry

pytestmark = pytest.mark.whole


LOGIN = pwd.getpwuid(os.getuid()).pw_name
COLOUR = re.compile(rb"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7])(?:;[0-9;]*)?m")
MOUSE = "\x1b[<0;5;9M\x1b[<0;5;9m\x1b[<32;30;12M\x1b[<0;90;20M\x1b[<2;9;9M"
# Every control key but Ctrl+C and Ctrl+Q, which leave the room.
CONTROL = [chr(code) for code in (*range(0x20), 0x7F) if code not in (0x03, 0x11)]


def kiosk(store: Path, *options: str, width: int = 200, height: int = 50, **settings) -> Terminal:
    return Terminal(
        ["compare", "--kiosk", "--lang", "ru", "--store", str(store), *options], width, height, **settings
    )


def asked(store: Path, question: str) -> list[tuple]:
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute(question).fetchall()


def reviewers(store: Path) -> list[str]:
    return [
        name
        for (name,) in asked(
            store,
            "SELECT DISTINCT rater.name FROM current_rating JOIN rater ON rater.id = rater_id"
            " WHERE rater.kind = 'human'",
        )
    ]


def entries(store: Path) -> int:
    """How much reviewers have done."""
    question = "SELECT count(*) FROM entry JOIN rater ON rater.id = rater_id WHERE rater.kind = 'human'"
    return int(asked(store, question)[0][0])


def leave(terminal: Terminal) -> None:
    terminal.press("q")
    assert os.waitstatus_to_exitcode(terminal.wait()) == 0


# The environment


def test_only_the_terminal_and_the_language_are_kept_of_the_environment():
    environment = {
        "TERM": "xterm", "COLORTERM": "truecolor", "NO_COLOR": "1", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
        "TZ": "UTC", "HOME": "/elsewhere", "PATH": "/elsewhere", "USER": "mallory", "LOGNAME": "mallory",
        "XLIT_STORE": "x.db", "TEXTUAL_DRIVER": "evil:Driver", "PGHOST": "elsewhere", "PYTHONPATH": "/p",
        "GIT_DIR": "/elsewhere", "PAGER": "sh", "EDITOR": "sh", "SHELL": "/bin/sh", "TMPDIR": "/t",
        "XDG_CONFIG_HOME": "/elsewhere", "SSH_ORIGINAL_COMMAND": "sh", "SSH_AUTH_SOCK": "/s", "BROWSER": "sh",
    }  # fmt: skip
    clean(environment)
    assert environment == {
        "TERM": "xterm", "COLORTERM": "truecolor", "NO_COLOR": "1", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
        "TZ": "UTC", "HOME": pwd.getpwuid(os.getuid()).pw_dir, "PATH": os.defpath,
    }  # fmt: skip


def test_the_command_imports_nothing_that_reads_the_environment_before_it_is_cleaned():
    code = "import sys, tui.cli, tui.kiosk; print({name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    ).stdout
    assert "'typer'" in loaded
    assert "'textual'" not in loaded
    assert "'rich'" not in loaded


def test_the_reviewer_is_the_login_of_the_user_id_whatever_the_environment_says(store_path):
    names = dict.fromkeys(("USER", "LOGNAME", "LNAME", "USERNAME", "XLIT_REVIEWER"), "mallory")
    terminal = kiosk(store_path, environment=names)
    terminal.wait_for("● saved")
    terminal.press("2")
    leave(terminal)
    assert reviewers(store_path) == [LOGIN]


def test_the_reviewer_of_the_command_line_stands(store_path):
    terminal = kiosk(store_path, "--reviewer", "anna", environment={"XLIT_REVIEWER": "mallory"})
    terminal.wait_for("● saved")
    terminal.press("2")
    leave(terminal)
    assert reviewers(store_path) == ["anna"]


@pytest.mark.parametrize("options", [[], ["--kiosk"]], ids=["as usual", "kiosk"])
def test_the_environment_names_theme_keys_and_translation_only_where_nothing_is_locked(
    store_path, tmp_path, options
):
    (tmp_path / "xlit").mkdir()
    (tmp_path / "xlit" / "keys.toml").write_text('[keys]\n"app.quit" = "Q"\n')
    environment = {"XLIT_TRANSLATION": "none", "XLIT_THEME": "monochrome", "XDG_CONFIG_HOME": str(tmp_path)}
    terminal = Terminal(
        ["compare", *options, "--lang", "ru", "--store", str(store_path)], 200, 50, environment=environment
    )
    obeyed = not options
    terminal.wait_for("● saved" if obeyed else "how do I")
    terminal.read(quiet=0.5)
    assert ("how do I" not in terminal.text) == obeyed
    assert (COLOUR.search(terminal.raw) is None) == obeyed
    terminal.press("Q" if obeyed else "q")
    assert os.waitstatus_to_exitcode(terminal.wait()) == 0


def test_a_file_of_keys_comes_from_the_command_line_alone(store_path, tmp_path):
    own, sent = tmp_path / "own.toml", tmp_path / "sent.toml"
    own.write_text('[keys]\n"app.quit" = "Q"\n')
    sent.write_text("no TOML")
    terminal = kiosk(store_path, "--keys", str(own), environment={"XLIT_KEYS": str(sent)})
    terminal.wait_for("● saved")
    terminal.press("Q")
    assert os.waitstatus_to_exitcode(terminal.wait()) == 0
    terminal = kiosk(store_path, environment={"XLIT_KEYS": str(sent)})
    terminal.wait_for("● saved")
    leave(terminal)


def test_a_store_that_only_the_environment_names_is_refused(store_path):
    terminal = Terminal(
        ["compare", "--kiosk", "--lang", "ru"], 200, 24, environment={"XLIT_STORE": str(store_path)}
    )
    assert os.waitstatus_to_exitcode(terminal.wait()) == 2
    assert terminal.text.strip() == (
        "xlit-tui: --kiosk wants the store on its command line: add --store PATH-or-URL."
    )
    assert asked(store_path, "SELECT count(*) FROM run") == [(0,)]


def test_textual_obeys_nothing_of_the_environment(store_path, tmp_path):
    log, pictures = tmp_path / "textual.log", tmp_path / "pictures"
    pictures.mkdir()
    environment = {
        "TEXTUAL": "devtools,debug", "TEXTUAL_LOG": str(log), "TEXTUAL_PRESS": "2,2,2",
        "TEXTUAL_DRIVER": "no_such_module:Driver", "TEXTUAL_SCREENSHOT": "0",
        "TEXTUAL_SCREENSHOT_LOCATION": str(pictures), "TEXTUAL_ALLOW_SIGNALS": "1",
    }  # fmt: skip
    terminal = kiosk(store_path, environment=environment)
    terminal.wait_for("● saved")
    terminal.read(quiet=1)
    terminal.press("\x1a\x1c2")
    leave(terminal)
    assert not log.exists()
    assert list(pictures.iterdir()) == []
    assert entries(store_path) == 1


# The keys


def test_no_control_key_and_no_mouse_report_stops_the_room_or_starts_anything(store_path):
    inside = store_path.parent / "inside"
    inside.mkdir()
    before = {path.name for path in store_path.parent.iterdir()}
    terminal = kiosk(store_path, preamble=f"import os; os.chdir({str(inside)!r})\n")
    terminal.wait_for("● saved")
    for key in [*CONTROL, MOUSE, "\x1b[122;5u", "\x1b[57;5u"]:
        terminal.press(key, quiet=0.05)
        state = Path(f"/proc/{terminal.pid}/stat").read_text().rpartition(")")[2].split()[0]
        assert state in "RSD", f"stopped by {key!r}"
        assert children(terminal.pid) == [], f"started by {key!r}"
    terminal.press("\x1b", quiet=0.3)
    terminal.press("\x1b", quiet=0.3)
    terminal.press("2")
    assert entries(store_path) > 0
    leave(terminal)
    assert list(inside.iterdir()) == []
    assert {path.name for path in store_path.parent.iterdir()} == before


def children(process: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == process:
            found.append(int(stat.parent.name))
    return found


def test_keys_send_no_signal_while_the_room_starts_or_ends(store_path):
    """The room and the end of its process wait here, with the handler that Textual's driver puts in place."""
    waiting = (
        "import atexit, os, signal, time, tui.run\n"
        "def review(*_, **__):\n"
        "    signal.signal(signal.SIGTSTP, lambda *_: os.kill(os.getpid(), signal.SIGSTOP))\n"
        "    print('READY', flush=True); time.sleep(1); print('AFTER', flush=True)\n"
        "tui.run.run_review = review\n"
        "atexit.register(lambda: (print('ENDING', flush=True), time.sleep(1), print('ENDED', flush=True)))\n"
    )
    terminal = kiosk(store_path, preamble=waiting)
    for word in ("READY", "ENDING"):
        terminal.wait_for(word)
        terminal.press("\x1a\x03\x1c")
    assert os.waitstatus_to_exitcode(terminal.wait()) == 0
    assert "AFTER" in terminal.text
    assert "ENDED" in terminal.text


async def test_no_binding_leads_to_more_than_the_page_of_keys_shows(review: ReviewSession):
    """Bindings are all that a key can run: Textual's screenshot, palette and suspend are actions as well."""
    ours = {command.action for commands in SCREENS.values() for command in commands}
    moves = {"app.focus_next", "app.focus_previous", "screen.copy_text", "quit", "help_quit"}
    typing = {
        binding.action
        for kind in TextArea.mro()
        for binding in vars(kind).get("BINDINGS", ())
        if isinstance(binding, Binding)
    }
    app = ReviewApp(CompareScreen(review))
    async with app.run_test(size=(200, 50)) as pilot:
        seen: set[str] = set()
        for key in ("", "?", "f", "L", "e", "w", "m", "slash", "c"):
            if key:
                await pilot.press(key)
                await pilot.pause(0.3)
            allowed = ours | moves | (typing if isinstance(app.focused, Entry) else set())
            found = {active.binding.action for active in app.screen.active_bindings.values()}
            assert found <= allowed, key
            seen |= found
            await pilot.press("escape")
            await pilot.pause(0.1)
        assert {"score(0)", "apply", "anchor", "next_judge", "copy"} <= seen


# A crash


@pytest.mark.parametrize(
    "broken", ["tui.review.session.ReviewSession.score", "tui.sessions.open_view", "tui.run.run_review"]
)
def test_a_crash_prints_one_line(store_path, broken):
    """In a key of the room, while the store is opened, and before there is a screen."""
    where, _, name = broken.rpartition(".")
    breaking = (
        "import tui.review.session, tui.sessions, tui.run\n"
        "def boom(*_, **__):\n"
        "    secret = 'postgresql://u:pw@host/db'; raise RuntimeError(secret)\n"
        f"{where}.{name} = boom\n"
    )
    terminal = kiosk(store_path, preamble=breaking)
    if name == "score":
        terminal.wait_for("● saved")
        os.write(terminal.fd, b"2")
    assert os.waitstatus_to_exitcode(terminal.wait()) == 1
    after_the_screen = re.sub(rb"\x1b\[[?0-9]*[a-z]", b"", terminal.raw.rpartition(b"\x1b[?1049l")[2])
    assert after_the_screen.decode() == f"xlit-tui: {CRASHED}\r\n"
    assert b"postgresql" not in terminal.raw


# A store for several accounts


@pytest.mark.skipif(os.getuid() != 0, reason="only root can act as two users")
def test_two_users_of_a_group_write_one_store_in_a_folder_of_the_group(store_path):
    """docs/kiosk.md: folder 2770, store 660; the first leaves its write-ahead log behind, as a kill does."""
    group, first, second = 54321, 54322, 54323
    with TemporaryDirectory() as name:  # tmp_path can be entered by this user only
        folder = Path(name)
        store = Path(shutil.copy(store_path, folder / "study.db"))
        for path, mode in ((folder, 0o2770), (store, 0o660)):
            os.chown(path, 0, group)
            path.chmod(mode)
        assert write_as(first, group, store, "anna") == 0
        log = folder / "study.db-wal"
        assert (log.stat().st_uid, log.stat().st_gid, log.stat().st_mode & 0o777) == (first, group, 0o660)
        assert write_as(second, group, store, "boris") == 0
        assert asked(store, "SELECT name FROM rater WHERE kind = 'human' ORDER BY name") == [
            ("anna",),
            ("boris",),
        ]


def write_as(user: int, group: int, store: Path, name: str) -> int:
    """Write a rater's name as another user, and end without closing the store. Returns the exit code."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            os.setgid(1 + user)
            os.setgroups([group])
            os.setuid(user)
            os.umask(0o077)
            with writing(open_store(store)) as session:
                raters.rater_id(session, "human", name, "")
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
