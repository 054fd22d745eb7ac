"""Answers from a GGUF file through llama.cpp, several sequences decoded in parallel.

The prompt is written with the file's chat template as transformers does, where transformers is not installed.
"""

import json
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from core.extras import needs_extra
from core.generate.decoding import Decoding
from core.generate.engines.base import Chat, Failed, Generation, Key, Request, readable
from core.generate.engines.llama_cpp import library
from core.generate.engines.llama_cpp.decoder import Decoder, SequenceState
from core.generate.engines.llama_cpp.library import GgufModel, llama_cpp_library
from core.generate.gguf.file import read_head
from store import UsageError, XlitError
from store.queries.responses import text_digest


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


NAME = "llama.cpp"
LIBRARIES = ("llama-cpp-python", "gguf")


def number_format(path: Path) -> str:
    """The number format of a GGUF file's weights: `f32`, `f16`, `q8_0`, `q4_k_m` ..."""
    return read_head(path).number_format


class LlamaCppEngine:
    """A GGUF model. The prompt, its token ids, the penalty and the end tokens are those of the transformers
    engine on the checkpoint that the file was made from; only the arithmetic differs."""

    def __init__(
        self,
        path: Path,
        decoding: Decoding,
        *,
        batch_size: int = 32,
        threads: int | None = None,
        gpu_layers: int | None = None,
    ) -> None:
        """`batch_size`: the most requests that are answered at a time; fewer when memory does not hold their
        keys and values. `threads`: None for `machine.threads`. `gpu_layers`: see `GgufModel`.

        Loads the file. Raises `XlitError` when it can't be, when it is no model that continues a text, or
        when it has no chat template; `UsageError` for a number that makes no sense here.
        """
        if batch_size < 1 or (threads is not None and threads < 1) or (gpu_layers or 0) < 0:
            raise UsageError("Batch size and threads must be at least 1, layers on a GPU at least 0.")
        head = read_head(path)
        self.decoding, self.batch_size = decoding, batch_size
        self._decoder: Decoder | None = None  # what the last stream has left for the next one
        self._model = GgufModel(path, gpu_layers=gpu_layers)
        if not self._model.writes_text():
            self.close()
            raise XlitError(f"{path} is an encoder or an embedding model, which can't write an answer.")
        if not head.chat_template:
            self.close()
            raise XlitError(f"{path} has no chat template, so no prompt can be written for it.")
        self.prompt = compile_template(head.chat_template, head.special_tokens)
        self.context_length = self._model.context_length
        self._head = head
        self._stop = frozenset(self._model.end_tokens() if head.stop_tokens is None else head.stop_tokens)
        self._threads = threads or library.default_threads()

    def encode(self, prompt: str) -> list[int]:
        """The token ids of a prompt; the template has written the special tokens already."""
        if self._head.normalization:
            prompt = unicodedata.normalize(self._head.normalization, prompt)  # type: ignore[arg-type]
        return self._model.tokenize(prompt)

    def count_tokens(self, chat: Chat) -> int:
        return len(self.encode(self.prompt(chat)))

    def stream(self, requests: Iterable[tuple[Key, Request]]) -> Iterator[tuple[Key, Generation | Failed]]:
        """See `TextEngine`. `Failed` is a request whose prompt can't be written or is too long."""
        rest, more = iter(requests), True
        decoder, self._decoder = self._decoder or self._new_decoder(), None
        since = time.monotonic()
        try:
            while more or decoder.requests:
                while more and decoder.has_room:
                    if (item := next(rest, None)) is None:
                        more = False
                    elif isinstance(row := self._begin(*item), Failed):
                        yield item[0], row
                    else:
                        decoder.add(row)
                if not decoder.requests:
                    return
                rows = decoder.step(more=more)
                now = time.monotonic()
                for row in rows:
                    row.seconds += (now - since) / len(rows)
                since = now
                for row in rows:
                    if row.ended(self._stop):
                        yield row.key, self._generation(row)
                        since = time.monotonic()
        finally:
            decoder.abandon()
            if self._decoder is None:
                self._decoder = decoder
            else:
                decoder.close()

    def close(self) -> None:
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None
        self._model.close()

    def _new_decoder(self) -> Decoder:
        return Decoder(
            self._model,
            self.decoding,
            self._stop,
            most=min(self.batch_size, int(llama_cpp_library().llama_max_parallel_sequences())),
            exact=self._head.number_format == "f32",
            threads=self._threads,
        )

    def _begin(self, key: object, request: Request) -> SequenceState | Failed:
        try:
            prompt = self.prompt(request.chat)
            ids = self.encode(prompt)
        except XlitError as error:
            return Failed(str(error))
        if not 0 < len(ids) < self.context_length:
            return Failed(f"A prompt of {len(ids)} tokens; the context holds {self.context_length}.")
        limit = min(self.decoding.max_new_tokens, self.context_length - len(ids))
        return SequenceState(key, ids, limit, request.seed, text_digest(prompt))

    def _generation(self, row: SequenceState) -> Generation:
        answer = row.answer
        raw = self._model.text(answer)
        if self._head.drops_first_space:
            raw = raw.removeprefix(b" ")
        return Generation(
            text=readable(raw),
            finish_reason="stop" if answer[-1] in self._stop else "length",
            tokens_in=row.prompt_length,
            tokens_out=len(answer),
            seconds=row.seconds,
            prompt_digest=row.prompt_digest,
        )
