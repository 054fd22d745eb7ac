"""What a run spends, and the limit that it never goes beyond."""

import asyncio

from core.endpoint.reply import Reply
from core.judge.llm.prices import Price


class BudgetSpent(Exception):
    """The next request could cost more than what is left."""


class Budget:
    """What is spent, and what requests on their way may still cost.

    Before a request starts, the most that it can cost is held back; when it ends, what it did cost is spent
    and the rest is free again. So the sum of both never goes beyond `most` US dollars, whatever a model
    answers. Without a price nothing is counted in dollars, and with `most` None nothing is held back.
    """

    def __init__(self, price: Price | None, most: float | None = None) -> None:
        self.price = price
        self.most = most
        self.spent = 0.0
        self.requests = self.tokens_in = self.tokens_out = 0
        self._held: list[float] = []
        self._changed = asyncio.Event()

    async def hold(self, tokens_in: int, tokens_out: int) -> float:
        """Hold back what a request can cost at most; returns that, in US dollars, for `settle`.

        Waits while requests on their way may still leave enough. Raises `BudgetSpent` when none will.
        """
        if self.price is None or self.most is None:
            return 0.0
        cost = self.price.of(tokens_in, tokens_out)
        while self.spent + sum(self._held) + cost > self.most:
            if not self._held:
                raise BudgetSpent
            self._changed.clear()
            await self._changed.wait()
        self._held.append(cost)
        return cost

    def settle(self, held: float, reply: Reply | None, *, charged: bool = False) -> None:
        """A request has ended: with a reply, or without; then all that was held counts as spent when it was
        perhaps `charged`. So it does when the server does not count its tokens."""
        if held in self._held:
            self._held.remove(held)
        if reply is not None:
            self.requests += 1
            self.tokens_in += reply.tokens_in or 0
            self.tokens_out += reply.tokens_out or 0
        if self.price is not None:
            if reply is not None and reply.tokens_in is not None and reply.tokens_out is not None:
                self.spent += self.price.of(reply.tokens_in, reply.tokens_out)
            elif reply is not None or charged:
                self.spent += held
        self._changed.set()
