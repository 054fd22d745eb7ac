"""The tokens that end an answer: one rule for every engine, for merging and for conversion."""

import json
from pathlib import Path
from typing import Any

from core.errors import reason_of
from core.generate.checkpoint import Checkpoint
from core.train.templates.chat_template import end_tokens as template_end_tokens
from store import UsageError, XlitError

GENERATION_CONFIG = "generation_config.json"


def answer_end_tokens(checkpoint: Checkpoint, tokenizer: Any, base: Any) -> list[int]:
    """The ids that end an answer of a checkpoint, in ascending order.

    They are what its generation config names (for an adapter: that of its own folder, and the base's only
    where it has none), the token that the chat template closes an answer with, and the tokenizer's end token.
    `base`: the generation config of the model, or of an adapter's base.

    Raises `XlitError` for a generation config that can't be read.
    """
    named = None
    if checkpoint.kind == "adapter":
        named = _named(checkpoint.path / GENERATION_CONFIG)
    if named is None:
        named = _ids(base.eos_token_id)
    return sorted({*named, *_closing(tokenizer), *_ids(tokenizer.eos_token_id)})


def _named(file: Path) -> list[int] | None:
    """The end tokens in a generation config; None when there is no such file or it names none."""
    if not file.is_file():
        return None
    try:
        ids = _ids(json.loads(file.read_text(encoding="utf-8")).get("eos_token_id"))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise XlitError(f"{file} can't be read: {reason_of(error)}. Copy the adapter again.") from None
    return ids or None


def _ids(value: Any) -> list[int]:
    values = value if isinstance(value, list) else [value]
    return [int(token) for token in values if token is not None]


def _closing(tokenizer: Any) -> list[int]:
    """What the tokenizer's own template closes an answer with; none where the template can't write a question
    and its answer."""
    if not tokenizer.chat_template:
        return []
    try:
        return [token for token in template_end_tokens(tokenizer) if token is not None]
    except UsageError:
        return []
