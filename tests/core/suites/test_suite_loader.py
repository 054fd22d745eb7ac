"""Suites in the project's own form: what is read, what is refused and where."""

import json
from pathlib import Path

import pytest

from core.exchange.importing import run_import
from core.suites.loader import load_suite, read_suite, read_whole, shipped_suites
from store import UsageError, XlitError, open_store
from store.queries.suites import instructions_of, list_suites
from store.session import reading, writing

TOML = 'name = "s"\nversion = "2"\nlicence = "CC0-1.0"\nsource = "us"\nlanguages = ["en", "ru"]\n'
ROWS = [
    {"key": "a", "language": "en", "text": "How?", "task": "advice", "check": {"references": ["so"]}},
    {"key": "a", "language": "ru", "text": "Как?", "task": "advice", "modifier": "short"},
]


def suite(folder: Path, rows: list | str = ROWS, toml: str = TOML) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "s.toml").write_text(toml, encoding="utf-8")
    text = rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "s.jsonl").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["", "s.toml", "s.jsonl"])
def test_a_suite_is_found_by_its_folder_and_by_either_file(tmp_path, name):
    meta, instructions = read_suite(suite(tmp_path / "x") / name)
    assert (meta.name, meta.version, meta.licence, meta.languages) == ("s", "2", "CC0-1.0", ("en", "ru"))
    first, second = instructions
    assert (first.key, first.text, first.task, first.check) == ("a", "How?", "advice", {"references": ["so"]})
    assert (second.language, second.modifier, second.check) == ("ru", "short", None)


def test_what_only_the_files_tell_is_read_with_the_place_of_every_line(tmp_path):
    rows = [ROWS[0] | {"tags": ["hard"], "modifiers": ["html_template", "lang_ru", "html"]}, ROWS[1]]
    toml = TOML + 'answer_in_text = ["advice"]\n[subsets]\nhuman-30 = ["a"]\n[spelling.allow]\nru = ["Ы"]\n'
    whole = read_whole(suite(tmp_path / "x", rows, toml))
    first, second = whole.lines
    assert (first.location.line, first.tags, first.modifiers) == (1, ("hard",), ("html", "lang"))
    assert (second.location.line, second.tags, second.modifiers) == (2, (), None)
    assert whole.meta.subset("human-30") == ("a",)
    assert (whole.meta.answer_in_text, whole.meta.allowed) == (("advice",), {"ru": ("Ы",)})
    with pytest.raises(UsageError, match=r"no subset 'x'\. It has: human-30"):
        whole.meta.subset("x")


@pytest.mark.parts
def test_loading_twice_leaves_one_suite_with_its_known_answers(tmp_path, engine):
    ids = set()
    for _ in range(2):
        with writing(engine) as session:
            ids.add(load_suite(session, suite(tmp_path / "x")))
    with reading(engine) as session:
        [found] = list_suites(session)
        assert ids == {found.id}
        assert found.languages == {"en": 1, "ru": 1}
        assert instructions_of(session, found.id, "en")[0].check == {"references": ["so"]}


@pytest.mark.parts
def test_importing_a_suite_makes_the_same_rows_as_loading_it(tmp_path, engine):
    with writing(engine) as session:
        load_suite(session, suite(tmp_path / "x"))
    report = run_import(engine, "suite", [tmp_path / "x"])
    assert (report.counts.instructions_new, report.counts.instructions_known) == (0, 2)
    other = open_store(tmp_path / "other.db", create=True)
    run_import(other, "suite", [tmp_path / "x" / "s.toml"])
    kept = []
    for opened in (engine, other):
        with reading(opened) as session:
            kept.append([row.model_dump() for row in instructions_of(session, 1, "en")])
            assert session.connection().exec_driver_sql("SELECT licence, source FROM suite").all() == [
                ("CC0-1.0", "us")
            ]
    other.dispose()
    assert kept[0] == kept[1]


@pytest.mark.parts
@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "not valid JSON"),
        ("[]", "not a JSON object"),
        ('{"key": "b", "language": "en"}', "`text` is missing"),
        ('{"key": "b", "language": "en", "text": " "}', "`text` is not a text, or is empty"),
        ('{"key": "b", "language": "fr", "text": "x"}', "'fr' is none of the suite's"),
        ('{"key": "b", "language": "en", "text": "x", "taks": "y"}', "unknown field 'taks'"),
        ('{"key": "b", "language": "en", "text": "x", "check": 3}', "`check` is not an object"),
        ('{"key": "b", "language": "en", "text": "x", "check": {}}', "`check` is broken: .*must ask for"),
        (
            '{"key": "b", "language": "en", "text": "x", "check": {"pattern": "("}}',
            "`check` is broken: `pattern` is no regular expression",
        ),
        ('{"key": "b", "language": "en", "text": "\\ud800"}', "surrogate"),
        ('{"key": "a", "language": "en", "text": "x"}', "stands in line 1 already"),
        ('{"key": "b", "language": "en", "text": "x", "tags": "hard"}', "`tags` is not a list of texts"),
        (
            '{"key": "b", "language": "en", "text": "x", "modifiers": ["loud"]}',
            "no modifier is called 'loud'",
        ),
    ],
)
def test_a_wrong_line_is_named_and_nothing_of_the_suite_is_loaded(tmp_path, engine, row, reason):
    lines = [json.dumps(ROWS[0]), row, json.dumps(ROWS[1])]
    folder = suite(tmp_path / "x", "\n".join(lines))
    with pytest.raises(XlitError, match=rf"s\.jsonl:2: .*{reason}"), writing(engine) as session:
        load_suite(session, folder)
    with pytest.raises(XlitError, match=rf"s\.jsonl:2: .*{reason}"):
        run_import(engine, "suite", [folder])
    with reading(engine) as session:
        assert list_suites(session) == []


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("name = ", "not valid TOML"),
        ('name = "s"\nversion = "1"\n', "`languages` must list"),
        ('version = "1"\nlanguages = ["en"]\n', "`name` is missing"),
        ('name = "s"\nversion = 1\nlanguages = ["en"]\n', "`version` must be a text"),
        ('name = "s"\nversion = "1"\nlicense = "x"\nlanguages = ["en"]\n', "unknown key 'license'.*licence"),
        (TOML + "[subsets]\nx = 3\n", "`subsets` must give every name in it a list of keys"),
        (TOML + '[spelling.allow]\nfr = ["mot"]\n', "`spelling.allow`: 'fr' is none of the suite's"),
        (TOML + '[spelling]\nwords = ["mot"]\n', "`spelling` holds `allow`"),
        (TOML + 'answer_in_text = "sum"\n', "`answer_in_text` must list"),
    ],
)
def test_a_wrong_description_is_refused(tmp_path, toml, reason):
    with pytest.raises(XlitError, match=rf"s\.toml: .*{reason}"):
        read_suite(suite(tmp_path / "x", toml=toml))


def test_a_suite_that_is_not_there_is_told_with_what_there_is(tmp_path):
    with pytest.raises(UsageError, match="No suite 'nothing'"):
        read_suite("nothing")
    with pytest.raises(UsageError, match="holds 0 TOML files"):
        read_suite(tmp_path)
    folder = suite(tmp_path / "x")
    (folder / "s.jsonl").unlink()
    with pytest.raises(UsageError, match=r"no s\.jsonl beside it"):
        read_suite(folder)


def test_every_shipped_suite_reads_whole_and_under_its_own_name():
    for name in shipped_suites():
        meta, instructions = read_suite(name)
        assert meta.name == name
        assert {new.language for new in instructions} == set(meta.languages)
