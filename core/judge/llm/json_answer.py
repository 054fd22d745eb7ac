"""The JSON object in a judge's answer. Nothing is guessed."""

import json
import re
from typing import Any

from core.judge.llm.reply import BadAnswer

_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_REFUSAL = re.compile(
    r"\W*(?:I['’]?m (?:very )?sorry|sorry\b|I apologi[sz]e|I can(?:['’]t|not)|I won['’]t"
    r"|I(?: am|['’]m) (?:unable|not able)|As an AI)",
    re.IGNORECASE,
)


def json_object(text: str) -> list[tuple[str, Any]]:
    """The (key, value) pairs of the JSON object that an answer is, by itself or as the only one in a code
    fence. Raises `BadAnswer`: refusal, or not JSON."""
    fenced = _FENCED.findall(text)
    candidate = fenced[0] if len(fenced) == 1 else text
    try:
        # Lists of pairs, for a dict would hide a key that is there twice; not strict, for local servers let
        # control characters stand in strings.
        found = json.loads(candidate, strict=False, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        if _REFUSAL.match(text):
            raise BadAnswer("refusal: the judge would not answer") from None
        raise BadAnswer("not JSON") from None
    if not isinstance(found, _Pairs):
        raise BadAnswer("not JSON: no object")
    return found


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as its (key, value) pairs."""
