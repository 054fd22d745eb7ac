"""One question to a judge behind an endpoint, with the options that its server takes."""

from collections.abc import Mapping

from core.endpoint.client import Client
from core.endpoint.reply import Busy, Refused, Reply
from core.judge.llm.options import MAX_TOKENS, Taken
from core.judge.llm.reply import Prompt
from store import XlitError

# Roles and separators that a chat template puts around one message, in tokens, generously.
_AROUND = 64


class Endpoint(Client):
    """A judge's client: the first request asks for everything of `core.judge.llm.options`; what the server
    refuses of it is left out from then on."""

    def __init__(
        self, model: str, base_url: str | None = None, *, timeout: float = 60, temperature: float = 0
    ) -> None:
        """Arguments and errors as `Client`."""
        super().__init__(model, base_url, timeout=timeout)
        self.temperature = temperature
        self._taken = Taken()
        self._proven = False

    async def ask(self, prompt: Prompt, *, bounded: bool = False) -> tuple[Reply, Mapping[str, str]]:
        """The answer to a prompt, and the headers it came with. `bounded`: only with a limit of new tokens.

        Errors as `Client.post`; `XlitError` also when the server takes no limit.
        """
        messages = [{"role": "user", "content": prompt.text}]
        taken = self._taken
        while True:
            if bounded and not taken.bounded:
                raise XlitError(
                    f"{self.shown} takes no limit of new tokens: leave out --max-cost, it can't be held."
                )
            try:
                reply = await self.post(messages, taken.options(prompt, self.temperature))
            except Refused as error:
                # Of options that worked before, only one that is named can be what the server refuses now.
                left = taken.without(error.said, prompt, named=self._proven)
                if left is None:
                    raise
                taken = left
            except Busy as error:
                # Some servers break (status 500) on a form of the answer that they don't know.
                tried = self._proven or not error.broken or prompt.schema is None
                left = None if tried else taken.down(prompt)
                if left is None:
                    raise
                taken = left
            else:
                if not self._proven:
                    self._taken, self._proven = taken, True
                return reply

    def most_tokens(self, prompt: Prompt) -> tuple[int, int]:
        """How many tokens (in, out) a bounded request can be charged for at most: no tokenizer that reads
        bytes makes more tokens than there are bytes."""
        sent = prompt.text if prompt.schema is None else f"{prompt.text}{prompt.schema}"
        return len(sent.encode()) + _AROUND, MAX_TOKENS
