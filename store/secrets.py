"""Secrets in addresses: the one function that hides them wherever an address is printed or kept.

    postgresql://ann:s3cret@host/db?sslpassword=x    postgresql://ann:***@host/db?sslpassword=***
    https://token@host/data?sig=x#y                  https://***@host/data?sig=***#***

Which parameters of a query are secrets can't be told from their names (`sig`, `code`, `pw`), so all but those
known to be none are hidden. It works on any text: the message of a driver may quote the address that it was
given.
"""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "***"

# What libpq and SQLite take in a query and nobody need hide:
# https://www.postgresql.org/docs/current/libpq-connect.html, https://www.sqlite.org/uri.html.
_HARMLESS = frozenset(
    (
        *("application_name", "cache", "channel_binding", "client_encoding", "connect_timeout", "dbname"),
        *("gssencmode", "host", "hostaddr", "immutable", "keepalives", "mode", "port", "sslmode"),
        *("target_session_attrs", "timeout", "uri", "user", "vfs"),
    )
)

_URL = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*)://(?P<rest>[^\s\"'<>]+)")
# A password may hold any character but a blank: it ends at the last `@`.
_USER_AND_PASSWORD = re.compile(r"^(?P<user>[^:/?#@]*):(?P<password>.*)@")
_USER_ALONE = re.compile(r"^[^:/?#@]+@")
_PARAMETER = re.compile(r"(?P<before>[?&;])(?P<name>[^=&;#]+)=(?P<value>[^&;#]*)")
# The key=value form of libpq, also in what it says of it.
_CONNECTION_WORD = re.compile(
    r"(?i)\b(?P<name>\w*(?:password|passwd|passfile))\s*=\s*(?P<value>'[^']*'|[^\s&;#]+)"
)


def without_secrets(text: str) -> str:
    """The text with the password, the token and the secret parameters of every address in it as `***`."""
    if "://" in text:
        text = _URL.sub(_hidden, text)
    if "pass" in text.lower():
        text = _CONNECTION_WORD.sub(lambda word: f"{word['name']}={HIDDEN}", text)
    return text


def json_without_secrets(value: Any) -> Any:
    """A JSON value with `without_secrets` applied to every text in it."""
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, Mapping):
        return {key: json_without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [json_without_secrets(inner) for inner in value]
    return value


def _hidden(url: "re.Match[str]") -> str:
    scheme, rest = url["scheme"], url["rest"]
    if scheme.lower() in ("http", "https"):
        rest = _USER_ALONE.sub(f"{HIDDEN}@", rest)
    rest = _USER_AND_PASSWORD.sub(lambda match: f"{match['user']}:{HIDDEN}@", rest)
    rest = _PARAMETER.sub(_hidden_parameter, rest)
    before, fragment, _ = rest.partition("#")
    return f"{scheme}://{before}{fragment}{HIDDEN if fragment else ''}"


def _hidden_parameter(parameter: "re.Match[str]") -> str:
    harmless = parameter["name"].lower() in _HARMLESS
    return f"{parameter['before']}{parameter['name']}={parameter['value'] if harmless else HIDDEN}"
