"""What the store holds, what runs, and what failed."""

from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from sqlalchemy import Engine

from core.text.visible import visible
from store.labels import decoding_label, rater_label
from store.queries import runs, suites, summary
from store.session import reading


def status(engine: Engine) -> dict[str, Any]:
    """The store's holdings as plain data, as `xlit-core status --json` prints it."""
    with reading(engine) as session:
        return {
            "suites": [
                {"suite": suite.label, "instructions": suite.languages}
                for suite in suites.list_suites(session)
            ],
            "responses": [asdict(row) for row in summary.response_counts(session)],
            "metrics": [asdict(row) for row in summary.metric_counts(session)],
            "raters": [asdict(row) for row in summary.rater_counts(session)],
            "runs": [
                {
                    "id": run.id,
                    "command": run.command,
                    "status": run.status,
                    "started_at": run.started_at.isoformat(timespec="seconds"),
                    "ended_at": run.ended_at.isoformat(timespec="seconds") if run.ended_at else None,
                    "counts": run.counts,
                    "failures": [
                        {"unit": f.unit, "reason": f.reason} for f in runs.failures_of(session, run.id or 0)
                    ],
                }
                for run in runs.latest_runs(session)
            ],
        }


def status_tables(contents: dict[str, Any]) -> RenderableType:
    """The same for a person."""
    return Group(_responses(contents), _judged(contents), _runs(contents))


def _responses(contents: dict[str, Any]) -> Table:
    languages = sorted({language for suite in contents["suites"] for language in suite["instructions"]})
    table = Table(title="Instructions and responses", title_justify="left")
    for heading in ("suite", "model", "engine"):
        table.add_column(heading, overflow="fold")
    for language in languages:
        table.add_column(language, justify="right")
    for suite in contents["suites"]:
        counts = [str(suite["instructions"].get(language, "")) for language in languages]
        table.add_row(Text(visible(suite["suite"]), style="bold"), "", "", *counts)
        rows: dict[tuple[str, str], dict[str, int]] = {}
        for row in contents["responses"]:
            if row["suite"] == suite["suite"]:
                engine = decoding_label(row["engine"], row["quantization"])
                rows.setdefault((row["model"], engine), {})[row["language"]] = row["responses"]
        for (model, engine), answered in rows.items():
            cells = [str(answered.get(language, "")) for language in languages]
            table.add_row("", model, engine, *cells)
    return table


def _judged(contents: dict[str, Any]) -> Table:
    table = Table(title="Judged", title_justify="left")
    for heading in ("by", "what"):
        table.add_column(heading, overflow="fold")
    table.add_column("responses", justify="right")
    table.add_column("ratings", justify="right")
    for row in contents["metrics"]:
        table.add_row(row["tool"], row["metric"], str(row["responses"]), "")
    for row in contents["raters"]:
        by = rater_label(row["kind"], row["name"], row["version"])
        table.add_row(by, "criteria", str(row["responses"]), str(row["ratings"]))
    return table


def _runs(contents: dict[str, Any]) -> Table:
    table = Table(title="Last runs", title_justify="left")
    for heading in ("run", "started", "command", "status", "counts"):
        table.add_column(heading, overflow="fold")
    for run in contents["runs"]:
        counts = ", ".join(f"{name} {count}" for name, count in run["counts"].items() if count)
        table.add_row(str(run["id"]), run["started_at"], run["command"], run["status"], counts)
        for failure in run["failures"][:5]:
            table.add_row(
                "", "", "", Text("missing", style="bold"), f"{failure['unit']}: {failure['reason']}"
            )
    return table
