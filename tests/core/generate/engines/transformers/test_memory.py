"""Memory: no more rows than it holds, and what happens when it does not hold them all the same."""

import pytest
import torch

from core.generate.checkpoint import inspect_checkpoint
from core.generate.decoding import Decoding
from core.generate.engines.base import Failed, Request, answer_all
from core.generate.engines.transformers import engine as engine_module
from core.generate.engines.transformers.batch import BatchRow, Room, is_out_of_memory, token_budget
from core.generate.engines.transformers.engine import TransformersEngine

IMPOSSIBLE = 2**48


def texts(answers) -> list[str]:
    return [answer.text for answer in answers]


@pytest.fixture(params=["continuous", "padded"])
def tight(request, checkpoint):
    """An engine whose passes over more than so many tokens fail as the CPU's allocator fails."""

    def make(most_tokens: int, decoding: Decoding) -> TransformersEngine:
        engine = TransformersEngine(inspect_checkpoint(checkpoint), decoding, batch_size=8)
        engine.batching = request.param

        def allocate(module, args, kwargs):
            rows, new = kwargs["input_ids"].shape
            engine.widest = max(engine.widest, rows)
            if rows * (kwargs["cache"].get_seq_length() + new) > most_tokens:
                torch.empty(IMPOSSIBLE)

        engine.widest = 0
        engine.model.register_forward_pre_hook(allocate, with_kwargs=True)
        return engine

    return make


@pytest.mark.parametrize("temperature", [0.0, 1.2])
def test_out_of_memory_fewer_are_answered_together_and_the_answers_stay(
    tight, checkpoint, chats, temperature
):
    decoding = Decoding(max_new_tokens=25, temperature=temperature)
    chats = [chat for chat in chats if len(chat[0]["content"]) < 60]
    expected = texts(answer_all(TransformersEngine(inspect_checkpoint(checkpoint), decoding), chats))
    engine = tight(100, decoding)
    assert texts(answer_all(engine, chats)) == expected
    assert engine.widest == 8


def test_what_does_not_fit_alone_fails_and_the_others_go_on(tight, checkpoint, chats):
    decoding = Decoding(max_new_tokens=12)
    long = [{"role": "user", "content": "ах " * 30}]
    engine = tight(60, decoding)
    answers = dict(
        engine.stream((n, Request(chat)) for n, chat in enumerate([*chats[:4], long, *chats[4:6]]))
    )
    failed = answers.pop(4)
    assert isinstance(failed, Failed)
    assert failed.reason.startswith("out of memory")
    expected = answer_all(TransformersEngine(inspect_checkpoint(checkpoint), decoding), chats[:6])
    assert texts(answers[n] for n in sorted(answers)) == texts(expected)


def test_other_errors_are_not_taken_for_it(tight, chats):
    engine = tight(10**6, Decoding(max_new_tokens=5))

    def broken(*_):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    engine.model.register_forward_pre_hook(broken)
    with pytest.raises(RuntimeError, match="mat1"):
        answer_all(engine, chats[:2])


def test_the_allocators_errors_are_known():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(IMPOSSIBLE)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert not is_out_of_memory(RuntimeError("shape mismatch"))


def test_no_more_rows_than_the_budget_of_tokens_holds(checkpoint, chats, monkeypatch):
    decoding = Decoding(max_new_tokens=20)
    engine = TransformersEngine(inspect_checkpoint(checkpoint), decoding, batch_size=8)
    expected = texts(answer_all(engine, chats))
    widest = 0

    def look(module, args, kwargs):
        nonlocal widest
        widest = max(widest, kwargs["input_ids"].shape[0])

    engine.model.register_forward_pre_hook(look, with_kwargs=True)
    monkeypatch.setattr(engine_module, "token_budget", lambda *_: 150)
    assert texts(answer_all(engine, chats)) == expected
    assert 1 < widest <= 150 // 20


def test_the_budget_comes_from_free_memory_and_the_size_of_a_token():
    cpu = torch.device("cpu")
    assert token_budget(cpu, 1000) == pytest.approx(10 * token_budget(cpu, 10_000), rel=0.5)


def test_room_for_one_there_always_is():
    rows = [BatchRow(n, [1] * 50, 50) for n in range(4)]
    room = Room(8, 250)
    assert [room.holds(rows[:n]) for n in (1, 2, 3)] == [True, True, False]
    room.halve(rows[:2])
    assert [room.holds(rows[:n]) for n in (1, 2)] == [True, False]
    room.halve(rows[:1])
    assert room.holds(rows[:1])
