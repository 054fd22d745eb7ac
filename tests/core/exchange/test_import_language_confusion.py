"""The Language Confusion Benchmark: a small release of the same shape, and the real one where it is."""

import csv
from pathlib import Path

import pytest

from core.exchange.importing import run_import
from store import UsageError, XlitError

pytestmark = pytest.mark.parts


PROMPTS = {
    "dolly/fr": ["Cinq façons ?", "Deux\r\nlignes ?"],
    "dolly/ru": ["Пять способов?", "Две строки?"],
    "okapi/fr": ["Sujet ?"],
    "okapi/pt": ["Outra coisa?"],
}
SOURCES = {"dolly": "dolly_human_edited", "okapi": "okapi"}


def table(path: Path, header: str, rows: list[list]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header.split(), *rows])


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    for name, prompts in PROMPTS.items():
        source, language = name.split("/")
        rows = [[prompt, SOURCES[source], language] for prompt in prompts]
        table(folder / "test_sets/monolingual" / f"{name}.csv", "prompt source language", rows)
    header = "id model completion task source language"
    for model, answers in {"a": ["Une.", ""], "b": ["One.", "Two."]}.items():
        rows = [[0, model, answers[0], "monolingual", "dolly_human_edited", "fr"]]
        rows += [[1, model, answers[1], "monolingual", "dolly_human_edited", "fr"]]
        rows += [[0, model, "Да.", "monolingual", "okapi", "pt"]]
        rows += [[0, model, "x", "crosslingual", "okapi", "pt"]]
        table(folder / "outputs" / f"{model}.csv", header, rows)
    return folder


def test_answers_meet_the_prompt_whose_row_they_number(engine, release, ask):
    report = run_import(engine, "language-confusion", [release])
    rows = ask(
        "SELECT model.name, instruction.text, task, response.text FROM response "
        "JOIN instruction ON instruction.id = instruction_id JOIN model ON model.id = model_id "
        "ORDER BY model.name, task, response.id"
    )
    assert rows == [
        ("a", "Cinq façons ?", "dolly", "Une."),
        ("a", "Deux\r\nlignes ?", "dolly", ""),
        ("a", "Outra coisa?", "okapi", "Да."),
        ("b", "Cinq façons ?", "dolly", "One."),
        ("b", "Deux\r\nlignes ?", "dolly", "Two."),
        ("b", "Outra coisa?", "okapi", "Да."),
    ]
    assert report.notes == [
        "2 rows of the task 'crosslingual' were left out: only monolingual prompts are read."
    ]
    assert ask("SELECT engine, parameters FROM decoding") == [
        ("imported", '{"source": "language-confusion", "max_new_tokens": 100}')
    ]
    assert ask("SELECT name, version, licence FROM suite") == [("language-confusion", "1", "Apache-2.0")]


def test_only_prompts_that_are_translations_share_a_key(engine, release, ask):
    run_import(engine, "language-confusion", [release])
    assert ask("SELECT key, language FROM instruction ORDER BY key, language") == [
        ("dolly-0000", "fr"),
        ("dolly-0000", "ru"),
        ("dolly-0001", "fr"),
        ("dolly-0001", "ru"),
        ("okapi-fr-0000", "fr"),
        ("okapi-pt-0000", "pt"),
    ]


def test_single_outputs_one_after_the_other_make_the_same_as_the_folder(engine, release, counts, monkeypatch):
    monkeypatch.chdir(release / "outputs")
    run_import(engine, "language-confusion", ["a.csv"])
    run_import(engine, "language-confusion", [release / "outputs" / "b.csv"])
    before = counts()
    again = run_import(engine, "language-confusion", [release]).counts
    assert counts() == before
    assert (again.instructions_new, again.responses_new, again.responses_known) == (0, 0, 6)


def test_an_id_beyond_the_test_set_is_a_bad_row(engine, release, counts):
    with (release / "outputs" / "b.csv").open("a") as file:
        file.write("7,b,x,monolingual,okapi,pt\r\nx,b,x,monolingual,okapi,pt\r\n")
    with pytest.raises(XlitError, match=r"b\.csv:6: .*'okapi-pt-0007'.*\(1 more bad row after it\)"):
        run_import(engine, "language-confusion", [release])
    assert set(counts().values()) == {0}


def test_a_folder_or_a_table_that_is_no_release_is_refused(engine, release, tmp_path):
    with pytest.raises(UsageError, match="test_sets/monolingual"):
        run_import(engine, "language-confusion", [tmp_path])
    table(release / "outputs" / "c.csv", "id model", [[0, "c"]])
    with pytest.raises(UsageError, match=r"c\.csv has no column 'completion'"):
        run_import(engine, "language-confusion", [release])


def test_the_real_release_comes_in_whole_and_once(engine, real_data, counts, ask):
    folder = real_data / "language_confusion"
    whole = {"suite": 1, "instruction": 900, "model": 10, "decoding": 1, "response": 9000}
    run_import(engine, "language-confusion", [folder])
    assert counts() == whole
    languages = ask("SELECT language, count(*) FROM instruction GROUP BY language ORDER BY language")
    assert languages == [("de", 100), ("en", 200), ("fr", 300), ("pt", 200), ("ru", 100)]
    run_import(engine, "language-confusion", [folder])
    assert counts() == whole
