"""Addresses of servers: as they may be given, and as they may be printed."""

from urllib.parse import urlsplit

from store import UsageError


def check_address(base_url: str) -> None:
    """Raises `UsageError` for an address that is none or that holds a secret: addresses are written into
    logs and the store, by us and by libraries."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError("The address of the server begins with http:// or https://.")
    if "@" in parts.netloc or parts.query:
        raise UsageError("The address of the server holds a secret: give the key by XLIT_API_KEY instead.")


def without_secrets(url: str) -> str:
    """An address without user, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")
