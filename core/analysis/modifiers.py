"""Modifiers: how often they are fulfilled, and how helpful the responses are (the paper's table 1, arXiv
2402.14778), with intervals.

Groups of modifiers are those of table 1 (`core.analysis.modifier_names.group_of`). Whether a response
fulfils its modifier is said by a rule where one can tell, else by people (the mean of their verdicts), else
by a judge.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlmodel import Session

from core.analysis.bootstrap import Resamples
from core.analysis.means import (
    CellMeans,
    Ints,
    LanguageGroup,
    Mean,
    RaterGroup,
    Values,
    all_rater_groups,
    cell_means,
    main_rater_groups,
    mean_ratings,
)
from core.analysis.modifier_names import NAMES, group_of
from core.analysis.scores import Scores, load_scores
from store.queries.modifiers import CRITERION, modifier_tallies, verdict_rubric
from store.queries.scores import ModelDecoding

AVERAGE = "average"


@dataclass(frozen=True)
class Verdicts:
    """Whether M responses (places in `Scored.responses`) fulfil their modifier: `value` of `unit` parts.

    `said_by`: who decided how many of them, by the voice's name.
    """

    response: Ints
    value: Ints
    unit: int
    said_by: dict[str, int]


@dataclass(frozen=True)
class ModifierMeans:
    """Means by modifier and language: `groups` in the order of table 1, `languages` as in `Scored`."""

    groups: tuple[str, ...]
    languages: tuple[str, ...]
    cells: CellMeans

    def at(self, group: str, language: str) -> Mean | None:
        """One mean; `AVERAGE` is the mean over the modifiers of their means."""
        column = len(self.groups) if group == AVERAGE else self.groups.index(group)
        return self.cells.at(self.languages.index(language), column)


def load_verdicts(session: Session, suite_id: int, suite: str) -> Scores | None:
    """The scores on the rubric for modifiers, by all raters; None when there is no such rubric."""
    rubric = verdict_rubric(session)
    return None if rubric is None else load_scores(session, suite_id, suite, rubric)


def modifier_groups(scored: Scores) -> tuple[str, ...]:
    """The groups of the suite's modifiers that have responses, in the order of table 1; others after them."""
    order = {group: place for place, group in enumerate(NAMES)}
    found = {group_of(one.modifier) for one in scored.responses if one.modifier}
    return tuple(sorted(found, key=lambda group: (order.get(group, len(order)), group)))


def verdicts_of(judged: Scores) -> Verdicts:
    """One verdict for every response that anybody decided about; of several rules, the newest version's."""
    place = next((at for at, one in enumerate(judged.criteria) if one.name == CRITERION), -1)
    single = [voice for voice in all_rater_groups(judged) if not voice.together]
    people = [voice for voice in main_rater_groups(judged) if voice.kind == "human"]
    order = [
        *reversed([voice for voice in single if voice.kind == "rule"]),
        *people,
        *(voice for voice in single if voice.kind not in ("rule", "human")),
    ]
    said = [(voice, mean_ratings(judged, voice)) for voice in order]
    unit = int(np.lcm.reduce([found.unit for _, found in said])) if said else 1
    decided: dict[int, int] = {}
    said_by: dict[str, int] = {}
    for voice, found in said:
        own = found.criterion == place
        for response, value in zip(found.response[own].tolist(), found.value[own].tolist(), strict=True):
            if response not in decided and judged.responses[response].modifier:
                decided[response] = value * (unit // found.unit)
                said_by[voice.name] = said_by.get(voice.name, 0) + 1
    places = sorted(decided)
    return Verdicts(
        np.array(places, dtype=np.int64),
        np.array([decided[response] for response in places], dtype=np.int64),
        unit,
        said_by,
    )


def fulfilled(judged: Scores, verdicts: Verdicts, drawn: Resamples, source: int) -> ModifierMeans:
    """Percent (0 to 100) of the source's responses that fulfil their modifier."""
    found = _means(judged, verdicts.response, verdicts.value, verdicts.unit, drawn, source)
    cells = found.cells
    percent = CellMeans(100 * cells.value, 100 * cells.low, 100 * cells.high, cells.n)
    return ModifierMeans(found.groups, found.languages, percent)


def scores_by_modifier(
    scored: Scores, drawn: Resamples, voice: RaterGroup, criterion: int, source: int
) -> ModifierMeans:
    """The voice's mean scores of the source on a criterion (a place)."""
    said = mean_ratings(scored, voice)
    own = said.criterion == criterion
    return _means(scored, said.response[own], said.value[own], said.unit, drawn, source)


def _means(
    scored: Scores, response: Ints, value: Ints, unit: int, drawn: Resamples, source: int
) -> ModifierMeans:
    groups = modifier_groups(scored)
    of_response = _group_places(scored, groups)
    own = (scored.source[response] == source) & (of_response[response] >= 0)
    response = response[own]
    # The cells of a row are its modifiers here, so that their average is a scope like any other.
    scopes = [LanguageGroup(group, (place,)) for place, group in enumerate(groups)]
    scopes.append(LanguageGroup(AVERAGE, tuple(range(len(groups)))))
    values = Values(
        scored.cluster[response], scored.language[response], of_response[response], value[own], unit
    )
    cells = cell_means(values, len(scored.languages), len(groups), scopes, drawn)
    return ModifierMeans(groups, scored.languages, cells)


def _group_places(scored: Scores, groups: Sequence[str]) -> Ints:
    """The place of each response's group; -1 where it has no modifier."""
    place = {group: index for index, group in enumerate(groups)}
    known = {name: place[group_of(name)] for name in {one.modifier for one in scored.responses} if name}
    return np.array([known.get(one.modifier or "", -1) for one in scored.responses], dtype=np.int64)


@dataclass(frozen=True)
class Fulfilment:
    """Of `n` responses of a source to instructions in `language` with a modifier of `group`, `percent` (0 to
    100) fulfil it, says the rater."""

    group: str
    language: str
    source: ModelDecoding
    rater: str
    n: int
    percent: float


def fulfilment(session: Session, suite_id: int) -> list[Fulfilment]:
    """The rows of a suite: groups in the order of table 1 (`num_items_N` is one group for all N, `lang_XX`
    one for all languages demanded; a modifier of no known name is a group of its own and comes last), then
    by language, source and rater. Nobody's verdict, no row."""
    tallies: dict[tuple[str, str, ModelDecoding, str], tuple[int, int]] = {}
    for found in modifier_tallies(session, suite_id):
        key = (group_of(found.modifier), found.language, found.source, found.rater)
        n, fulfilled = tallies.get(key, (0, 0))
        tallies[key] = n + found.n, fulfilled + found.fulfilled
    order = {group: place for place, group in enumerate(NAMES)}
    rows = [
        Fulfilment(group, language, source, rater, n, 100 * fulfilled / n)
        for (group, language, source, rater), (n, fulfilled) in tallies.items()
    ]
    return sorted(
        rows,
        key=lambda row: (
            order.get(row.group, len(order)),
            row.group,
            row.language,
            row.source.model_id,
            row.source.decoding_id,
            row.rater,
        ),
    )
