"""The paper's evaluation sets: small files of the same shape, and the real ones where they are."""

import pytest

from core.exchange.importing import run_import
from store import UsageError, XlitError

pytestmark = pytest.mark.parts


def conversations(*texts: str) -> list:
    return [[{"role": "user", "content": text}] for text in texts]


def test_lines_of_all_languages_pair_by_their_number(engine, write, ask):
    files = [
        write("alpacaeval_test_subset.en.jsonl", conversations("Hi?", "Soil?")),
        write("alpacaeval_test_subset.ru.jsonl", conversations("Привет?", "Почва?")),
    ]
    run_import(engine, "paper-set", files)
    assert ask("SELECT key, language, text, modifier FROM instruction") == [
        ("0001", "en", "Hi?", None),
        ("0002", "en", "Soil?", None),
        ("0001", "ru", "Привет?", None),
        ("0002", "ru", "Почва?", None),
    ]
    assert ask("SELECT name, version, licence FROM suite") == [
        ("alpacaeval_test_subset", "1", "CC-BY-NC-4.0")
    ]


def test_modifiers_pair_only_where_they_ask_for_the_same(engine, write, ask):
    for language, number in (("en", 8), ("fr", 3)):
        write(f"modifiers.{language}.jsonl", conversations(f"short {language}", f"{number} {language}"))
        write(f"modifiers.{language}.types", f"short\nnum_items_{number}\n")
    folder = write("README", "").parent
    run_import(engine, "paper-set", [folder])
    assert ask("SELECT key, language, modifier FROM instruction ORDER BY id") == [
        ("0001-short", "en", "short"),
        ("0002-num_items_8", "en", "num_items_8"),
        ("0001-short", "fr", "short"),
        ("0002-num_items_3", "fr", "num_items_3"),
    ]


@pytest.mark.parametrize(
    ("types", "place"), [("short\n", r"modifiers\.en\.jsonl:2: "), ("a\nb\nc\n", r"modifiers\.en\.types:3: ")]
)
def test_types_and_instructions_of_unequal_length_are_refused(engine, write, types, place):
    write("modifiers.en.types", types)
    with pytest.raises(XlitError, match=place):
        run_import(engine, "paper-set", [write("modifiers.en.jsonl", conversations("a", "b"))])


def test_modifiers_without_their_types_are_taken_and_the_report_says_so(engine, write, ask):
    report = run_import(engine, "paper-set", [write("modifiers.en.jsonl", conversations("a"))])
    assert "modifiers.en.types" in report.notes[0]
    assert ask("SELECT key, modifier FROM instruction") == [("0001", None)]


def test_conversations_of_other_shapes_are_bad_rows(engine, write):
    turn = conversations("a")[0]
    lines = [turn, {"conversations": ["a", "b"]}, turn * 2, [{"role": "system", "content": "a"}], []]
    report = run_import(engine, "paper-set", [write("x.en.jsonl", lines)], skip_bad=True)
    assert [row.location.line for row in report.skipped] == [2, 3, 4, 5]
    assert report.counts.instructions_new == 1


def test_suite_and_language_can_be_given_and_must_be_where_the_name_is_silent(engine, write, ask):
    path = write("mine.jsonl", conversations("Hallo?"))
    with pytest.raises(UsageError, match="language"):
        run_import(engine, "paper-set", [path])
    run_import(engine, "paper-set", [path], {"language": "de", "suite": "own/4"})
    assert ask("SELECT name, version, licence, language FROM suite, instruction") == [
        ("own", "4", None, "de")
    ]


def test_a_folder_without_evaluation_sets_is_refused(engine, write):
    folder = write("lima.en.jsonl", "{}").parent
    with pytest.raises(UsageError, match="alpacaeval"):
        run_import(engine, "paper-set", [folder])


def test_the_real_sets_come_in_whole_and_once(engine, real_data, ask, counts):
    run_import(engine, "paper-set", [real_data / "paper"])
    rows = ask(
        "SELECT name, language, count(*), count(modifier) FROM instruction "
        "JOIN suite ON suite.id = suite_id GROUP BY name, language ORDER BY name, language"
    )
    languages = ("en", "fr", "pt", "ru")
    assert rows == [
        *(("alpacaeval_test_subset", language, 113, 0) for language in languages),
        *(("modifiers", language, 251, 251) for language in languages),
    ]
    before = counts()
    run_import(engine, "paper-set", [real_data / "paper"])
    assert counts() == before
