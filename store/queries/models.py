"""Model configurations and decodings: found by what identifies them, written when new.

A name stands for one model configuration. Whoever brings a configuration or weights under a name that is
there has them compared with what the store knows of it; what contradicts that is refused.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from store.errors import UsageError
from store.names import trimmed
from store.tables import Decoding, Model
from store.upsert import row_id

DESCRIPTION = ("base", "data", "data_digest", "size", "mix", "adaptation", "learning_rate", "seed")
"""The columns of `Model` that say what made it."""

DIGEST_SHOWN = 16  # characters of a digest in a message

RENAME = (
    "A name stands for one model: give this one a name of its own "
    "(`--model`; in a study `label` or `data_label`)"
)


@dataclass(frozen=True)
class WeightsDigest:
    """What identifies weights: only digests of the same `kind` can be compared.

    `checkpoint`: of a checkpoint or an adapter, also where a GGUF file made of it says so; `gguf q8_0`: of a
    GGUF file that names no source; `served`: the name by which a server knows the model.
    """

    kind: str
    value: str

    def __str__(self) -> str:
        if self.kind == "served":
            return f"the server's {self.value!r}"
        return f"weights {self.value[:DIGEST_SHOWN]}"


def model_id(session: Session, name: str, **description: Any) -> int:
    """The id of a model configuration by its name; `description` (columns of `Model`) is written when it is
    new."""
    return row_id(session, Model, {"name": trimmed(name)}, **description)


def register_model(
    session: Session, name: str, description: Mapping[str, Any], weights: WeightsDigest | None = None
) -> int:
    """The id of the model configuration of this name, when it is this one; what was not known of it is
    written.

    The same weights are the same model, however its base and data are spelled. Where weights can't be
    compared, what made the two must agree, and so must their checkpoint if no weights of its kind are known.
    Raises `UsageError` with both sides for another model under the name.
    """
    name = trimmed(name)
    known = session.exec(select(Model).where(col(Model.name) == name)).first()
    if known is None:
        digests = {weights.kind: weights.value} if weights else {}
        return model_id(session, name, **description, weights=digests)
    stored = known.weights.get(weights.kind) if weights else None
    if weights is not None and stored is not None and stored != weights.value:
        raise UsageError(_refusal(name, WeightsDigest(weights.kind, stored), weights, description))
    if stored is None:
        check_description(known, description)
        if weights is not None:
            _check_checkpoint(known, weights, description)
    for column in (*DESCRIPTION, "checkpoint"):
        if getattr(known, column) is None and description.get(column) is not None:
            setattr(known, column, description[column])
    if weights is not None and stored is None:
        known.weights = {**known.weights, weights.kind: weights.value}
    session.add(known)
    session.flush()
    return known.id or 0


def other_model(known: Model, other: Model) -> str | None:
    """Why a configuration of another store is not the one that has its name here; None when it may be."""
    shared = sorted(known.weights.keys() & other.weights.keys())
    for kind in shared:
        if known.weights[kind] != other.weights[kind]:
            own = WeightsDigest(kind, known.weights[kind])
            return f"another model: it has {WeightsDigest(kind, other.weights[kind])}, the one here {own}"
    if not shared:
        for column in contradictions(known, other.model_dump()):
            return (
                f"another model: its {column.replace('_', ' ')} is {_written(getattr(other, column))}, "
                f"here it is {_written(getattr(known, column))}"
            )
    return None


def check_model(session: Session, name: str, description: Mapping[str, Any]) -> None:
    """Raises `UsageError` when the store has a model of this name that was made in another way."""
    known = session.exec(select(Model).where(col(Model.name) == trimmed(name))).first()
    if known is not None:
        check_description(known, description)


def check_description(known: Model, description: Mapping[str, Any]) -> None:
    """Raises `UsageError` that names what contradicts the model that is there."""
    for column in contradictions(known, description):
        raise UsageError(
            f"The store has another model {known.name!r}: its {column.replace('_', ' ')} is "
            f"{_written(getattr(known, column))}, here it is {_written(description.get(column))}. {RENAME}."
        )


def contradictions(known: Model, description: Mapping[str, Any]) -> list[str]:
    """What is known of both and not the same. Of places of a base and of data only the last part counts, as
    the folders above it differ between machines."""
    differing = [
        column
        for column in DESCRIPTION
        if None not in (getattr(known, column), description.get(column))
        and _comparable(column, getattr(known, column)) != _comparable(column, description[column])
    ]
    if None not in (known.mix, description.get("mix")) and known.size != description.get("size"):
        differing = [*{*differing, "size"}]  # no size is all of the data where the mix is known
    return sorted(differing, key=DESCRIPTION.index)


def _written(value: Any) -> str:
    return "all of the data" if value is None else str(value)


def _comparable(column: str, value: Any) -> Any:
    if column not in ("base", "data"):
        return value
    return [Path(part.strip()).name for part in str(value).split(", ")]


def _check_checkpoint(known: Model, weights: WeightsDigest, description: Mapping[str, Any]) -> None:
    """Where no weights were recorded (an older store), answers of a checkpoint at another place are not taken
    for those of this one."""
    before, now = known.checkpoint, description.get("checkpoint")
    if known.weights or weights.kind != "checkpoint" or before is None or now is None:
        return
    if Path(before).resolve() != Path(now).resolve():
        raise UsageError(
            f"The store does not know the weights of model {known.name!r}, only that they were at {before}: "
            f"whether {now} ({weights}) is the same can't be told. {RENAME}, or put it back at {before}."
        )


def _refusal(name: str, before: WeightsDigest, now: WeightsDigest, description: Mapping[str, Any]) -> str:
    checkpoint = description.get("checkpoint")
    where = f" ({checkpoint})" if checkpoint and now.kind != "served" else ""
    return (
        f"The store has another model {name!r}: it has {before}, this one has {now}{where}. {RENAME}; "
        "the answers of the other stay."
    )


def decoding_digest(engine: str, quantization: str | None, parameters: dict[str, Any]) -> str:
    """The SHA-256 (hex) that identifies a decoding."""
    identity = {"engine": engine, "quantization": quantization, "parameters": parameters}
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()


def decoding_id(session: Session, engine: str, quantization: str | None, parameters: dict[str, Any]) -> int:
    """The id of a decoding by its whole content."""
    digest = decoding_digest(engine, quantization, parameters)
    return row_id(
        session, Decoding, {"digest": digest}, engine=engine, quantization=quantization, parameters=parameters
    )
