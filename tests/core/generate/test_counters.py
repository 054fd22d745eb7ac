"""Counting answers per model and language, and showing the counts."""

import io

from core.generate import counters
from core.generate.counters import AnswerCounter, Throughput
from core.generate.display import show_progress, summary, summary_table
from core.generate.engines.base import Failed, Generation
from core.text.terminal import TerminalConsole


class Clock:
    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(counters.time, "monotonic", lambda: self.now)


def answer(text="Da.", finish_reason="stop", tokens_out=10):
    return Generation(text, finish_reason, 5, tokens_out, 0.1, "0" * 64)


def test_how_answers_ended_is_counted():
    counter = AnswerCounter("m", "ru", total=9, there=2)
    for outcome in (answer(), answer(finish_reason="length"), answer(" \n", tokens_out=1), Failed("no")):
        counter.add(outcome)
    counts = (
        counter.answered,
        counter.failed,
        counter.stop,
        counter.length,
        counter.empty,
        counter.tokens_out,
        counter.left,
    )
    assert counts == (3, 1, 2, 1, 1, 21, 3)


def test_what_a_server_does_not_count_is_not_invented():
    counter = AnswerCounter("m", "ru", total=1)
    counter.start()
    counter.add(Generation("Da.", None, None, None, 0.1, ""))
    assert (counter.answered, counter.tokens_out, counter.speed, counter.stop, counter.length) == (
        1,
        0,
        None,
        0,
        0,
    )
    assert counter.as_dict()["tokens_per_second"] is None


def test_speed_is_that_of_its_own_time(monkeypatch):
    clock = Clock(monkeypatch)
    counter = AnswerCounter("m", "ru", total=4)
    clock.now += 50  # another language before it
    counter.start()
    for _ in range(4):
        clock.now += 2
        counter.start()
        counter.add(answer(tokens_out=30))
    clock.now += 50
    assert (counter.seconds, counter.speed) == (8, 15)


def test_the_time_left_follows_the_last_half_minute(monkeypatch):
    clock = Clock(monkeypatch)
    counter = AnswerCounter("m", "ru", total=200)
    pace = Throughput()
    assert pace.seconds_left([counter]) is None
    for seconds in [10] * 10 + [1] * 60:  # one answer each: slow at first
        clock.now += seconds
        counter.add(answer())
        pace.mark([counter])
    assert 0.9 <= pace.answers <= 1.1
    assert 120 <= pace.seconds_left([counter]) <= 145


def drawn(table) -> str:
    out = io.StringIO()
    TerminalConsole(file=out, width=120).print(table)
    return out.getvalue()


def test_the_summary_shows_hostile_names_as_they_are():
    counter = AnswerCounter("[red]m[/red] \x1b[31m", "ru", total=2)
    counter.add(answer(finish_reason="length"))
    assert "[red]m[/red]" in drawn(summary_table([counter]))
    assert summary([counter])[0]["length"] == 1


def test_without_a_terminal_each_language_has_a_line(capsys):
    french, russian = AnswerCounter("m", "fr", total=2, there=1), AnswerCounter("m", "ru", total=3)
    with show_progress("generate", [french, russian], watch=True):
        russian.start()
        russian.add(answer())
        russian.add(Failed("no"))
    told = capsys.readouterr().err
    assert "m, ru: 2/3 (" in told
    assert "1 failed)" in told
    assert "m, fr" not in told  # nothing new
    assert "\x1b" not in told
