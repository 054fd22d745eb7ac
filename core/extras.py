"""Heavy libraries come in extras; a missing one is a sentence, not a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

from store import XlitError


@contextmanager
def needs_extra(extra: str, purpose: str) -> Iterator[None]:
    """Turn a failed import inside the block into what to install. `purpose` begins the sentence."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise XlitError(
            f"{purpose} needs the extra `{extra}` ({error.name} is missing): pip install 'xlit[{extra}]'."
        ) from None
