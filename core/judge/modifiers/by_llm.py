"""Fulfilment of the modifiers that no rule can decide: an LLM is asked about each response."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from core.judge.llm_judge.estimate import Agree
from core.judge.llm_judge.runner import open_judge, run_judgements
from core.judge.llm_judge.settings import JudgeSettings
from core.judge.modifiers.rater import fulfilment_criterion
from core.judge.modifiers.registry import Modifier, read_modifier
from core.judge.scope import chosen_languages
from core.llm.answers import BadAnswer, Reply, parse_json_object, usable_text
from core.llm.prompt_template import Prompt, fenced_prompt
from store.provenance import RunRecord, record_run
from store.queries import journal, judging, raters
from store.queries.journal import Score
from store.queries.judging import Unrated
from store.queries.modifiers import responses_by_modifier
from store.session import reading, writing

# A change of `fulfilment_prompt.txt`, or of a demand in `registry.DEMANDS`, needs a new version.
VERSION = "fulfilment-1"
PROMPT_FILE = Path(__file__).parent / "fulfilment_prompt.txt"

SCHEMA = {
    "type": "object",
    "properties": {"fulfilled": {"type": "integer", "enum": [0, 1]}},
    "required": ["fulfilled"],
    "additionalProperties": False,
}


def judge_modifiers_by_llm(
    engine: Engine,
    settings: JudgeSettings,
    *,
    languages: list[str] | None = None,
    limit: int | None = None,
    agree: Agree = None,
) -> RunRecord:
    """Have an LLM rate, 1 or 0, whether responses fulfil those modifiers that no rule decides (style,
    simplicity, two-hop, and whatever is joined with these).

    All else as `core.judge.rubric.judge.judge_rubric`.
    """
    judge = open_judge(settings)
    chosen = chosen_languages(engine, languages)
    with reading(engine) as session:
        held = responses_by_modifier(session, chosen)
    read = {name: read_modifier(name) for name in held}
    asked = {
        name: modifier for name, modifier in read.items() if modifier is not None and modifier.by == "judge"
    }
    version = settings.version(VERSION)
    parameters = {
        **settings.parameters(),
        "endpoint": judge.address,
        "prompt": version,
        "modifiers": list(asked),
        "languages": chosen,
        "limit": limit,
    }
    with record_run(engine, "judge modifiers", parameters, libraries=judge.libraries) as run:
        with writing(engine) as session:
            rater = raters.rater_id(session, "llm", settings.model, version)
            criterion = fulfilment_criterion(session)
        judgement = FulfilmentJudgement(settings.model, version, rater, criterion, asked, chosen)
        run_judgements(run, [judgement], judge, settings, limit=limit, agree=agree)
    return run


def fulfilled(reply: Reply) -> int:
    """The 0 or 1 of an answer. Raises `BadAnswer`."""
    values = [
        value for key, value in parse_json_object(usable_text(reply)) if key.strip().casefold() == "fulfilled"
    ]
    if len(values) != 1:
        raise BadAnswer("wrong keys: not one `fulfilled`")
    value = values[0]
    if value not in (0, 1, "0", "1"):  # so are true and false, which mean the same
        raise BadAnswer("out of range: `fulfilled` is neither 0 nor 1")
    return int(value)


class FulfilmentJudgement:
    """Ratings of one judge on the criterion `fulfilment`; see `core.judge.llm_judge.questions.Judgement`."""

    reminder = '\n\nAnswer with {"fulfilled": 1} or {"fulfilled": 0} and nothing else.'

    def __init__(
        self,
        model: str,
        version: str,
        rater: int,
        criterion: int,
        modifiers: dict[str, Modifier],
        languages: list[str],
    ) -> None:
        self.name = f"modifiers {model}"
        self.rater = rater
        self.identity: tuple[str, ...] = (model, version)
        self._criterion, self._modifiers, self._languages = criterion, modifiers, languages
        self._template = PROMPT_FILE.read_text(encoding="utf-8")

    def count(self, session: Session) -> int:
        return judging.count_unrated(session, self.rater, self._languages, modifiers=list(self._modifiers))

    def pending(
        self, session: Session, after: int, limit: int, among: Sequence[int] | None = None
    ) -> list[Unrated]:
        return judging.unrated(
            session,
            self.rater,
            self._languages,
            modifiers=list(self._modifiers),
            after=after,
            limit=limit,
            among=among,
        )

    def about(self, response: Unrated) -> list[str]:
        return [self._demand(response), response.instruction, response.text]

    def prompt(self, response: Unrated) -> Prompt:
        demand = {"{DEMAND}": self._demand(response)}
        text = fenced_prompt(self._template, response.instruction, response.text, demand)
        return Prompt(text, json=True, schema=SCHEMA)

    def read(self, reply: Reply) -> int:
        return fulfilled(reply)

    def write(self, session: Session, responses: Sequence[Unrated], value: Any, run_id: int) -> int:
        done = judging.rated_by(session, self.rater, [row.response_id for row in responses])
        new = [row for row in responses if row.response_id not in done]
        for row in new:
            journal.append(
                session, self.rater, [Score(row.response_id, self._criterion, value)], run_id=run_id
            )
        return len(new)

    def _demand(self, response: Unrated) -> str:
        return self._modifiers[response.modifier or ""].demand
