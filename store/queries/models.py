"""Model configurations and decodings: found by what identifies them, written when new."""

import hashlib
import json
from typing import Any

from sqlmodel import Session

from store.tables import Decoding, Model
from store.upsert import row_id


def model_id(session: Session, name: str, **description: Any) -> int:
    """The id of a model configuration by its name; `description` (base, data, adaptation, learning_rate,
    checkpoint) is written when it is new."""
    return row_id(session, Model, {"name": name}, **description)


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
