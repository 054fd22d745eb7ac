"""What a rubric judge is asked, and how the scores are read from its answer."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.judge.rubric.definition import DEFAULT_RUBRIC, CriterionText, RubricText, plain_name
from core.llm.answers import BadAnswer, Reply, parse_json_object, usable_text
from core.llm.prompt_template import RESPONSE, TASK, fenced_prompt
from store import UsageError

# A change of `rubric_prompt.txt` or `default.toml` needs a new version: ratings under different prompts are
# different raters'.
PROMPT_VERSION = "prompt-2"
DEFAULT_PROMPT_FILE = Path(__file__).parent / "rubric_prompt.txt"


@dataclass(frozen=True)
class RubricPrompt:
    """A judge's prompt for the criteria of a rubric; `version` goes into the rater, so that ratings under
    another wording stay apart. `ours`: it asks for exactly the rubric's keys, which a JSON schema may then
    demand; a wording from a file may ask for them under other names."""

    template: str
    version: str
    rubric: RubricText
    ours: bool

    def render(self, instruction: str, response: str) -> str:
        """The prompt for one response.

        Placeholders are filled in one pass, so that `{TASK}` inside a response stays as it is. `{FENCE}`
        becomes a mark that neither text contains. Marks of chat templates in the texts are made harmless.
        """
        criteria = {
            "{CRITERIA}": "\n".join(map(_described, self.rubric.criteria)),
            "{KEYS}": ", ".join(f'"{criterion.name}"' for criterion in self.rubric.criteria),
        }
        return fenced_prompt(self.template, instruction, response, criteria)


def load_prompt(rubric: RubricText, path: Path | None = None) -> RubricPrompt:
    """The default prompt for a rubric, or the wording in a file, whose version is then its digest.

    The file holds `%%%TASK%%%` or `{TASK}`, and `%%%SUBMISSION%%%` or `{MODEL RESPONSE}` (the paper's wording
    has the former); `{FENCE}`, `{CRITERIA}` and `{KEYS}` if it likes. Raises `UsageError`.
    """
    own = "" if rubric.name == DEFAULT_RUBRIC else f" {rubric.label}"
    if path is None:
        template = DEFAULT_PROMPT_FILE.read_text(encoding="utf-8")
        return RubricPrompt(template, f"{PROMPT_VERSION}{own}", rubric, ours=True)
    try:
        template = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"The prompt {path} can't be read: {reason}.") from None
    for what, names in (("the instruction", TASK), ("the response", RESPONSE)):
        if not any(name in template for name in names):
            raise UsageError(f"The prompt {path} has no place for {what}: write {' or '.join(names)} in it.")
    digest = hashlib.sha256(template.encode()).hexdigest()[:12]
    return RubricPrompt(template, f"file-{digest}{own}", rubric, ours=False)


def _described(criterion: CriterionText) -> str:
    """A criterion as the judge is told it, best first."""
    lines = [criterion.name]
    for score in range(criterion.maximum, criterion.minimum - 1, -1):
        stars = criterion.stars(score)
        lines.append(f"  {stars} {'star' if stars == 1 else 'stars'}: {criterion.descriptions[score]}")
    return "\n".join(lines)


# What else the criteria of the default rubric are called: in the paper's prompt, and its annotators' files.
_OTHER_NAMES = {
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
    for also, name in _OTHER_NAMES.items():
        if name in names:
            names.setdefault(also, names[name])
    scores: dict[str, int] = {}
    for key, value in parse_json_object(usable_text(reply)):
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
