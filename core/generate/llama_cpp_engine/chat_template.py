"""Writing a prompt with a chat template as transformers does, where transformers is not installed."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from core.extras import needs_extra
from core.generate.engine import Chat
from store import XlitError


def compile_template(source: str, special_tokens: dict[str, str]) -> Callable[[Chat], str]:
    """A function from a chat to its prompt, ready for the answer.

    The same environment as `transformers.utils.chat_template_utils`: sandboxed, trimmed blocks, loop
    controls, `raise_exception`, `strftime_now`, an unescaped `tojson`, and `{% generation %}` blocks.
    Raises `XlitError` when the template is not valid; so does the function when the template refuses.
    """
    with needs_extra("gguf", "A chat template"):
        import jinja2
        from jinja2 import nodes
        from jinja2.ext import Extension, loopcontrols
        from jinja2.parser import Parser
        from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """`{% generation %}` marks the answer for training; in a prompt its content stands as it is."""

        tags = {"generation"}  # noqa: RUF012

        def parse(self, parser: Parser) -> list[nodes.Node]:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    def raise_exception(message: str) -> None:
        raise jinja2.exceptions.TemplateError(message)

    def to_json(value: Any, **options: Any) -> str:
        return json.dumps(value, **{"ensure_ascii": False, **options})

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = to_json
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    try:
        template = environment.from_string(source)
    except jinja2.TemplateError as error:
        raise XlitError(f"The chat template is not valid: {error}") from None

    def render(chat: Chat) -> str:
        try:
            return template.render(messages=chat, add_generation_prompt=True, **special_tokens)
        except Exception as error:  # a template is a program of its author; it may raise what it likes
            raise XlitError(f"The chat template can't write this prompt: {error}") from error

    return render
