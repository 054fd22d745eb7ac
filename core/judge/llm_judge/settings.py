"""How a judge is asked through a Batch API."""

from dataclasses import dataclass

from store import UsageError

# What OpenAI takes in one batch (platform.openai.com/docs/guides/batch): so many requests and, in bytes, a
# file of 200 MB, of which a little is left free.
MOST_REQUESTS = 50_000
MOST_FILE_BYTES = 190_000_000


@dataclass(frozen=True)
class BatchSettings:
    """`size`: questions in a batch at most. `poll`: seconds between looking how far they are. `wait`: until
    all is answered; else what is to be sent is sent, what has ended is collected, and that is all."""

    size: int = 10_000
    poll: float = 30
    wait: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.size <= MOST_REQUESTS:
            raise UsageError(f"A batch has from 1 to {MOST_REQUESTS} questions, not {self.size}.")
        if not 0 < self.poll <= 86_400:
            raise UsageError(f"Batches are looked at every 0 to 86400 s, not every {self.poll:g} s.")
