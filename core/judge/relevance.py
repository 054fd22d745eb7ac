"""`xlit-core judge relevance`: an LLM says whether a response addresses its task, 0 or 1."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from core.judge.llm_judge.estimate import Agree
from core.judge.llm_judge.runner import open_judge, run_judgements
from core.judge.llm_judge.settings import JudgeSettings
from core.judge.scope import chosen_languages
from core.llm.answers import BadAnswer, Reply, usable_text
from core.llm.prompt_template import Prompt, fenced_prompt
from store.errors import UsageError
from store.provenance import RunRecord, record_run
from store.queries import judging, raters, surface
from store.queries.judging import Unrated
from store.session import writing

METRIC = "relevance"

# A change of `relevance_prompt.txt` or of how answers are read needs a new version. The first version read
# answers by the paper's rule.
VERSION = "relevance-2"
PAPER_VERSION = "relevance-1"
PAPER = "paper"
PROMPT_FILE = Path(__file__).parent / "relevance_prompt.txt"

# One digit, perhaps with a name before it, in brackets or marks of emphasis: `**1**`, `(0)`, `Answer: 1.`
_BARE = re.compile(
    r"""[\s*_`"'(\[{]*(?:(?:answer|relevance|relevant|rating|score|verdict)[\s*_`"']*[:=])?"""
    r"""[\s*_`"'(\[{]*([01])[\s*_`"')\]}]*[.!]?[\s*_`"')\]}]*""",
    re.IGNORECASE,
)
# What a reasoning model thought before it answered.
_THOUGHT = re.compile(r"\s*(?:<think>)?.*</think>", re.DOTALL)

# A 0 or 1 that is no piece of a word or of another number.
_VERDICT = re.compile(r"(?<![\w.,])[01](?![\w]|[.,]\d)")


def judge_relevance(
    engine: Engine,
    settings: JudgeSettings,
    *,
    preset: str | None = None,
    languages: list[str] | None = None,
    limit: int | None = None,
    agree: Agree = None,
) -> RunRecord:
    """Have an LLM say for every response that it has not judged yet whether it is relevant.

    Written as the surface metric `relevance` with the value 0 or 1; its tool is the model and the prompt's
    version. An answer is one bare digit; a longer one is a bad one, because which of its digits is the
    verdict can't be known. With the `preset` "paper" the last 0 or 1 in the answer counts (the paper, section
    4), under a version of its own. All else as `core.judge.rubric.judge.judge_rubric`.

    Raises `UsageError` for another preset.
    """
    if preset not in (None, PAPER):
        raise UsageError(f"No preset {preset!r} for relevance. There is: {PAPER}.")
    judge = open_judge(settings)
    chosen = chosen_languages(engine, languages)
    version = settings.version(PAPER_VERSION if preset == PAPER else VERSION)
    parameters = {
        **settings.parameters(),
        "endpoint": judge.address,
        "prompt": version,
        "preset": preset,
        "languages": chosen,
        "limit": limit,
    }
    with record_run(engine, "judge relevance", parameters, libraries=judge.libraries) as run:
        with writing(engine) as session:
            rater = raters.rater_id(session, "llm", settings.model, version)
        judgement = RelevanceJudgement(
            settings.model, version, rater, chosen, last_verdict if preset == PAPER else verdict
        )
        run_judgements(run, [judgement], judge, settings, limit=limit, agree=agree)
    return run


def verdict(reply: Reply) -> int:
    """The digit that an answer is. Raises `BadAnswer` for an answer that says more."""
    text = _THOUGHT.sub("", usable_text(reply), count=1)
    match = _BARE.fullmatch(text)
    if match is not None:
        return int(match[1])
    raise BadAnswer("more than one digit" if _VERDICT.search(text) else "neither 0 nor 1")


def last_verdict(reply: Reply) -> int:
    """The last 0 or 1 in an answer, as the paper reads it. Raises `BadAnswer`."""
    verdicts = _VERDICT.findall(usable_text(reply))
    if not verdicts:
        raise BadAnswer("neither 0 nor 1")
    return int(verdicts[-1])


class RelevanceJudgement:
    """The surface metric `relevance` of one judge; see `core.judge.llm_judge.questions.Judgement`."""

    reminder = "\n\nAnswer with 0 or 1 and nothing else."

    def __init__(
        self,
        model: str,
        version: str,
        rater: int,
        languages: list[str],
        read: Callable[[Reply], int] = verdict,
    ) -> None:
        self.name = f"relevance {model}"
        self.rater = rater
        self.identity: tuple[str, ...] = (model, version)
        self._read = read
        self._tool, self._languages = f"{model} {version}", languages
        self._template = PROMPT_FILE.read_text(encoding="utf-8")

    def count(self, session: Session) -> int:
        return judging.count_without_metric(session, METRIC, self._tool, self._languages)

    def pending(
        self, session: Session, after: int, limit: int, among: Sequence[int] | None = None
    ) -> list[Unrated]:
        return judging.without_metric(
            session, METRIC, self._tool, self._languages, after=after, limit=limit, among=among
        )

    def about(self, response: Unrated) -> list[str]:
        return [response.instruction, response.text]

    def prompt(self, response: Unrated) -> Prompt:
        return Prompt(fenced_prompt(self._template, response.instruction, response.text))

    def read(self, reply: Reply) -> int:
        return self._read(reply)

    def write(self, session: Session, responses: Sequence[Unrated], value: Any, run_id: int) -> int:
        rows = [
            {
                "response_id": row.response_id,
                "metric": METRIC,
                "tool": self._tool,
                "value": float(value),
                "run_id": run_id,
            }
            for row in responses
        ]
        return surface.add_metrics(session, rows)
