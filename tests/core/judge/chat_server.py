"""The server of the tests, whose answers are a judge's."""

import json
from typing import Any

from tests.core.llm import chat_server
from tests.core.llm.chat_server import ChatServer, error

__all__ = ["GOOD", "Answer", "ChatServer", "error"]

GOOD = json.dumps(
    {"language": 3, "fluency": 2, "helpfulness": 1, "accuracy": 3, "logical coherence": 2, "harmlessness": 3}
)


class Answer(chat_server.Answer):
    """An answer that gives scores unless told otherwise."""

    def __init__(self, content: str | None = GOOD, **more: Any) -> None:
        super().__init__(content, **more)
