"""What batches cost: at most while they are on their way, and by the server's count when they have ended."""

import math
from collections.abc import Iterable

from core.judge.llm.batch.answers import Answers
from core.judge.llm.budget import Budget
from core.judge.llm.options import MAX_TOKENS
from store.tables import JudgeBatch


def most_cost(budget: Budget, requests: int, tokens_in: int) -> float:
    """The most, in US dollars, that so many requests with so many tokens in all can cost; 0 without a
    price."""
    return budget.price.of(tokens_in, requests * MAX_TOKENS) if budget.price else 0.0


def left(budget: Budget, on_their_way: Iterable[JudgeBatch]) -> float:
    """The US dollars that are left when every batch on its way costs the most that it can."""
    if budget.most is None or budget.price is None:
        return math.inf
    held = sum(most_cost(budget, batch.requests, batch.tokens_in) for batch in on_their_way)
    return budget.most - budget.spent - held


def settle(budget: Budget, batch: JudgeBatch, answers: Answers, *, whole: bool) -> None:
    """A batch has ended: what its answers say that it did cost is spent. When it is not told for each of
    them, or lines are missing (not `whole`), it is the most that the batch could cost."""
    budget.requests += answers.replies
    budget.tokens_in += answers.tokens_in
    budget.tokens_out += answers.tokens_out
    if budget.price is None:
        return
    told = budget.price.of(answers.tokens_in, answers.tokens_out)
    sure = answers.counted and whole
    budget.spent += told if sure else max(told, most_cost(budget, batch.requests, batch.tokens_in))
