"""Answers from a checkpoint folder through transformers, batched continuously, on a GPU when there is one.

Which way of batching a model can be trusted with is tried out on it when it is loaded.
"""

import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal

from core.extras import needs_extra
from core.generate.checkpoint import Checkpoint
from core.generate.decoding import Decoding
from core.generate.engines.base import Chat, Failed, Generation, Key, Request, readable
from core.generate.engines.transformers.batch import Batch, BatchRow, Room, answer_continuously, token_budget
from core.generate.engines.transformers.loading import Adapters
from core.generate.engines.transformers.padded import answer_padded, left_padded
from core.models.end_tokens import answer_end_tokens
from core.models.loading import check_ids, check_template, check_tokenizer, load_tokenizer
from store import UsageError, XlitError
from store.queries.responses import text_digest

if TYPE_CHECKING:
    import torch

TOLERANCE = {"torch.float32": 1e-3, "torch.float16": 2e-2, "torch.bfloat16": 1e-1}
"""How far logits may be from those of a row alone: root mean square, in standard deviations of the latter."""

GREEDY = Decoding(repetition_penalty=1.0)


def cache_bytes_per_token(model: Any) -> int | None:
    """What a token takes in the slot cache, if the model can do with it: None where it raises, or where its
    logits in a batch that rows join and leave are not those of each row alone without a cache."""
    batch = Batch(model, GREEDY)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about arguments that a model does not know
            same = _comes_and_goes(batch, model)
    except Exception:  # whatever a model raises that was not made for this
        return None
    return batch.slots.bytes_per_token() if same else None


def _comes_and_goes(batch: Batch, model: Any) -> bool:
    """Let rows join and leave; whether the logits were right all the time."""
    first, second, third = (BatchRow(None, prompt, 8) for prompt in _prompts(model))
    batch.admit([first, second])
    if not _steps(batch, model):
        return False
    batch.admit([third])
    if not _steps(batch, model):
        return False
    batch.drop([batch.rows[0]])
    return _steps(batch, model)


def _steps(batch: Batch, model: Any) -> bool:
    """Let a batch make two steps; whether its logits are right in both."""
    for _ in range(2):
        logits = batch.logits()
        if not _alike(logits, [_alone(model, row.ids) for row in batch.rows], model):
            return False
        tokens = batch.choose(logits)
        batch.feed(tokens)
        for row, token in zip(batch.rows, tokens.tolist(), strict=True):
            row.add(token, ())
    return True


def _alone(model: Any, ids: list[int]) -> "torch.Tensor":
    """The logits (vocabulary,) after some ids, from one pass without a cache."""
    import torch

    with torch.inference_mode():
        batch_of_one = torch.tensor([ids], device=model.device)
        return model(input_ids=batch_of_one, use_cache=False).logits[0, -1].float()


def can_be_padded(model: Any) -> bool:
    """Whether the logits in a padded batch of `generate` are those of each row alone without a cache."""
    import torch
    from transformers import GenerationConfig

    prompts = _prompts(model)
    ids, mask = left_padded(prompts, 0)
    config = GenerationConfig(
        max_new_tokens=3, output_logits=True, return_dict_in_generate=True, pad_token_id=0
    )
    with torch.inference_mode():
        out = model.generate(
            input_ids=ids.to(model.device), attention_mask=mask.to(model.device), generation_config=config
        )
    answers = out.sequences[:, ids.shape[1] :].tolist()
    return all(
        _alike(
            out.logits[step].float(),
            [
                _alone(model, [*prompt, *answer[:step]])
                for prompt, answer in zip(prompts, answers, strict=True)
            ],
            model,
        )
        for step in range(len(out.logits))
    )


def _alike(logits: "torch.Tensor", expected: "list[torch.Tensor]", model: Any) -> bool:
    import torch

    reference = torch.stack(expected)
    distance = (logits - reference).square().mean(-1).sqrt() / reference.std(-1)
    return bool((distance < TOLERANCE[str(model.dtype)]).all())


def _prompts(model: Any) -> list[list[int]]:
    """Three prompts of different lengths, of ids from all over the vocabulary."""
    vocabulary = int(model.get_input_embeddings().weight.shape[0])
    return [[(index * 7919 + length) % vocabulary for index in range(length)] for length in (4, 9, 6)]


NAME = "transformers"
LIBRARIES = ("torch", "transformers", "tokenizers", "peft", "safetensors")
DTYPES = {"f32": "float32", "bf16": "bfloat16", "f16": "float16"}


def number_format(dtype: str | None = None) -> str:
    """The format that weights are computed in: `dtype`, or `bf16` on a GPU and `f32` without one.

    Raises `UsageError` for a format other than `f32`, `bf16`, `f16`.
    """
    with needs_extra("local", "Generating with transformers"):
        import torch
    if dtype is not None and dtype not in DTYPES:
        raise UsageError(f"No number format {dtype!r}. There are: {', '.join(DTYPES)}.")
    return dtype or ("bf16" if torch.cuda.is_available() else "f32")


