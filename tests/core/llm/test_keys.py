"""Keys come from the environment or the keyring of the system, and are shown nowhere."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.llm.client import Client
from core.llm.keys import addresses_from_a_file, find_key
from store import UsageError, XlitError
from tests.core.llm.chat_server import Answer, error

pytestmark = pytest.mark.whole


SECRET = "sk-secret-1234"

needs_keyring = pytest.mark.skipif(
    importlib.util.find_spec("keyring") is None, reason="the package keyring is not installed"
)

# A keyring of files would want a password: this one is a real backend that keeps its keys in the code.
BACKEND = """
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

class Keyring(KeyringBackend):
    priority = 1
    keys = {}

    def get_password(self, service, username):
        return self.keys.get((service, username))

    def set_password(self, service, username, password):
        raise NotImplementedError

class Hosts(Keyring):
    keys = {("xlit", "a.example"): "key-of-a", ("xlit", "default"): " key-of-all\\n", ("other", "b"): "no"}

class All(Keyring):
    keys = {("xlit", "api.openai.com"): "key-of-openai", ("xlit", "default"): "key-of-all"}

class Locked(Keyring):
    def get_password(self, service, username):
        raise KeyringLocked("unlock me")

class Broken(Keyring):
    def get_password(self, service, username):
        raise OSError("no bus")

class Odd(Keyring):
    keys = {("xlit", "default"): "key\\nwith a line"}
