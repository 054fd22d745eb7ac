"""The requests of a batch, one line for each question."""

import json

from core.judge.llm.endpoint import Endpoint
from core.judge.llm.options import Taken
from core.judge.llm.reply import Prompt

# OpenAI's reasoning models, which take no temperature and call the limit of new tokens otherwise.
_REASONING = ("o1", "o3", "o4", "gpt-5")


def request(endpoint: Endpoint, digest: str, prompt: Prompt) -> bytes:
    """The line of a batch's file that asks a question.

    What a server takes can't be tried out here, and what it refuses would fail the whole batch; so a prompt
    for a JSON object is sent with the form `json_object`, as in the paper, and without one where it does not
    say "JSON" itself, for then OpenAI refuses the form.
    """
    reasoning = endpoint.model.startswith(_REASONING)
    form = 2 if "json" in prompt.text.casefold() else 3
    options = Taken(form, limit=int(reasoning), temperature=not reasoning)
    body = {
        "model": endpoint.model,
        "messages": [{"role": "user", "content": prompt.text}],
        **options.options(prompt, endpoint.temperature),
    }
    line = {"custom_id": digest, "method": "POST", "url": "/v1/chat/completions", "body": body}
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
