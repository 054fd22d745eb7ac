"""The register of formats, and a format that joins from outside."""

import sys
from pathlib import Path

import pytest

from core.exchange.exporting import run_export
from core.exchange.formats import exporters, importers
from core.exchange.importing import run_import
from store import XlitError

PLUGIN = """
from core.exchange.records import ImportedResponse, InstructionRow, SuiteName

class Lines:
    name, summary, options = "lines", "a question and an answer a line", {}

    def read(self, paths, options):
        from core.text.files import text_lines
        for path in paths:
            for place, line in text_lines(path):
                question, answer = line.split("|")
                response = ImportedResponse("m", answer)
                yield InstructionRow(place, SuiteName("lines"), "en", question, question, response=response)

    def write(self, session, file, options):
        return file.write("lines")

LINES = Lines()
"""


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch):
    """A distribution as pip installs it: a module, and the metadata that names its entry points."""
    folder = tmp_path / "site"
    metadata = folder / "xlit_lines-1.dist-info"
    metadata.mkdir(parents=True)
    (folder / "xlit_lines.py").write_text(PLUGIN)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: xlit-lines\nVersion: 1\n")
    entries = "[xlit.importers]\nlines = xlit_lines:LINES\n[xlit.exporters]\nlines = xlit_lines:LINES\n"
    (metadata / "entry_points.txt").write_text(entries)
    monkeypatch.syspath_prepend(str(folder))
    yield metadata
    sys.modules.pop("xlit_lines", None)


def test_every_format_stands_under_its_own_name_and_explains_itself():
    assert list(importers()) == [
        "jsonl", "csv", "parquet", "annotator", "alpaca-eval", "dolly", "lima", "paper-set",
        "language-confusion", "suite",
    ]  # fmt: skip
    assert list(exporters()) == [
        "jsonl", "csv", "parquet", "annotator", "alpaca-eval", "llm-comparator", "preferences",
    ]  # fmt: skip
    for name, form in {**importers(), **exporters()}.items():
        assert form.name == name
        assert form.summary
        assert all(form.options.values())


@pytest.mark.parts
def test_a_plug_in_brings_a_format_both_ways(engine, write, plug_in, ask, tmp_path):
    run_import(engine, "lines", [write("a.txt", "How?|So.\n")])
    assert ask("SELECT instruction.text, response.text FROM response, instruction") == [("How?", "So.")]
    run_export(engine, "lines", tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text() == "lines"


def test_a_plug_in_that_can_not_be_loaded_is_named(plug_in):
    (plug_in / "entry_points.txt").write_text("[xlit.importers]\nlines = xlit_nothing:LINES\n")
    with pytest.raises(XlitError, match=r"lines of the plug-in xlit_nothing:LINES"):
        importers()
