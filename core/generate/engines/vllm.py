"""Answers from a checkpoint folder through vLLM, in this process."""

import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

from core.errors import reason_of
from core.generate.checkpoint import Checkpoint
from core.generate.decoding import Decoding
from core.generate.engines.base import Chat, Failed, Generation, Key, Request, readable
from core.generate.engines.transformers.batch import BatchRow, share_time
from core.generate.engines.transformers.engine import DTYPES
from core.models.end_tokens import answer_end_tokens
from core.models.loading import check_ids, check_template, check_tokenizer, load_tokenizer
from store import UsageError, XlitError
from store.queries.responses import text_digest

NAME = "vllm"
LIBRARIES = ("vllm", "torch", "transformers", "tokenizers")

# What vLLM writes to the terminal, and what it tells its makers, unless the user's environment asks for it.
_QUIET = {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1"}


def number_format(dtype: str | None = None) -> str:
    """The format that weights are computed in: `dtype`, or `bf16`.

    Raises `UsageError` for a format other than `f32`, `bf16`, `f16`.
    """
    if dtype is not None and dtype not in DTYPES:
        raise UsageError(f"No number format {dtype!r}. There are: {', '.join(DTYPES)}.")
    return dtype or "bf16"


class VllmEngine:
    """A model in vLLM. Prompt, token ids, penalty and end tokens are those of the transformers engine on the
    same checkpoint; kernels and their rounding are vLLM's, and so is how a token is drawn when sampling (from
    the request's own seed, so that it does not depend on what else is answered).
    """

    def __init__(
        self, checkpoint: Checkpoint, decoding: Decoding, *, batch_size: int = 32, dtype: str | None = None
    ) -> None:
        """`batch_size`: the most requests that are answered at a time; `dtype`: see `number_format`.

        Raises `XlitError` when vLLM is not installed or can't load the checkpoint, when that has no chat
        template, or when its tokenizer is of another model.
        """
        vllm = _library()
        self.decoding, self.batch_size = decoding, batch_size
        self.tokenizer = load_tokenizer(checkpoint)
        check_template(checkpoint.path, self.tokenizer)
        self._vocabulary, self._stop = _vocabulary_and_end_tokens(checkpoint, self.tokenizer)
        check_tokenizer(checkpoint.path, self.tokenizer, self._vocabulary)
        folder = str(checkpoint.path)
        try:
            # generation_config="vllm": whatever the checkpoint's own asks for is not part of our decoding.
            self._engine: Any = vllm.LLM(
                model=folder,
                dtype=DTYPES[number_format(dtype)],
                max_model_len=-1,  # the longest that memory holds, up to the model's own
                max_num_seqs=batch_size,
                generation_config="vllm",
                skip_tokenizer_init=True,
                trust_remote_code=False,
                disable_log_stats=True,
                use_tqdm_on_load=False,
                gpu_memory_utilization=_memory_share(),
            ).llm_engine
        except Exception as error:  # vLLM raises anything, from ValueError to what its own process died of
            raise XlitError(f"vLLM can't load {folder}: {reason_of(error)}.") from error
        self.context_length = int(self._engine.model_config.max_model_len)

    def prompt(self, chat: Chat) -> str:
        """The chat as the tokenizer's template writes it, ready for the answer."""
        try:
            return str(self.tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))
        except Exception as error:  # a template is a program of its author; it may raise what it likes
            raise XlitError(f"The chat template can't write this prompt: {error}") from error

    def encode(self, prompt: str) -> list[int]:
        """The token ids of a prompt; the template has written the special tokens already."""
        return list(self.tokenizer(prompt, add_special_tokens=False)["input_ids"])

    def count_tokens(self, chat: Chat) -> int:
        return len(self.encode(self.prompt(chat)))

    def stream(self, requests: Iterable[tuple[Key, Request]]) -> Iterator[tuple[Key, Generation | Failed]]:
        """See `TextEngine`. `Failed` is a request whose prompt can't be written, or that vLLM refuses."""
        waiting = iter(requests)
        rows: dict[str, BatchRow] = {}
        number = 0
        try:
            while True:
                while len(rows) < self.batch_size and (taken := next(waiting, None)) is not None:
                    key, request = taken
                    number += 1
                    try:
                        rows[str(number)] = self._begin(str(number), key, request)
                    except XlitError as error:
                        yield key, Failed(str(error))
                if not rows:
                    return
                for name in self._step(rows):
                    row = rows.pop(name)
                    yield row.key, self._generation(row)
        finally:
            if rows:
                self._engine.abort_request(list(rows))

    def _begin(self, name: str, key: Any, request: Request) -> BatchRow:
        """Hand a request over. Raises `XlitError` when it can't be answered."""
        from vllm import SamplingParams

        prompt, decoding = self.prompt(request.chat), self.decoding
        ids = self.encode(prompt)
        if not 0 < len(ids) < self.context_length:
            raise XlitError(f"A prompt of {len(ids)} tokens; the context holds {self.context_length}.")
        check_ids(ids, self._vocabulary, "the prompt")
        limit = min(decoding.max_new_tokens, self.context_length - len(ids))
        parameters = SamplingParams(
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            top_k=decoding.top_k,
            repetition_penalty=decoding.repetition_penalty,
            max_tokens=limit,
            seed=request.seed,
            stop_token_ids=self._stop,
            ignore_eos=True,  # the end token is among ours already, where there is one
            detokenize=False,
        )
        try:
            self._engine.add_request(name, {"prompt_token_ids": ids}, parameters)
        except ValueError as error:
            raise XlitError(f"vLLM refuses this request: {reason_of(error)}.") from error
        return BatchRow(key, ids, limit, request.seed, text_digest(prompt))

    def _step(self, rows: dict[str, BatchRow]) -> list[str]:
        """Let the engine work on what it has. Returns the names of the rows that have ended, with answers."""
        start = time.monotonic()
        try:
            outputs = self._engine.step()
        except Exception as error:  # its process has died, or the GPU has failed
            rows.clear()
            raise XlitError(f"vLLM has stopped: {reason_of(error)}.") from error
        share_time(time.monotonic() - start, list(rows.values()))
        ended = [output for output in outputs if output.finished]
        for output in ended:
            rows[output.request_id].answer = list(output.outputs[0].token_ids)
        return [output.request_id for output in ended]

    def _generation(self, row: BatchRow) -> Generation | Failed:
        if not row.answer:
            return Failed("vLLM gave no answer.")
        text = self.tokenizer.decode(row.answer, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return Generation(
            text=readable(text),
            finish_reason="stop" if row.answer[-1] in self._stop else "length",
            tokens_in=len(row.prompt),
            tokens_out=len(row.answer),
            seconds=row.seconds,
            prompt_digest=row.prompt_digest,
        )

    def close(self) -> None:
        """See `TextEngine`: the model's memory is that of a process of vLLM's own, which ends here."""
        self._engine.engine_core.shutdown()
        del self._engine


def _library() -> Any:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import vllm
    except ModuleNotFoundError as error:
        if error.name != "vllm":
            raise XlitError(f"vLLM is installed but does not work: {error.name} is missing.") from error
        raise XlitError(
            "Generating with vLLM needs the package vllm: pip install vllm (it brings its own torch; a "
            "separate environment is best)."
        ) from None
    except Exception as error:  # most of all a build for other drivers or another torch
        raise XlitError(f"vLLM is installed but does not work: {reason_of(error)}.") from error
    return vllm


def _memory_share() -> float:
    """The share of the device's memory that vLLM takes at once: its own default on a GPU. Without one it is a
    share of the machine's, and vLLM does not start where so much is not free."""
    from vllm.platforms import current_platform

    return 0.4 if current_platform.is_cpu() else 0.9


def _vocabulary_and_end_tokens(checkpoint: Checkpoint, tokenizer: Any) -> tuple[int, list[int]]:
    """The number of embeddings, and the ids that end an answer."""
    import transformers

    folder = str(checkpoint.path)
    try:
        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False)
        if (checkpoint.path / "generation_config.json").is_file():
            generation = transformers.GenerationConfig.from_pretrained(folder)
        else:
            generation = transformers.GenerationConfig.from_model_config(config)
    except Exception as error:
        raise XlitError(f"{folder} can't be loaded: {reason_of(error)}.") from error
    ends = answer_end_tokens(checkpoint, tokenizer, generation)
    return int(config.get_text_config().vocab_size), ends
