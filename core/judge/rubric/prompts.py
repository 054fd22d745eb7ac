"""The prompt of the rubric judge: ours, or the wording of a file."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from store import UsageError

# A change of `rubric_prompt.txt` needs a new version: ratings under different prompts are different raters'.
DEFAULT_VERSION = "prompt-1"
DEFAULT_FILE = Path(__file__).parent / "rubric_prompt.txt"

_PLACEHOLDERS = re.compile(r"%%%TASK%%%|%%%SUBMISSION%%%|\{TASK\}|\{MODEL RESPONSE\}|\{FENCE\}")
_TASK = ("%%%TASK%%%", "{TASK}")
_RESPONSE = ("%%%SUBMISSION%%%", "{MODEL RESPONSE}")


@dataclass(frozen=True)
class Prompt:
    """A judge's prompt; `version` goes into the rater, so that ratings under another wording stay apart."""

    template: str
    version: str

    def render(self, instruction: str, response: str) -> str:
        """The prompt for one response.

        Placeholders are filled in one pass, so that `{TASK}` inside a response stays as it is. `{FENCE}`
        becomes a mark that neither text contains.
        """
        values = {
            **dict.fromkeys(_TASK, instruction),
            **dict.fromkeys(_RESPONSE, response),
            "{FENCE}": fence(instruction, response),
        }
        filled = _PLACEHOLDERS.sub(lambda found: values[found[0]], self.template)
        return filled.encode("utf-8", "replace").decode()  # a lone surrogate can't be sent


def fence(instruction: str, response: str) -> str:
    """A mark made of the digest of both texts: neither can foresee it, and the same texts give the same."""
    texts = json.dumps([instruction, response])
    mark = hashlib.sha256(texts.encode()).hexdigest()[:16]
    while mark in instruction or mark in response:
        mark = hashlib.sha256(mark.encode()).hexdigest()[:16]
    return mark


def load_prompt(path: Path | None = None) -> Prompt:
    """The default prompt, or the wording in a file, whose version is then its digest.

    The file holds `%%%TASK%%%` or `{TASK}`, and `%%%SUBMISSION%%%` or `{MODEL RESPONSE}` (the paper's wording
    has the former); `{FENCE}` if it likes. Raises `UsageError`.
    """
    if path is None:
        return Prompt(DEFAULT_FILE.read_text(encoding="utf-8"), DEFAULT_VERSION)
    try:
        template = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"The prompt {path} can't be read: {reason}.") from None
    found = set(_PLACEHOLDERS.findall(template))
    for what, names in (("the instruction", _TASK), ("the response", _RESPONSE)):
        if not found.intersection(names):
            raise UsageError(f"The prompt {path} has no place for {what}: write {' or '.join(names)} in it.")
    return Prompt(template, f"file-{hashlib.sha256(template.encode()).hexdigest()[:12]}")
