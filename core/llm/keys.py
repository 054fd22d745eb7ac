"""Keys of servers: where they are found, and to which host each of them may be sent.

    OPENAI_API_KEY                    api.openai.com, and the host in OPENAI_BASE_URL
    XLIT_API_KEY                      the server that the user names (--base-url, OPENAI_BASE_URL), or OpenAI;
                                      with XLIT_API_KEY_HOST (hosts, by commas) these hosts alone
    the keyring's xlit / HOST         this host
    the keyring's xlit / default      as XLIT_API_KEY

None goes over plain http, but to this machine. An address that only a file names, such as a colleague's
study, is not one that the user names: it gets no key but those bound to its host.
"""

import ipaddress
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from store import UsageError

OPENAI_URL = "https://api.openai.com/v1"
OPENAI_HOST = "api.openai.com"
KEY_VARIABLES = ("XLIT_API_KEY", "OPENAI_API_KEY")
HOST_VARIABLE = "XLIT_API_KEY_HOST"

# Entries of the keyring: this service, and as user the host of the address, or else this word for all.
KEYRING_SERVICE, ANY_HOST = "xlit", "default"

# The blocks of `addresses_from_a_file` that are entered: of the whole process, as clients are also opened in
# threads.
_blocks: list[None] = []


@dataclass(frozen=True)
class Key:
    """A key, and where it was found, in words that may be printed."""

    text: str = field(repr=False)
    source: str


@contextmanager
def addresses_from_a_file() -> Iterator[None]:
    """While the block lasts, addresses come from a file and not from the user, so that they get no key but
    those bound to their host."""
    _blocks.append(None)
    try:
        yield
    finally:
        _blocks.pop()


def default_address() -> str:
    """The address of the server where none is named."""
    return os.environ.get("OPENAI_BASE_URL") or OPENAI_URL


def find_key(address: str) -> Key | None:
    """The key for the server at `address` (a URL): the first that is set, and may go there, of XLIT_API_KEY,
    OPENAI_API_KEY, and the keyring's entries of the service `xlit` for the host and for `default`.

    Raises `UsageError` for one with characters that no key has: sent in a header, it would come back in an
    error's text.
    """
    if not _is_private(address):
        return None
    host = host_of(address)
    for name in KEY_VARIABLES:
        key = _checked_key(os.environ.get(name), name)
        if key and _may_go(name, host):
            return key
    own = keyring_key(host)
    if own is None and _is_named(host):
        own = keyring_key(ANY_HOST)
    return own


def why_withheld(address: str) -> str:
    """Why a key of the environment is not sent to `address`, and what to do about it, as a sentence; empty
    when none is withheld."""
    names = [name for name in KEY_VARIABLES if (os.environ.get(name) or "").strip()]
    host = host_of(address)
    if not names:
        return ""
    if not _is_private(address):
        return "No key is sent over http but to this machine: give an address that begins with https://."
    if "XLIT_API_KEY" in names and not _may_go("XLIT_API_KEY", host):
        return (
            f"XLIT_API_KEY is not sent to a host that nobody has named: allow it by {HOST_VARIABLE}={host}."
        )
    if names == ["OPENAI_API_KEY"] and not _may_go("OPENAI_API_KEY", host):
        return (
            f"OPENAI_API_KEY is sent to {OPENAI_HOST} and the host in OPENAI_BASE_URL alone: "
            "set XLIT_API_KEY for others."
        )
    return ""


def keyring_key(user: str) -> Key | None:
    """The keyring's key for a user (https://keyring.readthedocs.io); None also where the package is not
    installed, has no backend, or the keyring is locked."""
    try:
        keyring: Any = __import__("keyring")
        text = keyring.get_password(KEYRING_SERVICE, user)
    except Exception:  # backends raise what they like, of D-Bus, of Windows, of a file
        return None
    return _checked_key(text, f"the keyring's entry {KEYRING_SERVICE} / {user}")


def is_openai(host: str) -> bool:
    """Whether what is OpenAI's (its key, its organisation) may go to the host."""
    return host in (OPENAI_HOST, host_of(default_address()))


def host_of(address: str) -> str:
    """The host of a URL, in small letters; empty when there is none."""
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_this_machine(host: str) -> bool:
    """Whether a host's name or address is that of this machine alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_private(address: str) -> bool:
    """Whether nobody on the way can read what is sent."""
    return urlsplit(address).scheme == "https" or is_this_machine(host_of(address))


def _may_go(name: str, host: str) -> bool:
    return is_openai(host) if name == "OPENAI_API_KEY" else _is_named(host)


def _is_named(host: str) -> bool:
    """Whether a key of no certain host may go to this one, as the user has named it."""
    bound = os.environ.get(HOST_VARIABLE, "")
    if bound.strip():
        return host in {name.strip().lower() for name in bound.split(",")}
    return not _blocks or is_openai(host)


def _checked_key(text: str | None, source: str) -> Key | None:
    text = (text or "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"{source} holds characters that no key has. Set it again.")
    return Key(text, source)
