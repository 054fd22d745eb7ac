"""Generating into the store: only what is missing, the same rows after a crash, failures beside the rest."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import select

from core.generate.decoding import Decoding
from core.generate.engines.transformers import engine as transformers_engine
from core.generate.run import generate as generate_all
from core.generate.settings import EngineOptions, ModelSource
from store import UsageError, XlitError
from store.queries import claims, responses, runs, suites
from store.session import reading, writing
from store.tables import Claim, Instruction, Model, Response, Run
from store.tables import Decoding as StoredDecoding

pytestmark = pytest.mark.whole


DECODING = Decoding(max_new_tokens=30)


def generate(store, *, model_name, checkpoint, engine_name=None, description=(), batch_size=32, **settings):
    """One model's answers; returns its run."""
    source = ModelSource(model_name, str(checkpoint), engine_name, description=dict(description))
    records, _ = generate_all(store, [source], options=EngineOptions(batch_size=batch_size), **settings)
    return records[0]


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
    hollow = Path(shutil.copytree(checkpoint, tmp_path / "hollow"))  # the same weights and no tokenizer
    generate(store, model_name="m", checkpoint=checkpoint, decoding=DECODING)
    before = rows(store)
    for file in hollow.glob("tokenizer*"):
        file.unlink()
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
    for decoding in (DECODING, Decoding(max_new_tokens=30, repetition_penalty=1.5)):
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
from core.generate.decoding import Decoding
from core.generate.run import generate
from core.generate.settings import EngineOptions, ModelSource
from store import open_store
store, checkpoint, engine = sys.argv[1:]
generate(open_store(store), [ModelSource("m", checkpoint, engine)],
         decoding=Decoding(max_new_tokens=60, repetition_penalty=1.0),
         options=EngineOptions(batch_size=2))
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
            engine, model_name="m", checkpoint=path, engine_name=engine_name,
            decoding=Decoding(max_new_tokens=60, repetition_penalty=1.0), batch_size=2,
        )  # fmt: skip
    assert rows(killed) == rows(undisturbed)
    assert len(rows(killed)) == 18


def test_exactly_what_is_missing_is_asked_again(store, checkpoint: Path, monkeypatch):
    generate(store, model_name="m", checkpoint=checkpoint, decoding=DECODING, batch_size=4)
    before = rows(store)
    with writing(store) as session:
        session.connection().execute(text("DELETE FROM response WHERE instruction_id IN (1, 7, 14)"))
    real, seen = transformers_engine.TransformersEngine.stream, []

    def watched(self, requests):
        for item, outcome in real(self, requests):
            seen.append(item.unit.instruction_id)
            yield item, outcome

    monkeypatch.setattr(transformers_engine.TransformersEngine, "stream", watched)
    run = generate(store, model_name="m", checkpoint=checkpoint, decoding=DECODING, batch_size=4)
    assert (run.counts["answers"], run.counts["there"]) == (3, 15)
    assert sorted(seen) == [1, 7, 14]
    assert rows(store) == before


def test_an_engine_that_breaks_has_failed_what_it_had_and_goes_on_with_the_rest(
    store, checkpoint: Path, monkeypatch
):
    real = transformers_engine.TransformersEngine.stream

    def breaking(self, requests):
        for key, outcome in real(self, requests):
            if "столица" in key.unit.chat[0]["content"]:
                raise RuntimeError("out of something\nand a page of detail")
            yield key, outcome

    with monkeypatch.context() as patched:
        patched.setattr(transformers_engine.TransformersEngine, "stream", breaking)
        run = generate(store, model_name="m", checkpoint=checkpoint, decoding=DECODING, batch_size=1)
    assert (run.exit_code, run.counts["answers"]) == (3, 12)
    with reading(store) as session:
        failures = runs.failures_of(session, run.id)
    assert sorted(f.unit for f in failures) == [f"ru/k{place}" for place in range(6)]
    assert {f.reason for f in failures} == {"RuntimeError: out of something"}
    again = generate(store, model_name="m", checkpoint=checkpoint, decoding=DECODING)
    assert (again.exit_code, again.counts["answers"]) == (0, 6)


