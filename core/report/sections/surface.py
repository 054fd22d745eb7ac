"""The section of surface metrics, and the choice of learning rates by them (the paper's figure 3, left)."""

from collections import Counter
from collections.abc import Mapping, Sequence

from core.analysis.bootstrap import RESAMPLES, SEED, draw_resamples
from core.analysis.scores import Scores
from core.analysis.selection import Candidate, Configuration, Selection
from core.analysis.surface import ALL, METRICS, Surface, surface_shares
from core.report.document import Cell, Column, LineChart, Section, Series, Table
from core.report.sections.common import how_drawn, mean_cell, model_names
from core.study import rate_label
from store.queries.surface import SurfaceMeasures

TITLE = "Surface metrics"

TOOLS = {
    "right language": "xlit-core judge surface",
    "spelling": "xlit-core judge surface",
    "spelling, own script": "xlit-core judge surface",
    "relevant": "xlit-core judge relevance",
}
CHOSEN = "*"


def surface_section(
    scored: Scores,
    measured: Mapping[int, SurfaceMeasures],
    selection: Selection,
    *,
    number: int = RESAMPLES,
    seed: int = SEED,
) -> Section:
    """Shares by model and language with intervals; candidates for the learning rate, and their curves.

    `measured`: `store.queries.surface.surface_measures`; `selection`: `core.analysis.selection.selection_of`,
    both of the suite of `scored`.
    """
    if not scored.responses:
        return Section(TITLE, (f"There is no response to {scored.suite} yet.",))
    resamples = draw_resamples(len(scored.keys), number=number, seed=seed)
    shares = surface_shares(scored, measured, resamples)
    text = [
        "Right language: responses identified as the language that they are expected in (the instruction's, "
        "or the one that its modifier demands). Spelling: words that pass spell checking, mean over "
        "responses (none in another script does). Spelling, own script: of the words in the script of the "
        "language. "
        "Relevant: responses judged to address their task. Empty: nothing but white space. Each "
        "is the share of the responses that it is known of, in percent; all languages: the mean over "
        "languages.",
        how_drawn(number, seed),
    ]
    text += [
        f"Not measured yet: {metric} (`{tool}`)."
        for metric, tool in TOOLS.items()
        if not shares.measured(metric)
    ]
    charts = _charts(shares, selection)
    if not charts:
        text.append(
            "No configuration has measured responses at several learning rates: nothing to choose from."
        )
    return Section(
        TITLE,
        tuple(text),
        (_table(shares, _not_measured(scored, measured)), selection_table(selection)),
        charts,
    )


def _not_measured(scored: Scores, measured: Mapping[int, SurfaceMeasures]) -> list[str]:
    """The sentence on responses whose language can't be told: by language, how many for which reason."""
    counts = Counter(
        (response.expected, reason)
        for response in scored.responses
        if (reason := measured[response.id].reason) is not None
    )
    parts = [f"{language}: {reason} {count}" for (language, reason), count in sorted(counts.items())]
    if not parts:
        return []
    return [
        f"Right language is not measured for {counts.total()} of {len(scored.responses)} responses, which no "
        f"share counts ({'; '.join(parts)})."
    ]


def selection_table(selection: Selection) -> Table:
    """Every candidate of every configuration; the chosen learning rate has a `*`."""
    columns = (
        Column("configuration"),
        Column("learning rate"),
        Column("rule's share", "percent"),
        Column("right language", "percent"),
        Column("relevant", "percent"),
        Column("spelling", "percent"),
        Column("length", "count"),
        Column("compared", "count", "responses"),
        Column("all", "count", "responses"),
    )
    rows = [
        _candidate(configuration, candidate)
        for configuration in selection.configurations
        for candidate in configuration.candidates
    ]
    notes = [selection.rule, f"{CHOSEN} marks what is chosen. Length: characters, the mean over languages."]
    notes += selection.notes
    names_by_note: dict[str, list[str]] = {}
    for configuration in selection.configurations:
        for note in configuration.notes:
            names_by_note.setdefault(note, []).append(configuration.name)
    notes += [f"{', '.join(names)}: {note}" for note, names in names_by_note.items()]
    return Table("learning-rates", "Learning rates", columns, tuple(rows), tuple(notes), "figure 3, left")


def _candidate(configuration: Configuration, candidate: Candidate) -> tuple[Cell, ...]:
    rate = "unknown" if candidate.learning_rate is None else rate_label(candidate.learning_rate)
    return (
        Cell(configuration.name),
        Cell(rate, mark=CHOSEN if candidate.chosen else ""),
        *(
            _share(value)
            for value in (candidate.good, candidate.right_language, candidate.relevant, candidate.spelling)
        ),
        Cell(candidate.length) if candidate.length is not None else Cell(None, why="nothing was compared"),
        Cell(candidate.n),
        Cell(candidate.responses),
    )


def _share(value: float | None) -> Cell:
    return Cell(None, why="not measured") if value is None else Cell(100 * value)


def _table(shares: Surface, notes: Sequence[str]) -> Table:
    names = model_names(shares.scored)
    languages = shares.scored.languages
    language_groups = [ALL, *languages] if len(languages) > 1 else list(languages)
    rows = [
        (
            Cell(name),
            Cell(language_group),
            *(mean_cell(shares.at(metric, source, language_group), "not measured") for metric in METRICS),
        )
        for source, name in enumerate(names)
        for language_group in language_groups
        if shares.at("empty", source, language_group)
    ]
    columns = (Column("model"), Column("language"), *(Column(metric, "percent") for metric in METRICS))
    return Table("surface", "Surface metrics by model and language", columns, tuple(rows), tuple(notes))


def _charts(shares: Surface, selection: Selection) -> tuple[LineChart, ...]:
    """The shares over learning rates, for configurations that were measured at several."""
    several = [
        configuration
        for configuration in selection.configurations
        if len(
            [candidate for candidate in configuration.candidates if candidate.learning_rate and candidate.n]
        )
        > 1
    ]
    metrics = [metric for metric in METRICS if metric in TOOLS and shares.measured(metric)]
    if not several or not metrics:
        return ()
    chart = LineChart(
        key="learning-rates-chart",
        title="Surface metrics by learning rate, mean over languages",
        panels=tuple(
            (metric, tuple(_series(shares, configuration, metric) for configuration in several))
            for metric in metrics
        ),
        x_label="learning rate",
        y_label="%",
        logarithmic=True,
        note="Ringed: the learning rate that the rule chooses. In the paper: figure 3, left.",
    )
    return (chart,)


def _series(shares: Surface, configuration: Configuration, metric: str) -> Series:
    points: list[tuple[float, float | None, float | None, float | None]] = []
    chosen = []
    for candidate in configuration.candidates:
        if not candidate.learning_rate:
            continue
        if candidate.chosen:
            chosen.append(len(points))
        mean = shares.at(metric, shares.scored.sources.index(candidate.source), ALL)
        points.append(
            (candidate.learning_rate, None, None, None)
            if mean is None
            else (candidate.learning_rate, mean.value, mean.low, mean.high)
        )
    return Series(configuration.name, tuple(points), tuple(chosen))
