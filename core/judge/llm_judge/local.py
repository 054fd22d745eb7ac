"""A model of one's own as the judge: a checkpoint or a GGUF file, through the engines that generate."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from core.generate.engines.base import Generation, TextEngine, answer_all
from core.judge.llm_judge.judge_client import MAX_TOKENS
from core.llm.answers import Reply, RequestFailed
from core.llm.prices import Budget
from core.llm.prompt_template import Prompt
from store import XlitError

AT_A_TIME = 16


class LocalJudge:
    """Asks an engine, greedily; questions that come together are answered in one batch.

    The model is loaded when the first question comes, and given back at the end.
    """

    def __init__(self, model: str, checkpoint: Path, *, at_a_time: int = AT_A_TIME) -> None:
        """`checkpoint`: a folder (transformers) or a GGUF file (llama.cpp). Errors as
        `core.generate.engines.registry.prepare`."""
        from core.generate.decoding import Decoding
        from core.generate.engines.registry import prepare
        from core.generate.settings import EngineOptions, ModelSource

        decoding = Decoding(max_new_tokens=MAX_TOKENS, repetition_penalty=1.0)
        prepared = prepare(ModelSource(model, str(checkpoint)), decoding, EngineOptions(batch_size=at_a_time))
        self.model, self.address, self.at_a_time = model, str(checkpoint), at_a_time
        self.libraries = prepared.libraries
        self.budget = Budget(None)
        self._open: Callable[[], TextEngine] = prepared.open
        self._engine: TextEngine | None = None
        self._waiting: list[tuple[Prompt, asyncio.Future[Reply]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._worker is not None:
            # A batch that runs in a thread can't be stopped: the engine is closed behind it.
            await asyncio.gather(self._worker, return_exceptions=True)
        if self._engine is not None:
            self._engine.close()

    async def ask(self, prompt: Prompt) -> Reply:
        """See `JudgeClient.ask`; raises `RequestFailed` for a prompt that the context can't hold."""
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((prompt, answer))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # lets those that are about to ask join this batch
            batch, self._waiting = self._waiting[: self.at_a_time], self._waiting[self.at_a_time :]
            try:
                outcomes = await asyncio.to_thread(self._answer, [prompt for prompt, _ in batch])
            except Exception as error:
                outcomes = [error] * len(batch)
            for (_, answer), outcome in zip(batch, outcomes, strict=True):
                if answer.done():  # the one who asked is gone
                    continue
                if isinstance(outcome, Reply):
                    self.budget.settle(0.0, outcome)
                    answer.set_result(outcome)
                else:
                    answer.set_exception(outcome)

    def _answer(self, prompts: list[Prompt]) -> list[Any]:
        """A reply or an error for each prompt."""
        if self._engine is None:
            self._engine = self._open()
        engine = self._engine
        chats = [[{"role": "user", "content": prompt.text}] for prompt in prompts]
        outcomes: list[Any] = []
        for chat in chats:
            length = engine.count_tokens(chat)
            fits = 0 < length < engine.context_length
            reason = f"a prompt of {length} tokens; the context holds {engine.context_length}"
            outcomes.append(None if fits else RequestFailed(reason))
        fitting = [position for position, outcome in enumerate(outcomes) if outcome is None]
        try:
            answers = answer_all(engine, [chats[position] for position in fitting])
        except XlitError:
            raise
        except Exception as error:  # whatever an engine raises
            first = (str(error).strip().splitlines() or [""])[0][:200]
            raise RequestFailed(f"{type(error).__name__}: {first}", busy=True) from None
        for position, answer in zip(fitting, answers, strict=True):
            outcomes[position] = _reply(answer)
        return outcomes


def _reply(answer: Generation) -> Reply:
    return Reply(answer.text, answer.finish_reason, tokens_in=answer.tokens_in, tokens_out=answer.tokens_out)
