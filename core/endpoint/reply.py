"""What a server answers, and the ways in which it does not."""

from dataclasses import dataclass

from store import XlitError


@dataclass(frozen=True)
class Reply:
    """What a model answered, and the tokens that were counted; `finish_reason` as OpenAI names them."""

    text: str | None
    finish_reason: str | None = None
    refusal: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


class Busy(Exception):
    """The server could not answer now; the same request may be sent again.

    `wait`: seconds that the server asks for; `limited`: because of its rate limit; `broken`: it answered with
    an error of its own (status 500 and above); `charged`: the server may have done the work, and be paid for
    it, all the same.
    """

    def __init__(
        self,
        message: str,
        *,
        wait: float | None = None,
        limited: bool = False,
        broken: bool = False,
        charged: bool = False,
    ) -> None:
        super().__init__(message)
        self.wait, self.limited, self.broken, self.charged = wait, limited, broken, charged


class AskFailed(Exception):
    """This request got no answer, others may; the message is one line without the key.

    `busy`: because the server was busy or broken, and not for what was asked.
    """

    def __init__(self, message: str, *, busy: bool = False) -> None:
        super().__init__(message)
        self.busy = busy


class Missing(XlitError):
    """The server has no such address or model (status 404)."""


class Refused(AskFailed):
    """The server would not take the request (status 400 or 422); `said` is all that it says of why, which
    may hold the key: it is for finding an option's name in, and not for printing."""

    def __init__(self, message: str, said: str) -> None:
        super().__init__(message)
        self.said = said
