"""Parts of suites, and suites written out: what is chosen, and that it reads again."""

import json

import pytest

from core.suites.filter import filter_suite
from core.suites.loader import load_suite, open_suite, read_whole, write_suite
from store import UsageError, XlitError
from store.session import writing

LINES = [
    {
        "key": f"{task}-{n}",
        "language": language,
        "task": task,
        "text": f'{task} "{n}" \\ {language} «é»\nя',
        **({"check": {"number": n}, "tags": ["hard", "culture-bound"]} if task == "sum" else {}),
        **({"modifier": "num_items_3"} if n == 2 and task == "mail" else {}),
        "modifiers": ["short", "items"],
    }
    for task in ("sum", "mail")
    for n in (1, 2)
    for language in ("en", "ru")
]
TOML = """answer_in_text = ["mail-1", "sum"]

[subsets]
half = ["sum-2", "mail-1"]
"with space" = ["sum-1"]

[spelling.allow]
ru = ["Бузямба"]
"""


@pytest.fixture
def whole(suite):
    return read_whole(suite(LINES, toml=TOML, description='with "quotes", a tab\t and \\'))


def keys(part):
    return [(line.new.key, line.new.language) for line in part.lines]


def test_a_subset_keeps_the_order_of_the_suite(whole):
    part = filter_suite(whole, subset="half")
    assert keys(part) == [("sum-2", "en"), ("sum-2", "ru"), ("mail-1", "en"), ("mail-1", "ru")]


def test_nothing_chosen_is_the_whole(whole):
    assert filter_suite(whole) == whole


def test_languages_tasks_and_modifiers_narrow_it_together(whole):
    assert keys(filter_suite(whole, languages=["ru"], tasks=["mail"])) == [("mail-1", "ru"), ("mail-2", "ru")]
    assert keys(filter_suite(whole, languages=["en"], modifiers=["num_items"])) == [("mail-2", "en")]
    assert keys(filter_suite(whole, languages=["en"], modifiers=["num_items_3"])) == [("mail-2", "en")]


def test_the_description_of_a_part_names_only_what_is_left(whole):
    meta = filter_suite(whole, languages=["en"], tasks=["mail"]).meta
    assert (meta.languages, meta.description) == (("en",), "A part of small/1")
    assert meta.subsets == {"half": ("mail-1",)}
    assert meta.answer_in_text == ("mail-1",)
    assert meta.allowed == {}


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ({"subset": "third"}, "no subset 'third'. It has: half, with space"),
        ({"languages": ["de"]}, "no language 'de'. It has: en, ru"),
        ({"tasks": ["rhyme"]}, "no task 'rhyme'. It has: mail, sum"),
        ({"modifiers": ["html"]}, "no modifier 'html'. It has: num_items, num_items_3"),
        ({"subset": "with space", "tasks": ["mail"]}, "Nothing of suite small/1"),
    ],
)
def test_what_the_suite_does_not_have_is_told_with_what_it_has(whole, choice, says):
    with pytest.raises(UsageError, match=says):
        filter_suite(whole, **choice)


def test_a_subset_that_names_no_key_is_refused(suite):
    whole = read_whole(suite(LINES, toml='[subsets]\nx = ["sum-1", "gone"]'))
    with pytest.raises(XlitError, match="'gone', which is no key"):
        filter_suite(whole, subset="x")


def test_a_suite_that_is_written_reads_as_it_was(whole, tmp_path):
    read = read_whole(write_suite(whole, tmp_path / "out"))
    assert read.meta == whole.meta
    assert [(line.new, line.tags, line.modifiers) for line in read.lines] == [
        (line.new, line.tags, line.modifiers) for line in whole.lines
    ]
    again = write_suite(read, tmp_path / "again")
    for ending in (".toml", ".jsonl"):
        first = (tmp_path / "out" / f"small{ending}").read_bytes()
        assert again.with_suffix(ending).read_bytes() == first


def test_what_is_there_is_replaced_only_when_that_is_asked_for(whole, tmp_path):
    write_suite(whole, tmp_path / "out")
    with pytest.raises(UsageError, match=r"small\.toml is there already"):
        write_suite(whole, tmp_path / "out")
    part = filter_suite(whole, subset="half")
    assert len(read_whole(write_suite(part, tmp_path / "out", force=True)).lines) == 4
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["small.jsonl", "small.toml"]


@pytest.mark.parts
def test_a_suite_of_the_store_is_opened_by_its_name_and_can_be_written(suite, engine, tmp_path):
    with writing(engine) as session:
        load_suite(session, suite(LINES))
    stored = open_suite("small/1", engine)
    assert (stored.meta.licence, stored.meta.source) == ("CC0-1.0", "us")
    toml = write_suite(stored, tmp_path / "out")
    rows = [json.loads(line) for line in toml.with_suffix(".jsonl").read_text("utf-8").splitlines()]
    kept = ("key", "language", "task", "text", "modifier", "check")
    expected = [{name: line[name] for name in kept if name in line} for line in LINES]
    assert sorted(rows, key=str) == sorted(expected, key=str)


@pytest.mark.parts
def test_a_suite_that_is_nowhere_is_told_with_the_shipped_ones(engine):
    with pytest.raises(UsageError, match=r"No suite 'nowhere': .*miniature.*--store"):
        open_suite("nowhere", None)
    with pytest.raises(UsageError, match=r"The store holds no suite.*Shipped are: miniature"):
        open_suite("nowhere", engine)
