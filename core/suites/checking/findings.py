"""What a check of a suite finds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.suites.format import SuiteLine
from core.suites.loader import WholeSuite
from core.text.files import Location
from store.provenance import EXIT_DONE, EXIT_PARTLY

Level = Literal["error", "warning"]
EXIT_ERRORS = 1


@dataclass(frozen=True)
class SuiteFinding:
    """Something that is wrong with a suite (`error`) or should be looked at (`warning`).

    `kind` is a short name, and `message` one sentence. `line` is None for a finding about the suite as a
    whole.
    """

    level: Level
    kind: str
    file: Path
    line: int | None
    message: str

    @property
    def where(self) -> str:
        """The location as a table shows it. Of an absolute path only the file's name is shown."""
        name = self.file.name if self.file.is_absolute() else str(self.file)
        return name if self.line is None else f"{name}:{self.line}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "level": self.level,
            "kind": self.kind,
            "file": str(self.file),
            "line": self.line,
            "message": self.message,
        }


@dataclass(frozen=True)
class SuiteReport:
    """The findings of a check of `suite`, in the order of their lines.

    `not_done` are the checks that could not be made here, each a sentence that says what to install.
    """

    suite: WholeSuite
    findings: tuple[SuiteFinding, ...]
    not_done: tuple[str, ...] = ()

    @property
    def errors(self) -> int:
        return sum(finding.level == "error" for finding in self.findings)

    @property
    def warnings(self) -> int:
        return len(self.findings) - self.errors

    @property
    def exit_code(self) -> int:
        """1 when there are errors, 3 when there are none but a check was not made, and otherwise 0."""
        return EXIT_ERRORS if self.errors else EXIT_PARTLY if self.not_done else EXIT_DONE

    def as_dict(self) -> dict[str, Any]:
        return {
            "suite": self.suite.meta.label,
            "instructions": len(self.suite.lines),
            "errors": self.errors,
            "warnings": self.warnings,
            "findings": [finding.as_dict() for finding in self.findings],
            "not_done": list(self.not_done),
        }


def error(kind: str, line: SuiteLine, message: str) -> SuiteFinding:
    return _at("error", kind, line.location, message)


def warning(kind: str, line: SuiteLine, message: str) -> SuiteFinding:
    return _at("warning", kind, line.location, message)


def _at(level: Level, kind: str, location: Location, message: str) -> SuiteFinding:
    return SuiteFinding(level, kind, location.file, location.line, message)
