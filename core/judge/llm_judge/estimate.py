"""What a judgement will ask and cost, and a person's agreement to it, before anything is asked."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import typer

from core.judge.llm_judge.judge_client import MAX_TOKENS
from core.judge.llm_judge.questions import Questions
from core.llm.prices import Budget, about_tokens
from core.progress import say
from store import UsageError

# Tokens of an answer, before a judge has given any: six numbers with their names.
EXPECTED_TOKENS_OUT = 60


@dataclass(frozen=True)
class Estimate:
    """`questions` to be asked, with about so many tokens; `cost` and `at_most` in US dollars, None without a
    price. `at_most`: should every answer be as long as it may be."""

    model: str
    questions: int
    tokens_in: int
    tokens_out: int
    cost: float | None
    at_most: float | None
    most: float | None = None
    batch: bool = False
    price_source: str = ""

    @property
    def sentence(self) -> str:
        """The estimate as one sentence for people."""
        text = (
            f"{self.model}: {self.questions} questions, about {self.tokens_in:,} tokens to read "
            f"and {self.tokens_out:,} to write"
        )
        if self.cost is None or self.at_most is None:
            text += "; no price is known for this model (--prices)"
        else:
            by = " by the Batch API" if self.batch else ""
            text += f"; about ${self.cost:.2f}{by}, ${self.at_most:.2f} if every answer has full length"
            if self.price_source:
                text += f" (price: {self.price_source})"
        if self.most is not None:
            text += f"; stopped before ${self.most:g}"
        return text + "."


# Says whether to go on; None: without a question.
Agree = Callable[[Estimate], bool] | None


def estimate_cost(
    every: Iterable[Questions], model: str, budget: Budget, *, about_out: int, batch: bool = False
) -> Estimate:
    """Look through all that is to be asked. `about_out`: tokens of an answer, as far as is known."""
    count = tokens_in = 0
    for questions in every:
        for rows in questions.unanswered():
            count += len(rows)
            tokens_in += sum(about_tokens(questions.judgement.prompt(row).text) for row in rows)
        questions.bar.advance()
    price = budget.price
    return Estimate(
        model,
        count,
        tokens_in,
        count * about_out,
        price.of(tokens_in, count * about_out) if price else None,
        price.of(tokens_in, count * MAX_TOKENS) if price else None,
        budget.most,
        batch,
        budget.price_source,
    )


def ask_person(yes: bool, *, needed: bool = True) -> Agree:
    """Shows what a judgement will ask and cost, and has a person agree to it; with `yes` it only shows it.

    Where there is neither `yes` nor a terminal to ask at, raises `UsageError`, or, when the judgement is not
    `needed`, says no.
    """

    def agree(estimate: Estimate) -> bool:
        say(estimate.sentence)
        if yes:
            return True
        if not sys.stdin.isatty():
            message = "There is no terminal to ask whether to go on: say so with --yes."
            if needed:
                raise UsageError(message)
            say(message)
            return False
        return typer.confirm("Go on?", err=True)

    return agree
