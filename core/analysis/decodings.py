"""What quantisation does to answers: every decoding of a model beside a reference decoding of it."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from statistics import fmean
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from store import UsageError
from store.labels import decoding_label
from store.names import trimmed
from store.queries.decodings import (
    AnsweredDecoding,
    Measures,
    Side,
    answered_in,
    differing_in,
    identical_in,
    measures_of,
)
from store.queries.suites import SuiteSummary, find_suite
from store.session import reading

ALL = "all languages"


@dataclass(frozen=True)
class Compared:
    """A decoding beside the reference, on the responses to the same instructions and samples.

    `language`: of the instructions, or `ALL`, whose figures are means over the languages, each with the same
    weight (its counts are sums). `identical`: the share of responses with the same text. `common_start`: the
    mean of how far two responses are the same from their beginning, as a share of the characters of the
    longer one. `own` and `reference`: the measures of both sides.
    """

    language: str
    identical: float
    common_start: float
    own: Measures
    reference: Measures

    @property
    def n(self) -> int:
        return self.own.n


@dataclass(frozen=True)
class DecodingCompared:
    """A decoding by its name, with the comparison for all languages and for each."""

    name: str
    parameters: dict[str, Any]
    rows: tuple[Compared, ...]


@dataclass(frozen=True)
class ModelDecodings:
    """A model's decodings. `measures` are the reference's by language, over all that it answered. `notes`:
    sentences on decodings that share no instruction with the reference."""

    model: str
    reference: str
    parameters: dict[str, Any]
    measures: dict[str, Measures]
    decodings: tuple[DecodingCompared, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DecodingComparison:
    """The models of a suite that answered under two decodings or more. `notes`: what holds for all."""

    suite: str
    languages: tuple[str, ...]
    models: tuple[ModelDecodings, ...]
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data for JSON."""
        return asdict(self)


def compare_decodings(
    engine: Engine,
    suite: str | None = None,
    *,
    models: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    reference: str | None = None,
) -> DecodingComparison:
    """Compare the decodings of each model on a suite (by default all models and languages, the last suite).

    `reference`: a decoding's name as the result has it (`llama.cpp q8_0`), its engine or its number format.
    By default that of transformers, the least quantised where there are several, or else the least quantised
    of all. Responses are paired when they answer the same instruction with the same number of the sample.

    Raises `UsageError` for a suite, model, language or reference that is not there.
    """
    with reading(engine) as session:
        suite_found = find_suite(session, suite)
        wanted = tuple(dict.fromkeys(languages or ())) or tuple(sorted(suite_found.languages))
        if unknown := sorted(set(wanted) - set(suite_found.languages)):
            raise UsageError(
                f"Suite {suite_found.label} has no instructions in {', '.join(unknown)}; "
                f"it has {', '.join(suite_found.languages)}."
            )
        groups = _by_model(
            answered_in(session, suite_found.id), [trimmed(model) for model in models or ()], suite_found
        )
        chosen = {model: _reference(named_decodings(own), reference) for model, own in groups.items()}
        if reference is not None and groups and not any(chosen.values()):
            names = sorted({name for own in groups.values() for name in named_decodings(own)})
            raise UsageError(f"No model has a decoding {reference!r}. There are: {', '.join(names)}.")
        compared, notes = [], []
        for model, own in groups.items():
            if len(own) < 2:
                notes.append(f"{model} answered under one decoding only.")
            elif (name := chosen[model]) is None:
                notes.append(f"{model} has no decoding {reference!r} to compare with.")
            else:
                compared.append(_compare(session, suite_found.id, named_decodings(own), name, wanted))
    if not compared:
        notes.insert(0, f"No model answered {suite_found.label} under two decodings: nothing to compare.")
    return DecodingComparison(suite_found.label, wanted, tuple(compared), tuple(notes))


def named_decodings(decodings: Sequence[AnsweredDecoding]) -> dict[str, AnsweredDecoding]:
    """Decodings of one model by name: engine and number format, and where these are the same the parameters
    that differ."""
    named: dict[str, list[AnsweredDecoding]] = {}
    for decoding in decodings:
        named.setdefault(decoding_label(decoding.engine, decoding.quantization), []).append(decoding)
    result = {}
    for name, same in named.items():
        keys = sorted({key for decoding in same for key in decoding.parameters})
        differing = [key for key in keys if len({str(decoding.parameters.get(key)) for decoding in same}) > 1]
        for decoding in same:
            differences = ", ".join(f"{key} {decoding.parameters.get(key)}" for key in differing)
            result[f"{name} ({differences})" if differences else name] = decoding
    return result


