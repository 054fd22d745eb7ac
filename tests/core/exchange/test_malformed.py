"""Malformed files of many kinds: each gives one clear sentence and changes nothing."""

import gzip
import io
import json
import os
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from sqlalchemy import text

from core.exchange.importing import run_import
from store import XlitError, open_store

GOOD = {"language": "en", "key": "g", "prompt": "How?", "response": "So.", "model": "m"}
LINE = json.dumps(GOOD).encode() + b"\n"
CSV = b"language,key,prompt,response,model\n"
ALPACA = {"instruction": "Hi", "output": "Ho", "generator": "m", "dataset": "d"}


def row(**changes) -> bytes:
    return json.dumps({**GOOD, "key": "x", **changes}).encode()


def zipped(*names: str) -> bytes:
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w") as archive:
            for name in names:
                archive.writestr(name, LINE)
        return file.getvalue()


def tarred() -> bytes:
    with io.BytesIO() as file:
        with tarfile.open(fileobj=file, mode="w:gz") as archive:
            entry = tarfile.TarInfo("../../evil.jsonl")
            entry.size = len(LINE)
            archive.addfile(entry, io.BytesIO(LINE))
        return file.getvalue()


def parquet(**columns) -> bytes:
    with io.BytesIO() as file:
        pyarrow.parquet.write_table(pyarrow.table(columns), file)
        return file.getvalue()


