"""The ground floor: tables, migrations, and the questions asked of them. Imports nothing of ours."""

from store.engine import open_store, upgrade_store
from store.errors import StoreError, UsageError, XlitError

__all__ = ["StoreError", "UsageError", "XlitError", "open_store", "upgrade_store"]
