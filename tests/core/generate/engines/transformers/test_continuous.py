"""Continuous batches: who joins when, in which order answers come, and that it changes none."""

from itertools import count

import pytest

from core.generate.checkpoint import inspect_checkpoint
from core.generate.decoding import Decoding
from core.generate.engines.base import Failed, Request, answer_all
from core.generate.engines.transformers import batch, cache, padded
from core.generate.engines.transformers.batch import BatchRow
from core.generate.engines.transformers.engine import TransformersEngine


def content(answers) -> list[tuple]:
    """Everything of the answers but the time they took."""
    return [(a.text, a.finish_reason, a.tokens_in, a.tokens_out, a.prompt_digest) for a in answers]


def streamed(engine, chats, first_seed: int = 1) -> dict:
    return dict(engine.stream((n, Request(chat, first_seed + n)) for n, chat in enumerate(chats)))


def test_requests_are_taken_when_there_is_room_and_answers_come_as_they_end(checkpoint, chats):
    engine = TransformersEngine(
        inspect_checkpoint(checkpoint), Decoding(max_new_tokens=60, repetition_penalty=1.0), batch_size=3
    )
    taken, order = 0, []

    def requests():
        nonlocal taken
        for n, chat in enumerate(chats):
            taken += 1
            yield n, Request(chat)

    for key, _ in engine.stream(requests()):
        order.append(key)
        assert taken <= len(order) + 3
    assert sorted(order) == list(range(len(chats)))
    assert order != sorted(order)


@pytest.mark.parametrize("name", ["Llama", "Mistral", "Bloom"])
def test_moving_the_cells_and_reading_prompts_in_parts_changes_no_answer(
    architecture, mixed_chats, monkeypatch, name
):
    engine = TransformersEngine(
        inspect_checkpoint(architecture(name)),
        Decoding(max_new_tokens=30, repetition_penalty=1.1),
        batch_size=4,
    )
    engine.stop = list(range(0, 400, 9))
    expected = content(answer_all(engine, mixed_chats))
    monkeypatch.setattr(cache, "SPARE_COLUMNS", 1)
    monkeypatch.setattr(batch, "PREFILL_TOKENS", 7)
    assert content(answer_all(engine, mixed_chats)) == expected


def test_prompts_of_alike_length_are_read_together(architecture, monkeypatch):
    engine = TransformersEngine(inspect_checkpoint(architecture("Llama")), Decoding(max_new_tokens=1))
    read = []

    def look(module, args, kwargs):
        read.append(tuple(kwargs["input_ids"].shape))

    engine.model.register_forward_pre_hook(look, with_kwargs=True)
    monkeypatch.setattr(batch, "BUSY_TOKENS", 60)
    monkeypatch.setattr(batch, "PREFILL_TOKENS", 200)
    rows = [BatchRow(n, [5] * length, 1) for n, length in enumerate([4, 31, 31, 29, 3, 21, 10, 4, 151])]
    batch.Batch(engine.model, engine.decoding).admit(rows)
    assert read == [(1, 150), (3, 30), (3, 20), (2, 3)]


@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_when_others_join_changes_no_answer(checkpoint, chats, monkeypatch, share):
    engine = TransformersEngine(inspect_checkpoint(checkpoint), Decoding(max_new_tokens=30), batch_size=5)
    expected = content(answer_all(engine, chats))
    monkeypatch.setattr(batch, "REFILL_SHARE", share)
    assert content(answer_all(engine, chats)) == expected


def test_a_drawn_answer_depends_on_its_seed_alone(architecture, mixed_chats):
    decoding = Decoding(max_new_tokens=20, repetition_penalty=1.1, temperature=0.9, top_p=0.95, top_k=50)
    engine = TransformersEngine(inspect_checkpoint(architecture("Llama")), decoding, batch_size=5)
    together = streamed(engine, mixed_chats)
    alone = [streamed(engine, [chat], 1 + n)[0] for n, chat in enumerate(mixed_chats)]
    assert content([together[n] for n in range(len(alone))]) == content(alone)
    others = streamed(engine, mixed_chats, 100)
    assert {answer.text for answer in others.values()} != {answer.text for answer in alone}


def test_both_ways_of_batching_draw_the_same(architecture, mixed_chats):
    decoding = Decoding(max_new_tokens=20, repetition_penalty=1.1, temperature=0.9, top_p=0.95)
    engine = TransformersEngine(inspect_checkpoint(architecture("Llama")), decoding, batch_size=5)
    expected = streamed(engine, mixed_chats)
    engine.batching = "padded"
    found = streamed(engine, mixed_chats)
    assert content([found[n] for n in expected]) == content(expected.values())


def test_requests_that_cannot_be_put_to_the_model_fail_alone(checkpoint, chats):
    engine = TransformersEngine(inspect_checkpoint(checkpoint), Decoding(max_new_tokens=10))
    bad = [[{"role": "user", "content": "five, " * 200}], [*chats[0], None]]
    answers = streamed(engine, [bad[0], chats[0], bad[1]])
    assert "the context holds 128" in answers[0].reason
    assert "chat template" in answers[2].reason
    assert content([answers[1]]) == content(answer_all(engine, chats[:1]))
    assert all(isinstance(answer, Failed) for answer in streamed(engine, bad).values())


@pytest.mark.parametrize("batching", ["continuous", "padded"])
def test_the_seconds_of_the_answers_are_those_of_the_loop(checkpoint, chats, monkeypatch, batching):
    engine = TransformersEngine(inspect_checkpoint(checkpoint), Decoding(max_new_tokens=10), batch_size=4)
    engine.batching = batching
    clock = count()
    for loop in (batch, padded):
        monkeypatch.setattr(loop.time, "monotonic", lambda: float(next(clock)))
    answers = streamed(engine, chats)
    # Each turn of the loop looks twice at the clock, the last, which finds nothing to do, once.
    assert sum(answer.seconds for answer in answers.values()) == pytest.approx((next(clock) - 1) / 2)
