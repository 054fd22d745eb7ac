"""The review room behind a real sshd: cut lines, and every other thing that a client can ask for."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.ui.sshd import PROGRAM, Server, blocks, is_running, serve, tool, wait_until
from tests.ui.terminal import Terminal
from tests.ui.test_pseudo_terminal import saved_scores, shown_scores

pytestmark = pytest.mark.whole


# On purpose: an administrator's own list, wider than it should be, stands above the page's lines.
WIDE = "AcceptEnv XLIT_* TEXTUAL*\n"
ONE_LINE = (
    "xlit-tui: The review room needs a terminal for keys and screen; `xlit-core status` works without one.\n"
)
IMPATIENT = "ClientAliveInterval 1\n    ClientAliveCountMax 1\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    """One account for each reviewer, with the page's lines; a dead line is noticed in two seconds."""
    lines = blocks("sshd_config")[0]
    patient = "ClientAliveInterval 15\n    ClientAliveCountMax 4\n"
    assert patient in lines
    yield from serve(tmp_path_factory.mktemp("sshd"), WIDE + lines.replace(patient, IMPATIENT))


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory):
    """A server that takes every variable and starts the room without the page's command in front of it."""
    folder = tmp_path_factory.mktemp("careless")
    room = f"{sys.executable} -I {PROGRAM} compare --kiosk --lang ru --store {folder / 'room.db'}"
    yield from serve(
        folder, f"AcceptEnv *\nForceCommand {room} --reviewer nv\nAuthorizedKeysFile {folder / 'keys'}/%u\n"
    )


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory):
    """One account for all reviewers: the page's second way."""
    yield from serve(tmp_path_factory.mktemp("shared"), blocks("sshd_config")[1])


def opened(terminal: Terminal) -> Terminal:
    terminal.wait_for("● saved")
    terminal.wait_for("▸")
    end = time.monotonic() + 20
    while terminal.text.partition("\n")[0].count(" · ") < 2:  # the first line may come last
        assert time.monotonic() < end, terminal.text
        terminal.read(quiet=0.05, limit=0.5)
    terminal.read(quiet=0.5)
    return terminal


def leave(terminal: Terminal) -> None:
    terminal.press("q")
    assert os.waitstatus_to_exitcode(terminal.wait()) == 0


def asked(store: Path, question: str) -> list[tuple]:
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute(question).fetchall()


def place_of(terminal: Terminal) -> str:
    """The instruction's number and the criterion under the cursor, as the screen shows them."""
    line = next(line for line in terminal.text.splitlines() if "▸" in line)
    return terminal.text.splitlines()[0].split(" · ")[2] + " " + line[line.index("▸") :].split()[0]


def kill_the_client(server: Server, terminal: Terminal) -> None:
    terminal.end(signal.SIGKILL)


def kill_the_session(server: Server, terminal: Terminal) -> None:
    ((_, session),) = server.rooms()
    os.kill(session, signal.SIGKILL)
    terminal.wait()


def fall_silent(server: Server, terminal: Terminal) -> None:
    os.kill(terminal.pid, signal.SIGSTOP)
    wait_until(lambda: not server.rooms(), "the end of the room behind a dead line")
    terminal.end(signal.SIGKILL)


@pytest.mark.parametrize("cut", [kill_the_client, kill_the_session, fall_silent])
def test_a_cut_line_loses_nothing_and_the_next_login_goes_on_there(server, store_path, cut):
    server.run_room(store_path, "--reviewer", "nv")
    terminal = opened(server.log_in())
    terminal.press("n")
    terminal.press("2101")
    shown, place = shown_scores(terminal), place_of(terminal)
    assert len(shown) == 4
    assert place.startswith("2/3 ▸")
    ((room, _),) = server.rooms()
    cut(server, terminal)
    wait_until(lambda: not is_running(room), "the end of the room")

    assert sorted(saved_scores(store_path)) == sorted((name, int(score)) for name, score in shown)
    assert asked(store_path, "SELECT status, ended_at IS NOT NULL FROM run") == [("done", 1)]
    assert not store_path.with_name(f"{store_path.name}-wal").exists()
    again = opened(server.log_in())
    assert place_of(again) == place
    assert shown_scores(again) == shown
    again.press("2")
    leave(again)
    assert len(saved_scores(store_path)) == 5
    assert asked(store_path, "SELECT status FROM run") == [("done",), ("done",)]


