"""Running judgements: survey, agreement, questions, answers, and what it cost."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from core.judge.llm.asker import Asker, EndpointAsker
from core.judge.llm.asking import Asking
from core.judge.llm.batch.asking import BatchAsking
from core.judge.llm.batch.settings import BatchSettings
from core.judge.llm.budget import Budget
from core.judge.llm.endpoint import Endpoint
from core.judge.llm.local import AT_A_TIME, LocalAsker
from core.judge.llm.prices import read_prices
from core.judge.llm.questions import Judgement, Questions
from core.judge.llm.survey import ABOUT_OUT, Agree, survey
from core.progress import progress, say
from store import UsageError, XlitError
from store.provenance import RunRecord
from store.queries import batches, judging
from store.session import reading

CONCURRENCY = 16

NO_BATCHES = "A checkpoint of your own has no Batch API: leave out --batch."


@dataclass(frozen=True)
class JudgeSettings:
    """Who judges, and how it is asked.

    `model`: its name, as the server knows it, and the rater's in the store. It answers behind `base_url`
    (default OpenAI's), or is the `checkpoint`: a folder or a GGUF file of one's own.
    `concurrency`: questions at a time (None: 16). `attempts`: for an answer that can't be used. `timeout`:
    seconds for one request. `max_cost`: US dollars that this run never goes beyond. `prices`: a table of
    prices (see `core.judge.llm.prices`). `temperature`: part of who judges, when it isn't 0. `batch`: ask
    through the server's Batch API.
    """

    model: str
    base_url: str | None = None
    checkpoint: Path | None = None
    concurrency: int | None = None
    attempts: int = 3
    timeout: float = 60
    temperature: float = 0
    max_cost: float | None = None
    prices: Path | None = None
    batch: BatchSettings | None = None

    def __post_init__(self) -> None:
        for name, number in (("concurrency", self.concurrency), ("attempts", self.attempts)):
            if number is not None and number < 1:
                raise UsageError(f"{name} must be at least 1, not {number}.")
        if not 0 <= self.temperature <= 2:
            raise UsageError(f"The temperature must be from 0 to 2, not {self.temperature}.")
        if not self.timeout > 0:
            raise UsageError(f"The time-out must be above 0 s, not {self.timeout}.")
        if self.max_cost is not None and not self.max_cost >= 0:
            raise UsageError(f"The highest cost must be at least 0 US dollars, not {self.max_cost}.")
        if self.checkpoint is not None and (self.base_url or self.max_cost is not None or self.temperature):
            raise UsageError(
                "A checkpoint of your own needs no address, costs nothing and is asked at temperature 0: "
                "leave out --base-url, --max-cost and --temperature."
            )
        if self.checkpoint is not None and self.batch is not None:
            raise UsageError(NO_BATCHES)

    def parameters(self) -> dict[str, object]:
        """What goes into the run's provenance; the address is the asker's to tell, without secrets."""
        return {
            "model": self.model,
            "concurrency": self.concurrency,
            "attempts": self.attempts,
            "timeout": self.timeout,
            "temperature": self.temperature,
            "max_cost": self.max_cost,
            "batch_size": self.batch.size if self.batch else None,
        }

    def version(self, prompt: str) -> str:
        """The rater's version: the prompt's, and the temperature when it isn't 0."""
        return f"{prompt} t={self.temperature:g}" if self.temperature else prompt


def open_asker(settings: JudgeSettings) -> Asker:
    """The asker for these settings; asks nothing yet.

    Raises `UsageError` for `max_cost` without a known price, and as `Endpoint` and `LocalAsker` do.
    """
    if settings.checkpoint is not None:
        at_a_time = settings.concurrency or AT_A_TIME
        return LocalAsker(settings.model, settings.checkpoint, at_a_time=at_a_time)
    prices = read_prices(settings.prices)
    price = prices.of(settings.model)
    if settings.max_cost is not None and price is None:
        raise UsageError(
            f"No price is known for {settings.model!r}, so --max-cost can't be held: give it with --prices "
            f"in a file like {prices.files[0]}."
        )
    endpoint = Endpoint(
        settings.model, settings.base_url, timeout=settings.timeout, temperature=settings.temperature
    )
    if price is not None and settings.batch is not None:
        price = price.batched()
    return EndpointAsker(endpoint, Budget(price, settings.max_cost), settings.concurrency or CONCURRENCY)


def run_judgements(
    run: RunRecord,
    judgements: Sequence[Judgement],
    asker: Asker,
    settings: JudgeSettings,
    *,
    limit: int | None = None,
    agree: Agree = None,
) -> None:
    """Ask `judgements` of one judge about every response that lacks them: one after another, or as `settings`
    say all through the server's Batch API. Questions that are on their way in a batch are not asked again.

    `limit`: how many responses at most for each. `agree` is asked before the first question, when there is
    one to ask; when it says no, nothing is asked. Raises `UsageError` for `batch` with a judge of one's own,
    `XlitError` when the judge can't be asked any more; what was rated until then stays.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"limit must be at least 1, not {limit}.")
    batch, attempts = settings.batch, settings.attempts
    with reading(run.engine) as session:
        totals = [judgement.count(session) for judgement in judgements]
        raters = [judgement.rater for judgement in judgements]
        collect = batch is not None and bool(batches.open_batches(session, raters))
    if not any(totals) and not collect:
        run.idle = True
        return
    if agree is not None and not _agreed(run, judgements, asker, limit, agree, batch is not None):
        say("Nothing was asked.")
        run.idle = True
        return
    try:
        if batch is None:
            asyncio.run(_ask_all(run, judgements, totals, asker, limit, attempts))
        elif isinstance(asker, EndpointAsker):
            asyncio.run(_ask_in_batches(run, judgements, totals, asker, batch, limit, attempts))
        else:
            raise UsageError(NO_BATCHES)
    except ExceptionGroup as group:
        raise _first(group) from None
    finally:
        _count_cost(run, asker.budget)


def _agreed(
    run: RunRecord,
    judgements: Sequence[Judgement],
    asker: Asker,
    limit: int | None,
    agree: Agree,
    batch: bool,
) -> bool:
    if agree is None or isinstance(asker, LocalAsker):
        return True
    with reading(run.engine) as session:
        about_out = judging.mean_tokens_out(session, judgements[0].rater) or ABOUT_OUT
        skip = [batches.on_their_way(session, judgement.rater) for judgement in judgements]
    with progress("looking at what there is to ask", len(judgements)) as shown:
        every = [
            Questions(run, judgement, shown, limit=limit, skip=digests)
            for judgement, digests in zip(judgements, skip, strict=True)
        ]
        found = survey(every, asker.model, asker.budget, about_out=about_out, batch=batch)
    if not found.questions:
        return True
    if found.cost is None and _is_here(asker.shown):
        say(found.sentence)
        return True
    return agree(found)


async def _ask_all(
    run: RunRecord,
    judgements: Sequence[Judgement],
    totals: Sequence[int],
    asker: Asker,
    limit: int | None,
    attempts: int,
) -> None:
    async with asker:
        for judgement, total in zip(judgements, totals, strict=True):
            wanted = total if limit is None else min(total, limit)
            if not wanted:
                continue
            with reading(run.engine) as session:
                skip = batches.on_their_way(session, judgement.rater)
            with progress(judgement.name, wanted) as shown:
                questions = Questions(run, judgement, shown, limit=limit, skip=skip)
                asking = Asking(questions, asker, attempts)
                await asking.all()
            if questions.skipped:
                run.count("on their way in batches", questions.skipped)
                say(
                    f"{questions.skipped} responses were not asked about, they are on their way in a batch: "
                    "the same command with --batch collects the answers."
                )
            if asking.budget_spent:
                _stopped(run, judgement, asker.budget)
                return


async def _ask_in_batches(
    run: RunRecord,
    judgements: Sequence[Judgement],
    totals: Sequence[int],
    asker: EndpointAsker,
    batch: BatchSettings,
    limit: int | None,
    attempts: int,
) -> None:
    wanted = sum(total if limit is None else min(total, limit) for total in totals)
    async with asker:
        with progress(f"{judgements[0].name} in batches", wanted) as shown:
            asking = BatchAsking(run, judgements, asker, batch, shown, attempts=attempts, limit=limit)
            try:
                await asking.all()
            except asyncio.CancelledError:
                say("Batches that were sent go on: the same command collects the answers.")
                raise
    if asking.budget_spent:
        for judgement in judgements:
            _stopped(run, judgement, asker.budget)


def _stopped(run: RunRecord, judgement: Judgement, budget: Budget) -> None:
    with reading(run.engine) as session:
        left = judgement.count(session)
    if left:
        most = budget.most
        run.fail(judgement.name, f"stopped before ${most:g}; {left} responses are left: raise --max-cost")


def _count_cost(run: RunRecord, budget: Budget) -> None:
    if not budget.requests:
        return
    run.count("asked", budget.requests)
    run.count("tokens in", budget.tokens_in)
    run.count("tokens out", budget.tokens_out)
    if budget.price is not None:
        run.count("US dollars", round(budget.spent, 6))


def _is_here(address: str) -> bool:
    """Whether an address is this machine's."""
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error to show of those that ended the run: one line for the user before anything else."""
    for_user = group.subgroup(XlitError)
    found: BaseException = for_user or group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
