"""The section of mean scores: the paper's figure 2, its numbers by language, and its figure 3 (right)."""

from collections.abc import Sequence

from core.analysis.bootstrap import RESAMPLES, SEED, Resamples, draw_resamples
from core.analysis.means import (
    ENGLISH,
    NON_ENGLISH,
    Means,
    RaterGroup,
    all_rater_groups,
    main_criterion,
    main_rater_groups,
    main_source,
    mean_scores,
    task_means,
)
from core.analysis.scores import Scores
from core.report.document import BarChart, Cell, Column, HeatMap, Section, Table
from core.report.sections.common import (
    WRONG_LANGUAGE,
    best_of,
    dot,
    how_drawn,
    mean_cell,
    model_names,
    nothing_scored,
)

TITLE = "Scores"


def scores_section(scored: Scores, *, number: int = RESAMPLES, seed: int = SEED) -> Section:
    """Means of every model, criterion and language with intervals from `number` resamples: a heat map, tables
    for every rater and for all people together, and means per task."""
    missing = nothing_scored(scored)
    if missing:
        return Section(TITLE, missing)
    resamples = draw_resamples(len(scored.keys), number=number, seed=seed)
    means = mean_scores(scored, resamples)
    main = main_rater_groups(scored)
    tables: list[Table] = []
    for rater_group in all_rater_groups(scored):
        if rater_group in main:
            tables += [
                _models_table(means, rater_group, group) for group in _scored_groups(means, rater_group)
            ]
        tables.append(_languages_table(means, rater_group))
    task_tables, task_charts, task_text = _tasks(scored, resamples, main)
    return Section(
        TITLE,
        (*_text(scored, means, number, seed), *task_text),
        (*tables, *task_tables),
        (_heat_map(means, main), *task_charts),
    )


def _text(scored: Scores, means: Means, number: int, seed: int) -> list[str]:
    lowest = {(criterion.minimum, criterion.maximum) for criterion in scored.criteria}
    scale = " to ".join(map(str, lowest.pop())) if len(lowest) == 1 else "by the scale of each criterion"
    lines = [
        f"The score of a model on a criterion in a language is the mean over its responses, {scale}. "
        f"{WRONG_LANGUAGE} Non-English is the mean over the non-English languages of their means. n counts "
        "responses.",
        how_drawn(number, seed),
    ]
    kinds = {rater.kind for rater in scored.raters}
    if any(rater_group.together for rater_group in means.rater_groups):
        lines.append(
            "People together: a response counts once, with the mean of the scores of those who scored it."
        )
    if "human" not in kinds:
        lines.append("No person has scored a response: all scores are those of judges or rules.")
    if kinds == {"human"}:
        lines.append("No judge has scored a response: all scores are those of people.")
    if len(scored.languages) == 1:
        lines.append(f"All responses are in one language, {scored.languages[0]}.")
    elif NON_ENGLISH not in _groups(means) or ENGLISH not in _groups(means):
        lines.append(
            f"There is no response in {'English' if NON_ENGLISH in _groups(means) else 'another language'}."
        )
    for rater_group in main_rater_groups(scored):
        silent = [group for group in _groups(means) if group not in _scored_groups(means, rater_group)]
        lines += [f"{rater_group.name} has scored nothing in {group}." for group in silent]
    unscored = [
        criterion.name
        for index, criterion in enumerate(scored.criteria)
        if not (scored.criterion == index).any()
    ]
    if unscored:
        lines.append(f"Nobody has scored {', '.join(unscored)}.")
    return lines


def _groups(means: Means) -> list[str]:
    return [
        language_group.name
        for language_group in means.language_groups
        if language_group.name in (ENGLISH, NON_ENGLISH)
    ]


def _scored_groups(means: Means, rater_group: RaterGroup) -> list[str]:
    """Those of English and non-English in which the rater group has any mean."""
    cells = [
        (source, criterion)
        for source in range(len(means.scored.sources))
        for criterion in range(len(means.scored.criteria))
    ]
    return [group for group in _groups(means) if any(means.at(rater_group, *cell, group) for cell in cells)]


def _criteria(means: Means, rater_group: RaterGroup) -> list[int]:
    """The criteria on which the rater group has a mean, by their indices."""
    cells = means.cells[means.rater_groups.index(rater_group)]
    by_criterion = cells.n.reshape(len(means.scored.sources), len(means.scored.criteria), -1)
    return [criterion for criterion in range(len(means.scored.criteria)) if by_criterion[:, criterion].any()]


def _scored_sources(means: Means, rater_group: RaterGroup) -> list[int]:
    cells = means.cells[means.rater_groups.index(rater_group)]
    by_source = cells.n.reshape(len(means.scored.sources), -1)
    return [source for source in range(len(means.scored.sources)) if by_source[source].any()]


def _models_table(means: Means, rater_group: RaterGroup, group: str) -> Table:
    """Models by criteria in English or in non-English, the best of each criterion marked."""
    scored, names = means.scored, model_names(means.scored)
    sources, criteria = _scored_sources(means, rater_group), _criteria(means, rater_group)
    best = {
        criterion: best_of([means.at(rater_group, source, criterion, group) for source in sources])
        for criterion in criteria
    }
    rows = []
    for source in sources:
        row = [Cell(names[source])]
        for criterion in criteria:
            mean = means.at(rater_group, source, criterion, group)
            row.append(mean_cell(mean, best=mean is not None and mean.value == best[criterion]))
        rows.append(tuple(row))
    return Table(
        key=f"scores-{rater_group.key}-{group.lower()}",
        title=f"Mean scores in {group}, by {rater_group.name}",
        columns=(
            Column("model"),
            *(Column(scored.criteria[criterion].name, "score") for criterion in criteria),
        ),
        rows=tuple(rows),
        notes=_left_out(means, rater_group),
        source="figure 2",
    )