def test_an_answer_that_never_comes_back_is_not_forgotten(store, checkpoint: Path, monkeypatch):
    real = transformers_engine.TransformersEngine.stream

    def losing(self, requests):
        for key, outcome in real(self, requests):
            if key.unit.label != "en/k3":
                yield key, outcome

    monkeypatch.setattr(transformers_engine.TransformersEngine, "stream", losing)
    run = generate(store, model_name="m", checkpoint=checkpoint, decoding=DECODING)
    assert run.failures == [("en/k3", "the engine gave no answer")]
    assert run.counts["answers"] == 17


def test_samples_are_drawn_with_seeds_of_their_own_and_the_same_each_time(store, new_store, checkpoint: Path):
    drawn = Decoding(max_new_tokens=20, repetition_penalty=1.0, temperature=2.0, top_p=0.95)
    settings = {
        "model_name": "m",
        "checkpoint": checkpoint,
        "decoding": drawn,
        "languages": ["en"],
        "limit": 4,
    }
    run = generate(store, samples=2, **settings)
    assert run.counts["answers"] == 8
    more = generate(store, samples=5, batch_size=3, **settings)
    assert (more.counts["answers"], more.counts["there"]) == (12, 8)
    with reading(store) as session:
        found = {
            (r.instruction_id, r.sample): r.text for r in session.exec(select(Response).order_by(Response.id))
        }
        stored = session.exec(select(Run)).all()
    assert [found_run.seed for found_run in stored] == [1, 1]
    assert len(set(found.values())) > 10
    other = new_store("other.db")
    generate(other, samples=5, batch_size=20, **settings)
    with reading(other) as session:
        assert found == {(r.instruction_id, r.sample): r.text for r in session.exec(select(Response))}
    reseeded = Decoding(max_new_tokens=20, repetition_penalty=1.0, temperature=2.0, top_p=0.95, seed=2)
    generate(store, **{**settings, "decoding": reseeded})
    with reading(store) as session:
        assert len(session.exec(select(StoredDecoding)).all()) == 2
        texts = [r.text for r in session.exec(select(Response).where(Response.decoding_id == 2))]
    assert texts != [found[key] for key in sorted(found) if key[1] == 0]


def test_several_models_answer_and_adapters_share_a_base(store, checkpoint: Path, adapter: Path, monkeypatch):
    from transformers import AutoModelForCausalLM

    real, loaded = AutoModelForCausalLM.from_pretrained, []

    def counted(*given, **named):
        loaded.append(given)
        return real(*given, **named)

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", counted)
    names = {"base": checkpoint, "tuned": adapter, "base again": checkpoint}
    sources = [ModelSource(name, str(path)) for name, path in names.items()]
    records, counters = generate_all(store, sources, decoding=DECODING)
    assert [record.counts["answers"] for record in records] == [18, 18, 18]
    assert len(loaded) == 1
    assert [(t.model, t.language, t.answered, t.left) for t in counters] == [
        (name, language, count, 0) for name in names for language, count in (("en", 12), ("ru", 6))
    ]
    with reading(store) as session:
        answers = {}
        for model, response in session.exec(select(Model, Response).join(Response)):
            answers.setdefault(model.name, {})[response.instruction_id] = response.text
    assert answers["base"] == answers["base again"]
    assert answers["base"] != answers["tuned"]