def test_keys_that_were_on_their_way_when_the_line_broke_are_saved_or_not_but_nothing_shown_is_lost(
    server, store_path
):
    server.run_room(store_path, "--reviewer", "nv")
    terminal = opened(server.log_in())
    ((room, _),) = server.rooms()
    os.write(terminal.fd, b"21012101210")
    terminal.read(quiet=0.05, limit=0.3)
    terminal.end(signal.SIGKILL)
    shown = shown_scores(terminal)
    wait_until(lambda: not is_running(room), "the end of the room")
    saved = saved_scores(store_path)
    for name, score in shown:
        saved.remove((name, int(score)))
    assert asked(store_path, "SELECT status FROM run") == [("done",)]


def test_a_command_is_answered_with_one_line_and_is_not_run(server, store_path, tmp_path):
    server.run_room(store_path)
    for words in (["touch", str(tmp_path / "made")], ["/bin/sh"], []):
        done = server.ssh(*words)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", ONE_LINE)
    assert not (tmp_path / "made").exists()


def test_a_command_on_a_terminal_gives_the_room(server, store_path, tmp_path):
    server.run_room(store_path)
    terminal = opened(server.log_in(f"touch {tmp_path / 'made'}; exec /bin/sh"))
    leave(terminal)
    assert not (tmp_path / "made").exists()


