"""The paper's published numbers, and ours beside them.

The numbers are those of figure 2 (mean scores) and table 1 (modifiers) of Chirkova & Nikoulina 2024,
arXiv 2402.14778; they ship as `published/figure2.csv` and `published/table1.csv`.

A model of ours is the published one of the same name, up to a learning rate at the end of ours
(`LLaMA-2-13B / Dolly-En / FT / 1e-5`), or the one that it is said to be the same as. The paper's human scores
stand beside those of people together, those of GPT-3.5 beside those of every LLM judge. A criterion is the
same when it has the same name and goes from 0 to 2.
"""

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.analysis.bootstrap import Resamples
from core.analysis.means import (
    ENGLISH,
    MAIN_CRITERION,
    NON_ENGLISH,
    Mean,
    Means,
    RaterGroup,
    main_rater_groups,
)
from core.analysis.modifiers import (
    AVERAGE,
    ModifierMeans,
    fulfilled,
    modifier_groups,
    scores_by_modifier,
    verdicts_of,
)
from core.analysis.scores import CriterionScale, Scores
from store.errors import UsageError
from store.labels import model_label

FOLDER = Path(__file__).with_suffix("")
FIGURE_2, TABLE_1 = "figure2.csv", "table1.csv"

# The published raters and language groups -> ours.
KINDS = {"human": "human", "gpt-3.5": "llm"}
SCOPES = {"en": ENGLISH, "non-en": NON_ENGLISH}

_LEARNING_RATE = re.compile(r" / [0-9]+(?:\.[0-9]+)?e-?[0-9]+\Z")


@dataclass(frozen=True)
class PublishedScore:
    """One cell of figure 2: a mean score from 0 to 2. `rater` is `human` or `gpt-3.5`, `languages` `en` or
    `non-en` (French, Portuguese and Russian)."""

    model: str
    rater: str
    criterion: str
    languages: str
    score: float


@dataclass(frozen=True)
class PublishedModifier:
    """One row of table 1. `group` as in `core.analysis.modifier_names`, or `average`; by language (`en`,
    `ru`): `fulfilled` in percent, `helpfulness` from 0 to 2."""

    group: str
    description: str
    fulfilled: dict[str, float]
    helpfulness: dict[str, float]


@dataclass(frozen=True)
class BesideScore:
    """A cell of figure 2 beside the mean of our `rater_group` for our `model`; `ours` None where there is
    none."""

    published: PublishedScore
    model: str
    rater_group: RaterGroup
    ours: Mean | None

    @property
    def difference(self) -> float | None:
        """Ours minus the published."""
        return None if self.ours is None else self.ours.value - self.published.score


@dataclass(frozen=True)
class BesideModifier:
    """A cell of table 1 beside ours for a modifier, a language and our `model`; `rater`: whose verdicts or
    scores ours are."""

    modifier: PublishedModifier
    language: str
    published: float
    model: str
    rater: str
    ours: Mean

    @property
    def difference(self) -> float:
        """Ours minus the published."""
        return self.ours.value - self.published


@dataclass(frozen=True)
class Beside:
    """All of ours that has a like in the paper. `of_paper`: the suite is one of the paper's, or one of our
    models has a like there. `models` are all of ours by name, also those without one."""

    of_paper: bool
    models: tuple[str, ...]
    scores: tuple[BesideScore, ...]
    fulfilment: tuple[BesideModifier, ...]
    helpfulness: tuple[BesideModifier, ...]


@cache
def published_scores() -> tuple[PublishedScore, ...]:
    """Figure 2, in its order."""
    return tuple(
        PublishedScore(row["model"], row["rater"], row["criterion"], row["languages"], float(row["score"]))
        for row in _rows(FIGURE_2)
    )


@cache
def published_modifiers() -> tuple[PublishedModifier, ...]:
    """Table 1, in its order; the last row is the average."""
    return tuple(
        PublishedModifier(
            row["modifier"],
            row["description"],
            {language: float(row[f"fulfilled_{language}_percent"]) for language in ("en", "ru")},
            {language: float(row[f"helpfulness_{language}"]) for language in ("en", "ru")},
        )
        for row in _rows(TABLE_1)
    )


def published_models() -> tuple[str, ...]:
    """The models of figure 2, in its order."""
    return tuple(dict.fromkeys(score.model for score in published_scores()))


def read_same_as(options: Iterable[str]) -> dict[str, str]:
    """Our model's name -> the published one's, from `OURS=PUBLISHED`.

    Raises `UsageError` for what is not of this form, and for a published name that there is not.
    """
    names = {}
    for option in options:
        ours, sign, published = (part.strip() for part in option.rpartition("="))
        if not (sign and ours and published):
            raise UsageError(f"{option!r} says not which model is which: write OURS=PUBLISHED.")
        if published not in published_models():
            raise UsageError(
                f"The paper has no model {published!r}. It has: {'; '.join(published_models())}."
            )
        names[ours] = published
    return names


