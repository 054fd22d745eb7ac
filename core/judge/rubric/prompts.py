"""The prompt of the rubric judge: ours, or the wording of a file."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from core.judge.llm.fence import RESPONSE, TASK, fenced
from core.judge.rubric.rubrics import DEFAULT_NAME, CriterionText, RubricText
from store import UsageError

# A change of `rubric_prompt.txt` or `default.toml` needs a new version: ratings under different prompts are
# different raters'.
DEFAULT_VERSION = "prompt-2"
DEFAULT_FILE = Path(__file__).parent / "rubric_prompt.txt"


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
            "{CRITERIA}": "\n".join(map(_told, self.rubric.criteria)),
            "{KEYS}": ", ".join(f'"{criterion.name}"' for criterion in self.rubric.criteria),
        }
        return fenced(self.template, instruction, response, criteria)


def load_prompt(rubric: RubricText, path: Path | None = None) -> RubricPrompt:
    """The default prompt for a rubric, or the wording in a file, whose version is then its digest.

    The file holds `%%%TASK%%%` or `{TASK}`, and `%%%SUBMISSION%%%` or `{MODEL RESPONSE}` (the paper's wording
    has the former); `{FENCE}`, `{CRITERIA}` and `{KEYS}` if it likes. Raises `UsageError`.
    """
    own = "" if rubric.name == DEFAULT_NAME else f" {rubric.label}"
    if path is None:
        template = DEFAULT_FILE.read_text(encoding="utf-8")
        return RubricPrompt(template, f"{DEFAULT_VERSION}{own}", rubric, ours=True)
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


def _told(criterion: CriterionText) -> str:
    """A criterion as the judge is told it, best first."""
    lines = [criterion.name]
    for score in range(criterion.maximum, criterion.minimum - 1, -1):
        stars = criterion.stars(score)
        lines.append(f"  {stars} {'star' if stars == 1 else 'stars'}: {criterion.descriptions[score]}")
    return "\n".join(lines)