def test_no_file_goes_in_or_out(server, store_path, tmp_path):
    server.run_room(store_path)
    secret = tmp_path / "secret"
    secret.write_text("x")
    there = f"{server.login}@127.0.0.1"
    for line in (
        [tool("scp"), *server.options(), f"{there}:{secret}", str(tmp_path / "out")],
        [tool("scp"), "-O", *server.options(), f"{there}:{secret}", str(tmp_path / "out")],
        [tool("scp"), *server.options(), str(secret), f"{there}:{tmp_path / 'in'}"],
        [tool("scp"), "-O", *server.options(), str(secret), f"{there}:{tmp_path / 'in'}"],
        [tool("sftp"), *server.options(), "-b", "/dev/null", there],
    ):
        done = subprocess.run(line, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
        assert done.returncode != 0, line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["room.db", "secret"]


def test_nothing_is_forwarded(server, store_path, tmp_path):
    server.run_room(store_path)
    strict = ("-N", "-o", "ExitOnForwardFailure=yes")
    for options in (
        ("-W", f"127.0.0.1:{server.port}"),
        (*strict, "-R", f"0:127.0.0.1:{server.port}"),
        (*strict, "-R", f"{tmp_path / 'socket'}:127.0.0.1:{server.port}"),
    ):
        assert server.ssh(before=options).returncode == 255, options
    assert not (tmp_path / "socket").exists()


def test_the_environment_that_a_client_sends_changes_nothing(server, store_path, tmp_path):
    """Behind the page's command: it starts with an empty environment."""
    server.run_room(store_path)
    sent = {"XLIT_STORE": str(tmp_path / "no.db"), "XLIT_REVIEWER": "mallory", "XLIT_TRANSLATION": "none"}
    terminal = opened(server.log_in(before=("-o", "SendEnv=XLIT_*"), environment=sent))
    terminal.wait_for("how do I")
    ((room, _),) = server.rooms()
    started_with = Path(f"/proc/{room}/environ").read_bytes().split(b"\0")
    assert {line.partition(b"=")[0] for line in started_with if line} == {b"TERM", b"LANG"}
    terminal.press("2")
    leave(terminal)
    assert raters(store_path) == [server.login]


def test_a_server_that_takes_every_variable_gives_the_same_room(careless, store_path, tmp_path):
    """The room's own lock, where no command in front of it has cleaned the environment."""
    store = careless.folder / "room.db"
    store.write_bytes(store_path.read_bytes())
    (tmp_path / "sitecustomize.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')")
    keys = tmp_path / "xlit" / "keys.toml"
    keys.parent.mkdir()
    keys.write_text("no TOML")
    sent = {
        "XLIT_STORE": str(store_path), "XLIT_REVIEWER": "mallory", "XLIT_KEYS": str(keys),
        "XLIT_THEME": "no such", "XDG_CONFIG_HOME": str(tmp_path), "PYTHONPATH": str(tmp_path),
        "TEXTUAL_DRIVER": "no_such:Driver", "TEXTUAL_LOG": str(tmp_path / "log"), "TEXTUAL_PRESS": "2,2",
    }  # fmt: skip
    every = ("-o", "SendEnv=XLIT_* TEXTUAL_* PYTHON* XDG_*")
    terminal = opened(careless.log_in(before=every, environment=sent))
    arrived = Path(f"/proc/{careless.rooms()[0][0]}/environ").read_bytes()
    assert b"XLIT_STORE=" in arrived
    assert b"PYTHONPATH=" in arrived
    terminal.read(quiet=1)
    terminal.press("2")
    leave(terminal)
    assert raters(store) == ["nv"]
    assert len(saved_scores(store)) == 1
    assert raters(store_path) == []
    assert not (tmp_path / "log").exists()
    assert not (tmp_path / "run").exists()


def raters(store: Path) -> list[str]:
    question = (
        "SELECT DISTINCT rater.name FROM current_rating JOIN rater ON rater.id = rater_id"
        " WHERE rater.kind = 'human' ORDER BY 1"
    )
    return [name for (name,) in asked(store, question)]


@pytest.mark.parametrize("way", ["server", "shared"])
def test_what_the_page_says_is_what_sshd_does_for_the_account(way, request):
    server = request.getfixturevalue(way)
    who = f"user={server.login},host=localhost,addr=127.0.0.1"
    told = subprocess.run(
        [tool("sshd"), "-T", "-f", server.config, "-C", who], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    page = server.fill_in(blocks("sshd_config")[0 if way == "server" else 1])
    for line in page.strip().splitlines()[1:]:
        name, value = line.split(maxsplit=1)
        if name == "AcceptEnv":
            accepted = [text.split()[1] for text in told if text.startswith("acceptenv ")]
            assert accepted == value.split()
        elif not name.startswith("ClientAlive") or way == "shared":
            assert f"{name.lower()} {value}" in told
    assert "permituserenvironment no" in told


def test_each_key_of_a_shared_account_has_its_reviewer_and_nothing_else(shared, store_path, tmp_path):
    shared.run_room(store_path)
    keys = {name: shared.new_key(name) for name in ("anna", "boris")}
    lines = shared.fill_in(blocks("authorized_keys")[0]).splitlines()
    shared.allow(
        "".join(
            line.replace("ssh-ed25519 AAAA...", " ".join(key.with_suffix(".pub").read_text().split()[:2]))
            + "\n"
            for line, key in zip(lines, keys.values(), strict=True)
        )
    )
    for name, key in keys.items():
        terminal = opened(shared.log_in(f"touch {tmp_path / 'made'}", key=key))
        terminal.press("2")
        leave(terminal)
        assert name in raters(store_path)
    assert raters(store_path) == ["anna", "boris"]
    shared.key = keys["anna"]
    done = shared.ssh("touch", str(tmp_path / "made"))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", ONE_LINE)
    there = f"{shared.login}@127.0.0.1"
    line = [tool("sftp"), *shared.options(), "-b", "/dev/null", there]
    assert subprocess.run(line, capture_output=True, timeout=60, check=False).returncode != 0
    assert shared.ssh(before=("-W", f"127.0.0.1:{shared.port}")).returncode == 255
    assert not (tmp_path / "made").exists()


def test_the_search_for_unlocked_keys_finds_them():
    (search,) = [block for block in blocks("") if block.startswith("grep -v")]
    keys = blocks("authorized_keys")[0]
    bare = "ssh-ed25519 AAAA... carl@home\n"
    quoted = search.split("'")[1]
    found = subprocess.run(
        ["grep", "-v", quoted], input=keys + bare, capture_output=True, text=True, check=False
    )
    assert found.stdout == bare
