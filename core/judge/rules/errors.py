"""What can be wrong with a check."""


class BadCheck(Exception):
    """The check has another shape than `core.judge.rules.checks` describes; the message says where."""


class TooSlow(Exception):
    """The check's pattern was not done with a response in the time it has; the message is the reason."""
