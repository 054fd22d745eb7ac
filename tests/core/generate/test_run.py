"""Generating into the store: only what is missing, the same rows after a crash, failures beside the rest."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import select

from core.generate.decoding import Decoding
from core.generate.run import generate
from core.generate.transformers_engine import engine as transformers_engine
from store import UsageError, XlitError
from store.queries import runs, suites
from store.session import reading, writing
from store.tables import Decoding as StoredDecoding
from store.tables import Instruction, Model, Response, Run

DECODING = Decoding(max_new_tokens=30)


def rows(engine) -> list[tuple]:
    """All answers, without ids and times, in the suite's order."""
    with reading(engine) as session:
        statement = select(Instruction, Response).join(Response).order_by(Instruction.id)
        return [
            (
                i.language,
                i.key,
                r.text,
                r.text_digest,
                r.finish_reason,
                r.tokens_in,
                r.tokens_out,
                r.prompt_digest,
            )
            for i, r in session.exec(statement)
        ]


def test_every_instruction_is_answered_with_its_counts(store, checkpoint: Path):
    description = {"base": "tiny", "data": "pairs", "adaptation": "FT", "checkpoint": str(checkpoint)}
    run = generate(
        store, model_name="m", checkpoint=checkpoint, description=description, decoding=DECODING, batch_size=5
    )
    assert (run.exit_code, run.counts["answers"], run.counts["there"]) == (0, 18, 0)
    with reading(store) as session:
        answers = session.exec(select(Response)).all()
        assert len(answers) == 18
        assert all(a.run_id == run.id and a.seconds > 0 and a.tokens_in > 0 for a in answers)
        assert all(0 < a.tokens_out <= 30 and a.prompt_digest and a.finish_reason for a in answers)
        assert sum(a.tokens_out for a in answers) == run.counts["tokens_out"]
        model = session.exec(select(Model)).one()
        assert (model.base, model.data, model.adaptation) == ("tiny", "pairs", "FT")
        drawn = session.exec(select(StoredDecoding)).one()
        assert (drawn.engine, drawn.quantization, drawn.parameters) == (
            "transformers", transformers_engine.number_format(), DECODING.parameters()
        )  # fmt: skip
        stored = session.exec(select(Run)).one()
        assert stored.status == "done"
        assert stored.versions["torch"]


def test_a_second_run_loads_nothing_and_changes_nothing(store, checkpoint: Path, tmp_path: Path):
    hollow = Path(shutil.copytree(checkpoint, tmp_path / "hollow"))
    generate(store, model_name="m", checkpoint=checkpoint, decoding=DECODING)
    before = rows(store)
    (hollow / "model.safetensors").write_bytes(b"nothing that could be loaded")
    run = generate(store, model_name="m", checkpoint=hollow, decoding=DECODING)
    assert (run.exit_code, run.counts) == (0, {"answers": 0, "there": 18})
    assert rows(store) == before
    with reading(store) as session:
        assert len(session.exec(select(Run)).all()) == 1
    with pytest.raises(XlitError, match="can't be loaded"):
        generate(store, model_name="another", checkpoint=hollow, decoding=DECODING)


def test_only_the_missing_is_generated(store, checkpoint: Path):
    first = generate(
        store, model_name="m", checkpoint=checkpoint, decoding=DECODING, languages=["en"], limit=3
    )
    assert first.counts["answers"] == 3
    rest = generate(store, model_name="m", checkpoint=checkpoint, decoding=DECODING)
    assert (rest.counts["answers"], rest.counts["there"]) == (15, 3)


def test_engines_and_decodings_are_told_apart(store, checkpoint: Path, gguf_file: Path):
    for decoding in (DECODING, Decoding(30, 1.5)):
        generate(store, model_name="m", checkpoint=checkpoint, decoding=decoding, limit=2)
    run = generate(
        store, model_name="m", checkpoint=gguf_file, engine_name="llama.cpp", decoding=DECODING, limit=2
    )
    assert run.counts["answers"] == 4
    with reading(store) as session:
        assert len(session.exec(select(Model)).all()) == 1
        drawn = [
            (d.engine, d.quantization)
            for d in session.exec(select(StoredDecoding).order_by(StoredDecoding.id))
        ]
    own = transformers_engine.number_format()
    assert drawn == [("transformers", own), ("transformers", own), ("llama.cpp", "f32")]


SCRIPT = """
import sys
from pathlib import Path
from core.generate.decoding import Decoding
from core.generate.run import generate
from store import open_store
generate(open_store(sys.argv[1]), model_name="m", checkpoint=Path(sys.argv[2]), engine_name=sys.argv[3],
         decoding=Decoding(60, 1.0), batch_size=2)
"""


