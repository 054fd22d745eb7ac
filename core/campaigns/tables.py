"""Plans and the status of campaigns as tables for a person, readable in 80 columns."""

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.text.visible import visible


def plan_tables(name: str, planned: dict[str, Any]) -> RenderableType:
    """What a campaign asks of whom; `planned` as `core.campaigns.create.PlannedCampaign.as_dict` gives it."""
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
            *(str(it) for it in counts),
            f"{row['hours']:.1f}",
        )
    how = "median of the looking times so far" if planned["seconds_measured"] else "a guess: no times yet"
    foot = (
        f"{plan['overlap']} reviewers for every response. Hours at {planned['seconds_a_response']:.0f} s "
        f"each ({how}). Responses to an instruction that read the same are one text, read once."
    )
    return Group(languages, people, Text(foot))


def status_table(found: dict[str, Any]) -> RenderableType:
    """A campaign as `core.campaigns.progress.campaign_status` tells it."""
    state = "open" if found["open"] else "closed"
    title = f"Campaign {visible(found['name'])} ({state}): {found['done']} of {found['readings']} read"
    people = _table(title, ("reviewer", ""), ("done", "left", "per h", "h left", "self", "checks"))
    for row in found["reviewers"]:
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
    if any(row["n"] for row in found["agreement"].values()):
        parts.append(_agreement(found["agreement"]))
    unlike = [(row["name"], said) for row in found["reviewers"] for said in row["unlike_others"]]
    parts += [Text(f"unlike others: {visible(name)}, {said}") for name, said in unlike]
    parts += [Text(rule, style="dim") for rule in found["rules"]]
    return Group(*parts)


def list_table(found: list[dict[str, Any]]) -> RenderableType:
    """All campaigns, as `core.campaigns.progress.list_status` tells them."""
    table = _table("Campaigns", ("name", "state"), ("reviewers", "reads", "done"))
    for row in found:
        state = "open" if row["open"] else "closed"
        table.add_row(
            Text(visible(row["name"])), state, *(str(row[name]) for name in ("reviewers", "readings", "done"))
        )
    return table


def _agreement(found: dict[str, Any]) -> RenderableType:
    table = _table("Agreement so far, every two reviewers", ("criterion",), ("pairs", "same %", "kappa"))
    undefined = []
    for name, row in found.items():
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


def _self(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    share = "–" if found["exact"] is None else f"{found['exact']:.0f}%"
    return f"{share} ({found['done']}/{found['repeats']})"


def _passed(found: dict[str, Any] | None) -> str:
    return "" if found is None else f"{found['passed']}/{found['done']}"