def test_of_several_models_one_that_can_not_be_loaded_fails_alone(store, checkpoint: Path, tmp_path: Path):
    hollow = Path(shutil.copytree(checkpoint, tmp_path / "hollow"))
    (hollow / "model.safetensors").write_bytes(b"nothing that could be loaded")
    records, _ = generate_all(
        store, [ModelSource("bad", str(hollow)), ModelSource("good", str(checkpoint))], decoding=DECODING
    )
    assert [record.exit_code for record in records] == [3, 0]
    assert records[0].failures[0][0] == "bad"
    assert "can't be loaded" in records[0].failures[0][1]
    assert records[1].counts["answers"] == 18


def test_two_models_of_one_name_are_refused_unless_the_engine_tells_them_apart(
    store, checkpoint: Path, adapter: Path, gguf_file: Path
):
    with pytest.raises(UsageError, match="could not be told apart"):
        generate_all(store, [ModelSource("m", str(checkpoint)), ModelSource("m", str(adapter))])
    records, _ = generate_all(
        store,
        [ModelSource("m", str(checkpoint)), ModelSource("m", str(gguf_file))],
        decoding=DECODING,
        limit=2,
    )
    assert [record.counts["answers"] for record in records] == [4, 4]


def test_two_runs_at_once_share_the_work(tmp_path: Path, new_store, babbler: Path):
    shared, alone = new_store("shared.db"), new_store("alone.db")
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "shared.db"), str(babbler), "transformers"]
    processes = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    generate(
        alone,
        model_name="m",
        checkpoint=babbler,
        decoding=Decoding(max_new_tokens=60, repetition_penalty=1.0),
        batch_size=2,
    )
    assert rows(shared) == rows(alone)
    with reading(shared) as session:
        counts = [run.counts["answers"] for run in session.exec(select(Run))]
        asked = sum(run.counts["stop"] + run.counts["length"] for run in session.exec(select(Run)))
        assert not session.exec(select(Claim)).all()
    assert sum(counts) == 18
    assert asked == 18  # no answer was made twice and thrown away


def test_what_another_run_holds_is_waited_for_and_done_when_it_is_given_up(
    store, checkpoint: Path, monkeypatch, capsys
):
    """The other run is on another machine: only the end of its lease tells that it is gone."""
    generate(store, model_name="m", checkpoint=checkpoint, decoding=DECODING, limit=1)
    monkeypatch.setattr(claims, "LEASE", timedelta(seconds=2))
    with writing(store) as session:
        elsewhere = "gpu-box 12 34"
        wanted = [(2, 0), (3, 0)]
        assert claims.take(session, 1, 1, wanted, run_id=1, process=elsewhere)[0] == wanted
    run = generate(store, model_name="m", checkpoint=checkpoint, decoding=DECODING)
    assert len(rows(store)) == 18
    assert run.counts["answers"] == 16
    assert "2 are being generated by run 1 on gpu-box; waiting for them." in capsys.readouterr().err


def test_answers_of_another_run_that_come_while_waiting_are_taken_as_there(store, checkpoint: Path):
    generate(store, model_name="m", checkpoint=checkpoint, decoding=DECODING, limit=1)
    with writing(store) as session:
        assert claims.take(session, 1, 1, [(2, 0)], run_id=1, process="gpu-box 12 34")[0] == [(2, 0)]

    def answer():
        time.sleep(2)
        row = {"instruction_id": 2, "model_id": 1, "decoding_id": 1, "text": "from elsewhere", "run_id": 1}
        with writing(store) as session:
            responses.add_responses(session, [row])
            claims.settle(session, 1, 1, [(2, 0)], run_id=1)

    other = threading.Thread(target=answer)
    other.start()
    run = generate(store, model_name="m", checkpoint=checkpoint, decoding=DECODING)
    other.join()
    assert (run.counts["answers"], run.counts["there"]) == (15, 3)
    assert "from elsewhere" in [row[2] for row in rows(store)]


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
        ({"engine_name": "x"}, "No engine 'x'. There are: transformers, llama.cpp, openai, vllm"),
        ({"samples": 2}, "Greedy answers are all the same"),
        ({"samples": 0}, "at least 1"),
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
