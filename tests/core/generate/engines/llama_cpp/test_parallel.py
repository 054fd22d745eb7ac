"""Sequences decoded in parallel: the same answers as alone, taken and given as there is room."""

import time
from pathlib import Path

import pytest

from core.generate.checkpoint import inspect_checkpoint
from core.generate.decoding import Decoding
from core.generate.engines.base import Failed, Request
from core.generate.engines.llama_cpp import context, decoder
from core.generate.engines.llama_cpp.context import Context, NoRoom
from core.generate.engines.transformers.engine import TransformersEngine
from store import XlitError

SAMPLING = Decoding(max_new_tokens=30, repetition_penalty=1.1, temperature=0.9, top_p=0.95)
WORDS = "one two three four five "


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def answers(engine, chats) -> list[tuple]:
    """Everything of the answers but the time they took, in the order of the chats; each has its own seed."""
    found = dict(engine.stream((place, Request(chat, seed=place)) for place, chat in enumerate(chats)))
    content = [found[place] for place in range(len(chats))]
    return [(a.text, a.finish_reason, a.tokens_in, a.tokens_out, a.prompt_digest) for a in content]


@pytest.fixture
def spy(monkeypatch):
    """The sequences and the numbers of tokens of every call of llama.cpp."""
    calls: list[list[tuple[int, int]]] = []

    class Watched(Context):
        def feed(self, parts):
            calls.append([(part.sequence, len(part.tokens)) for part in parts])
            return super().feed(parts)

    monkeypatch.setattr(decoder, "Context", Watched)
    return calls


@pytest.mark.parametrize(
    "decoding",
    [
        Decoding(max_new_tokens=30, repetition_penalty=1.0),
        Decoding(max_new_tokens=30, repetition_penalty=1.3),
        SAMPLING,
    ],
)
def test_answers_are_those_of_transformers_together_and_alone(
    checkpoint: Path, gguf_file: Path, chats, open_engine, decoding: Decoding
):
    expected = answers(TransformersEngine(inspect_checkpoint(checkpoint), decoding), chats)
    for batch_size in (1, 5, 32):
        assert answers(open_engine(gguf_file, decoding, batch_size=batch_size), chats) == expected


def test_requests_are_taken_when_there_is_room_and_answers_given_when_they_are_there(
    gguf_file: Path, chats, open_engine
):
    engine = open_engine(gguf_file, Decoding(max_new_tokens=30), batch_size=3)
    taken, given, lengths = [], [], []

    def requests():
        for place, chat in enumerate(chats):
            taken.append(place)
            yield place, Request(chat)

    for place, answer in engine.stream(requests()):
        given.append(place)
        lengths.append(answer.tokens_out)
        assert len(taken) - len(given) < 3
    assert sorted(given) == taken == list(range(len(chats)))
    assert given != taken  # a short answer does not wait for the longer one before it
    assert len(set(lengths)) > 1


def test_all_answers_go_on_together_and_keep_to_neighbouring_sequences(
    gguf_file: Path, chats, open_engine, spy
):
    answers(open_engine(gguf_file, Decoding(max_new_tokens=30), batch_size=len(chats)), chats)
    steps = [call for call in spy if call[0][1] == 1]
    assert len(steps) <= 30
    for step in steps:
        assert [sequence for sequence, _ in step] == list(range(len(step)))
    assert len(steps[0]) == len(chats) > len(steps[-1])


MIXED = [user(WORDS * times) for times in (1, 2, 60, 3, 4)]


def test_a_longer_prompt_gets_a_longer_context_and_nothing_is_lost(
    roomy_gguf: Path, open_engine, monkeypatch
):
    made = []

    class Recorded(Context):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            made.append((self.sequences, self.length))

    alone = [
        answers(open_engine(roomy_gguf, Decoding(max_new_tokens=40, repetition_penalty=1.1)), [chat])[0]
        for chat in MIXED
    ]
    monkeypatch.setattr(decoder, "Context", Recorded)
    assert (
        answers(
            open_engine(roomy_gguf, Decoding(max_new_tokens=40, repetition_penalty=1.1), batch_size=2), MIXED
        )
        == alone
    )
    assert made == [(2, 256), (2, 512)]
    assert min(answer[2] for answer in alone) < 256 < max(answer[2] for answer in alone)


def test_where_llama_cpp_finds_no_cells_fewer_go_on(roomy_gguf: Path, open_engine, monkeypatch, spy):
    class Short(decoder.Context):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            if self.length < 512:
                self.length = 512  # more than there are cells for

    alone = [
        answers(open_engine(roomy_gguf, Decoding(max_new_tokens=40, repetition_penalty=1.1)), [chat])[0]
        for chat in MIXED
    ]
    spy.clear()
    monkeypatch.setattr(decoder, "Context", Short)
    assert (
        answers(
            open_engine(roomy_gguf, Decoding(max_new_tokens=40, repetition_penalty=1.1), batch_size=2), MIXED
        )
        == alone
    )
    assert [len(call) for call in spy].count(2) > 0 == len(spy[-1]) - 1


