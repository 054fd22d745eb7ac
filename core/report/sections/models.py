"""The section that compares models: differences with tests, and how scores go with length."""

from collections.abc import Sequence

from core.analysis.bootstrap import RESAMPLES, SEED, draw_resamples
from core.analysis.judge_quality import LengthCorrelation
from core.analysis.length import length_beside_people, length_of_all
from core.analysis.means import RaterGroup, main_criterion, main_rater_groups
from core.analysis.scores import Scores
from core.analysis.significance import ALPHA, Difference, compare
from core.report.document import Cell, Column, Section, Table
from core.report.sections.common import how_drawn, model_names, nothing_scored

TITLE = "Comparison of models"

METHOD = (
    "Differences are paired over instructions: only responses to the same instruction in the same "
    "language that the rater scored for both models, and found in the right language for both (but on "
    "language itself). The difference is the mean in each language, and over the non-English languages "
    "the mean of these. The test is the two-sided paired permutation test over instructions, computed "
    "exactly: it asks how often a difference this large would come from giving each instruction's "
    "differences a random sign. dz is Cohen's: the mean of the instructions' differences by their "
    "standard deviation. Better, same and worse count instructions. Where languages lack different pairs, "
    "the difference weighs each language alike, the test each pair, and dz each instruction."
)
FAMILY = (
    "p (Holm) is corrected for all pairs of models, in English and in non-English, on the same criterion by "
    f"the same rater; * marks those below {ALPHA:g}."
)


def models_section(scored: Scores, *, number: int = RESAMPLES, seed: int = SEED) -> Section:
    """Every two models on every criterion, in English and in non-English, by people together and by every
    judge; and Spearman's correlation of score and length. Needs the extra `report`."""
    missing = nothing_scored(scored)
    if missing:
        return Section(TITLE, missing)
    text: list[str] = []
    tables: list[Table] = []
    if len(scored.sources) < 2:
        text.append("There is one model only: nothing to compare.")
    else:
        text += [METHOD, FAMILY, how_drawn(number, seed)]
        resamples = draw_resamples(len(scored.keys), number=number, seed=seed)
        main = main_criterion(scored)
        for rater_group in main_rater_groups(scored):
            differences = {
                criterion: compare(scored, resamples, rater_group, criterion)
                for criterion in range(len(scored.criteria))
            }
            own = {criterion: shared for criterion, rows in differences.items() if (shared := _shared(rows))}
            if not own:
                text.append(f"{rater_group.name} scored no two models on the same criterion.")
            tables += _tables(scored, rater_group, main, own)
    text.append(
        "How scores go with the length of responses in characters: Spearman's rank correlation, computed in "
        "each language, then the mean weighted by responses. Every score takes part, also of responses in "
        "the wrong language. A judge that favours length shows a larger correlation than people do on the "
        "same responses."
    )
    return Section(TITLE, tuple(text), (*tables, *_length_tables(scored)))


def _shared(differences: Sequence[Difference]) -> list[Difference]:
    """Those of two models that have an instruction in common."""
    return [difference for difference in differences if difference.mean is not None]


def _tables(
    scored: Scores, rater_group: RaterGroup, main: int | None, differences: dict[int, list[Difference]]
) -> list[Table]:
    """One for the main criterion, one for the others."""
    tables = []
    if main in differences:
        name = scored.criteria[main].name
        tables.append(
            _table(
                f"comparison-{rater_group.key}",
                f"Models compared on {name}, by {rater_group.name}",
                scored,
                differences,
                [main],
            )
        )
    others = [criterion for criterion in differences if criterion != main]
    if others:
        title = f"Models compared on the other criteria, by {rater_group.name}"
        tables.append(_table(f"comparison-{rater_group.key}-others", title, scored, differences, others))
    return tables


def _table(
    key: str, title: str, scored: Scores, differences: dict[int, list[Difference]], criteria: Sequence[int]
) -> Table:
    names = model_names(scored)
    with_criterion = len(criteria) > 1
    columns = [
        Column("model"),
        Column("against"),
        Column("in"),
        Column("difference", "number", signed=True),
        Column("p"),
        Column("p (Holm)"),
        Column("dz", "number", signed=True),
        Column("better", "count", "instructions"),
        Column("same", "count", "instructions"),
        Column("worse", "count", "instructions"),
    ]
    rows = []
    not_shown = _note_on_missing(
        scored, [difference for criterion in criteria for difference in differences[criterion]], len(criteria)
    )
    for criterion in criteria:
        for difference in differences[criterion]:
            row = _row(difference, names)
            rows.append((Cell(scored.criteria[criterion].name), *row) if with_criterion else row)
    if with_criterion:
        columns.insert(0, Column("criterion"))
    else:
        title = title.replace("the other criteria", scored.criteria[criteria[0]].name)
    return Table(
        key, title, tuple(columns), tuple(rows), notes=(FAMILY, "n counts pairs of responses.", *not_shown)
    )


