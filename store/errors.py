"""The errors that reach a user: one line that says what, where, and what to do."""


class XlitError(Exception):
    """Something the user can mend; shown without a traceback. Exit code 1 (failed)."""

    exit_code = 1


class UsageError(XlitError):
    """The command was given something it can't work with. Exit code 2 (wrong usage)."""

    exit_code = 2


class StoreError(XlitError):
    """The store is missing, is not a store, or has another version than this program."""
