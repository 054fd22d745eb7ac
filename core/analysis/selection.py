"""The best learning rate of every configuration, by surface metrics: the rule of `xlit-core select`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from store.labels import DIGEST_CHARACTERS, model_label
from store.queries.scores import ModelDecoding, ScoredResponse, responses_of
from store.queries.suites import find_suite
from store.queries.surface import (
    REASONS,
    ModelDescription,
    SurfaceMeasures,
    model_descriptions,
    surface_measures,
)
from store.session import reading

# Shares this near to the best one (0.01: a percentage point) are as good as it.
TIE = 0.01

# Relevance counts when it was judged for this share of the responses compared, of every candidate.
ENOUGH = 0.5

RULE = (
    "The learning rates of a configuration (base, data with its size and mix, adaptation and seed, under one "
    "decoding) are compared on the instructions that all of them answered, in all languages. The best has "
    "the largest share of responses that are in the right language and relevant (in the right language alone "
    "where relevance was not judged; an empty response is neither), as the mean over languages, each with "
    "the same weight. Of those within 1 percentage point of the best, the one with the best spelling is "
    "chosen (the share of all words; none in another script passes), and of equals the smaller rate."
)


@dataclass(frozen=True)
class Candidate:
    """One learning rate of a configuration, on the instructions compared.

    Shares are from 0 to 1, means over languages; None where not measured. `good`: what the rule goes by. `n`:
    how many of its responses were compared, of `responses` that it has. `length`: characters, mean over
    languages.
    """

    model: str
    source: ModelDecoding
    learning_rate: float | None
    responses: int
    n: int
    good: float | None
    right_language: float | None
    relevant: float | None
    spelling: float | None
    length: float | None
    chosen: bool = False


@dataclass(frozen=True)
class Configuration:
    """A configuration with its candidates, the smallest learning rate first. `by`: what `good` is a share of.
    `notes`: sentences on why nothing was chosen, or what the choice doesn't rest on."""

    name: str
    by: str
    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...] = ()

    @property
    def chosen(self) -> Candidate | None:
        return next((candidate for candidate in self.candidates if candidate.chosen), None)


