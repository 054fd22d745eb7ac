"""Reading a rubric judge's answer: all six criteria, or a reason why not. Nothing is guessed."""

import json
import re
from typing import Any

# What judges call the criteria (the paper's prompt, its annotators' files, our prompt) and what we do.
_CRITERIA = {
    "helpfulness": "helpfulness",
    "language": "language",
    "fluency": "fluency",
    "accuracy": "accuracy",
    "logical coherence": "logic",
    "logic": "logic",
    "logical": "logic",
    "harmlessness": "harmlessness",
    "safety": "harmlessness",
}
CRITERIA = tuple(dict.fromkeys(_CRITERIA.values()))
FEWEST, MOST = 1, 3

_FENCED = re.compile(r"```(?:json)?[ \t]*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_STARS = re.compile(r"\s*(-?\d{1,9})(?:\s*stars?)?\s*", re.IGNORECASE)
_REFUSAL = re.compile(
    r"\W*(?:I['’]?m (?:very )?sorry|sorry\b|I apologi[sz]e|I can(?:['’]t|not)|I won['’]t"
    r"|I(?: am|['’]m) (?:unable|not able)|As an AI)",
    re.IGNORECASE,
)


class BadAnswer(Exception):
    """The answer can't be used; the message is the reason, one line."""


def parse_answer(
    text: str | None, *, finish_reason: str | None = None, refusal: str | None = None
) -> dict[str, int]:
    """The scores (0 to 2) of all six criteria by name, from an answer in stars (1 to 3).

    Accepted: a JSON object, by itself or as the only one in a code fence, with the six criteria under any of
    their names in any case, each 1, 2 or 3 (also `"2"` or `"2 stars"`). Other keys are passed over. Raises
    `BadAnswer`: refusal, cut off, empty, not JSON, wrong keys, or out of range.
    """
    if refusal or finish_reason == "content_filter":
        raise BadAnswer("refusal: the judge would not answer")
    if finish_reason == "length":
        raise BadAnswer("truncated: the judge's answer was cut off")
    if text is None or not text.strip():
        raise BadAnswer("empty answer")
    return _scores(_object(text.strip()))


def _object(text: str) -> list[tuple[str, Any]]:
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


def _scores(pairs: list[tuple[str, Any]]) -> dict[str, int]:
    scores: dict[str, int] = {}
    for key, value in pairs:
        name = _CRITERIA.get(" ".join(key.replace("_", " ").replace("-", " ").casefold().split()))
        if name is None:
            continue
        if name in scores:
            raise BadAnswer(f"wrong keys: {name} is there twice")
        scores[name] = _stars(name, value) - FEWEST
    missing = [name for name in CRITERIA if name not in scores]
    if missing:
        raise BadAnswer(f"wrong keys: no {', '.join(missing)}")
    return scores


def _stars(name: str, value: Any) -> int:
    if isinstance(value, str) and (match := _STARS.fullmatch(value)):
        value = int(match[1])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not FEWEST <= value <= MOST:
        raise BadAnswer(f"out of range: {name} is not {FEWEST} to {MOST} stars")
    return value
