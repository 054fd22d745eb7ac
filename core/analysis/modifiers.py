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
    """Whether M responses (indices into `Scores.responses`) fulfil their modifier: `value` of `unit` parts.

    `said_by`: who decided how many of them, by the rater group's name.
    """

    response: Ints
    value: Ints
    unit: int
    said_by: dict[str, int]


@dataclass(frozen=True)
class ModifierMeans:
    """Means by modifier and language: `groups` in the order of table 1, `languages` as in `Scores`."""

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
    order = {group: index for index, group in enumerate(NAMES)}
    groups = {group_of(response.modifier) for response in scored.responses if response.modifier}
    return tuple(sorted(groups, key=lambda group: (order.get(group, len(order)), group)))


def verdicts_of(judged: Scores) -> Verdicts:
    """One verdict for every response that anybody decided about; of several rules, the newest version's."""
    fulfilment = next(
        (index for index, criterion in enumerate(judged.criteria) if criterion.name == CRITERION), -1
    )
    single = [rater_group for rater_group in all_rater_groups(judged) if not rater_group.together]
    people = [rater_group for rater_group in main_rater_groups(judged) if rater_group.kind == "human"]
    order = [
        *reversed([rater_group for rater_group in single if rater_group.kind == "rule"]),
        *people,
        *(rater_group for rater_group in single if rater_group.kind not in ("rule", "human")),
    ]
    ratings_of = [(rater_group, mean_ratings(judged, rater_group)) for rater_group in order]
    unit = int(np.lcm.reduce([ratings.unit for _, ratings in ratings_of])) if ratings_of else 1
    decided: dict[int, int] = {}
    said_by: dict[str, int] = {}
    for rater_group, ratings in ratings_of:
        own = ratings.criterion == fulfilment
        for response, value in zip(ratings.response[own].tolist(), ratings.value[own].tolist(), strict=True):
            if response not in decided and judged.responses[response].modifier:
                decided[response] = value * (unit // ratings.unit)
                said_by[rater_group.name] = said_by.get(rater_group.name, 0) + 1
    responses = sorted(decided)
    return Verdicts(
        np.array(responses, dtype=np.int64),
        np.array([decided[response] for response in responses], dtype=np.int64),
        unit,
        said_by,
    )


def fulfilled(judged: Scores, verdicts: Verdicts, resamples: Resamples, source: int) -> ModifierMeans:
    """Percent (0 to 100) of the source's responses that fulfil their modifier."""
    means = _means(judged, verdicts.response, verdicts.value, verdicts.unit, resamples, source)
    cells = means.cells
    percent = CellMeans(100 * cells.value, 100 * cells.low, 100 * cells.high, cells.n)
    return ModifierMeans(means.groups, means.languages, percent)


def scores_by_modifier(
    scored: Scores, resamples: Resamples, rater_group: RaterGroup, criterion: int, source: int
) -> ModifierMeans:
    """The rater group's mean scores of the source on a criterion (an index)."""
    ratings = mean_ratings(scored, rater_group)
    own = ratings.criterion == criterion
    return _means(scored, ratings.response[own], ratings.value[own], ratings.unit, resamples, source)


def _means(
    scored: Scores, response: Ints, value: Ints, unit: int, resamples: Resamples, source: int
) -> ModifierMeans:
    groups = modifier_groups(scored)
    of_response = _group_places(scored, groups)
    own = (scored.source[response] == source) & (of_response[response] >= 0)
    response = response[own]
    # The cells of a row are its modifiers here, so that their average is a language group like any other.
    language_groups = [LanguageGroup(group, (index,)) for index, group in enumerate(groups)]
    language_groups.append(LanguageGroup(AVERAGE, tuple(range(len(groups)))))
    values = Values(
        scored.cluster[response], scored.language[response], of_response[response], value[own], unit
    )
    cells = cell_means(values, len(scored.languages), len(groups), language_groups, resamples)
    return ModifierMeans(groups, scored.languages, cells)


def _group_places(scored: Scores, groups: Sequence[str]) -> Ints:
    """The index of each response's group; -1 where it has no modifier."""
    index_of = {group: index for index, group in enumerate(groups)}
    known = {
        name: index_of[group_of(name)]
        for name in {response.modifier for response in scored.responses}
        if name
    }
    return np.array([known.get(response.modifier or "", -1) for response in scored.responses], dtype=np.int64)


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
    for tally in modifier_tallies(session, suite_id):
        key = (group_of(tally.modifier), tally.language, tally.source, tally.rater)
        n, fulfilled = tallies.get(key, (0, 0))
        tallies[key] = n + tally.n, fulfilled + tally.fulfilled
    order = {group: index for index, group in enumerate(NAMES)}
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