"""

LOOK = """
import sys
from core.llm.keys import find_key
key = find_key(f"https://{sys.argv[1]}/v1")
print(key and (key.text, key.source), repr(key))
"""


def look(
    folder: Path, backend: str, host: str, code: str = LOOK, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run code (that looks for the key of a host) in a process whose keyring has this backend."""
    (folder / "own_keyring.py").write_text(BACKEND)
    path = os.pathsep.join([str(folder), str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")])
    variables = {**os.environ, "PYTHONPATH": path, "PYTHON_KEYRING_BACKEND": backend, **environment}
    return subprocess.run(
        [sys.executable, "-c", code, host],
        env=variables, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


@needs_keyring
def test_the_keyring_is_asked_for_the_host_and_then_for_all(tmp_path):
    source = "the keyring's entry xlit / "
    assert f"('key-of-a', \"{source}a.example\")" in look(tmp_path, "own_keyring.Hosts", "a.example").stdout
    assert f"('key-of-all', \"{source}default\")" in look(tmp_path, "own_keyring.Hosts", "b.example").stdout


@needs_keyring
def test_the_environment_comes_before_the_keyring(tmp_path):
    found = look(tmp_path, "own_keyring.Hosts", "a.example", XLIT_API_KEY="from-outside")
    assert "('from-outside', 'XLIT_API_KEY')" in found.stdout


@needs_keyring
@pytest.mark.parametrize(
    "backend", ["own_keyring.Locked", "own_keyring.Broken", "keyring.backends.fail.Keyring", "no.such.Thing"]
)
def test_a_keyring_that_is_locked_or_none_is_as_if_there_were_none(tmp_path, backend):
    found = look(tmp_path, backend, "a.example")
    assert found.stdout == "None None\n"
    assert found.stderr == ""


@needs_keyring
def test_a_key_that_can_be_none_is_refused_without_being_shown(tmp_path):
    found = look(tmp_path, "own_keyring.Odd", "a.example")
    assert "UsageError: the keyring's entry xlit / default holds characters that no key has" in found.stderr
    assert "with a line" not in found.stderr


def test_without_the_package_there_is_no_keyring(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert find_key("https://a.example/v1") is None


def test_the_projects_own_variable_comes_first_and_an_empty_one_is_none(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    monkeypatch.setenv("XLIT_API_KEY", "  ")
    assert find_key("https://api.openai.com/v1").text == "theirs"
    monkeypatch.setenv("XLIT_API_KEY", "ours")
    assert find_key("https://api.openai.com/v1").text == "ours"


def test_a_key_is_in_no_repr_and_in_no_error(monkeypatch, serve):
    monkeypatch.setenv("XLIT_API_KEY", SECRET)
    assert SECRET not in repr(find_key("https://a.example/v1"))
    monkeypatch.setenv("XLIT_API_KEY", f"{SECRET}\nX: y")
    with pytest.raises(UsageError) as caught:
        Client("m", "http://127.0.0.1:1/v1")
    assert SECRET not in str(caught.value)


async def test_a_refused_key_is_named_by_where_it_stands(monkeypatch, serve):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    server = serve(error(401, f"wrong key {SECRET}"))
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    async with Client("m", server.url) as client:
        with pytest.raises(XlitError, match=r"refused the key .*Check OPENAI_API_KEY") as caught:
            await client.post([], {})
    assert SECRET not in str(caught.value)


async def test_a_key_in_an_answer_is_hidden(monkeypatch, serve):
    monkeypatch.setenv("XLIT_API_KEY", SECRET)
    server = serve(Answer(f"the key is {SECRET}", refusal=f"not {SECRET}"))
    async with Client("m", server.url) as client:
        reply, _ = await client.post([], {})
    assert (reply.text, reply.refusal) == ("the key is [key]", "not [key]")
    assert server.headers[0]["authorization"] == f"Bearer {SECRET}"


def test_without_a_key_only_a_server_that_is_named_is_asked():
    with pytest.raises(UsageError, match=r"No key for m: .*keyring set xlit api\.openai\.com"):
        Client("m")


@needs_keyring
@pytest.mark.parametrize(
    ("backend", "found"),
    [
        ("own_keyring.All", "a key for api.openai.com and for default"),
        ("own_keyring.Hosts", "a key for default"),
        ("own_keyring.Odd", "not a key"),
        ("own_keyring.Locked", "no key"),
    ],
)
def test_the_doctor_says_whether_a_key_is_there_and_not_which(tmp_path, backend, found):
    say = "from core.doctor import _keyring; print(_keyring())"
    told = look(tmp_path, backend, "a.example", say)
    assert f"found='{found}'" in told.stdout
    assert "key-of" not in told.stdout + told.stderr


# Which key may go where


def sent_to(address: str) -> str | None:
    key = find_key(address)
    return key.text if key else None


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://API.OPENAI.COM./v1", "openai"),
        ("https://proxy.example/v1", "openai"),
        ("https://other.example/v1", None),
        ("https://api.openai.com.evil.example/v1", None),
        ("http://api.openai.com/v1", None),
        ("http://proxy.example/v1", None),
        ("http://localhost:8000/v1", None),
    ],
)
def test_openais_key_goes_to_openai_and_the_host_of_its_variable(monkeypatch, address, key):
    monkeypatch.setenv("OPENAI_API_KEY", "openai")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://proxy.example/v1")
    assert sent_to(address) == key


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("https://a.example/v1", "own"),
        ("http://localhost:8000/v1", "own"),
        ("http://127.0.0.5/v1", "own"),
        ("http://[::1]:8000/v1", "own"),
        ("http://a.example/v1", None),
        ("http://10.0.0.1/v1", None),
        ("http://localhost.evil.example/v1", None),
    ],
)
def test_the_projects_key_goes_where_the_user_points_but_never_in_clear(monkeypatch, address, key):
    monkeypatch.setenv("XLIT_API_KEY", "own")
    assert sent_to(address) == key


def test_a_file_alone_directs_no_key_to_a_new_host(monkeypatch):
    monkeypatch.setenv("XLIT_API_KEY", "own")
    monkeypatch.setenv("OPENAI_API_KEY", "openai")
    with addresses_from_a_file():
        assert sent_to("https://evil.example/v1") is None
        assert sent_to("http://localhost:8000/v1") is None
        assert sent_to("https://api.openai.com/v1") == "own"
        monkeypatch.setenv("XLIT_API_KEY_HOST", "a.example, B.example")
        assert sent_to("https://b.example/v1") == "own"
        assert sent_to("https://evil.example/v1") is None
    assert sent_to("https://evil.example/v1") is None, "a key that is bound stays bound"
    assert sent_to("https://api.openai.com/v1") == "openai"


async def test_what_is_withheld_is_said_when_the_server_wants_a_key(monkeypatch, serve):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-mine")
    server = serve(error(401, "no key"))
    async with Client("m", server.url) as client:
        with pytest.raises(XlitError, match=r"none was sent.*OPENAI_API_KEY is sent to api\.openai\.com"):
            await client.post([], {})
    assert SECRET not in str(server.headers)
    assert "org-of-mine" not in str(server.headers)
