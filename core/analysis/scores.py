"""Mean scores: of every model on every criterion in every language, and per task.

The score of a model on a criterion in a language is the mean over its responses, on the criterion's scale.
With several people, a response counts once, with the mean of those of their scores that count. For every
criterion but `language`, a score doesn't count where its rater gave language 0 (`Scored.counts`).
Non-English is the mean over the non-English languages of their means.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.analysis.bootstrap import Resamples
from core.analysis.cells import (
    CellMeans,
    Ints,
    Mean,
    Scope,
    Values,
    cell_means,
    english_and_others,
    languages_apart,
    whole_means,
)
from core.analysis.scored import LANGUAGE, Scored

MAIN = "helpfulness"

# Keys are parts of names of files.
LONGEST_KEY = 60


@dataclass(frozen=True)
class Voice:
    """Whose scores: one rater's, or those of all people together. `raters` are places in `Scored.raters`;
    `key` is for names of files, `name` for readers; `kind` is `human`, `llm` or `rule`."""

    key: str
    name: str
    kind: str
    raters: tuple[int, ...]

    @property
    def together(self) -> bool:
        return len(self.raters) > 1


@dataclass(frozen=True)
class Opinions:
    """What a voice says of M pairs of response and criterion, [M] each (places in `Scored`); `value` are
    whole numbers in units of 1 / `unit` points of the scale. Ordered by response, then criterion."""

    response: Ints
    criterion: Ints
    value: Ints
    unit: int


@dataclass(frozen=True)
class Means:
    """The mean scores of a suite: every voice x source x criterion x scope.

    `scopes`: English and non-English, then every language. `cells[voice]` has a row for each source and
    criterion.
    """

    scored: Scored
    voices: tuple[Voice, ...]
    scopes: tuple[Scope, ...]
    cells: tuple[CellMeans, ...]

    def at(self, voice: Voice, source: int, criterion: int, scope: str) -> Mean | None:
        """One mean, by places of source and criterion and by the scope's name; None without scores, or
        without such a scope."""
        names = [found.name for found in self.scopes]
        if scope not in names or voice not in self.voices:
            return None
        row = source * len(self.scored.criteria) + criterion
        return self.cells[self.voices.index(voice)].at(row, names.index(scope))


@dataclass(frozen=True)
class TaskMeans:
    """The means of a voice on a criterion per task: `cells` has a row for each of `tasks`, those with the
    highest mean in the first scope first, and a column for each of `scopes`."""

    tasks: tuple[str, ...]
    scopes: tuple[Scope, ...]
    cells: CellMeans


def all_voices(scored: Scored) -> tuple[Voice, ...]:
    """All people together if there are several; then every rater in the order of `Scored.raters`."""
    people = tuple(place for place, rater in enumerate(scored.raters) if rater.kind == "human")
    voices = [Voice("people", f"people ({len(people)})", "human", people)] if len(people) > 1 else []
    taken = {voice.key for voice in voices}
    for place, rater in enumerate(scored.raters):
        key = re.sub(r"[^a-z0-9]+", "-", rater.label.lower())[:LONGEST_KEY].strip("-")
        if key in taken or not re.search(r"[a-z0-9]", rater.name.lower()):
            key = f"{rater.kind}-{place + 1}"
        taken.add(key)
        voices.append(Voice(key, rater.label, rater.kind, (place,)))
    return tuple(voices)


def main_voices(scored: Scored) -> tuple[Voice, ...]:
    """People as one voice, then every judge and rule."""
    voices = all_voices(scored)
    several = any(voice.together for voice in voices)
    return tuple(voice for voice in voices if voice.kind != "human" or voice.together or not several)


def main_criterion(scored: Scored) -> int | None:
    """The place of helpfulness; in another rubric, of its first criterion that isn't language."""
    names = [criterion.name for criterion in scored.criteria]
    if MAIN in names:
        return names.index(MAIN)
    return next((place for place, name in enumerate(names) if name != LANGUAGE), 0 if names else None)


def main_source(scored: Scored, voice: Voice) -> int | None:
    """The place of the source with most responses that the voice scored (the first of equals)."""
    mine = np.isin(scored.rater, voice.raters)
    responses = np.unique(scored.response[mine])
    if not len(responses):
        return None
    return int(np.bincount(scored.source[responses]).argmax())


def opinions(scored: Scored, voice: Voice, *, counting: bool = True) -> Opinions:
    """The mean of the voice's scores of every response and criterion; with `counting`, only scores that take
    part in means."""
    mine = np.isin(scored.rater, voice.raters)
    if counting:
        mine &= scored.counts
    place = scored.response[mine] * max(1, len(scored.criteria)) + scored.criterion[mine]
    pairs, which, counts = np.unique(place, return_inverse=True, return_counts=True)
    sums = np.bincount(which, weights=scored.score[mine], minlength=len(pairs)).astype(np.int64)
    value, unit = whole_means(sums, counts)
    return Opinions(pairs // max(1, len(scored.criteria)), pairs % max(1, len(scored.criteria)), value, unit)


def mean_scores(scored: Scored, drawn: Resamples, voices: Sequence[Voice] | None = None) -> Means:
    """The mean scores of these voices (default: `all_voices`). `drawn` are resamples of `scored.keys`."""
    voices = all_voices(scored) if voices is None else tuple(voices)
    scopes = english_and_others(scored.languages) + languages_apart(scored.languages)
    rows = len(scored.sources) * len(scored.criteria)
    cells = []
    for voice in voices:
        said = opinions(scored, voice)
        row = scored.source[said.response] * len(scored.criteria) + said.criterion
        cells.append(cell_means(placed(scored, said, row), rows, len(scored.languages), scopes, drawn))
    return Means(scored, voices, scopes, tuple(cells))


def task_means(
    scored: Scored, drawn: Resamples, voice: Voice, criterion: int, source: int | None = None
) -> TaskMeans:
    """The means per task in English and non-English (the paper's figure 3, right), of one source or, with
    None, over the responses of all sources together. Responses without a task are left out."""
    said = opinions(scored, voice)
    names = [response.task for response in scored.responses]
    tasks = sorted({name for name in names if name})
    place = {name: index for index, name in enumerate(tasks)}
    of_response = np.array([place.get(name or "", -1) for name in names], dtype=np.int64)
    chosen = (said.criterion == criterion) & (of_response[said.response] >= 0)
    if source is not None:
        chosen &= scored.source[said.response] == source
    said = Opinions(said.response[chosen], said.criterion[chosen], said.value[chosen], said.unit)
    scopes = english_and_others(scored.languages)
    found = cell_means(
        placed(scored, said, of_response[said.response]), len(tasks), len(scored.languages), scopes, drawn
    )
    there = [task for task in range(len(tasks)) if found.n[task].any()]
    order = sorted(there, key=lambda task: [-np.nan_to_num(mean, nan=-1.0) for mean in found.value[task]])
    return TaskMeans(
        tuple(tasks[task] for task in order),
        scopes,
        CellMeans(found.value[order], found.low[order], found.high[order], found.n[order]),
    )


def placed(scored: Scored, said: Opinions, row: Ints) -> Values:
    """The opinions as values of cells: each in its `row` [M], language and instruction."""
    return Values(scored.cluster[said.response], row, scored.language[said.response], said.value, said.unit)