def published_name(model: str, same_as: Mapping[str, str]) -> str:
    """What a model of ours would be called in the paper: as `same_as` says, else without learning rate."""
    return same_as.get(model, _LEARNING_RATE.sub("", model))


def beside(
    means: Means,
    judged: Scores | None,
    resamples: Resamples,
    same_as: Mapping[str, str] | None = None,
    *,
    papers_suite: bool = False,
) -> Beside:
    """Ours beside the published numbers.

    `judged` is the suite on the rubric for modifiers (`core.analysis.modifiers.load_verdicts`); `resamples`
    are resamples of the keys. `same_as`: our model's name -> the published one's. Table 1 is set, in its two
    languages, beside our models that have a like in the paper, and on a suite of the paper (`papers_suite`)
    beside every one. Raises `UsageError` when `same_as` names a model that has no response to the suite.
    """
    same_as = same_as or {}
    scored = means.scored
    names = tuple(dict.fromkeys(source.model for source in scored.sources))
    for ours in same_as:
        if ours not in names:
            there = ", ".join(names) or "none"
            raise UsageError(f"No model {ours!r} has answered {scored.suite}. Models that have: {there}.")
    alike = {name for name in names if published_name(name, same_as) in published_models()}
    beside_table_1 = set(names) if papers_suite else alike
    return Beside(
        papers_suite or bool(alike),
        names,
        tuple(_beside_figure(means, same_as)),
        tuple(_beside_fulfilment(judged, resamples, beside_table_1)),
        tuple(_beside_helpfulness(scored, resamples, beside_table_1)),
    )


def _beside_figure(means: Means, same_as: Mapping[str, str]) -> Iterator[BesideScore]:
    scored = means.scored
    criteria = {
        criterion.name: index
        for index, criterion in enumerate(scored.criteria)
        if _same_scale(criterion) and (scored.criterion == index).any()
    }
    rater_groups = main_rater_groups(scored)
    for published in published_scores():
        if published.criterion not in criteria:
            continue
        for index, source in enumerate(scored.sources):
            if published_name(source.model, same_as) != published.model:
                continue
            for rater_group in rater_groups:
                if rater_group.kind == KINDS[published.rater] and _has_scored(scored, rater_group, index):
                    ours = means.at(
                        rater_group, index, criteria[published.criterion], SCOPES[published.languages]
                    )
                    yield BesideScore(published, model_label(source, scored.sources), rater_group, ours)


def _same_scale(criterion: CriterionScale) -> bool:
    return (criterion.minimum, criterion.maximum) == (0, 2)


def _has_scored(scored: Scores, rater_group: RaterGroup, source: int) -> bool:
    return any(
        (scored.source[scored.response[scored.rater == rater]] == source).any()
        for rater in rater_group.raters
    )


def _beside_fulfilment(
    judged: Scores | None, resamples: Resamples, models: Collection[str]
) -> Iterator[BesideModifier]:
    if judged is None or not modifier_groups(judged):
        return
    verdicts = verdicts_of(judged)
    rater = ", ".join(f"{name} ({n})" for name, n in verdicts.said_by.items())
    for index, source in enumerate(judged.sources):
        if source.model not in models:
            continue
        means = fulfilled(judged, verdicts, resamples, index)
        model = model_label(source, judged.sources)
        for modifier in published_modifiers():
            yield from _beside(means, modifier, modifier.fulfilled, model, rater)


def _beside_helpfulness(
    scored: Scores, resamples: Resamples, models: Collection[str]
) -> Iterator[BesideModifier]:
    criteria = [
        index
        for index, criterion in enumerate(scored.criteria)
        if criterion.name == MAIN_CRITERION and _same_scale(criterion)
    ]
    if not criteria or not modifier_groups(scored):
        return
    for index, source in enumerate(scored.sources):
        if source.model not in models:
            continue
        model = model_label(source, scored.sources)
        for rater_group in main_rater_groups(scored):
            means = scores_by_modifier(scored, resamples, rater_group, criteria[0], index)
            for modifier in published_modifiers():
                yield from _beside(means, modifier, modifier.helpfulness, model, rater_group.name)


def _beside(
    means: ModifierMeans,
    modifier: PublishedModifier,
    published: Mapping[str, float],
    model: str,
    rater: str,
) -> Iterator[BesideModifier]:
    for language, value in published.items():
        if language not in means.languages:
            continue
        if modifier.group == AVERAGE:
            if _groups_with_means(means, language) != {row.group for row in published_modifiers()} - {
                AVERAGE
            }:
                continue  # an average over other modifiers is no like of the paper's
        elif modifier.group not in means.groups:
            continue
        ours = means.at(modifier.group, language)
        if ours is not None:
            yield BesideModifier(modifier, language, value, model, rater, ours)


def _groups_with_means(means: ModifierMeans, language: str) -> set[str]:
    return {group for group in means.groups if means.at(group, language) is not None}


def _rows(name: str) -> Sequence[dict[str, str]]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))
