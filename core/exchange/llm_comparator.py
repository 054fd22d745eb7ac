"""LLM Comparator's JSON (github.com/PAIR-code/llm-comparator, section JSON Data Format): two models side by
side, with the difference of their scores.

Its scores go from -1.5 (the second is better) to 1.5 (the first is better). Here a rater's score is the
difference of the rater's two scores on one criterion, as a share of the scale, times 1.5. The score of an
example is the difference of the two responses' mean scores, which are those of the report: of an adjudicated
response, the adjudicator's. An example needs a rater who scored both responses. When a model has several
responses to an instruction, the first scored one is taken.
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar, TextIO

from sqlmodel import Session

from core.exchange.preferences import CRITERION, OPTIONS, ScoresByResponse, final_score, scored_by_instruction
from store.errors import UsageError
from store.queries.preferences import ResponseScore, ScoredInstruction
from store.queries.responses import response_texts

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
        instructions = scored_by_instruction(session, options)
        criterion = options.get("criterion", CRITERION)
        head = {
            "metadata": {"source_path": f"xlit, {criterion}", "custom_fields_schema": list(FIELDS)},
            "models": [{"name": name} for name in names],
        }
        file.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "examples": [')
        count = 0
        for instruction, scores in instructions:
            example = _example(session, instruction, scores, names, options.get("pseudonyms", {}))
            if example is not None:
                file.write(",\n" if count else "\n")
                file.write(json.dumps(example, ensure_ascii=False))
                count += 1
        file.write("\n]}\n")
        return count


def _example(
    session: Session,
    instruction: ScoredInstruction,
    scores: ScoresByResponse,
    models: list[str],
    pseudonyms: Mapping[str, str],
) -> dict[str, Any] | None:
    sides = [_first_of(model, scores) for model in models]
    if sides[0] is None or sides[1] is None:
        return None
    first, second = (
        {(score.kind, score.rater, score.version): score for score in scores[side or 0]} for side in sides
    )
    both = [(first[rater], second[rater]) for rater in first if rater in second]
    finals = [final_score(scores[side or 0]) for side in sides]
    if not both or finals[0] is None or finals[1] is None:
        return None
    scale = both[0][0].maximum - both[0][0].minimum
    texts = response_texts(session, [side or 0 for side in sides])
    raters = [_rater(score_a, score_b, pseudonyms) for score_a, score_b in both]
    return {
        "input_text": instruction.text,
        "tags": [tag for tag in (instruction.language, instruction.task, instruction.modifier) if tag],
        "output_text_a": texts[sides[0]],
        "output_text_b": texts[sides[1]],
        "score": round(float((finals[0] - finals[1]) / scale) * MOST, 4),
        "individual_rater_scores": raters,
        "custom_fields": {"key": instruction.key, "suite": instruction.suite},
    }


def _first_of(model: str, scores: ScoresByResponse) -> int | None:
    return next(
        (response for response, model_scores in scores.items() if model_scores[0].model == model), None
    )


def _rater(first: ResponseScore, second: ResponseScore, pseudonyms: Mapping[str, str]) -> dict[str, Any]:
    name = pseudonyms.get(first.rater, first.rater) if first.kind == "human" else first.rater
    difference = first.score - second.score
    return {
        "is_flipped": False,
        "score": round(MOST * difference / (first.maximum - first.minimum), 4),
        "rationale": f"{name}: {first.score} and {second.score}",
    }
