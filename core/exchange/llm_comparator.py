"""LLM Comparator's JSON (github.com/PAIR-code/llm-comparator, section JSON Data Format): two models side by
side, with the difference of their scores.

Its scores go from -1.5 (the second is better) to 1.5 (the first is). Here a rater's score is the difference
of the rater's two scores on one criterion, as a share of the scale, times 1.5; an example's is the mean over
the raters who scored both. Of several answers of a model to an instruction the first scored one is taken.
"""

import json
from collections.abc import Mapping
from statistics import mean
from typing import Any, ClassVar, TextIO

from sqlmodel import Session

from core.exchange.preferences import CRITERION, OPTIONS, CountedScores, scored_by_instruction
from store.errors import UsageError
from store.queries.preferences import ResponseScore, ScoredInstruction, response_texts

MOST = 1.5
FIELDS = ({"name": "key", "type": "string"}, {"name": "suite", "type": "category"})


class LlmComparatorExporter:
    """Writes the instructions whose answers of both models were scored by the same rater."""

    name = "llm-comparator"
    summary = "two models side by side for LLM Comparator (JSON)"
    options: ClassVar[dict[str, str]] = {
        **OPTIONS,
        "models": "the two models, the first is A",
        "pseudonyms": "the names of people replaced by pseudonyms",
    }

    def write(self, session: Session, file: TextIO, options: Mapping[str, Any]) -> int:
        names = list(options.get("models", ()))
        if len(names) != 2 or names[0] == names[1]:
            raise UsageError("LLM Comparator compares two models: name them with the option `models`.")
        found = scored_by_instruction(session, options)
        criterion = options.get("criterion", CRITERION)
        head = {
            "metadata": {"source_path": f"xlit, {criterion}", "custom_fields_schema": list(FIELDS)},
            "models": [{"name": name} for name in names],
        }
        file.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "examples": [')
        count = 0
        for asked, scores in found:
            example = _example(session, asked, scores, names, options.get("pseudonyms", {}))
            if example is not None:
                file.write(",\n" if count else "\n")
                file.write(json.dumps(example, ensure_ascii=False))
                count += 1
        file.write("\n]}\n")
        return count


def _example(
    session: Session,
    asked: ScoredInstruction,
    scores: CountedScores,
    models: list[str],
    pseudonyms: Mapping[str, str],
) -> dict[str, Any] | None:
    sides = [_first_of(model, scores) for model in models]
    if sides[0] is None or sides[1] is None:
        return None
    first, second = ({(it.kind, it.rater, it.version): it for it in scores[side or 0]} for side in sides)
    both = [(first[who], second[who]) for who in first if who in second]
    if not both:
        return None
    texts = response_texts(session, [side or 0 for side in sides])
    raters = [_rater(one, other, pseudonyms) for one, other in both]
    return {
        "input_text": asked.text,
        "tags": [tag for tag in (asked.language, asked.task, asked.modifier) if tag],
        "output_text_a": texts[sides[0]],
        "output_text_b": texts[sides[1]],
        "score": round(mean(it["score"] for it in raters), 4),
        "individual_rater_scores": raters,
        "custom_fields": {"key": asked.key, "suite": asked.suite},
    }


def _first_of(model: str, scores: CountedScores) -> int | None:
    return next((response for response, given in scores.items() if given[0].model == model), None)


def _rater(one: ResponseScore, other: ResponseScore, pseudonyms: Mapping[str, str]) -> dict[str, Any]:
    name = pseudonyms.get(one.rater, one.rater) if one.kind == "human" else one.rater
    difference = (one.score or 0) - (other.score or 0)
    return {
        "is_flipped": False,
        "score": round(MOST * difference / (one.maximum - one.minimum), 4),
        "rationale": f"{name}: {one.score} and {other.score}",
    }
