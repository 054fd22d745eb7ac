"""What a judge is asked: a template, filled so that hostile texts can't end where they stand or speak as
somebody else."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from store.storable import storable

# What chat templates mark turns and ends with: `<|im_end|>`, `<s>`, `[/INST]`, `<<SYS>>`, `<end_of_turn>`.
# Servers and tokenizers may read them as such also inside a message.
_CHAT_MARKS = re.compile(
    r"<(?=[|｜][^<>\n]{1,40}[|｜]>|/?s>|<SYS>>|/SYS>>|</SYS>>|(?:start|end)_of_(?:turn|text|message)>|[be]os>"
    r"|unk>|pad>|mask>)|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])",
    re.IGNORECASE,
)

# Where a prompt has the instruction and the response; the paper's wording has the former of each.
TASK = ("%%%TASK%%%", "{TASK}")
RESPONSE = ("%%%SUBMISSION%%%", "{MODEL RESPONSE}")


@dataclass(frozen=True)
class Prompt:
    """One user message. `json`: the answer is a JSON object; `schema`: of this JSON schema, for servers that
    hold a model to one (`json` is then true)."""

    text: str
    json: bool = False
    schema: dict[str, Any] | None = None


def without_chat_marks(text: str) -> str:
    """The text with a space after the first sign of every mark of a chat template, so that it is one no more:
    `< |im_end|>`, `[ /INST]`. A `<s>` of HTML is written so too."""
    return _CHAT_MARKS.sub(lambda mark: mark[0] + " ", text)


def fence(*texts: str) -> str:
    """A mark made of the digest of the texts: none of them can foresee it, and the same texts give the
    same."""
    mark = hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]
    while any(mark in text for text in texts):
        mark = hashlib.sha256(mark.encode()).hexdigest()[:16]
    return mark


def fenced_prompt(
    template: str, instruction: str, response: str, others: Mapping[str, str] | None = None
) -> str:
    """A prompt: the template with `TASK`, `RESPONSE`, `{FENCE}` and the placeholders of `others` filled in.
    Chat marks in the two texts are made harmless."""
    instruction, response = without_chat_marks(instruction), without_chat_marks(response)
    values = {
        **dict.fromkeys(TASK, instruction),
        **dict.fromkeys(RESPONSE, response),
        "{FENCE}": fence(instruction, response),
        **(others or {}),
    }
    return fill_placeholders(template, values)


def fill_placeholders(template: str, values: Mapping[str, str]) -> str:
    """The template with its placeholders replaced in one pass: one inside a value stays as it is. What
    no store holds and no request carries (half of a surrogate pair, NUL) becomes U+FFFD."""
    pattern = re.compile("|".join(map(re.escape, values)))
    return storable(pattern.sub(lambda placeholder: values[placeholder[0]], template))
