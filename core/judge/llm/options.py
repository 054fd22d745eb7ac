"""Which options a server takes: found out by asking.

The form of the answer goes down a ladder: the JSON schema as OpenAI takes it (`json_schema`), as llama.cpp's
servers do (`json_object` with a `schema`), `json_object` alone, nothing. The limit of new tokens is called
`max_tokens` by most and `max_completion_tokens` by OpenAI for its reasoning models.
"""

from dataclasses import dataclass, replace
from typing import Any

from core.endpoint.client import LIMITS
from core.judge.llm.reply import Prompt

# Enough for six numbers and for a judge that explains itself; a local server would else write without end.
MAX_TOKENS = 1_000

_LIMITS = (*LIMITS, None)


@dataclass(frozen=True)
class Taken:
    """Which options a server takes, as far as is known. `form` is a rung of the ladder, 0 to 3; `limit` one
    of the names of the limit of new tokens, or none; `temperature`: whether it takes one."""

    form: int = 0
    limit: int = 0
    temperature: bool = True

    @property
    def bounded(self) -> bool:
        """Whether the server takes a limit of new tokens."""
        return _LIMITS[self.limit] is not None

    def options(self, prompt: Prompt, temperature: float) -> dict[str, Any]:
        """The options to ask `prompt` with."""
        options: dict[str, Any] = {"temperature": temperature} if self.temperature else {}
        limit = _LIMITS[self.limit]
        if limit is not None:
            options[limit] = MAX_TOKENS
        form = self._form(prompt)
        if form is not None:
            options["response_format"] = form
        return options

    def without(self, message: str, prompt: Prompt, *, named: bool = False) -> "Taken | None":
        """What is left when the server has refused the options (status 400 or 422): what `message` names is
        left out, else the next form is taken, unless it must be `named`; None when nothing is left to leave
        out."""
        limit = _LIMITS[self.limit]
        if limit is not None and limit in message:
            return replace(self, limit=self.limit + 1)
        if self.temperature and "temperature" in message:
            return replace(self, temperature=False)
        if named and "response_format" not in message and "json" not in message.lower():
            return None
        return self.down(prompt)

    def down(self, prompt: Prompt) -> "Taken | None":
        """The next form that is another one for this prompt."""
        form = self._form(prompt)
        for rung in range(self.form + 1, 4):
            lower = replace(self, form=rung)
            if lower._form(prompt) != form:
                return lower
        return None

    def _form(self, prompt: Prompt) -> dict[str, Any] | None:
        if prompt.schema is not None and self.form == 0:
            described = {"name": "answer", "strict": True, "schema": prompt.schema}
            return {"type": "json_schema", "json_schema": described}
        if prompt.schema is not None and self.form == 1:
            return {"type": "json_object", "schema": prompt.schema}
        if prompt.json and self.form <= 2:
            return {"type": "json_object"}
        return None