class TransformersEngine:
    """A model and its tokenizer, answering as many requests at a time as memory holds.

    A model is tried out when it is loaded: where it gives the same logits in a batch that requests join and
    leave as for each alone, batches are continuous; where it does not (state space models, caches of their
    own), they are padded and go through `model.generate`; where padding changes the logits too, requests are
    answered one by one. `batching` says which.

    In float32 an answer is the same in every batch. In bfloat16 and float16 sums in another order are rounded
    otherwise, which may now and then tip a choice between two tokens that are about as likely.
    """

    batching: Literal["continuous", "padded", "single"]

    def __init__(
        self, checkpoint: Checkpoint, decoding: Decoding, *, batch_size: int = 32, dtype: str | None = None
    ) -> None:
        """`batch_size`: the most requests that are answered at a time; `dtype`: see `number_format`.

        Loads the checkpoint, of an adapter its base too. Raises `XlitError` when it can't be, when it has no
        chat template, or when its tokenizer is of another model.
        """
        precision = number_format(dtype)
        import torch

        self.decoding, self.batch_size = decoding, batch_size
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._adapters = Adapters(checkpoint, getattr(torch, DTYPES[precision]), device)
        base = self._adapters.base
        # Whatever else the checkpoint's own generation config asks for is not part of our decoding.
        base.generation_config = type(base.generation_config)(
            eos_token_id=base.generation_config.eos_token_id
        )
        self.adapt(checkpoint)

    def adapt(self, checkpoint: Checkpoint) -> None:
        """Answer with another adapter of the base that is loaded, or with the base itself, from now on; not
        while answers are still to come.

        Tokenizer, chat template and end tokens are those of its folder, as if it had been loaded alone.
        Raises as the constructor, and `UsageError` for a checkpoint on another base.
        """
        tokenizer = load_tokenizer(checkpoint)
        base = self._adapters.base
        check_template(checkpoint.path, tokenizer)
        stop = answer_end_tokens(checkpoint, tokenizer, base.generation_config)
        self._vocabulary = self._adapters.rows
        check_tokenizer(checkpoint.path, tokenizer, self._vocabulary)
        self.model: Any = self._adapters.switch(checkpoint)
        self.tokenizer, self.stop = tokenizer, stop
        longest = getattr(base.config.get_text_config(), "max_position_embeddings", None)
        self.context_length = int(longest or 2**31)
        self._bytes_per_token = cache_bytes_per_token(self.model)
        if self._bytes_per_token:
            self.batching = "continuous"
        else:
            self.batching = "padded" if can_be_padded(self.model) else "single"

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
        """See `TextEngine`. `Failed` is a request whose prompt can't be written or is not one for this model,
        and one that memory does not hold even alone."""
        unfit: deque[tuple[Key, Failed]] = deque()
        rows = self._rows(requests, unfit)
        if self.batching == "continuous":
            room = Room(self.batch_size, token_budget(self.model.device, self._bytes_per_token))
            ended = answer_continuously(self.model, rows, self.decoding, self.stop, room)
        else:
            batch_size = self.batch_size if self.batching == "padded" else 1
            ended = answer_padded(self.model, rows, self.decoding, self.stop, batch_size)
        for row in ended:
            while unfit:
                yield unfit.popleft()
            yield row.key, self._outcome(row)
        yield from unfit

    def _rows(
        self, requests: Iterable[tuple[Key, Request]], unfit: deque[tuple[Key, Failed]]
    ) -> Iterator[BatchRow]:
        """The requests as rows; those that can't be put to the model go to `unfit` instead."""
        for key, request in requests:
            try:
                prompt = self.prompt(request.chat)
                ids = self.encode(prompt)
                self._check(ids)
            except XlitError as error:
                unfit.append((key, Failed(str(error))))
                continue
            limit = min(self.decoding.max_new_tokens, self.context_length - len(ids))
            yield BatchRow(key, ids, limit, request.seed, text_digest(prompt))

    def _check(self, ids: list[int]) -> None:
        if not 0 < len(ids) < self.context_length:
            raise XlitError(f"A prompt of {len(ids)} tokens; the context holds {self.context_length}.")
        check_ids(ids, self._vocabulary, "the prompt")

    def _outcome(self, row: BatchRow) -> Generation | Failed:
        if row.failed is not None:
            return Failed(row.failed)
        return Generation(
            text=readable(
                self.tokenizer.decode(
                    row.answer, skip_special_tokens=True, clean_up_tokenization_spaces=False
                )
            ),
            finish_reason="stop" if row.answer[-1] in self.stop else "length",
            tokens_in=len(row.prompt),
            tokens_out=len(row.answer),
            seconds=row.seconds,
            prompt_digest=row.prompt_digest,
        )

    def close(self) -> None:
        import torch

        self.model = None
        del self._adapters
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
