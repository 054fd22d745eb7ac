"""Reading a rubric judge's answer: all criteria, or a reason why not. Nothing is guessed."""

import re
from collections.abc import Sequence
from typing import Any

from core.judge.llm.json_answer import json_object
from core.judge.llm.reply import BadAnswer, Reply, usable_text
from core.judge.rubric.rubrics import CriterionText, RubricText, plain_name

# What else the criteria of the default rubric are called: in the paper's prompt, and its annotators' files.
_ALSO = {
    "logical coherence": "logic",
    "logical": "logic",
    "coherence": "logic",
    "safety": "harmlessness",
    "inform": "helpfulness",
    "correctlang": "language",
}

_STARS = re.compile(r"\s*(-?\d{1,9})(?:\s*stars?)?\s*", re.IGNORECASE)


def parse_answer(reply: Reply, rubric: RubricText) -> dict[str, int]:
    """The scores of all criteria of a rubric by name, from an answer in stars (1 for the lowest score).

    Accepted: a JSON object, by itself or as the only one in a code fence, with the criteria under their names
    (those of the default rubric also under the paper's) in any case, each a whole number of stars (also `"2"`
    or `"2 stars"`). Other keys are passed over. Raises `BadAnswer`: refusal, cut off, empty, not JSON, wrong
    keys, or out of range.
    """
    names = {plain_name(criterion.name): criterion for criterion in rubric.criteria}
    for also, name in _ALSO.items():
        if name in names:
            names.setdefault(also, names[name])
    scores: dict[str, int] = {}
    for key, value in json_object(usable_text(reply)):
        criterion = names.get(plain_name(key))
        if criterion is None:
            continue
        if criterion.name in scores:
            raise BadAnswer(f"wrong keys: {criterion.name} is there twice")
        scores[criterion.name] = _score(criterion, value)
    missing = [criterion.name for criterion in rubric.criteria if criterion.name not in scores]
    if missing:
        raise BadAnswer(f"wrong keys: no {', '.join(missing)}")
    return scores


def answer_schema(criteria: Sequence[CriterionText]) -> dict[str, Any]:
    """The JSON schema of an answer. Stars are listed: some servers pass over a minimum and a maximum."""
    stars = {
        criterion.name: {"type": "integer", "enum": list(range(1, criterion.most_stars + 1))}
        for criterion in criteria
    }
    return {"type": "object", "properties": stars, "required": list(stars), "additionalProperties": False}


def _score(criterion: CriterionText, value: Any) -> int:
    if isinstance(value, str) and (match := _STARS.fullmatch(value)):
        value = int(match[1])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= criterion.most_stars:
        raise BadAnswer(f"out of range: {criterion.name} is not 1 to {criterion.most_stars} stars")
    return value - 1 + criterion.minimum