def sparse(size: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(size)

    return make


def pipe(content: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        os.mkfifo(path)
        threading.Thread(target=path.write_bytes, args=(content,), daemon=True).start()

    return make


DEEP = b"[" * 50_000
SOUND = {"language": ["en"], "prompt": ["How?"], "response": ["So."], "model": ["m"]}
PARQUET = parquet(**SOUND)

# Name: (format, what the file holds or how it is made, what is said). `{}` is the file, `{}:2` its line.
FILES: dict[str, tuple[str, bytes | Callable[[Path], None], str]] = {
    # encodings
    "UTF-16 with a mark": ("jsonl", LINE.decode().encode("utf-16"), "{} is UTF-16"),
    "UTF-16 big endian": ("csv", b"\xfe\xff" + CSV.decode().encode("utf-16-be"), "{} is UTF-16"),
    "UTF-16 without a mark": ("jsonl", LINE.decode().encode("utf-16-le"), "{}:1: not valid JSON"),
    "UTF-32": ("jsonl", b"\x00\x00\xfe\xff" + LINE.decode().encode("utf-32-be"), "{} is UTF-32"),
    "Latin-1": ("jsonl", LINE + row(response="é").replace(b"\\u00e9", b"\xe9"), "{}:2: not valid UTF-8"),
    "Latin-1 in CSV": ("csv", CSV + b"en,k,Q?,caf\xe9,m\n", "{}:2: not valid UTF-8"),
    "an overlong form": ("jsonl", LINE + b'{"prompt": "\xc0\xaf"}', "{}:2: not valid UTF-8"),
    "a surrogate as UTF-8": ("jsonl", LINE + b'{"prompt": "\xed\xa0\x80"}', "{}:2: not valid UTF-8"),
    "cut inside a character": ("jsonl", LINE + b'{"prompt": "\xd0', "{}:2: not valid UTF-8"),
    "a lone surrogate": ("jsonl", LINE + row(response="\ud800"), "{}:2: the response holds half of a surr"),
    "two lone surrogates in a key": ("jsonl", LINE + row(key="\udfff\udfff"), "{}:2: the key holds half"),
    "NUL in a text": ("jsonl", LINE + row(response="a\x00"), "{}:2: the response holds a NUL"),
    "NUL in CSV": ("csv", CSV + b"en,k,Q?,a\x00b,m\n", "{}:2: the response holds a NUL"),
    "only NUL": ("jsonl", sparse(1_000), "{}:1: not valid JSON"),
    "a mark in the middle": ("jsonl", LINE + b"\xef\xbb\xbf" + LINE, "{}:2: not valid JSON"),
    # JSON
    "truncated": ("jsonl", LINE + LINE[:-10], "{}:2: not valid JSON"),
    "two values on a line": ("jsonl", LINE + LINE.strip() + LINE, "{}:2: not valid JSON: Extra data"),
    "a trailing comma": ("jsonl", LINE + b'{"language": "en",}', "{}:2: not valid JSON"),
    "single quotes": ("jsonl", LINE + b"{'language': 'en'}", "{}:2: not valid JSON"),
    "a comment": ("jsonl", b"// hello\n" + LINE, "{}:1: not valid JSON"),
    "a raw tab in a text": ("jsonl", LINE + b'{"prompt": "a\tb"}', "{}:2: not valid JSON: Invalid control"),
    "a bad escape": ("jsonl", LINE + b'{"prompt": "\\x41"}', "{}:2: not valid JSON: Invalid"),
    "pretty printed": ("jsonl", json.dumps(GOOD, indent=1).encode(), "{}:1: not valid JSON"),
    "an array": ("jsonl", b"[" + LINE.strip() + b"]", "{}:1: not a JSON object"),
    "a number": ("jsonl", b"7\n", "{}:1: not a JSON object"),
    "null": ("jsonl", LINE + b"null\n", "{}:2: not a JSON object"),
    "a text": ("jsonl", LINE + b'"en"\n', "{}:2: not a JSON object"),
    "NaN": ("jsonl", LINE + b'{"sample": NaN}', "{}:2: not valid JSON: NaN is no JSON"),
    "Infinity": ("jsonl", LINE + b'{"sample": -Infinity}', "{}:2: not valid JSON: -Infinity is no JSON"),
    "duplicate keys": ("jsonl", LINE + b'{"key": "a", "key": "b"}', "{}:2: .*'key' stands twice"),
    "deep nesting": ("jsonl", LINE + DEEP, "{}:2: not valid JSON: .*too deep"),
    "deep objects": ("jsonl", LINE + b'{"a":' * 50_000, "{}:2: not valid JSON: .*too deep"),
    "a huge integer": ("jsonl", LINE + b'{"sample": ' + b"9" * 5_000 + b"}", "{}:2: .*number too long"),
    "a large sample": ("jsonl", LINE + row(sample=2**40), "{}:2: the sample is 1099511627776"),
    "a sample that is a float": ("jsonl", LINE + row(sample=1.5), "{}:2: the sample is 1.5"),
    "a sample that is true": ("jsonl", LINE + row(sample=True), "{}:2: the sample is true"),
    "an object for a text": ("jsonl", LINE + row(response={"a": 1}), "{}:2: the response is not a text"),
    "a number for a text": ("jsonl", LINE + row(prompt=7), "{}:2: the instruction is not a text"),
    "HTML": ("jsonl", b"<!DOCTYPE html><html></html>", "{}:1: not valid JSON"),
    "a zip bomb of blanks": ("jsonl", gzip.compress(b" " * 2**27), "{}:1: the line is longer than 64 MiB"),
    "a huge line": ("jsonl", sparse(2**26 + 10), "{}:1: the line is longer than 64 MiB"),
    # rows that contradict
    "the same key twice": ("jsonl", LINE + row(key="g", prompt="Other?"), "{}:2: .*with another text"),
    "another response": ("jsonl", LINE + row(key="g", response="No."), "{}:2: .*another response"),
    "no model": ("jsonl", LINE + row(model=None), "{}:2: a response without a model"),
    "no language": ("jsonl", LINE + row(language=""), "{}:2: no language"),
    "a language that is none": ("jsonl", LINE + row(language="../en"), "{}:2: '../en' is no language"),
    "a blank model": ("jsonl", LINE + row(model=" "), "{}:2: the model is empty"),
    "parameters that are a list": ("jsonl", LINE + row(parameters=[1]), "{}:2: the parameters are not"),
    # CSV
    "an empty table": ("csv", b"", "{} is empty"),
    "blank lines only": ("csv", b"\n\r\n\n", "{} is empty"),
    "an unclosed quote": ("csv", CSV + b'en,k,"Q?,a,m\n', "{}:2: not valid CSV"),
    "text behind a quote": ("csv", CSV + b'en,k,"Q"x,a,m\n', "{}:2: not valid CSV"),
    "too few cells": ("csv", CSV + b"en,k,Q?\n", "{}:2: 3 cells where the header has 5"),
    "too many cells": ("csv", CSV + b"en,k,Q?,a,m,more\n", "{}:2: 6 cells where the header has 5"),
    "a column twice": ("csv", b"key,key\na,b\n", "{}: the header names 'key' twice"),
    "parameters that are no JSON": (
        "csv",
        b"language,prompt,model,response,parameters\nen,Q,m,a,{x\n",
        "{}:2: ",
    ),
    "a sample that is a formula": (
        "csv",
        b"language,prompt,model,response,sample\nen,Q,m,a,=1+1\n",
        "{}:2: ",
    ),
    # archives
    "a zip archive": ("jsonl", zipped("a.jsonl"), "{} is a zip archive"),
    "a zip archive with a path": (
        "csv",
        zipped("../../etc/cron.d/x", "/abs", "C:\\x"),
        "{} is a zip archive",
    ),
    "a tar archive with a path": ("jsonl", tarred(), "{}:1: not valid JSON"),
    "a truncated gzip": ("jsonl", gzip.compress(LINE * 500)[:-20], "can't be read: .*ended before"),
    "a gzip with a wrong sum": ("jsonl", gzip.compress(LINE)[:-8] + b"\0" * 8, "can't be read: CRC check"),
    "gzip that is none": ("jsonl", b"\x1f\x8b" + b"x" * 40, "can't be read"),
    "gzip of CSV for JSON": ("jsonl", gzip.compress(CSV), "{}:1: not valid JSON"),
    "bzip2": ("jsonl", b"BZh91AY&SY", "{} is a bzip2 archive"),
    "xz": ("jsonl", b"\xfd7zXZ\x00\x00", "{} is an xz archive"),
    "a store": ("jsonl", b"SQLite format 3\x00" + b"\0" * 84, "{} is a SQLite file"),
    # Parquet
    "Parquet as JSON Lines": ("jsonl", PARQUET, "{} is Parquet"),
    "JSON Lines as Parquet": ("parquet", LINE, "{} can't be read as Parquet"),
    "an empty Parquet": ("parquet", b"", "{} can't be read as Parquet"),
    "a truncated Parquet": ("parquet", PARQUET[:-30], "{} can't be read as Parquet"),
    "a damaged Parquet": (
        "parquet",
        PARQUET[:4] + b"\xff" * 60 + PARQUET[64:],
        "can't be read as Parquet|{}:1",
    ),
    "a sparse Parquet": ("parquet", sparse(10_000), "{} can't be read as Parquet"),
    "numbers for texts": (
        "parquet",
        parquet(**{**SOUND, "response": [7.5]}),
        "{}:1: the response is not a text",
    ),
    "lists for texts": (
        "parquet",
        parquet(**{**SOUND, "prompt": [["a"]]}),
        "{}:1: the instruction is not a text",
    ),
    "bytes that are no UTF-8": ("parquet", parquet(**{**SOUND, "response": [b"\xff"]}), "{}:1: bytes that"),
    "a Parquet without a text": ("parquet", parquet(x=[1, 2]), "{}:1: no instruction"),
    "only nulls": ("parquet", parquet(**{**SOUND, "prompt": [None]}), "{}:1: no instruction"),
    "a column twice in Parquet": (
        "parquet",
        lambda path: pyarrow.parquet.write_table(
            pyarrow.Table.from_arrays([pyarrow.array(["a"])] * 2, names=["key", "key"]), path
        ),
        "{} has two columns 'key'",
    ),
    # AlpacaEval
    "an object": ("alpaca-eval", json.dumps(ALPACA).encode(), "{} is no JSON array"),
    "an array cut short": (
        "alpaca-eval",
        b"[\n" + json.dumps(ALPACA).encode() + b",\n",
        "{}:3: not valid JSON",
    ),
    "an array not closed": ("alpaca-eval", b"[\n" + json.dumps(ALPACA).encode(), "{}:2: .*no `,` or `]`"),
    "an array and more": ("alpaca-eval", b"[]\nx", "{}:2: .*text after the end"),
    "an array with a text": ("alpaca-eval", b'["x"]', "{}:1: not a JSON object"),
    "an array with NaN": ("alpaca-eval", b"[\nNaN]", "{}:2: .*NaN is no JSON"),
    "an array too deep": ("alpaca-eval", DEEP, "{}:1: .*too deep"),
    "an array of Latin-1": ("alpaca-eval", b'[\n"\xe9"]', "{}:2: not valid UTF-8"),
    "no generator": ("alpaca-eval", b'[{"instruction": "Hi", "output": "Ho"}]', "{}:1: a response without"),
    "nothing at all": ("alpaca-eval", b"", "{} is no JSON array"),
    # others
    "a suite's folder without files": ("suite", lambda path: path.mkdir(), "no |holds"),
    "Dolly without an answer": ("dolly", b'{"instruction": "Hi"}\n', "{}:1: not a row of dolly"),
    "LIMA with an object": ("lima", b'{"conversations": [{"a": 1}]}\n', "{}:1: a message without a `role`"),
    "LIMA cut short": ("lima", b'{"conversations": ["a"', "{}:1: not valid JSON"),
    "marks without an answer": ("annotator", b"hello\n", "does not name its reviewer"),
    # no plain files
    "a folder": ("jsonl", lambda path: path.mkdir(), "can't be read: Is a directory"),
    "a folder of Parquet": ("parquet", lambda path: path.mkdir(), "can't be read"),
    "nothing there": ("jsonl", lambda path: None, "No file or folder .*{}"),
    "a link to nothing": ("jsonl", lambda path: path.symlink_to("none"), "No file or folder .*{}"),
    "a link to itself": ("jsonl", lambda path: path.symlink_to(path), "{}"),
    "a pipe": ("jsonl", pipe(LINE + b"{"), "{}:2: not valid JSON"),
    "a device": ("csv", lambda path: path.symlink_to("/dev/null"), "{} is a device, which may have no end"),
}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory, empty_store):
    """A store that no import of a bad file may change."""
    engine = open_store(shutil.copy(empty_store, tmp_path_factory.mktemp("untouched") / "s.db"))
    yield engine
    engine.dispose()


def contents(engine) -> list[int]:
    tables = ("suite", "instruction", "model", "decoding", "response", "rater", "rubric", "entry", "rating")
    with engine.connect() as connection:
        return [connection.execute(text(f"SELECT count(*) FROM {it}")).scalar() or 0 for it in tables]


def test_there_are_at_least_sixty_kinds():
    assert len(FILES) >= 60


@pytest.mark.parts
@pytest.mark.parametrize("kind", FILES)
def test_a_malformed_file_gives_one_sentence_and_changes_nothing(untouched, tmp_path, kind):
    form, made, said = FILES[kind]
    path = tmp_path / "bad file.x"
    path.write_bytes(made) if isinstance(made, bytes) else made(path)
    with pytest.raises(XlitError, match=said.replace("{}", r"bad file\.x")) as refused:
        run_import(untouched, form, [path])
    told = str(refused.value)
    assert "\n" not in told
    assert "Traceback" not in told
    assert len(told) < 600
    assert contents(untouched) == [0] * 9


def test_a_name_that_is_too_long_and_one_below_a_file_are_told(untouched, tmp_path):
    (tmp_path / "file").touch()
    for path, said in ((tmp_path / ("x" * 300), "too long"), (tmp_path / "file" / "x", "No file or folder")):
        with pytest.raises(XlitError, match=said):
            run_import(untouched, "jsonl", [path])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(untouched, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINE)
    path.chmod(0)
    with pytest.raises(XlitError, match=r"a\.jsonl can't be read: Permission denied"):
        run_import(untouched, "jsonl", [path])


def test_empty_files_and_files_of_blanks_are_no_error(untouched, tmp_path):
    for content in (b"", b"\n \n", b"\xef\xbb\xbf"):
        (tmp_path / "a.jsonl").write_bytes(content)
        assert run_import(untouched, "jsonl", [tmp_path / "a.jsonl"], dry_run=True).counts.responses_new == 0


def test_gzip_is_read_as_the_file_that_is_in_it(untouched, tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(LINE))
    assert run_import(untouched, "jsonl", [tmp_path / "a.jsonl.gz"], dry_run=True).counts.responses_new == 1