@pytest.mark.parametrize("engine_name", ["transformers", "llama.cpp"])
def test_a_killed_run_ends_with_the_rows_of_an_undisturbed_one(
    tmp_path: Path, new_store, babbler, babbler_gguf, engine_name
):
    path = babbler if engine_name == "transformers" else babbler_gguf
    killed, undisturbed = new_store("killed.db"), new_store("whole.db")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "killed.db"), str(path), engine_name]
    process = subprocess.Popen(command)
    with sqlite3.connect(tmp_path / "killed.db") as watch:
        while process.poll() is None and not watch.execute("SELECT count(*) FROM response").fetchone()[0]:
            time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 0 < len(rows(killed)) < 18
    for engine in (killed, undisturbed):
        generate(
            engine, model_name="m", checkpoint=path, engine_name=engine_name, decoding=Decoding(60, 1.0),
            batch_size=2,
        )  # fmt: skip
    assert rows(killed) == rows(undisturbed)
    assert len(rows(killed)) == 18


def test_what_is_missing_is_answered_in_the_batches_of_the_whole(store, checkpoint: Path, monkeypatch):
    real, seen = transformers_engine.TransformersEngine.generate, []

    def watched(self, chats):
        seen.append([chat[0]["content"] for chat in chats])
        return real(self, chats)

    monkeypatch.setattr(transformers_engine.TransformersEngine, "generate", watched)
    generate(store, model_name="m", checkpoint=checkpoint, decoding=DECODING, batch_size=4)
    before, whole = rows(store), list(seen)
    assert [len(batch) for batch in whole] == [4, 4, 4, 4, 2]
    with writing(store) as session:
        session.connection().execute(text("DELETE FROM response WHERE instruction_id IN (1, 7, 14)"))
    seen.clear()
    run = generate(store, model_name="m", checkpoint=checkpoint, decoding=DECODING, batch_size=4)
    assert run.counts["answers"] == 3
    assert 1 < len(seen) <= 3
    assert all(batch in whole for batch in seen)
    assert rows(store) == before


def test_a_batch_that_fails_is_written_down_and_the_others_go_on(store, checkpoint: Path, monkeypatch):
    real = transformers_engine.TransformersEngine.generate

    def failing(self, chats):
        if any("столица" in chat[0]["content"] for chat in chats):
            raise RuntimeError("out of something\nand a page of detail")
        return real(self, chats)

    with monkeypatch.context() as patched:
        patched.setattr(transformers_engine.TransformersEngine, "generate", failing)
        run = generate(store, model_name="m", checkpoint=checkpoint, decoding=DECODING)
    assert (run.exit_code, run.counts["answers"]) == (3, 12)
    with reading(store) as session:
        failures = runs.failures_of(session, run.id)
    assert sorted(f.unit for f in failures) == [f"ru/k{place}" for place in range(6)]
    assert {f.reason for f in failures} == {"RuntimeError: out of something"}
    again = generate(store, model_name="m", checkpoint=checkpoint, decoding=DECODING)
    assert (again.exit_code, again.counts["answers"]) == (0, 6)


def test_a_prompt_longer_than_the_context_fails_alone(store, checkpoint: Path, gguf_file: Path):
    with writing(store) as session:
        new = [suites.NewInstruction("a", "fr", "Bonjour"), suites.NewInstruction("b", "fr", "é " * 300)]
        suites.add_suite(session, "long", "1", new)
    for engine_name, path in (("transformers", checkpoint), ("llama.cpp", gguf_file)):
        run = generate(
            store, model_name="m", checkpoint=path, suite="long", engine_name=engine_name, decoding=DECODING
        )
        assert (run.exit_code, run.counts["answers"]) == (3, 1)
        assert run.failures[0][0] == "fr/b"
        assert "the context holds 128" in run.failures[0][1]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"suite": "x"}, "No suite 'x'"),
        ({"languages": ["en", "xx"]}, "no instructions in xx; it has en, ru"),
        ({"engine_name": "x"}, "No engine 'x'. There are: transformers, llama.cpp"),
        ({"batch_size": 0}, "at least 1"),
        ({"limit": -1}, "at least 1"),
    ],
)
def test_wrong_usage_writes_nothing(store, checkpoint: Path, wrong: dict, message: str):
    with pytest.raises(UsageError, match=message):
        generate(store, model_name="m", checkpoint=checkpoint, **wrong)
    with reading(store) as session:
        assert not session.exec(select(Run)).all()
        assert not session.exec(select(Model)).all()
