"""Plans and the status of campaigns as tables for a person, readable in 80 columns."""

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.text.visible import visible


def plan_tables(name: str, planned: dict[str, Any]) -> RenderableType:
    """What a campaign asks of whom. `planned` is what `core.campaigns.create.PlannedCampaign.as_dict`
    gives."""
    plan = planned["plan"]
    languages = _table(
        f"Campaign {visible(name)}, seed {plan['seed']}", ("language",), ("responses", "texts")
    )
    for language, row in planned["languages"].items():
        languages.add_row(language, str(row["responses"]), str(row["texts"]))
    people = _table("", ("reviewer", "languages"), ("reads", "repeats", "checks", "hours"))
    for reviewer, row in planned["reviewers"].items():
        counts = (row["readings"], row.get("repeat", 0), row.get("check", 0))
        people.add_row(
            Text(visible(reviewer)),
            " ".join(row["languages"]),
            *(str(count) for count in counts),
            f"{row['hours']:.1f}",
        )
    how = "median of the looking times so far" if planned["seconds_measured"] else "a guess: no times yet"
    foot = (
        f"{plan['overlap']} reviewers for every response. Hours at {planned['seconds_a_response']:.0f} s "
        f"each ({how}). Responses to an instruction that read the same are one text, read once."
    )
    return Group(languages, people, Text(foot))


def status_table(status: dict[str, Any]) -> RenderableType:
    """The status of a campaign, which `core.campaigns.progress.campaign_status` gives."""
    state = "open" if status["open"] else "closed"
    title = f"Campaign {visible(status['name'])} ({state}): {status['done']} of {status['readings']} read"
    people = _table(title, ("reviewer", ""), ("done", "left", "per h", "h left", "self", "checks"))
    for row in status["reviewers"]:
        people.add_row(
            Text(visible(row["name"])),
            " ".join(row["languages"]),
            str(row["done"]),
            str(row["left"]),
            _number(row["per_hour"], 0),
            _number(row["hours_left"], 1),
            _self(row["self_agreement"]),
            _passed(row["checks"]),
        )
    parts: list[RenderableType] = [people]
    if any(row["n"] for row in status["agreement"].values()):
        parts.append(_agreement(status["agreement"]))
    outliers = [(row["name"], message) for row in status["reviewers"] for message in row["unlike_others"]]
    parts += [Text(f"unlike others: {visible(name)}, {message}") for name, message in outliers]
    parts += [Text(rule, style="dim") for rule in status["rules"]]
    return Group(*parts)


def list_table(campaigns: list[dict[str, Any]]) -> RenderableType:
    """All campaigns, which `core.campaigns.progress.list_status` gives."""
    table = _table("Campaigns", ("name", "state"), ("reviewers", "reads", "done"))
    for row in campaigns:
        state = "open" if row["open"] else "closed"
        table.add_row(
            Text(visible(row["name"])), state, *(str(row[name]) for name in ("reviewers", "readings", "done"))
        )
    return table


def _agreement(criteria: dict[str, Any]) -> RenderableType:
    table = _table("Agreement so far, every two reviewers", ("criterion",), ("pairs", "same %", "kappa"))
    undefined = []
    for name, row in criteria.items():
        table.add_row(name, str(row["n"]), _number(row["exact"], 0), _number(row["kappa"], 2))
        if row["n"] and row["undefined"]:
            undefined.append(Text(f"{name}: {row['undefined']}", style="dim"))
    return Group(table, *undefined, Text("kappa: Cohen's, quadratic weights.", style="dim"))


def _table(title: str, words: Iterable[str], numbers: Iterable[str]) -> Table:
    table = Table(title=Text(title) if title else None, title_justify="left")
    for heading in words:
        table.add_column(heading, overflow="fold")
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _self(agreement: dict[str, Any] | None) -> str:
    if agreement is None:
        return ""
    share = "–" if agreement["exact"] is None else f"{agreement['exact']:.0f}%"
    return f"{share} ({agreement['done']}/{agreement['repeats']})"


def _passed(checks: dict[str, Any] | None) -> str:
    return "" if checks is None else f"{checks['passed']}/{checks['done']}"
