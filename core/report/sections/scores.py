"""The section of mean scores: the paper's figure 2, its numbers by language, and its figure 3 (right)."""

from collections.abc import Sequence

from core.analysis.bootstrap import RESAMPLES, SEED, Resamples, resamples
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
    drawn = resamples(len(scored.keys), number=number, seed=seed)
    means = mean_scores(scored, drawn)
    main = main_rater_groups(scored)
    tables: list[Table] = []
    for voice in all_rater_groups(scored):
        if voice in main:
            tables += [_models_table(means, voice, group) for group in _scored_groups(means, voice)]
        tables.append(_languages_table(means, voice))
    task_tables, task_charts, task_text = _tasks(scored, drawn, main)
    return Section(
        TITLE,
        (*_text(scored, means, number, seed), *task_text),
        (*tables, *task_tables),
        (_heat_map(means, main), *task_charts),
    )


def _text(scored: Scores, means: Means, number: int, seed: int) -> list[str]:
    lowest = {(one.minimum, one.maximum) for one in scored.criteria}
    scale = " to ".join(map(str, lowest.pop())) if len(lowest) == 1 else "by the scale of each criterion"
    lines = [
        f"The score of a model on a criterion in a language is the mean over its responses, {scale}. "
        f"{WRONG_LANGUAGE} Non-English is the mean over the non-English languages of their means. n counts "
        "responses.",
        how_drawn(number, seed),
    ]
    kinds = {rater.kind for rater in scored.raters}
    if any(voice.together for voice in means.voices):
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
    for voice in main_rater_groups(scored):
        silent = [group for group in _groups(means) if group not in _scored_groups(means, voice)]
        lines += [f"{voice.name} has scored nothing in {group}." for group in silent]
    unscored = [
        one.name for place, one in enumerate(scored.criteria) if not (scored.criterion == place).any()
    ]
    if unscored:
        lines.append(f"Nobody has scored {', '.join(unscored)}.")
    return lines


def _groups(means: Means) -> list[str]:
    return [scope.name for scope in means.scopes if scope.name in (ENGLISH, NON_ENGLISH)]


def _scored_groups(means: Means, voice: RaterGroup) -> list[str]:
    """Those of English and non-English in which the voice has any mean."""
    places = [
        (source, criterion)
        for source in range(len(means.scored.sources))
        for criterion in range(len(means.scored.criteria))
    ]
    return [group for group in _groups(means) if any(means.at(voice, *place, group) for place in places)]


def _criteria(means: Means, voice: RaterGroup) -> list[int]:
    """The criteria on which the voice has a mean, by their places."""
    cells = means.cells[means.voices.index(voice)]
    by_criterion = cells.n.reshape(len(means.scored.sources), len(means.scored.criteria), -1)
    return [place for place in range(len(means.scored.criteria)) if by_criterion[:, place].any()]


def _scored_sources(means: Means, voice: RaterGroup) -> list[int]:
    cells = means.cells[means.voices.index(voice)]
    by_source = cells.n.reshape(len(means.scored.sources), -1)
    return [place for place in range(len(means.scored.sources)) if by_source[place].any()]


def _models_table(means: Means, voice: RaterGroup, group: str) -> Table:
    """Models by criteria in English or in non-English, the best of each criterion marked."""
    scored, names = means.scored, model_names(means.scored)
    sources, criteria = _scored_sources(means, voice), _criteria(means, voice)
    best = {
        criterion: best_of([means.at(voice, source, criterion, group) for source in sources])
        for criterion in criteria
    }
    rows = []
    for source in sources:
        row = [Cell(names[source])]
        for criterion in criteria:
            mean = means.at(voice, source, criterion, group)
            row.append(mean_cell(mean, best=mean is not None and mean.value == best[criterion]))
        rows.append(tuple(row))
    return Table(
        key=f"scores-{voice.key}-{group.lower()}",
        title=f"Mean scores in {group}, by {voice.name}",
        columns=(Column("model"), *(Column(scored.criteria[place].name, "score") for place in criteria)),
        rows=tuple(rows),
        notes=_left_out(means, voice),
        source="figure 2",
    )


