"""The section on modifiers: fulfilment beside helpfulness (the paper's table 1)."""

from collections.abc import Sequence

from core.analysis.bootstrap import RESAMPLES, SEED, Resamples, draw_resamples
from core.analysis.means import main_criterion, main_rater_groups
from core.analysis.modifiers import (
    AVERAGE,
    ModifierMeans,
    fulfilled,
    modifier_groups,
    scores_by_modifier,
    verdicts_of,
)
from core.analysis.scores import Scores
from core.report.document import Cell, Column, Section, Table
from core.report.sections.common import NOT_SCORED, WRONG_LANGUAGE, how_drawn, mean_cell, model_names, slug

TITLE = "Modifiers"


def modifiers_section(
    scored: Scores, judged: Scores | None, *, number: int = RESAMPLES, seed: int = SEED
) -> Section:
    """A table for every model: modifiers by language, fulfilment in percent beside the mean of the main
    criterion.

    `judged` are the verdicts on the same suite (`core.analysis.modifiers.load_verdicts`).
    """
    if not modifier_groups(scored):
        return Section(TITLE, (f"No response to {scored.suite} is to an instruction with a modifier.",))
    resamples = draw_resamples(len(scored.keys), number=number, seed=seed)
    verdicts = None if judged is None else verdicts_of(judged)
    criterion = main_criterion(scored)
    name = "" if criterion is None else scored.criteria[criterion].name
    text = [
        f"Fulfilled: percent of responses that do what the modifier demands. Beside it the mean {name} of "
        f"the responses. {WRONG_LANGUAGE} Average: the mean over the modifiers of their numbers.",
        how_drawn(number, seed),
    ]
    if verdicts is None or not verdicts.said_by:
        text.append(
            "Nobody has said yet whether modifiers are fulfilled: `xlit-core judge modifiers` asks rules "
            "and a judge."
        )
    else:
        deciders = ", ".join(f"{count} by {rater_group}" for rater_group, count in verdicts.said_by.items())
        text.append(
            "Whether a modifier is fulfilled is said by a rule where one can tell, else by people, else by a "
            f"judge: {deciders}."
        )
    tables = []
    names = model_names(scored)
    for source, model in enumerate(names):
        parts: list[tuple[str, str, ModifierMeans]] = []
        if judged is not None and verdicts is not None:
            parts.append(("fulfilled", "percent", fulfilled(judged, verdicts, resamples, source)))
        parts += _scores(scored, resamples, criterion, source)
        key = f"modifiers-{source + 1}-{slug(model, 'model')}" if len(names) > 1 else "modifiers"
        table = _table(key, model, parts)
        if table.rows:
            tables.append(table)
    if not any(column.kind == "score" for table in tables for column in table.columns):
        text.append(
            f"No response to an instruction with a modifier has a score of {name or 'any criterion'}."
        )
    return Section(TITLE, tuple(text), tuple(tables))


def _scores(
    scored: Scores, resamples: Resamples, criterion: int | None, source: int
) -> list[tuple[str, str, ModifierMeans]]:
    if criterion is None:
        return []
    name = scored.criteria[criterion].name
    return [
        (
            f"{name}, {rater_group.name}",
            "score",
            scores_by_modifier(scored, resamples, rater_group, criterion, source),
        )
        for rater_group in main_rater_groups(scored)
    ]


def _table(key: str, model: str, parts: Sequence[tuple[str, str, ModifierMeans]]) -> Table:
    """Columns are the languages of each part that have anything in them, rows the modifiers that have."""
    columns = [
        (heading, kind, means, language)
        for heading, kind, means in parts
        for language in means.languages
        if means.at(AVERAGE, language)
    ]
    groups = parts[0][2].groups if parts else ()
    rows = [
        (Cell(group), *(_cell(means, kind, group, language) for _, kind, means, language in columns))
        for group in (*groups, AVERAGE)
        if any(means.at(group, language) for _, _, means, language in columns)
    ]
    return Table(
        key=key,
        title=f"Modifiers, {model}",
        columns=(
            Column("modifier"),
            *(Column(language, kind, heading) for heading, kind, _, language in columns),  # type: ignore[arg-type]
        ),
        rows=tuple(rows),
        source="table 1",
    )


def _cell(means: ModifierMeans, kind: str, group: str, language: str) -> Cell:
    return mean_cell(means.at(group, language), "not decided" if kind == "percent" else NOT_SCORED)
