"""Provenance: what ran, with which parameters and versions, and which of its units failed."""

import functools
import importlib.metadata
import platform
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from store.queries import runs
from store.session import writing

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_PARTLY = 0, 1, 2, 3


@dataclass
class RunRecord:
    """A run while it goes on: `id` goes into every row that it writes, `counts` into its end.

    Set `idle` when there turns out to be nothing to do: then nothing is kept of the run.
    """

    engine: Engine
    id: int
    counts: dict[str, int | float] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)
    idle: bool = False

    def count(self, name: str, more: int | float = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + more

    def fail(self, unit: str, reason: str, attempts: int = 1, *, session: Session | None = None) -> None:
        """Write down at once that a unit came to nothing, so that a crash does not lose the reason; in the
        transaction of `session` when there is one."""
        self.failures.append((unit, reason))
        if session is not None:
            runs.add_failure(session, self.id, unit, reason, attempts)
            return
        with writing(self.engine) as own:
            runs.add_failure(own, self.id, unit, reason, attempts)

    def note(self, name: str, value: Any) -> None:
        """Add to the run's parameters what was found out after its start."""
        with writing(self.engine) as session:
            runs.add_parameter(session, self.id, name, value)

    @property
    def exit_code(self) -> int:
        return EXIT_PARTLY if self.failures else EXIT_DONE


@contextmanager
def record_run(
    engine: Engine,
    command: str,
    parameters: dict[str, Any],
    *,
    seed: int | None = None,
    libraries: Sequence[str] = (),
) -> Iterator[RunRecord]:
    """Write the start of a run, hand it out, and write its end: `done`, `partly` or `failed`.

    `libraries` are the distributions whose versions decide what comes out. `parameters` must hold no secret.
    """
    with writing(engine) as session:
        run_id = runs.start_run(
            session,
            command=command,
            parameters=parameters,
            versions={"python": platform.python_version(), **_versions(["xlit", *libraries])},
            seed=seed,
            git_revision=git_revision(),
            host=platform.node(),
        )
    record = RunRecord(engine, run_id)
    status = "failed"
    try:
        yield record
        status = "partly" if record.failures else "done"
    finally:
        with writing(engine) as session:
            if record.idle and status == "done":
                runs.forget_run(session, run_id)
            else:
                runs.end_run(session, run_id, status, {**record.counts, "failed": len(record.failures)})


def _versions(distributions: Sequence[str]) -> dict[str, str]:
    versions = {}
    for name in distributions:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


@functools.cache
def git_revision() -> str | None:
    """The revision of the program's own checkout, with `+` when it has changes; None outside a checkout."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        revision = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "--short=12", "HEAD"],
            capture_output=True, text=True, check=True, timeout=5,
        ).stdout.strip()  # fmt: skip
        changed = subprocess.run(
            ["git", "-C", str(root), "diff", "--quiet", "HEAD"], capture_output=True, timeout=5, check=False
        ).returncode
    except (OSError, subprocess.SubprocessError):
        return None
    return revision + ("+" if changed else "")
