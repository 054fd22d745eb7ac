"""A real sshd on a free port of this machine, with the lines that docs/kiosk.md gives, and logins to it."""

import grp
import os
import pwd
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.terminal import Terminal

PAGE = Path(__file__).parents[2] / "docs" / "kiosk.md"
PROGRAM = Path(sys.executable).with_name("xlit-tui")
_SBIN = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", "/sbin"])


def tool(name: str) -> str:
    """The absolute path of a program of OpenSSH; skips the test where it is not installed."""
    found = shutil.which(name, path=_SBIN)
    if found is None:
        pytest.skip(f"{name} is not installed (openssh-server and openssh-client)")
    return found


def blocks(kind: str) -> list[str]:
    """The blocks of the page that are marked with a kind, in their order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def is_running(process: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_until(condition, what: str, limit: float = 20.0) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.05)


class Server:
    """sshd from a folder, for logins of this user; `close` ends it and its sessions.

    The page's files stand in the folder: `wrapper` (/usr/local/bin/xlit-room) and `keys` (/etc/xlit/keys).
    """

    def __init__(self, folder: Path, lines: str) -> None:
        if not PROGRAM.exists():
            pytest.skip(f"xlit-tui is not installed beside {sys.executable}")
        if not Path("/proc/self/stat").exists():
            pytest.skip("the sessions of sshd are found through /proc")
        for name in ("sshd", "ssh", "ssh-keygen", "sftp", "scp"):
            tool(name)
        self.folder = folder
        self.login = pwd.getpwuid(os.getuid()).pw_name
        self.group = grp.getgrgid(os.getgid()).gr_name
        self.wrapper = folder / "xlit-room"
        self.keys = folder / "keys"
        self.keys.mkdir()
        self.config = folder / "sshd_config"
        self.log = folder / "sshd.log"
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd gives up its privileges
        self.host_key = self.new_key("host")
        self.key = self.new_key("reviewer")
        self.allow(self.key.with_suffix(".pub").read_text())
        self._start(lines)

    def new_key(self, name: str) -> Path:
        path = self.folder / name
        subprocess.run(
            [tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path], check=True
        )
        return path

    def allow(self, lines: str) -> None:
        """What stands in the file of keys of this user."""
        (self.keys / self.login).write_text(lines)

    def run_room(self, store: Path, *options: str) -> None:
        """Write the command that a login runs, as the page has it, for a store."""
        text = self.fill_in(blocks("sh")[0])
        text = text.replace("/opt/xlit/bin/python", sys.executable).replace(
            "/opt/xlit/bin/xlit-tui", str(PROGRAM)
        )
        text = text.replace("/srv/xlit/study.db", shlex.quote(str(store)))
        self.wrapper.write_text(text.replace('"$@"', shlex.join(options) + ' "$@"'))
        self.wrapper.chmod(0o755)

    def fill_in(self, text: str) -> str:
        """Text of the page with this server's names in it."""
        text = text.replace("Match Group reviewers", f"Match Group {self.group}")
        text = text.replace("Match User review\n", f"Match User {self.login}\n")
        text = text.replace("/usr/local/bin/xlit-room", str(self.wrapper))
        return text.replace("/etc/xlit/keys", str(self.keys))

    def _start(self, lines: str) -> None:
        for _ in range(5):  # the port may be taken by another between here and sshd
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            self.config.write_text(
                f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.host_key}\nPidFile none\n"
                "UsePAM no\nStrictModes no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
                "PrintMotd no\nLogLevel VERBOSE\nSubsystem sftp internal-sftp\n" + self.fill_in(lines)
            )
            subprocess.run([tool("sshd"), "-t", "-f", self.config], check=True)
            self.process = subprocess.Popen(
                [tool("sshd"), "-D", "-f", self.config, "-E", self.log], stdin=subprocess.DEVNULL
            )
            wait_until(lambda: self._listens() or self.process.poll() is not None, "sshd")
            if self.process.poll() is None:
                break
        else:
            pytest.fail(f"sshd does not start:\n{self.log.read_text()}")
        public = " ".join(self.host_key.with_suffix(".pub").read_text().split()[:2])
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {public}\n")
        self._skip_where_the_login_is_closed()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _skip_where_the_login_is_closed(self) -> None:
        self.run_room(self.folder / "none.db")
        done = self.ssh("true")
        said = self.log.read_text()
        if done.returncode == 255 and re.search("account is locked|not allowed because", said):
            self.close()
            pytest.skip(f"sshd does not let {self.login} log in: the account is locked on this machine")
        assert done.returncode != 255, said

    def options(self, key: Path | None = None) -> list[str]:
        """What ssh, sftp and scp need to come to this server, without the user's own settings."""
        return [
            *("-F", "none", "-i", str(key or self.key), "-o", f"Port={self.port}", "-o", "BatchMode=yes"),
            *("-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "LogLevel=ERROR"),
            *("-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}", "-o", "StrictHostKeyChecking=yes"),
        ]

    def ssh(self, *words: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """ssh without a terminal: options `before` the host, `words` of a command behind it."""
        line = [tool("ssh"), *self.options(), *before, f"{self.login}@127.0.0.1", *words]
        return subprocess.run(
            line, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )

    def log_in(
        self,
        *words: str,
        before: tuple[str, ...] = (),
        key: Path | None = None,
        environment: dict[str, str] | None = None,
        size: tuple[int, int] = (200, 50),
    ) -> Terminal:
        """ssh on a pseudo-terminal; the process of the `Terminal` is the ssh client, in `environment`."""
        line = [tool("ssh"), "-tt", *self.options(key), *before, f"{self.login}@127.0.0.1", *words]
        sent = environment or {}
        become = f"import os; os.execve({line[0]!r}, {line!r}, {{**os.environ, **{sent!r}}})\n"
        return Terminal([], *size, preamble=become)

    def rooms(self) -> list[tuple[int, int]]:
        """(process, its parent: the session of sshd) of every room that runs in a login."""
        found = []
        parents: dict[int, int] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
        for process, parent in parents.items():
            try:
                words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if bytes(PROGRAM) in words and self._is_ours(process, parents):
                found.append((process, parent))
        return found

    def _is_ours(self, process: int, parents: dict[int, int]) -> bool:
        while process in parents:
            if process == self.process.pid:
                return True
            process = parents[process]
        return False

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)


def serve(folder: Path, lines: str) -> Iterator[Server]:
    """The body of a fixture: a server that is ended with it."""
    server = Server(folder, lines)
    yield server
    server.close()
