"""Where the key of a server is found: in the environment, or in the keyring of the system."""

import os
from dataclasses import dataclass, field
from typing import Any

from store import UsageError

NAMES = ("XLIT_API_KEY", "OPENAI_API_KEY")

# Entries of the keyring: this service, and as user the host of the address, or else this word for all.
SERVICE, ANY_HOST = "xlit", "default"


@dataclass(frozen=True)
class Key:
    """A key, and where it was found, in words that may be printed."""

    text: str = field(repr=False)
    source: str


def find_key(host: str) -> Key | None:
    """The key for the server at `host`: the first that is set of XLIT_API_KEY, OPENAI_API_KEY, and the
    keyring's entries of the service `xlit` for the user `host` and for `default`.

    Raises `UsageError` for one with characters that no key has: sent in a header, it would come back in an
    error's text.
    """
    found = next((key for name in NAMES if (key := _key(os.environ.get(name), name))), None)
    return found or next((key for user in (host, ANY_HOST) if (key := keyring_key(user))), None)


def keyring_key(user: str) -> Key | None:
    """The keyring's key for a user (https://keyring.readthedocs.io); None also where the package is not
    installed, has no backend, or the keyring is locked."""
    try:
        keyring: Any = __import__("keyring")
        text = keyring.get_password(SERVICE, user)
    except Exception:  # backends raise what they like, of D-Bus, of Windows, of a file
        return None
    return _key(text, f"the keyring's entry {SERVICE} / {user}")


def _key(text: str | None, source: str) -> Key | None:
    text = (text or "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"{source} holds characters that no key has. Set it again.")
    return Key(text, source)