@dataclass(frozen=True)
class Selection:
    """The choice for every configuration of a suite. `notes`: what holds for all."""

    suite: str
    languages: tuple[str, ...]
    configurations: tuple[Configuration, ...]
    notes: tuple[str, ...] = ()
    rule: str = RULE

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data for JSON; of a decoding its id, engine and quantization, without its
        digest."""
        plain = asdict(self)
        for configuration in plain["configurations"]:
            for candidate in configuration["candidates"]:
                del candidate["source"]["digest"]
        return plain


# What a candidate answered: (instruction's key, language) -> its response (the first sample) and metrics.
Answers = dict[tuple[str, str], tuple[ScoredResponse, SurfaceMeasures]]

BOTH, LANGUAGE_ALONE = "right language and relevant", "right language"


def select(engine: Engine, suite: str | None = None) -> Selection:
    """Choose the learning rates by the responses to a suite (default: the last that came).

    Raises `UsageError` when there is no such suite.
    """
    with reading(engine) as session:
        suite_found = find_suite(session, suite)
        return selection_of(session, suite_found.id, suite_found.label)


def selection_of(session: Session, suite_id: int, suite: str) -> Selection:
    """`select` within a session, for a suite by its id and label."""
    responses = responses_of(session, suite_id)
    measured = surface_measures(session, suite_id)
    return choose(suite, responses, measured, model_descriptions(session))


def choose(
    suite: str,
    responses: Sequence[ScoredResponse],
    measured: Mapping[int, SurfaceMeasures],
    described: Mapping[int, ModelDescription],
) -> Selection:
    """Choose by these responses, their surface metrics (by response), and how models (by id) are
    configured."""
    answers: dict[ModelDecoding, Answers] = {}
    for response in responses:
        own = answers.setdefault(response.source, {})
        own.setdefault((response.key, response.language), (response, measured[response.id]))
    names = list(answers)
    groups: dict[tuple[Any, ...], list[ModelDecoding]] = {}
    for source in names:
        groups.setdefault(_identity(source, described), []).append(source)
    titles = _names(list(groups.values()), described, names)
    configurations = tuple(
        _configuration(title, {source: answers[source] for source in sources}, described)
        for title, sources in zip(titles, groups.values(), strict=True)
    )
    languages = tuple(sorted({response.language for response in responses}))
    notes = () if responses else (f"There is no response to {suite} yet: nothing to choose from.",)
    return Selection(suite, languages, configurations, notes)


def _identity(source: ModelDecoding, described: Mapping[int, ModelDescription]) -> tuple[Any, ...]:
    """What the candidates of a configuration have in common. A model that nothing is known of is one of its
    own."""
    own = described[source.model_id]
    if own.base is None and own.data is None and own.adaptation is None:
        return (source.model_id, source.decoding_id)
    return (*asdict(replace(own, learning_rate=None)).values(), source.decoding_id)


def _names(
    groups: Sequence[Sequence[ModelDecoding]],
    described: Mapping[int, ModelDescription],
    all_sources: Sequence[ModelDecoding],
) -> list[str]:
    """The name of each group of candidates; those that would be called the same say what tells them apart."""
    names = [_name(sources, described, all_sources) for sources in groups]
    same = Counter(names)
    return [
        f"{name} ({_particulars(described[sources[0].model_id])})" if same[name] > 1 else name
        for name, sources in zip(names, groups, strict=True)
    ]


def _particulars(own: ModelDescription) -> str:
    """Size, mix, seed and data of a configuration in a few words: `size 500, mix uniform, seed 1`."""
    size = own.size or ("unknown" if own.mix is None else "all")
    parts = [f"size {size}", f"mix {own.mix or 'unknown'}"]
    parts.append(f"seed {'unknown' if own.seed is None else own.seed}")
    return ", ".join([*parts, f"data {(own.data_digest or 'unknown')[:DIGEST_CHARACTERS]}"])


def _name(
    sources: Sequence[ModelDecoding],
    described: Mapping[int, ModelDescription],
    all_sources: Sequence[ModelDecoding],
) -> str:
    """The model's name when it is alone; else what they have in common of their names."""
    if len(sources) == 1:
        return model_label(sources[0], all_sources)
    parts = [source.model.split(" / ") for source in sources]
    common = [part for part in parts[0] if all(part in other for other in parts)]
    own = described[sources[0].model_id]
    known = common or [part for part in (own.base, own.data, own.adaptation) if part]
    name = " / ".join(known)
    return model_label(sources[0], all_sources).replace(sources[0].model, name)


def _configuration(
    name: str, answers: Mapping[ModelDecoding, Answers], described: Mapping[int, ModelDescription]
) -> Configuration:
    order = sorted(answers, key=lambda source: (_rate(source, described) or 0.0, source.model))
    usable = [
        source
        for source in order
        if any(metrics.right_language is not None for _, metrics in answers[source].values())
    ]
    notes = [
        f"{source.model}: the language was not measured (`xlit-core judge surface`), so it can't be chosen."
        for source in order
        if source not in usable
    ]
    compared, by, notes_on_comparison = _compared([answers[source] for source in usable])
    notes += notes_on_comparison
    candidates = {source: _candidate(source, answers[source], compared, by, described) for source in order}
    if len(order) == 1:
        rate = _rate(order[0], described)
        notes.append("Its learning rate isn't known." if rate is None else "It has one learning rate only.")
    elif len(usable) == 1:
        notes.append("Only one of its candidates was measured: nothing to choose from.")
    elif compared:
        best, why = _best([candidates[source] for source in usable])
        notes += why
        candidates[best.source] = Candidate(**{**best.__dict__, "chosen": True})
    return Configuration(name, by, tuple(candidates[source] for source in order), tuple(notes))


