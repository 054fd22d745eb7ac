import json
import os
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest

from core.report import writing
from core.report.document import BarChart, Cell, Column, Report, Section, Table
from core.report.writing import FORMATS, MANIFEST, write_report
from store.errors import UsageError, XlitError
from tests.core.report.sample_report import sample_report

ROOT = Path(__file__).parents[3]


def small(*keys, figure="dots"):
    tables = tuple(Table(key, f"Table {key}", (Column("m"),), ((Cell("x"),),)) for key in keys)
    figures = (BarChart(figure, "Dots", ("a",), {"s": ((1.0, 0.5, 1.5),)}, "x"),) if figure else ()
    return Report("Small", (), (Section("S", (), tables, figures),))


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_every_table_and_figure_has_its_files_in_every_format(tmp_path):
    written = write_report(small("one", "two"), tmp_path / "new" / "report")
    folder = tmp_path / "new" / "report"
    files = [
        *(f"figures/dots.{kind}" for kind in ("pdf", "png", "svg")),
        "report.html",
        "report.md",
        *(f"tables/{key}.{kind}" for key in ("one", "two") for kind in ("csv", "tex")),
    ]
    assert names(folder) == [MANIFEST, *files]
    assert sorted(path.relative_to(folder).as_posix() for path in written) == files
    assert "![Dots](figures/dots.png)" in (folder / "report.md").read_text()


@pytest.mark.parametrize(
    ("formats", "files"),
    [
        (("md",), ["report.md"]),
        (("csv", "tex"), ["tables/one.csv", "tables/one.tex"]),
        (("svg", "md"), ["figures/dots.svg", "report.md"]),
        (("html",), ["report.html"]),
    ],
)
def test_only_the_formats_asked_for_are_written(tmp_path, formats, files):
    write_report(small("one"), tmp_path, formats)
    assert names(tmp_path) == [MANIFEST, *files]
    if "md" in formats:
        assert ("figures/dots.svg" in (tmp_path / "report.md").read_text()) == ("svg" in formats)


@pytest.mark.whole
def test_tables_alone_need_no_drawing(tmp_path):
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from pathlib import Path\n"
        "from tests.core.report.test_writing import small, write_report\n"
        "from store.errors import XlitError\n"
        f"write_report(small('one'), Path({str(tmp_path)!r}), ('md', 'csv', 'tex'))\n"
        "try:\n"
        f"    write_report(small('one'), Path({str(tmp_path)!r}), ('png',))\n"
        "except XlitError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "pip install 'xlit[report]'" in done.stdout
    assert names(tmp_path) == [MANIFEST, "report.md", "tables/one.csv", "tables/one.tex"]


def test_files_of_the_last_report_go_and_those_of_the_user_stay(tmp_path):
    write_report(small("old", figure="gone"), tmp_path)
    mine = [tmp_path / "tables" / "mine.csv", tmp_path / "notes.txt", tmp_path / "figures" / "mine.png"]
    for path in mine:
        path.write_text("mine")
    write_report(small("new", figure=""), tmp_path, ("csv",))
    assert names(tmp_path) == [MANIFEST, "figures/mine.png", "notes.txt", "tables/mine.csv", "tables/new.csv"]
    assert [path.read_text() for path in mine] == ["mine"] * 3


def test_an_empty_folder_of_ours_goes_too(tmp_path):
    write_report(small("one"), tmp_path)
    write_report(small("one"), tmp_path, ("md",))
    assert sorted(path.name for path in tmp_path.iterdir()) == [MANIFEST, "report.md"]


def test_a_file_of_the_users_with_our_name_is_not_overwritten(tmp_path):
    (tmp_path / "report.md").write_text("mine")
    with pytest.raises(UsageError, match=r"report\.md is in the way"):
        write_report(small("one"), tmp_path)
    assert names(tmp_path) == ["report.md"]
    assert (tmp_path / "report.md").read_text() == "mine"


@pytest.mark.parametrize("name", ["../precious", "/etc/precious", "notes.txt", "tables/../../precious", 7])
def test_a_manifest_that_names_other_files_removes_none(tmp_path, name):
    folder = tmp_path / "report"
    folder.mkdir()
    for path in (tmp_path / "precious", folder / "notes.txt"):
        path.write_text("mine")
    (folder / MANIFEST).write_text(json.dumps({"files": [name]}))
    write_report(small("one"), folder, ("csv",))
    assert (tmp_path / "precious").exists()
    assert (folder / "notes.txt").exists()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"files": 3}', '{"files": null}', "\xff"])
def test_a_manifest_that_cannot_be_read_owns_nothing(tmp_path, text):
    (tmp_path / MANIFEST).write_text(text, "latin-1")
    write_report(small("one"), tmp_path, ("csv",))
    assert names(tmp_path) == [MANIFEST, "tables/one.csv"]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/xlit")):
        with pytest.raises(XlitError, match=r"can't be written to .*Choose another folder\.") as caught:
            write_report(small("one"), folder, ("csv",))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("formats", [("docx",), ("md", "PNG"), ()])
def test_an_unknown_format_is_refused_before_anything_is_made(tmp_path, formats):
    with pytest.raises(UsageError, match=", ".join(FORMATS)):
        write_report(small("one"), tmp_path / "new", formats)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("keys", [("one", "one"), ("../one",), ("One",), ("",), ("a--b",)])
def test_keys_that_are_no_names_of_files_are_an_error_of_the_program(tmp_path, keys):
    with pytest.raises(ValueError):
        write_report(small(*keys), tmp_path)
    assert names(tmp_path) == []


def test_a_run_that_fails_half_way_leaves_the_last_report_whole(tmp_path, monkeypatch):
    write_report(small("one"), tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "table_latex", fail)
    with pytest.raises(XlitError, match="No space left on device"):
        write_report(small("one", "two"), tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


def test_a_run_that_is_stopped_while_it_moves_owns_what_it_moved(tmp_path, monkeypatch):
    replace = os.replace

    def stop(source, target):
        if str(target).endswith("one.tex"):
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write_report(small("one"), tmp_path, ("csv", "tex"))
    monkeypatch.undo()
    assert names(tmp_path) == [MANIFEST, "tables/one.csv"]
    write_report(small("other"), tmp_path, ("csv",))
    assert names(tmp_path) == [MANIFEST, "tables/other.csv"]


def test_what_a_killed_run_left_is_removed_when_it_is_old(tmp_path):
    old, young = tmp_path / ".xlit-report-old", tmp_path / ".xlit-report-young"
    for folder in (old, young):
        folder.mkdir()
        (folder / "report.md").write_text("half")
    hours = time.time() - 7200
    os.utime(old, (hours, hours))
    write_report(small("one"), tmp_path, ("csv",))
    assert not old.exists()
    assert young.exists()


@pytest.mark.whole
@pytest.mark.thorough
def test_the_same_report_gives_the_same_bytes_in_any_process(tmp_path):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from core.report.writing import write_report\n"
        "from tests.core.report.sample_report import sample_report\n"
        "write_report(sample_report(), Path(sys.argv[1]))\n"
    )
    found = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        env = {**os.environ, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": f"{seed}000000"}
        subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, env=env, check=True)
        found.append({name: sha256((folder / name).read_bytes()).hexdigest() for name in names(folder)})
    assert found[0] == found[1]
    report = sample_report()
    tables = sum(len(section.tables) for section in report.sections)
    figures = sum(len(section.figures) for section in report.sections)
    assert len(found[0]) == 3 + 2 * tables + 3 * figures