def common_start(first: str, second: str) -> float:
    """How far two texts are the same from their beginning, as a share of the longer one; 1 for two empty
    ones."""
    longest = max(len(first), len(second))
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low / longest if longest else 1.0


def _by_model(
    answered: Sequence[AnsweredDecoding], models: Sequence[str], suite: SuiteSummary
) -> dict[str, list[AnsweredDecoding]]:
    groups: dict[str, list[AnsweredDecoding]] = {}
    for decoding in answered:
        groups.setdefault(decoding.model, []).append(decoding)
    if unknown := [model for model in models if model not in groups]:
        raise UsageError(
            f"No response of {unknown[0]!r} to {suite.label}. Models that answered: "
            f"{', '.join(groups) or 'none'}."
        )
    return {model: own for model, own in groups.items() if not models or model in models}


def _reference(named: dict[str, AnsweredDecoding], wanted: str | None) -> str | None:
    """The name of the reference among a model's decodings, None when none is as `wanted`."""
    candidates = [
        name
        for name, decoding in named.items()
        if wanted is None or wanted in (name, decoding.engine, decoding.quantization)
    ]
    if wanted in candidates:
        return wanted

    def order(name: str) -> tuple[bool, int, int, int]:
        decoding = named[name]
        return (
            decoding.engine != "transformers",
            -_bits(decoding.quantization),
            -decoding.responses,
            decoding.decoding_id,
        )

    return min(candidates, key=order, default=None)


def _bits(quantization: str | None) -> int:
    """How many bits a weight has, by the name of the number format (`f32`, `bf16`, `q4_k_m`)."""
    digits = re.search(r"\d+", quantization or "")
    return int(digits[0]) if digits else 0


def _compare(
    session: Session,
    suite_id: int,
    named: dict[str, AnsweredDecoding],
    reference: str,
    languages: Sequence[str],
) -> ModelDecodings:
    base = named[reference]

    def side(decoding: int, also: int) -> Side:
        return Side(suite_id, base.model_id, decoding, also, languages)

    whole = measures_of(session, side(base.decoding_id, base.decoding_id))
    decodings, notes = [], []
    for name, decoding in named.items():
        if name == reference:
            continue
        own, theirs = (
            side(decoding.decoding_id, base.decoding_id),
            side(base.decoding_id, decoding.decoding_id),
        )
        rows = _rows(session, own, theirs, whole)
        if rows:
            decodings.append(DecodingCompared(name, decoding.parameters, rows))
        else:
            notes.append(f"{base.model}: {name} and {reference} answered no instruction in common.")
    return ModelDecodings(
        base.model,
        reference,
        base.parameters,
        _with_all(whole),
        tuple(decodings),
        tuple(notes),
    )


def _rows(session: Session, side: Side, reference: Side, whole: dict[str, Measures]) -> tuple[Compared, ...]:
    """The comparison by language; none when there are no pairs. `whole`: the measures of the reference over
    all that it answered, which are those over the pairs when there are as many."""
    measured = measures_of(session, side)
    if not measured:
        return ()
    everything = {key: measures.n for key, measures in measured.items()} == {
        key: measures.n for key, measures in whole.items()
    }
    own, theirs = _with_all(measured), _with_all(whole if everything else measures_of(session, reference))
    same = identical_in(session, side)
    starts = {language: float(same.get(language, 0)) for language in own}
    for language, text, other in differing_in(session, side):
        starts[language] += common_start(text, other)
    identical = {language: same.get(language, 0) / own[language].n for language in own if language != ALL}
    common = {language: starts[language] / own[language].n for language in identical}
    identical[ALL], common[ALL] = fmean(identical.values()), fmean(common.values())
    return tuple(
        Compared(language, identical[language], common[language], own[language], theirs[language])
        for language in own
    )


def _with_all(measures: dict[str, Measures]) -> dict[str, Measures]:
    """Measures by language, those for all languages before them."""
    if not measures:
        return {}
    means: dict[str, Any] = {"n": sum(measured.n for measured in measures.values())}
    for field in fields(Measures)[1:]:
        known = [getattr(measured, field.name) for measured in measures.values()]
        known = [value for value in known if value is not None]
        means[field.name] = fmean(known) if known else None
    return {ALL: Measures(**means), **dict(sorted(measures.items()))}
