"""Answers from a GGUF file through llama.cpp, one sequence at a time."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from core.generate.decoding import Decoding
from core.generate.engine import Chat, Failed, Generation, Key, Request, readable
from core.generate.gguf.file import read_head
from core.generate.llama_cpp_engine.api import Context, GgufModel
from core.generate.llama_cpp_engine.chat_template import compile_template
from store import XlitError
from store.queries.responses import text_digest

NAME = "llama.cpp"
LIBRARIES = ("llama-cpp-python", "gguf")
CONTEXT_STEP = 256


def number_format(path: Path) -> str:
    """The number format of a GGUF file's weights: `f32`, `f16`, `q8_0`, `q4_k_m` ..."""
    return read_head(path).number_format


class LlamaCppEngine:
    """A GGUF model. The prompt, its token ids, the penalty and the end tokens are those of the transformers
    engine on the checkpoint that the file was made from; only the arithmetic differs."""

    def __init__(self, path: Path, decoding: Decoding, *, batch_size: int = 32) -> None:
        """`batch_size`: requests answered at a time.

        Loads the file. Raises `XlitError` when it can't be, or when it has no chat template.
        """
        head = read_head(path)
        if not head.chat_template:
            raise XlitError(f"{path} has no chat template, so no prompt can be written for it.")
        self.decoding, self.batch_size = decoding, batch_size
        self.prompt = compile_template(head.chat_template, head.special_tokens)
        self._exact = head.number_format == "f32"
        self._model = GgufModel(path)
        self._stop = frozenset(self._model.end_tokens() if head.stop_tokens is None else head.stop_tokens)
        self.context_length = self._model.context_length
        self._context: Context | None = None

    def encode(self, prompt: str) -> list[int]:
        """The token ids of a prompt; the template has written the special tokens already."""
        return self._model.tokenize(prompt)

    def count_tokens(self, chat: Chat) -> int:
        return len(self.encode(self.prompt(chat)))

    def stream(self, requests: Iterable[tuple[Key, Request]]) -> Iterator[tuple[Key, Generation | Failed]]:
        for key, request in requests:
            yield key, self._generate_one(request.chat)

    def _generate_one(self, chat: Chat) -> Generation:
        start = time.monotonic()
        prompt = self.prompt(chat)
        before = self.encode(prompt)
        ids = self._decode(before)
        return Generation(
            text=readable(b"".join(self._model.piece(token) for token in ids)),
            finish_reason="stop" if ids and ids[-1] in self._stop else "length",
            tokens_in=len(before),
            tokens_out=len(ids),
            seconds=time.monotonic() - start,
            prompt_digest=text_digest(prompt),
        )

    def _decode(self, prompt: list[int]) -> list[int]:
        """The new ids, up to and with the first stop token, or to the limit."""
        import numpy as np

        limit = min(self.decoding.max_new_tokens, self.context_length - len(prompt))
        context = self._room(len(prompt) + limit)
        context.clear()
        penalty = np.float32(self.decoding.repetition_penalty)
        seen = np.unique(np.asarray(prompt, dtype=np.int64))
        new: list[int] = []
        logits = context.feed(prompt)
        while True:
            said = logits[seen]
            logits[seen] = np.where(said > 0, said / penalty, said * penalty)
            token = int(logits.argmax())
            new.append(token)
            if token in self._stop or len(new) == limit:
                return new
            if token not in seen:
                seen = np.append(seen, token)
            logits = context.feed([token])

    def _room(self, tokens: int) -> Context:
        """A context for this many tokens; made anew only when a longer one is needed."""
        if self._context is None or self._context.length < tokens:
            if self._context is not None:
                self._context.close()
            length = -(-tokens // CONTEXT_STEP) * CONTEXT_STEP
            self._context = Context(self._model, length, exact=self._exact)
        return self._context

    def close(self) -> None:
        if self._context is not None:
            self._context.close()
            self._context = None
        self._model.close()
