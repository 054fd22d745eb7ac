"""The section that compares models: differences with tests, and how scores go with length."""

from collections.abc import Sequence

from core.analysis.bootstrap import RESAMPLES, SEED, resamples
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
        drawn = resamples(len(scored.keys), number=number, seed=seed)
        main = main_criterion(scored)
        for voice in main_rater_groups(scored):
            found = {place: compare(scored, drawn, voice, place) for place in range(len(scored.criteria))}
            own = {place: shared for place, rows in found.items() if (shared := _shared(rows))}
            if not own:
                text.append(f"{voice.name} scored no two models on the same criterion.")
            tables += _tables(scored, voice, main, own)
    text.append(
        "How scores go with the length of responses in characters: Spearman's rank correlation, computed in "
        "each language, then the mean weighted by responses. Every score takes part, also of responses in "
        "the wrong language. A judge that favours length shows a larger correlation than people do on the "
        "same responses."
    )
    return Section(TITLE, tuple(text), (*tables, *_length_tables(scored)))


def _shared(found: Sequence[Difference]) -> list[Difference]:
    """Those of two models that have an instruction in common."""
    return [one for one in found if one.mean is not None]


def _tables(
    scored: Scores, voice: RaterGroup, main: int | None, found: dict[int, list[Difference]]
) -> list[Table]:
    """One for the main criterion, one for the others."""
    tables = []
    if main in found:
        name = scored.criteria[main].name
        tables.append(
            _table(
                f"comparison-{voice.key}",
                f"Models compared on {name}, by {voice.name}",
                scored,
                found,
                [main],
            )
        )
    others = [place for place in found if place != main]
    if others:
        title = f"Models compared on the other criteria, by {voice.name}"
        tables.append(_table(f"comparison-{voice.key}-others", title, scored, found, others))
    return tables


def _table(
    key: str, title: str, scored: Scores, found: dict[int, list[Difference]], criteria: Sequence[int]
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
    apart = _apart(scored, [one for criterion in criteria for one in found[criterion]], len(criteria))
    for criterion in criteria:
        for one in found[criterion]:
            row = _row(one, names)
            rows.append((Cell(scored.criteria[criterion].name), *row) if with_criterion else row)
    if with_criterion:
        columns.insert(0, Column("criterion"))
    else:
        title = title.replace("the other criteria", scored.criteria[criteria[0]].name)
    return Table(
        key, title, tuple(columns), tuple(rows), notes=(FAMILY, "n counts pairs of responses.", *apart)
    )


def _apart(scored: Scores, shown: Sequence[Difference], criteria: int) -> tuple[str, ...]:
    """What is said of the pairs of models that are not shown."""
    models, scopes = len(scored.sources), len({one.scope for one in shown})
    absent = models * (models - 1) // 2 * scopes * criteria - len(shown)
    return (
        (f"Not shown, as both models have no scored instruction in common: {absent} rows.",) if absent else ()
    )


def _row(one: Difference, names: Sequence[str]) -> tuple[Cell, ...]:
    mark = "*" if one.significant else ""
    mean = one.mean
    difference = (
        Cell(None, why=one.why) if mean is None else Cell(mean.value, mean.low, mean.high, mean.n, mark)
    )
    why = one.why or "all instructions have the same difference"
    return (
        Cell(names[one.first]),
        Cell(names[one.second]),
        Cell(one.scope),
        difference,
        _p(one.p, one.why),
        _p(one.holm, one.why),
        Cell(one.dz) if one.dz is not None else Cell(None, why=why),
        Cell(one.better),
        Cell(one.same),
        Cell(one.worse),
    )


def _p(value: float | None, why: str) -> Cell:
    """A p-value with two digits that count; below 0.001 nobody needs more than that."""
    if value is None:
        return Cell(None, why=why)
    return Cell("<0.001" if value < 0.001 else float(f"{value:.2g}"))


def _length_tables(scored: Scores) -> list[Table]:
    found = length_of_all(scored)
    voices = list(dict.fromkeys(one.voice for one in found))
    at = {(one.criterion, one.voice): one.correlation for one in found}
    tables = []
    if found:
        rows = [
            (
                Cell(scored.criteria[criterion].name),
                *(_correlation(at.get((criterion, voice))) for voice in voices),
            )
            for criterion in dict.fromkeys(one.criterion for one in found)
        ]
        tables.append(
            Table(
                key="length",
                title="Correlation of score and length",
                columns=(
                    Column("criterion"),
                    *(Column(voice.name, "number", signed=True) for voice in voices),
                ),
                rows=tuple(rows),
                notes=_left_out([(one.voice.name, one.correlation) for one in found]),
                source="footnote 1",
            )
        )
    return tables + _beside_people(scored)


def _beside_people(scored: Scores) -> list[Table]:
    found = length_beside_people(scored)
    if not found:
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
            Cell(one.voice.name),
            Cell(scored.criteria[one.criterion].name),
            _correlation(one.bias.judge),
            _correlation(one.bias.humans),
            _correlation(one.bias.difference),
        )
        for one in sorted(found, key=lambda one: one.voice.raters)
    ]
    told = [
        (one.voice.name, part)
        for one in found
        for part in (one.bias.judge, one.bias.humans, one.bias.difference)
    ]
    return [
        Table(
            key="length-beside-people",
            title="Correlation of score and length, on responses that both people and the judge scored",
            columns=columns,
            rows=tuple(rows),
            notes=_left_out(told),
            source="footnote 1",
        )
    ]


def _correlation(found: LengthCorrelation | None) -> Cell:
    if found is None:
        return Cell(None, why="not scored")
    return Cell(found.rho, n=found.n) if found.rho is not None else Cell(None, why=found.undefined or "")


def _left_out(found: Sequence[tuple[str, LengthCorrelation]]) -> tuple[str, ...]:
    """Which languages some of the correlations leave out, and why; a cell without one says so itself."""
    told = {
        f"{language}, {name}: {reason}"
        for name, correlation in found
        if correlation.rho is not None
        for language, reason in correlation.left_out.items()
    }
    return (f"Left out on some criteria: {'; '.join(sorted(told))}.",) if told else ()