def _compared(usable: Sequence[Answers]) -> tuple[list[tuple[str, str]], str, list[str]]:
    """The instructions that the candidates are compared on, by what share, and the notes on that."""
    if not usable:
        return [], LANGUAGE_ALONE, []
    shared = [
        instruction
        for instruction in sorted(usable[0])
        if all(instruction in own and _good(own[instruction][1]) is not None for own in usable)
    ]
    notes = []
    if not shared:
        return [], LANGUAGE_ALONE, ["No instruction was answered by all its candidates, and measured."]
    most = max(len(own) for own in usable)
    if len(shared) < most:
        notes.append(
            f"Compared on the {len(shared)} of {most} instructions that all its candidates answered."
            f"{_reasons(usable)}"
        )
    judged = [
        instruction
        for instruction in shared
        if all(own[instruction][1].relevant is not None for own in usable)
    ]
    if len(judged) >= ENOUGH * len(shared):
        if len(judged) < len(shared):
            notes.append(
                f"Relevance is known for all its candidates on {len(judged)} instructions: only these."
            )
        return judged, BOTH, notes
    if judged or any(own[instruction][1].relevant is not None for own in usable for instruction in shared):
        notes.append("Relevance was judged for too few of its responses to count: the right language alone.")
    else:
        notes.append("Relevance was not judged (`xlit-core judge relevance`): the right language alone.")
    return shared, LANGUAGE_ALONE, notes


def _good(metrics: SurfaceMeasures) -> bool | None:
    """Whether a response is in the right language; an empty one is not, and None: it can't be told."""
    return False if metrics.empty else metrics.right_language


def _reasons(usable: Sequence[Answers]) -> str:
    """How many responses were left out, and why."""
    reasons = Counter(
        metrics.reason
        for own in usable
        for _, metrics in own.values()
        if metrics.reason is not None and not metrics.empty
    )
    counts = ", ".join(f"{reason} {reasons[reason]}" for reason in REASONS if reasons[reason])
    return f" Responses whose language was not measured: {counts}." if counts else ""


def _candidate(
    source: ModelDecoding,
    answers: Answers,
    compared: Sequence[tuple[str, str]],
    by: str,
    described: Mapping[int, ModelDescription],
) -> Candidate:
    own = [(instruction[1], *answers[instruction]) for instruction in compared if instruction in answers]
    right = [(language, metrics.right_language) for language, _, metrics in own]
    relevant = [(language, metrics.relevant) for language, _, metrics in own]
    good = [(language, _good(metrics)) for language, _, metrics in own]
    if by == BOTH:
        good = [(language, _good(metrics) and metrics.relevant) for language, _, metrics in own]
    return Candidate(
        model=source.model,
        source=source,
        learning_rate=_rate(source, described),
        responses=len(answers),
        n=len(own),
        good=_over_languages(good),
        right_language=_over_languages(right),
        relevant=_over_languages(relevant),
        spelling=_over_languages([(language, metrics.spelling) for language, _, metrics in own]),
        length=_over_languages([(language, response.length) for language, response, _ in own]),
    )


def _best(candidates: Sequence[Candidate]) -> tuple[Candidate, list[str]]:
    """The best by `RULE` of candidates that all have `good`, and the notes on the choice."""
    top = max(candidate.good or 0.0 for candidate in candidates)
    # A share that is off by exactly a point must not depend on the last binary place.
    near = [candidate for candidate in candidates if (candidate.good or 0.0) >= top - TIE - 1e-9]
    if len(near) == 1:
        return near[0], []
    if any(candidate.spelling is None for candidate in near):
        return near[0], ["Spelling is not known for all that are as good: the smaller rate."]
    return max(
        near, key=lambda candidate: (round(candidate.spelling or 0.0, 9), -(candidate.learning_rate or 0.0))
    ), []


def _over_languages(values: Sequence[tuple[str, float | None]]) -> float | None:
    """The mean over languages of the means of what is known; None where nothing is."""
    known: dict[str, list[float]] = {}
    for language, value in values:
        if value is not None:
            known.setdefault(language, []).append(float(value))
    means = [fmean(own) for own in known.values()]
    return fmean(means) if means else None


def _rate(source: ModelDecoding, described: Mapping[int, ModelDescription]) -> float | None:
    return described[source.model_id].learning_rate
