"""The report's part on the paper's published numbers, with ours beside them where there are any."""

from collections.abc import Sequence

from core.analysis.published import (
    Beside,
    BesideModifier,
    BesideScore,
    published_modifiers,
    published_scores,
)
from core.report.document import Cell, Column, Kind, Section, Table

TITLE = "Published beside reproduced"
FIGURE_2, TABLE_1 = "figure 2", "table 1"
PAPER = "Chirkova & Nikoulina 2024, arXiv 2402.14778"

_LANGUAGES = {"en": "English", "non-en": "non-English"}

_MATCHED = (
    "A model of ours is the paper's of the same name, without the learning rate at the end of ours, or the "
    "one that it was said to be the same as."
)


def published_section(beside: Beside) -> Section | None:
    """Ours beside the paper's figure 2 and table 1; what has no like of ours stands alone. None where
    neither the suite nor a model is the paper's."""
    if not beside.of_paper:
        return None
    text = [f"The published numbers are those of {PAPER}."]
    tables = []
    if beside.scores:
        tables.append(_scores(beside.scores))
    else:
        text.append(_no_scores(beside.models))
        tables.append(_scores_alone())
    if beside.fulfilment or beside.helpfulness:
        tables += _modifiers(beside)
    else:
        text.append(
            "No response of ours to an instruction with one of the paper's modifiers has been judged in the "
            "paper's two languages (en, ru), so table 1 stands alone."
        )
        tables.append(_modifiers_alone())
    return Section(TITLE, text=tuple(text), tables=tuple(tables))


def _no_scores(models: Sequence[str]) -> str:
    if not models:
        return "There are no models of ours yet, so figure 2 stands alone."
    return (
        "No model of ours with scores of people or of an LLM judge has a like in the paper, so figure 2 "
        "stands alone. " + _MATCHED
    )


def _scores(rows: Sequence[BesideScore]) -> Table:
    return Table(
        "published-scores",
        "Mean scores, published and ours",
        (
            Column("published model"),
            Column("our model"),
            Column("published rater"),
            Column("our rater"),
            Column("criterion"),
            Column("languages"),
            Column("published", "score"),
            Column("ours", "score"),
            Column("difference", "number", signed=True),
            Column("n", "count"),
        ),
        tuple(_score_row(row) for row in rows),
        notes=(
            _MATCHED,
            "The paper's human scores stand beside those of people together, those of GPT-3.5 beside those "
            "of every LLM judge. Difference: ours minus published.",
            "Non-English is French, Portuguese and Russian in the paper, and all languages but English in "
            "ours.",
        ),
        source=FIGURE_2,
    )


def _score_row(row: BesideScore) -> tuple[Cell, ...]:
    published, ours = row.published, row.ours
    why = "no such score that counts"
    return (
        Cell(published.model),
        Cell(row.model),
        Cell(published.rater),
        Cell(row.rater_group.name),
        Cell(published.criterion),
        Cell(_LANGUAGES[published.languages]),
        Cell(published.score),
        Cell(None, why=why) if ours is None else Cell(ours.value, low=ours.low, high=ours.high),
        Cell(None, why=why) if row.difference is None else Cell(row.difference),
        Cell(0 if ours is None else ours.n),
    )


def _scores_alone() -> Table:
    scores = {
        (score.model, score.rater, score.languages, score.criterion): score.score
        for score in published_scores()
    }
    rows = dict.fromkeys((model, rater) for model, rater, _, _ in scores)
    criteria = dict.fromkeys(criterion for _, _, _, criterion in scores)
    columns = [(languages, criterion) for languages in _LANGUAGES for criterion in criteria]
    return Table(
        "published-scores",
        "Mean scores, published",
        (
            Column("model"),
            Column("rater"),
            *(Column(criterion, "score", _LANGUAGES[languages]) for languages, criterion in columns),
        ),
        tuple(
            (Cell(model), Cell(rater), *(Cell(scores[model, rater, *score]) for score in columns))
            for model, rater in rows
        ),
        source=FIGURE_2,
    )


def _modifiers(beside: Beside) -> list[Table]:
    tables = []
    if beside.fulfilment:
        tables.append(
            _beside(
                "published-fulfilment",
                "Modifiers fulfilled, published and ours",
                "percent",
                beside.fulfilment,
            )
        )
    if beside.helpfulness:
        tables.append(
            _beside(
                "published-helpfulness",
                "Helpfulness by modifier, published and ours",
                "score",
                beside.helpfulness,
            )
        )
    return tables


def _beside(key: str, title: str, kind: Kind, rows: Sequence[BesideModifier]) -> Table:
    difference: Kind = "percent" if kind == "percent" else "number"
    return Table(
        key,
        title,
        (
            Column("modifier"),
            Column("language"),
            Column("our model"),
            Column("our rater"),
            Column("published", kind),
            Column("ours", kind),
            Column("difference", difference, signed=True),
            Column("n", "count"),
        ),
        tuple(
            (
                Cell(row.modifier.group),
                Cell(row.language),
                Cell(row.model),
                Cell(row.rater),
                Cell(row.published),
                Cell(row.ours.value, low=row.ours.low, high=row.ours.high),
                Cell(row.difference),
                Cell(row.ours.n),
            )
            for row in rows
        ),
        notes=(
            "On a suite of the paper every model of ours stands beside table 1, whatever its name; on "
            "another one, those that the paper has as well. Difference: ours minus published"
            + (", in percentage points." if kind == "percent" else "."),
            "The average is that over the modifiers of their values; it stands where ours are the eleven of "
            "the paper.",
        ),
        source=TABLE_1,
    )


def _modifiers_alone() -> Table:
    languages = ("en", "ru")
    return Table(
        "published-modifiers",
        "Modifiers, published",
        (
            Column("modifier"),
            Column("what it demands"),
            *(Column(language, "percent", "fulfilled") for language in languages),
            *(Column(language, "score", "helpfulness") for language in languages),
        ),
        tuple(
            (
                Cell(row.group),
                Cell(row.description),
                *(Cell(row.fulfilled[language]) for language in languages),
                *(Cell(row.helpfulness[language]) for language in languages),
            )
            for row in published_modifiers()
        ),
        source=TABLE_1,
    )