def _note_on_missing(scored: Scores, differences: Sequence[Difference], criteria: int) -> tuple[str, ...]:
    """A note on the pairs of models that are not shown."""
    models, language_groups = (
        len(scored.sources),
        len({difference.language_group for difference in differences}),
    )
    absent = models * (models - 1) // 2 * language_groups * criteria - len(differences)
    return (
        (f"Not shown, as both models have no scored instruction in common: {absent} rows.",) if absent else ()
    )


def _row(difference: Difference, names: Sequence[str]) -> tuple[Cell, ...]:
    mark = "*" if difference.significant else ""
    mean = difference.mean
    mean_difference = (
        Cell(None, why=difference.why)
        if mean is None
        else Cell(mean.value, mean.low, mean.high, mean.n, mark)
    )
    why = difference.why or "all instructions have the same difference"
    return (
        Cell(names[difference.first]),
        Cell(names[difference.second]),
        Cell(difference.language_group),
        mean_difference,
        _p(difference.p, difference.why),
        _p(difference.holm, difference.why),
        Cell(difference.dz) if difference.dz is not None else Cell(None, why=why),
        Cell(difference.better),
        Cell(difference.same),
        Cell(difference.worse),
    )


def _p(value: float | None, why: str) -> Cell:
    """A p-value with two digits that count; below 0.001 nobody needs more than that."""
    if value is None:
        return Cell(None, why=why)
    return Cell("<0.001" if value < 0.001 else float(f"{value:.2g}"))


def _length_tables(scored: Scores) -> list[Table]:
    correlations = length_of_all(scored)
    rater_groups = list(dict.fromkeys(correlation.rater_group for correlation in correlations))
    at = {
        (correlation.criterion, correlation.rater_group): correlation.correlation
        for correlation in correlations
    }
    tables = []
    if correlations:
        rows = [
            (
                Cell(scored.criteria[criterion].name),
                *(_correlation(at.get((criterion, rater_group))) for rater_group in rater_groups),
            )
            for criterion in dict.fromkeys(correlation.criterion for correlation in correlations)
        ]
        tables.append(
            Table(
                key="length",
                title="Correlation of score and length",
                columns=(
                    Column("criterion"),
                    *(Column(rater_group.name, "number", signed=True) for rater_group in rater_groups),
                ),
                rows=tuple(rows),
                notes=_left_out(
                    [(correlation.rater_group.name, correlation.correlation) for correlation in correlations]
                ),
                source="footnote 1",
            )
        )
    return tables + _beside_people(scored)


def _beside_people(scored: Scores) -> list[Table]:
    biases = length_beside_people(scored)
    if not biases:
        return []
    columns = (
        Column("judge"),
        Column("criterion"),
        *(
            Column(name, "number", signed=True)
            for name in ("judge's score", "people's score", "judge minus people")
        ),
    )
    rows = [
        (
            Cell(bias.rater_group.name),
            Cell(scored.criteria[bias.criterion].name),
            _correlation(bias.bias.judge),
            _correlation(bias.bias.humans),
            _correlation(bias.bias.difference),
        )
        for bias in sorted(biases, key=lambda bias: bias.rater_group.raters)
    ]
    correlations = [
        (bias.rater_group.name, part)
        for bias in biases
        for part in (bias.bias.judge, bias.bias.humans, bias.bias.difference)
    ]
    return [
        Table(
            key="length-beside-people",
            title="Correlation of score and length, on responses that both people and the judge scored",
            columns=columns,
            rows=tuple(rows),
            notes=_left_out(correlations),
            source="footnote 1",
        )
    ]


def _correlation(correlation: LengthCorrelation | None) -> Cell:
    if correlation is None:
        return Cell(None, why="not scored")
    return (
        Cell(correlation.rho, n=correlation.n)
        if correlation.rho is not None
        else Cell(None, why=correlation.undefined or "")
    )


def _left_out(correlations: Sequence[tuple[str, LengthCorrelation]]) -> tuple[str, ...]:
    """Which languages some of the correlations leave out, and why; a cell without one says so itself."""
    reasons = {
        f"{language}, {name}: {reason}"
        for name, correlation in correlations
        if correlation.rho is not None
        for language, reason in correlation.left_out.items()
    }
    return (f"Left out on some criteria: {'; '.join(sorted(reasons))}.",) if reasons else ()
