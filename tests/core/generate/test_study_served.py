"""A study whose model stands behind a server, and that draws several samples."""

import json

import pytest
from sqlmodel import select

from core.generate.decoding import Decoding
from core.run import run_study
from core.study import read_study
from store import UsageError, open_store
from store.session import reading
from store.tables import Decoding as StoredDecoding
from store.tables import Model, Response, Run
from tests.core.llm.chat_server import Answer
from tests.core.llm.serving import serving, without_keys

pytestmark = pytest.mark.parts


STUDY = """
name = "served"
suite = "s.toml"
languages = ["en", "ru"]

[decoding]
max_new_tokens = 20
repetition_penalty = 1.0
temperature = 0.7
top_p = 0.9
samples = 2

[[models]]
base = "big-model"
label = "Big"
adaptation = "none"
base_url = "{url}"

[judges]
surface = false
"""

SUITE = 'name = "s"\nversion = "1"\nlanguages = ["en", "ru"]\n'


@pytest.fixture
def study_file(tmp_path):
    """Writes a study file, beside a suite of two instructions in two languages."""
    (tmp_path / "s.toml").write_text(SUITE)
    rows = [
        {"key": f"k{place}", "language": language, "text": f"{language} {place}"}
        for language in ("en", "ru")
        for place in range(2)
    ]
    (tmp_path / "s.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def write(text):
        path = tmp_path / "study.toml"
        path.write_text(text)
        return path

    return write


def test_a_served_model_answers_each_sample_with_a_seed_of_its_own(study_file, tmp_path, monkeypatch):
    without_keys(monkeypatch)
    asked = []

    def answer(request, number):
        asked.append(request)
        return Answer(f"answer {number}")

    with serving() as serve:
        server = serve(answer)
        study = read_study(study_file(STUDY.format(url=server.url)))
        store = open_store(tmp_path / "s.db", create=True)
        assert run_study(study, tmp_path, tmp_path, store) == 0
    assert len(asked) == 8
    assert len({request["seed"] for request in asked}) == 8
    assert {(request["temperature"], request["top_p"]) for request in asked} == {(0.7, 0.9)}
    with reading(store) as session:
        assert [model.name for model in session.exec(select(Model))] == ["Big"]
        drawn = session.exec(select(StoredDecoding)).one()
        assert (drawn.engine, drawn.quantization) == ("openai", None)
        assert (
            drawn.parameters
            == Decoding(max_new_tokens=20, repetition_penalty=1.0, temperature=0.7, top_p=0.9).parameters()
        )
        assert {(r.instruction_id, r.sample) for r in session.exec(select(Response))} == {
            (instruction, sample) for instruction in range(1, 5) for sample in (0, 1)
        }
        assert session.exec(select(Run)).one().parameters["server"]


def test_a_served_model_is_not_trained_and_not_converted(study_file):
    for more in ('gguf = ["q8_0"]', 'data = "x.jsonl"\nlearning_rates = [1e-5]'):
        text = STUDY.format(url="http://h/v1").replace("[judges]", more + "\n[judges]")
        if "data" in more:
            text = text.replace('adaptation = "none"', 'adaptation = "full"')
        with pytest.raises(UsageError, match=r"models\[0\]: a model behind a server is asked as it is"):
            read_study(study_file(text))
