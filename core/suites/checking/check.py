"""All checks of a suite, one after the other."""

from pathlib import Path

from sqlalchemy import Engine

from core.suites.checking.findings import SuiteFinding, SuiteReport
from core.suites.checking.structure import misaligned, misnamed, unbalanced, unknown_modifiers, unstated
from core.suites.checking.texts import in_wrong_language, leaked, misspelt, repeated
from core.suites.loader import is_in_files, open_with_bad, suite_file


def check_suite(
    reference: str, engine: Engine | None = None, *, lid: Path | None = None, dictionaries: Path | None = None
) -> SuiteReport:
    """Run all checks of a suite, which is named as for `open_suite`. Lines that can't be read are findings
    too.

    `lid` and `dictionaries` are those of `LanguageIdentifier` and `find_dictionary`. Raises `UsageError` when
    there is no such suite, and `XlitError` when its description can't be read.
    """
    suite, bad = open_with_bad(reference, engine)
    toml = suite_file(reference) if is_in_files(reference) else Path(suite.meta.label)
    findings = [
        SuiteFinding(
            "error", "line", row.location.file, row.location.line, f"The line can't be taken: {row.reason}."
        )
        for row in bad
    ]
    not_done: list[str] = []
    findings += [
        *unstated(suite, toml),
        *misnamed(suite, toml),
        *misaligned(suite),
        *unknown_modifiers(suite),
        *repeated(suite),
        *leaked(suite),
        *unbalanced(suite, toml),
        *in_wrong_language(suite, lid, not_done),
        *misspelt(suite, dictionaries, not_done),
    ]
    findings.sort(key=lambda finding: (finding.line or 0, finding.level))
    return SuiteReport(suite, tuple(findings), tuple(not_done))