def _languages_table(means: Means, voice: RaterGroup) -> Table:
    """Models and languages by criteria."""
    scored, names = means.scored, model_names(means.scored)
    criteria = _criteria(means, voice)
    scopes = [*scored.languages, *([NON_ENGLISH] if NON_ENGLISH in _groups(means) else [])]
    rows = [
        (
            Cell(names[source]),
            Cell(scope),
            *(mean_cell(means.at(voice, source, criterion, scope)) for criterion in criteria),
        )
        for source in _scored_sources(means, voice)
        for scope in scopes
        if any(means.at(voice, source, criterion, scope) for criterion in criteria)
    ]
    return Table(
        key=f"scores-{voice.key}-languages",
        title=f"Mean scores by language, by {voice.name}",
        columns=(
            Column("model"),
            Column("in"),  # not `language`, which is a criterion as well
            *(Column(scored.criteria[place].name, "score") for place in criteria),
        ),
        rows=tuple(rows),
        notes=_left_out(means, voice),
    )


def _left_out(means: Means, voice: RaterGroup) -> tuple[str, ...]:
    names, there = model_names(means.scored), _scored_sources(means, voice)
    absent = [name for place, name in enumerate(names) if place not in there]
    return (f"Without any score by {voice.name}: {', '.join(absent)}.",) if absent else ()


def _heat_map(means: Means, voices: Sequence[RaterGroup]) -> HeatMap:
    scored, names = means.scored, model_names(means.scored)
    sources = sorted({source for voice in voices for source in _scored_sources(means, voice)})
    criteria = sorted({criterion for voice in voices for criterion in _criteria(means, voice)})
    panels = [(voice, group) for voice in voices for group in _scored_groups(means, voice)]

    def value(voice: RaterGroup, group: str, source: int, criterion: int) -> float | None:
        mean = means.at(voice, source, criterion, group)
        return None if mean is None else mean.value

    return HeatMap(
        key="scores-heat-map",
        title="Mean scores of every model on every criterion",
        panels=tuple(f"{voice.name}, {group}" for voice, group in panels),
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
    scored: Scores, drawn: Resamples, voices: Sequence[RaterGroup]
) -> tuple[list[Table], list[BarChart], list[str]]:
    """Means per task: for each voice a table, and a chart of the model with most scored responses."""
    criterion = main_criterion(scored)
    if criterion is None or not any(response.task for response in scored.responses):
        return [], [], ["No instruction has a task, so there are no means per task."]
    tables, charts = [], []
    for voice in voices:
        source = main_source(scored, voice)
        if source is None:
            continue
        table, chart = _task_table_and_chart(scored, drawn, voice, criterion, source)
        if table.rows:
            tables.append(table)
            charts.append(chart)
    return tables, charts, []


def _task_table_and_chart(
    scored: Scores, drawn: Resamples, voice: RaterGroup, criterion: int, source: int
) -> tuple[Table, BarChart]:
    name, model = scored.criteria[criterion].name, model_names(scored)[source]
    alone = task_means(scored, drawn, voice, criterion, source)
    together = task_means(scored, drawn, voice, criterion)
    several = len(scored.sources) > 1
    groups = [scope.name for scope in alone.scopes]
    columns = [Column("task"), *(Column(group, "score", model) for group in groups)]
    if several:
        columns += [Column(group, "score", "all models") for group in groups]
    rows = []
    order = (*alone.tasks, *(task for task in together.tasks if task not in alone.tasks))
    for task in order if several else alone.tasks:
        row = [Cell(task)]
        for found in (alone, together) if several else (alone,):
            place = found.tasks.index(task) if task in found.tasks else None
            row += [
                mean_cell(None if place is None else found.cells.at(place, column))
                for column in range(len(groups))
            ]
        rows.append(tuple(row))
    notes = [f"{model} has most responses scored by {voice.name}."] if several else []
    if several:
        notes.append("All models: the mean over the responses of all of them, each response once.")
    table = Table(
        key=f"tasks-{voice.key}",
        title=f"Mean {name} per task, by {voice.name}",
        columns=tuple(columns),
        rows=tuple(rows),
        notes=tuple(notes),
        source="figure 3, right",
    )
    scale = scored.criteria[criterion]
    chart = BarChart(
        key=f"tasks-{voice.key}-chart",
        title=f"Mean {name} per task of {model}, by {voice.name}",
        rows=alone.tasks,
        series={
            group: tuple(dot(alone.cells.at(place, column)) for place in range(len(alone.tasks)))
            for column, group in enumerate(groups)
        },
        x_label=f"mean {name}",
        x_range=(scale.minimum, scale.maximum),
        note="In the paper: figure 3, right.",
    )
    return table, chart
