"""A calibration for a person: tables, each under a sentence that says what it means."""

from collections.abc import Iterable, Sequence
from math import sqrt

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from core.analysis.agreement_table import Agreement
from core.analysis.judge_quality import (
    AgreementByLanguage,
    Calibration,
    CriterionCalibration,
    JudgeCalibration,
    LengthCorrelation,
    is_english,
)
from core.text.visible import visible

NONE = "–"
ALL = "all"

# As many columns with a number of pairs as fit beside each other.
CRITERIA = 6


def calibration_tables(calibration: Calibration) -> RenderableType:
    """The figures of every judge, readable in 110 columns; what can't be computed is a `–` that a line below
    the table explains."""
    where = f"{calibration.suite or 'all suites'}, {', '.join(calibration.languages) or 'no language'}"
    parts: list[RenderableType] = [Text(visible(f"Calibration on the responses to {where}"), style="bold")]
    parts += calibration.missing
    for judge in calibration.judges:
        parts += [Text(), *_judge(judge)]
    return Group(*parts)


def _judge(judge: JudgeCalibration) -> list[RenderableType]:
    by = f"; {judge.shared} of them scored by people too ({', '.join(judge.humans)})" if judge.shared else ""
    often = f", asked {judge.times} times" if judge.times > 1 else ""
    parts: list[RenderableType] = [
        Text(
            visible(f"── {judge.kind} {judge.label}{often}: {judge.responses} responses scored{by}"),
            style="bold",
        )
    ]
    parts += judge.missing
    rubrics = {row.rubric for row in judge.criteria}
    rows = [
        (row.criterion if len(rubrics) == 1 else f"{row.criterion} ({row.rubric})", row)
        for row in judge.criteria
    ]
    if judge.shared:
        parts += [*_agreement(rows), *_tables(rows), *_language_bias(rows)]
    if judge.responses:
        parts += _length_bias(rows, shared=bool(judge.shared))
    if judge.times > 1:
        parts += _with_itself(rows)
    return parts


Rows = Sequence[tuple[str, CriterionCalibration]]


def _agreement(rows: Rows) -> list[RenderableType]:
    table = Table()
    for heading in ("criterion", "language"):
        table.add_column(heading, overflow="fold")
    for heading in ("pairs", "same", "kappa", "bias", "pairs", "same", "kappa"):
        table.add_column(heading, justify="right")
    for column in (2, 6):
        table.columns[column].header = "judge\npairs" if column == 2 else "people\npairs"
    among = any(row.among_humans.all.n for _, row in rows)
    reasons = _Reasons()
    for name, row in rows:
        first = True
        for scope, judge in _scopes(row.humans):
            people = dict(_scopes(row.among_humans)).get(scope)
            reasons.note(judge.undefined, name, scope)
            if people and among:
                reasons.note(people.undefined, f"{name} among people", scope)
            table.add_row(
                name if first else "",
                scope,
                str(judge.n),
                _percent(judge.exact),
                _number(judge.kappa),
                _signed(judge.bias),
                str(people.n) if people and people.n else NONE,
                _percent(people.exact if people else None),
                _number(people.kappa if people else None),
            )
            first = False
        table.add_section()
    wrong = max(row.wrong_language for _, row in rows)
    lines = [
        "How far the judge gives the scores that people give. same: percent of pairs with the same score. "
        "kappa: agreement beyond chance, quadratic weights (1 at best, 0 as by chance). bias: judge's mean "
        "minus people's, in points. Under `people`: two people on the same responses, the most that a judge "
        "can reach.",
    ]
    if not among:
        lines.append("No response was scored by two people, so that ceiling is not known.")
    notes = list(reasons.lines("– no kappa"))
    if wrong:
        notes.append(
            f"Up to {wrong} pairs of a criterion are on responses that the judge or the person found in the "
            "wrong language; they count here, as in the overview."
        )
    return _section("Agreement of judge and people", lines, table, notes)


def _tables(rows: Rows) -> list[RenderableType]:
    grid = Table.grid(padding=(0, 3))
    cells = [_square(name, row.humans.all) for name, row in rows if row.humans.all.n]
    width = 4 if all(len(row.humans.all.scores) <= 3 for _, row in rows) else 2
    for start in range(0, len(cells), width):
        grid.add_row(*cells[start : start + width])
    line = (
        "Percent of all pairs, people's score in the rows and the judge's in the "
        "columns. Right of the diagonal the judge is more generous, left of it stricter."
    )
    return _section("Which scores meet", [line], grid)


def _square(name: str, agreement: Agreement) -> Table:
    table = Table(title=name, title_justify="left")
    table.add_column("")
    for score in agreement.scores:
        table.add_column(str(score), justify="right")
    for score, row in zip(agreement.scores, agreement.percent, strict=True):
        table.add_row(str(score), *(f"{share:.0f}" for share in row))
    return table


def _language_bias(rows: Rows) -> list[RenderableType]:
    reasons = _Reasons()
    for name, row in rows:
        reasons.note(row.language_bias.undefined, name)
    tables = [_means(rows[start : start + CRITERIA]) for start in range(0, len(rows), CRITERIA)]
    line = (
        "Whether the judge is kinder to some languages than people are: + is kinder. The last row: mean "
        "over the non-English languages, minus English; 0 means no difference of languages."
    )
    return _section(
        "Language bias: judge minus people (pairs)", [line], Group(*tables), reasons.lines("– no difference")
    )