@pytest.mark.parametrize("decoding", [Decoding(max_new_tokens=30, repetition_penalty=1.1), SAMPLING])
def test_a_step_without_room_is_tried_again_with_fewer_sequences(
    gguf_file: Path, chats, open_engine, monkeypatch, decoding: Decoding
):
    expected = answers(open_engine(gguf_file, decoding), chats)
    sizes = []

    class Crowded(Context):
        steps = 0

        def feed(self, parts):
            self.steps += 1
            if self.sequences > 3 and self.steps > 12:
                raise NoRoom("crowded")
            return super().feed(parts)

        def __init__(self, model, sequences, *rest, **options):
            sizes.append(sequences)
            super().__init__(model, sequences, *rest, **options)

    monkeypatch.setattr(decoder, "Context", Crowded)
    assert answers(open_engine(gguf_file, decoding, batch_size=12), chats) == expected
    assert sizes[:2] == [12, 6]
    assert sizes[2] <= 3 == len(sizes)


def test_keys_and_values_take_no_more_memory_than_there_is(
    gguf_file: Path, chats, open_engine, monkeypatch, spy
):
    expected = answers(open_engine(gguf_file, Decoding(max_new_tokens=30)), chats)
    spy.clear()
    two_layers_two_heads_of_16_in_float32 = 2 * 2 * 2 * 16 * 4
    monkeypatch.setattr(context, "_budget", lambda _: 4 * 256 * two_layers_two_heads_of_16_in_float32)
    assert answers(open_engine(gguf_file, Decoding(max_new_tokens=30)), chats) == expected
    assert max(map(len, spy)) == 3  # the half of the half of 13
    monkeypatch.setattr(context, "_budget", lambda _: 100)
    with pytest.raises(XlitError, match="Memory does not hold one answer"):
        answers(open_engine(gguf_file, Decoding(max_new_tokens=30)), chats)


def test_a_common_beginning_is_computed_once_and_changes_no_answer(roomy_gguf: Path, open_engine, spy):
    chats = [user(WORDS * 30 + "and then " + end) for end in ("six", "seven", "eight nine", "ten", "ten")]
    alone = [
        answers(open_engine(roomy_gguf, Decoding(max_new_tokens=20, repetition_penalty=1.1)), [chat])[0]
        for chat in chats[:4]
    ]
    spy.clear()
    together = answers(open_engine(roomy_gguf, Decoding(max_new_tokens=20, repetition_penalty=1.1)), chats)
    assert together == [*alone, alone[3]]
    computed = sum(count for call in spy for _, count in call if count > 1)
    assert computed < together[0][2] + 4 * 20


def test_a_prompt_that_was_answered_lends_its_beginning_to_the_next(roomy_gguf: Path, open_engine, spy):
    engine = open_engine(roomy_gguf, Decoding(max_new_tokens=10, repetition_penalty=1.1), batch_size=2)
    for end in ("six", "six", "seven"):
        answers(engine, [user(WORDS * 30 + end)])
    first, second, third = (call[0][1] for call in spy if call[0][1] > 1 or call is spy[10])
    assert first > 100
    assert second == 1
    assert third < 10


def test_samples_of_one_prompt_differ_by_their_seed_alone(roomy_gguf: Path, open_engine):
    chat = user(WORDS * 10)
    engine = open_engine(roomy_gguf, SAMPLING)
    drawn = answers(engine, [chat] * 6)
    assert len({answer[0] for answer in drawn}) == 6
    assert answers(open_engine(roomy_gguf, SAMPLING, batch_size=2), [chat] * 6) == drawn


def test_a_stream_that_is_left_or_beside_another_spoils_nothing(gguf_file: Path, chats, open_engine):
    engine = open_engine(gguf_file, Decoding(max_new_tokens=30), batch_size=4)
    expected = answers(engine, chats)
    left = engine.stream((place, Request(chat)) for place, chat in enumerate(chats))
    next(left)
    assert answers(engine, chats) == expected
    left.close()
    assert answers(engine, chats) == expected


def test_the_seconds_add_up_to_the_time_that_it_took(babbler_gguf: Path, open_engine):
    engine = open_engine(babbler_gguf, Decoding(max_new_tokens=60), batch_size=3)
    start = time.monotonic()
    found = list(engine.stream((place, Request(user(WORDS * place))) for place in range(7)))
    passed = time.monotonic() - start
    assert sum(answer.seconds for _, answer in found) == pytest.approx(passed, rel=0.1)
    assert all(answer.seconds > 0 for _, answer in found)


def test_a_prompt_that_can_not_be_answered_fails_alone(gguf_file: Path, open_engine):
    engine = open_engine(gguf_file, Decoding(max_new_tokens=5), batch_size=2)
    chats = {"good": user("Hi"), "long": user("no " * 200), "torn": user("Hi \ud83d"), "also": user("Ho")}
    found = dict(engine.stream((name, Request(chat)) for name, chat in chats.items()))
    assert set(found) == set(chats)
    assert isinstance(found["long"], Failed)
    assert "the context holds 128" in found["long"].reason
    assert isinstance(found["torn"], Failed)
    assert "surrogate" in found["torn"].reason
    assert found["good"].tokens_out
    assert found["also"].tokens_out
