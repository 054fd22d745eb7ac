"""`judge surface` over a store: complete, idempotent, resumable, and honest about what is missing."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import text

from core.judge.surface import metrics as surface
from core.judge.surface.foreign import RULES
from core.judge.surface.language import LanguageIdentifier
from core.judge.surface.metrics import judge_surface
from store import UsageError, open_store
from store.queries import runs
from store.queries.surface import add_metrics
from store.session import reading, writing

pytestmark = pytest.mark.parts


ROWS = [
    ("en", "?", "It is a sunny day and we recieved a letter."),
    ("ru", "?", "Сегодня хорошая погода, и мы получили письмо."),
    ("ru", "?", "This answer is written in another language."),
    ("ru", "?", ""),
]


def metrics(engine, metric):
    with engine.connect() as connection:
        statement = (
            "SELECT label, value, tool, run_id FROM surface_metric WHERE metric = :m ORDER BY response_id"
        )
        return connection.execute(text(statement), {"m": metric}).all()


def details(engine):
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT detail FROM surface_metric ORDER BY response_id"))
        return [json.loads(row.detail) for row in rows]


def test_every_response_gets_both_metrics_once(answered):
    engine = answered(*ROWS)
    first = judge_surface(engine)
    assert (first.counts, first.failures, first.exit_code) == ({"language": 4, "spelling": 4}, [], 0)
    again = judge_surface(engine)
    assert (again.counts, again.exit_code) == ({}, 0)
    assert [row.label for row in metrics(engine, "language")] == ["en", "ru", "en", None]
    english, russian, wrong, empty = metrics(engine, "spelling")
    assert english.value == pytest.approx(7 / 8)  # one letter is no word
    assert russian.value == 1
    assert wrong.value == 0  # no Cyrillic word in it
    assert empty.value is None
    assert english.tool.startswith("hunspell en_US ")
    assert {row.run_id for row in metrics(engine, "spelling")} == {first.id}


def test_where_a_response_leaves_the_language_of_its_instruction_is_in_the_detail(answered):
    english = "This sentence is in English although the question was not."
    russian = "Сегодня хорошая погода, и мы получили письмо от старого друга."
    engine = answered(
        ("ru", "?", f"{russian}\n{english}\n{russian}"),
        ("ru", "?", english),
        ("ru", "?", russian),
        ("ru", "?", ""),
        ("pt-BR", "?", "O tempo hoje está bom e recebemos uma carta de um velho amigo."),
        ("tlh", "?", english),
    )
    judge_surface(engine, metrics=["language"])
    assert details(engine) == [
        {"foreign": [[len(russian) + 1, len(russian) + 1 + len(english), "en"]]},
        {"foreign": [[0, len(english), "en"]]},
        {"foreign": []},
        {"reason": "no prose", "foreign": []},
        {"foreign": []},
        {"reason": "language unknown", "guess": ["en", pytest.approx(0.991, abs=0.001)]},
    ]


def test_what_an_older_tool_measured_stays_beside_the_new(answered):
    engine = answered(("en", "?", "It is a sunny day and we got a letter."))
    old = {"response_id": 1, "metric": "language", "tool": LanguageIdentifier().tool, "label": "en"}
    with writing(engine) as session:
        add_metrics(session, [{**old, "value": 0.5}])
    assert judge_surface(engine, metrics=["language"]).counts == {"language": 1}
    assert [row.tool for row in metrics(engine, "language")] == [old["tool"], f"{old['tool']} {RULES}"]


def test_a_language_without_dictionary_is_missing_and_the_others_go_on(answered):
    engine = answered(*ROWS, ("tlh", "?", "nuqneH"), ("tlh", "?", "Qapla'"), ("zh", "?", "今天天气很好"))
    run = judge_surface(engine)
    assert run.exit_code == 3
    assert [unit for unit, _ in run.failures] == ["spelling tlh", "spelling zh"]
    assert "tlh.aff" in run.failures[0][1]
    assert "without spaces" in run.failures[1][1]
    assert run.counts == {"language": 7, "spelling": 4}
    with reading(engine) as session:
        assert [failure.unit for failure in runs.failures_of(session, run.id)] == [
            "spelling tlh",
            "spelling zh",
        ]
        assert runs.latest_runs(session, 1)[0].status == "partly"


def test_only_the_languages_and_metrics_asked_for_are_measured(answered, capsys):
    engine = answered(*ROWS)
    run = judge_surface(engine, metrics=["language"], languages=["en", "xx"])
    assert run.counts == {"language": 1}
    assert "'xx'" in capsys.readouterr().err
    with pytest.raises(UsageError, match="relevance"):
        judge_surface(engine, metrics=["relevance"])


@pytest.mark.whole
def test_killed_half_way_it_goes_on_where_it_was(answered, tmp_path):
    engine = answered(
        *[("en", "?", f"This is the answer with the number {'i' * place}.") for place in range(400)]
    )
    script = (
        "import sys\nfrom core.judge.surface import metrics as surface\nfrom store import open_store\n"
        "surface.CHUNK = 5\nsurface.judge_surface(open_store(sys.argv[1]))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "s.db")], stderr=subprocess.PIPE)
    while not metrics(engine, "language") and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    killed = len(metrics(engine, "language"))
    assert 0 < killed < 400
    assert killed % 5 == 0
    assert len(metrics(engine, "spelling")) == killed
    run = judge_surface(engine)
    assert run.counts == {"language": 400 - killed, "spelling": 400 - killed}
    assert len(metrics(engine, "language")) == 400


@pytest.mark.parametrize(
    ("size", "characters", "sizes"),
    [(3, 1000, [3, 3, 3, 1]), (100, 1, [1] * 10), (100, 12, [3, 3, 3, 1]), (100, 1000, [10])],
)
def test_chunks_are_small_and_lose_and_repeat_nothing(answered, monkeypatch, size, characters, sizes):
    monkeypatch.setattr(surface, "CHUNK", size)
    monkeypatch.setattr(surface, "CHARACTERS", characters)
    engine = answered(*[("en", "?", "Word.")] * 10)
    queue = surface.ChunkQueue(engine, size)
    assert queue.find(["en"], "tool", {}) == 10
    assert [len(chunk.responses) for chunk in iter(lambda: queue.next_chunk(0), None)] == sizes
    assert judge_surface(engine).counts == {"language": 10, "spelling": 10}


def test_a_process_keeps_to_its_language_and_helps_out_where_much_is_left(answered):
    engine = answered(*[("en", "?", "Word.")] * 7, *[("ru", "?", "Слово.")] * 4, *[("de", "?", "Wort.")] * 2)
    queue = surface.ChunkQueue(engine, 1)
    assert queue.find(["en", "ru", "de"], "tool", {}) == 13
    taken = [queue.next_chunk(process) for process in (0, 1, 0, 1, 1, 1, 1, 1, 1)]
    assert [chunk.language for chunk in taken if chunk] == ["en", "ru", "en", *["ru"] * 3, *["de"] * 2, "en"]
    rest = [queue.next_chunk(process) for process in (2, 0, 3, 1, 0, 0)]
    assert [chunk.language if chunk else None for chunk in rest] == ["en", "en", None, "en", "en", None]


def test_what_lacks_one_metric_gets_that_one(answered):
    engine = answered(*ROWS)
    assert judge_surface(engine, metrics=["spelling"], languages=["ru"]).counts == {"spelling": 3}
    assert judge_surface(engine, languages=["en"]).counts == {"language": 1, "spelling": 1}
    assert judge_surface(engine).counts == {"language": 3}


def test_an_empty_store_is_nothing_to_do(tmp_path):
    assert judge_surface(open_store(tmp_path / "e.db", create=True)).counts == {}