def _means(rows: Rows) -> Table:
    table = Table()
    table.add_column("language")
    for name, _ in rows:
        table.add_column(name, justify="right", overflow="fold")
    spoken = {language for _, row in rows for language in row.language_bias.means}
    for language in sorted(spoken, key=lambda mean: (not is_english(mean), mean)):
        means = [row.language_bias.means.get(language) for _, row in rows]
        table.add_row(language, *(f"{_signed(mean[0])} ({mean[1]})" if mean else NONE for mean in means))
    table.add_section()
    table.add_row("non-English\n− English", *(_signed(row.language_bias.gap) for _, row in rows))
    return table


def _length_bias(rows: Rows, *, shared: bool) -> list[RenderableType]:
    table = Table()
    table.add_column("criterion", overflow="fold")
    table.add_column("judge,\nall it scored", justify="right")
    if shared:
        for heading in ("judge,\nscored by both", "people,\nscored by both", "judge minus people"):
            table.add_column(heading, justify="right")
    reasons, left_out = _Reasons(), _Reasons()
    for name, row in rows:
        bias = row.length_bias
        correlations = {"judge": bias.judge_alone}
        if shared:
            correlations |= {
                "judge and people": bias.judge,
                "people": bias.humans,
                "difference": bias.difference,
            }
        for column, correlation in correlations.items():
            reasons.note(correlation.undefined, name, column)
            for language, reason in correlation.left_out.items() if correlation.n else ():
                left_out.note(f"{language}: {reason}", name, column)
        table.add_row(name, *(_correlation(correlation) for correlation in correlations.values()))
    line = (
        "Whether longer responses get higher scores: Spearman's rho of score and length in characters "
        "within each language, then the mean over languages weighted by responses. +1: always higher, 0: no "
        "matter."
    )
    n = max(row.length_bias.judge_alone.n for _, row in rows)
    lines = [line]
    if n:
        # Under independence the variance of rho is 1 / (n - 1): M. Kendall, Rank Correlation Methods, ch. 4.
        chance = 2 / sqrt(n - 1)
        lines.append(f"Values within ±{chance:.2f} (two standard errors for {n} responses) may be chance.")
    if shared:
        lines.append(
            "A judge may be right that longer is better: what counts is how far it goes beyond people. In "
            "the last column, + says that the longer a response, the more the judge exceeds people."
        )
    notes = [*reasons.lines("– no rho"), *left_out.lines("One language left out")]
    return _section("Length bias: rank correlation with length (responses)", lines, table, notes)


def _with_itself(rows: Rows) -> list[RenderableType]:
    table = Table()
    table.add_column("criterion", overflow="fold")
    for heading in ("responses", "all the same", "pairs", "same", "kappa"):
        table.add_column(heading, justify="right")
    reasons = _Reasons()
    for name, row in rows:
        repeats = row.with_itself
        reasons.note(repeats.pairs.undefined if repeats.responses else "no response was scored twice", name)
        table.add_row(
            name,
            str(repeats.responses),
            _percent(repeats.all_same),
            str(repeats.pairs.n),
            _percent(repeats.pairs.exact),
            _number(repeats.pairs.kappa),
        )
    line = (
        "Whether the judge, asked again, says the same. all the same: percent of the responses on which all "
        "its scores are equal; the rest is over all pairs of its scores of a response. A judge can hardly "
        "agree better with people than with itself."
    )
    return _section("Agreement with itself", [line], table, reasons.lines("– no kappa"))


class _Reasons:
    """Why figures are missing: each reason once, with all the criteria, and what of them, it holds for."""

    def __init__(self) -> None:
        self._places: dict[str, dict[str, list[str]]] = {}

    def note(self, reason: str | None, criterion: str, part: str = "") -> None:
        if reason:
            parts = self._places.setdefault(reason, {}).setdefault(criterion, [])
            if part not in parts:
                parts.append(part)

    def lines(self, what: str) -> Iterable[str]:
        """One line for each reason, which begins with `what` there is for which criteria."""
        for reason, criteria in self._places.items():
            names = "; ".join(
                f"{criterion} ({', '.join(parts)})" if any(parts) and ALL not in parts else criterion
                for criterion, parts in criteria.items()
            )
            yield f"{what} for {names}: {reason}."


def _scopes(agreements: AgreementByLanguage) -> list[tuple[str, Agreement]]:
    """The rows of a table: all; English against the others where there are both; then every language."""
    languages = list(agreements.languages.items())
    if len(languages) < 2:
        return languages or [(ALL, agreements.all)]
    rows = [(ALL, agreements.all)]
    others = [row for row in languages if not is_english(row[0])]
    if agreements.english.n and others:
        rows.append(("English", agreements.english))
        languages = others
        if len(others) > 1:
            rows.append(("non-English", agreements.non_english))
    return rows + languages


def _section(
    title: str, lines: list[str], table: RenderableType, notes: Iterable[str] = ()
) -> list[RenderableType]:
    return [
        Text(),
        Text(title, style="bold"),
        *lines,
        table,
        *(Text(visible(note), style="dim") for note in notes),
    ]


def _correlation(correlation: LengthCorrelation) -> str:
    return NONE if correlation.rho is None else f"{_signed(correlation.rho)} ({correlation.n})"


def _percent(value: float | None) -> str:
    return NONE if value is None else f"{value:.0f}%"


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def _signed(value: float | None) -> str:
    if value is None:
        return NONE
    text = f"{value:+.2f}"
    return "0.00" if text in ("+0.00", "-0.00") else text