def _languages_table(means: Means, rater_group: RaterGroup) -> Table:
    """Models and languages by criteria."""
    scored, names = means.scored, model_names(means.scored)
    criteria = _criteria(means, rater_group)
    language_groups = [*scored.languages, *([NON_ENGLISH] if NON_ENGLISH in _groups(means) else [])]
    rows = [
        (
            Cell(names[source]),
            Cell(language_group),
            *(mean_cell(means.at(rater_group, source, criterion, language_group)) for criterion in criteria),
        )
        for source in _scored_sources(means, rater_group)
        for language_group in language_groups
        if any(means.at(rater_group, source, criterion, language_group) for criterion in criteria)
    ]
    return Table(
        key=f"scores-{rater_group.key}-languages",
        title=f"Mean scores by language, by {rater_group.name}",
        columns=(
            Column("model"),
            Column("in"),  # not `language`, which is a criterion as well
            *(Column(scored.criteria[criterion].name, "score") for criterion in criteria),
        ),
        rows=tuple(rows),
        notes=_left_out(means, rater_group),
    )


def _left_out(means: Means, rater_group: RaterGroup) -> tuple[str, ...]:
    names, there = model_names(means.scored), _scored_sources(means, rater_group)
    absent = [name for source, name in enumerate(names) if source not in there]
    return (f"Without any score by {rater_group.name}: {', '.join(absent)}.",) if absent else ()


def _heat_map(means: Means, rater_groups: Sequence[RaterGroup]) -> HeatMap:
    scored, names = means.scored, model_names(means.scored)
    sources = sorted(
        {source for rater_group in rater_groups for source in _scored_sources(means, rater_group)}
    )
    criteria = sorted(
        {criterion for rater_group in rater_groups for criterion in _criteria(means, rater_group)}
    )
    panels = [
        (rater_group, group) for rater_group in rater_groups for group in _scored_groups(means, rater_group)
    ]

    def value(rater_group: RaterGroup, group: str, source: int, criterion: int) -> float | None:
        mean = means.at(rater_group, source, criterion, group)
        return None if mean is None else mean.value

    return HeatMap(
        key="scores-heat-map",
        title="Mean scores of every model on every criterion",
        panels=tuple(f"{rater_group.name}, {group}" for rater_group, group in panels),
        rows=tuple(names[source] for source in sources),
        columns=tuple(scored.criteria[criterion].name for criterion in criteria),
        values=tuple(
            tuple(tuple(value(*panel, source, criterion) for criterion in criteria) for source in sources)
            for panel in panels
        ),
        minimum=min((scored.criteria[criterion].minimum for criterion in criteria), default=0),
        maximum=max((scored.criteria[criterion].maximum for criterion in criteria), default=1),
        note="In the paper: figure 2.",
    )


def _tasks(
    scored: Scores, resamples: Resamples, rater_groups: Sequence[RaterGroup]
) -> tuple[list[Table], list[BarChart], list[str]]:
    """Means per task: for each rater group a table, and a chart of the model with most scored responses."""
    criterion = main_criterion(scored)
    if criterion is None or not any(response.task for response in scored.responses):
        return [], [], ["No instruction has a task, so there are no means per task."]
    tables, charts = [], []
    for rater_group in rater_groups:
        source = main_source(scored, rater_group)
        if source is None:
            continue
        table, chart = _task_table_and_chart(scored, resamples, rater_group, criterion, source)
        if table.rows:
            tables.append(table)
            charts.append(chart)
    return tables, charts, []


def _task_table_and_chart(
    scored: Scores, resamples: Resamples, rater_group: RaterGroup, criterion: int, source: int
) -> tuple[Table, BarChart]:
    name, model = scored.criteria[criterion].name, model_names(scored)[source]
    alone = task_means(scored, resamples, rater_group, criterion, source)
    together = task_means(scored, resamples, rater_group, criterion)
    several = len(scored.sources) > 1
    groups = [language_group.name for language_group in alone.language_groups]
    columns = [Column("task"), *(Column(group, "score", model) for group in groups)]
    if several:
        columns += [Column(group, "score", "all models") for group in groups]
    rows = []
    order = (*alone.tasks, *(task for task in together.tasks if task not in alone.tasks))
    for task in order if several else alone.tasks:
        row = [Cell(task)]
        for means in (alone, together) if several else (alone,):
            index = means.tasks.index(task) if task in means.tasks else None
            row += [
                mean_cell(None if index is None else means.cells.at(index, column))
                for column in range(len(groups))
            ]
        rows.append(tuple(row))
    notes = [f"{model} has most responses scored by {rater_group.name}."] if several else []
    if several:
        notes.append("All models: the mean over the responses of all of them, each response once.")
    table = Table(
        key=f"tasks-{rater_group.key}",
        title=f"Mean {name} per task, by {rater_group.name}",
        columns=tuple(columns),
        rows=tuple(rows),
        notes=tuple(notes),
        source="figure 3, right",
    )
    scale = scored.criteria[criterion]
    chart = BarChart(
        key=f"tasks-{rater_group.key}-chart",
        title=f"Mean {name} per task of {model}, by {rater_group.name}",
        rows=alone.tasks,
        series={
            group: tuple(dot(alone.cells.at(row, column)) for row in range(len(alone.tasks)))
            for column, group in enumerate(groups)
        },
        x_label=f"mean {name}",
        x_range=(scale.minimum, scale.maximum),
        note="In the paper: figure 3, right.",
    )
    return table, chart
