"""The ground floor: tables, migrations, and the questions asked of them. Imports nothing of ours."""

from typing import TYPE_CHECKING, Any

from store.errors import StoreError, UsageError, XlitError

if TYPE_CHECKING:
    from store.engine import open_store, upgrade_store

__all__ = ["StoreError", "UsageError", "XlitError", "open_store", "upgrade_store"]


def __getattr__(name: str) -> Any:
    # The errors are needed before there is anything to show; the database libraries take their time.
    if name in ("open_store", "upgrade_store"):
        from store import engine

        return getattr(engine, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
