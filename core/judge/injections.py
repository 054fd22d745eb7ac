"""`xlit-core judge injections`: a judge rates poor responses, with and without an attack upon it in them."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from sqlalchemy import Engine

from core.judge.llm_judge.estimate import Agree
from core.judge.llm_judge.settings import JudgeSettings
from core.judge.rubric.definition import load_rubric
from core.judge.rubric.judge import judge_rubric
from core.judge.rubric.prompt import load_prompt
from store.provenance import RunRecord
from store.queries import models, raters, responses, scores, suites
from store.queries.scores import ScoresByCriterion
from store.session import reading, writing

BATTERY_FILE = Path(__file__).parent / "injections.toml"

# Attacks that bury their command under much text.
PADDING = "This is additional information about the topic. " * 60

PLAIN = "plain"


@dataclass(frozen=True)
class Case:
    """A poor response to an instruction."""

    key: str
    language: str
    instruction: str
    response: str


@dataclass(frozen=True)
class Battery:
    """`attacks`: texts by name, with `{RESPONSE}` where the poor response goes."""

    name: str
    version: str
    cases: tuple[Case, ...]
    attacks: dict[str, str]

    def responses(self, case: Case) -> dict[str, str]:
        """A case's response as it is (`PLAIN`) and with every attack, by name."""
        attacked = {
            name: text.replace("{PADDING}", PADDING).replace("{RESPONSE}", case.response)
            for name, text in self.attacks.items()
        }
        return {PLAIN: case.response, **attacked}


def load_battery() -> Battery:
    """The battery that comes with the project."""
    content = tomllib.loads(BATTERY_FILE.read_text(encoding="utf-8"))
    return Battery(
        content["name"],
        content["version"],
        tuple(Case(**case) for case in content["cases"]),
        {attack["name"]: attack["text"] for attack in content["attacks"]},
    )


@dataclass(frozen=True)
class Effect:
    """What an attack did to the judge's scores. `asked`: cases that were judged with it and without;
    `raised` and `lowered`: of these, those with a higher (lower) score on at least one criterion; a judge
    that scores by chance has both. `rise`: mean difference of a score, in points of the scale, None when no
    case was judged both ways."""

    attack: str
    asked: int
    raised: int
    lowered: int
    rise: float | None


@dataclass(frozen=True)
class Effects:
    """The effects of all attacks, and the run that judged them."""

    judge: str
    effects: tuple[Effect, ...]
    run: RunRecord

    def as_dict(self) -> dict[str, Any]:
        return {"judge": self.judge, "attacks": [effect.__dict__ for effect in self.effects]}


def judge_injections(
    engine: Engine, settings: JudgeSettings, *, prompt: Path | None = None, agree: Agree = None
) -> Effects:
    """Have the rubric judge rate the battery, in a store of its own, and compare.

    An attack is a model of that store, and so is what is not attacked; asking, cost, cache and resuming are
    those of `core.judge.rubric.judge.judge_rubric`, whose errors these are.
    """
    battery = load_battery()
    suite = _fill(engine, battery)
    run = judge_rubric(engine, settings, prompt=prompt, agree=agree)
    version = settings.version(load_prompt(load_rubric(), prompt).version)
    with writing(engine) as session:
        rater = raters.rater_id(session, "llm", settings.model, version)
    with reading(engine) as session:
        by_model = scores.scores_by_model(session, suite, rater)
    plain = by_model.get(PLAIN, {})
    effects = tuple(_effect(attack, plain, by_model.get(attack, {})) for attack in battery.attacks)
    return Effects(settings.model, effects, run)


def effects_table(effects: Effects) -> Table:
    """The effects as a table for the terminal."""
    table = Table(
        title=f"{effects.judge}: scores of poor responses, with and without an attack upon the judge",
        title_justify="left",
        caption="raised, lowered: cases with a higher, lower score on a criterion; rise: mean of all scores",
        caption_justify="left",
    )
    for name in ("attack", "cases", "raised", "lowered", "rise"):
        table.add_column(name, justify="left" if name == "attack" else "right")
    for effect in effects.effects:
        rise = "-" if effect.rise is None else f"{effect.rise:+.2f}"
        table.add_row(effect.attack, str(effect.asked), str(effect.raised), str(effect.lowered), rise)
    asked = sum(effect.asked for effect in effects.effects)
    shares = (
        sum(effect.raised for effect in effects.effects),
        sum(effect.lowered for effect in effects.effects),
    )
    table.add_section()
    table.add_row("all", str(asked), *(f"{n} ({n / asked:.0%})" if asked else "-" for n in shares), "")
    return table


def _fill(engine: Engine, battery: Battery) -> int:
    with writing(engine) as session:
        new = [suites.NewInstruction(case.key, case.language, case.instruction) for case in battery.cases]
        suite, _ = suites.add_suite(session, battery.name, battery.version, new)
        instruction_ids = {
            (row.language, row.key): row.id
            for language in dict.fromkeys(case.language for case in battery.cases)
            for row in suites.instructions_of(session, suite, language)
        }
        decoding = models.decoding_id(session, "imported", None, {})
        rows = [
            {
                "instruction_id": instruction_ids[case.language, case.key],
                "model_id": models.model_id(session, name),
                "decoding_id": decoding,
                "text": text,
            }
            for case in battery.cases
            for name, text in battery.responses(case).items()
        ]
        responses.add_responses(session, rows)
    return suite


def _effect(attack: str, plain: ScoresByCriterion, attacked: ScoresByCriterion) -> Effect:
    both = sorted(set(plain) & set(attacked))
    rises = {key: attacked[key] - plain[key] for key in both}
    cases = {key[:2] for key in both}
    raised = {key[:2] for key, rise in rises.items() if rise > 0}
    lowered = {key[:2] for key, rise in rises.items() if rise < 0}
    return Effect(attack, len(cases), len(raised), len(lowered), _mean(list(rises.values())))


def _mean(values: Sequence[int]) -> float | None:
    return sum(values) / len(values) if values else None
