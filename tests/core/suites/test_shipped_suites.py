"""The suites that come with the project: sound, aligned, and nobody else's."""

import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from core.judge.surface.spelling import find_dictionary
from core.suites.checking.check import check_suite
from core.suites.checking.findings import SuiteReport
from core.suites.loader import read_whole, shipped_suites, write_suite
from core.suites.modifiers import modified_suite, read_wordings

OURS = [name for name in shipped_suites() if name != "miniature"]
RUN = 8
LANGUAGES = ("en", "fr", "pt", "ru", "de")
DICTIONARIES = [find_dictionary(language) for language in LANGUAGES]
PINNED = all(found and found.folder.is_relative_to(sys.prefix) for found in DICTIONARIES)


@cache
def checked(name: str) -> SuiteReport:
    return check_suite(name)


@pytest.mark.parametrize("name", shipped_suites())
def test_every_shipped_suite_passes_its_check(name):
    report = checked(name)
    assert [one for one in report.findings if one.level == "error"] == []
    if all(map(find_dictionary, report.suite.meta.languages)):
        assert report.not_done == ()
        assert report.exit_code == 0


@pytest.mark.parametrize("name", shipped_suites())
def test_every_shipped_suite_says_whose_it_is(name):
    meta = read_whole(name).meta
    assert meta.licence == "CC0-1.0"
    assert meta.source


@pytest.mark.skipif(not OURS, reason="the miniature alone is shipped")
@pytest.mark.parametrize("name", OURS)
def test_our_own_suites_have_no_repeats_and_give_nothing_away(name):
    found = [one for one in checked(name).findings if one.kind != "spelling"]
    assert found == []


@pytest.mark.skipif(not PINNED, reason="other dictionaries than those of scripts/get_dictionaries.sh")
@pytest.mark.parametrize("name", OURS)
def test_our_own_suites_have_no_misspelt_words(name):
    assert [one for one in checked(name).findings if one.kind == "spelling"] == []


@pytest.mark.skipif(not PINNED, reason="other dictionaries than those of scripts/get_dictionaries.sh")
@pytest.mark.skipif("xlit-120" not in OURS, reason="xlit-120 is not shipped")
def test_the_suite_with_modifiers_passes_its_check_too(tmp_path):
    made = modified_suite(read_whole("xlit-120"), read_wordings())
    assert check_suite(str(write_suite(made, tmp_path))).findings == ()


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def runs(text: str) -> Iterator[tuple[str, ...]]:
    found = words(text)
    return zip(*(found[start:] for start in range(RUN)), strict=False)


def strings(value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif isinstance(value, dict):
        yield from strings(list(value.values()))


def texts_of_others(data: Path, language: str) -> Iterator[str]:
    """The texts of the paper's sets in a language, and in English LIMA and the instructions of AlpacaEval."""
    for path in sorted((data / "paper").glob(f"*.{language}.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield from strings(json.loads(line))
    if language == "en":
        for path in sorted((data / "alpaca_eval").glob("*/model_outputs.json")):
            for row in json.loads(path.read_text(encoding="utf-8")):
                yield row["instruction"]


@pytest.fixture(scope="module")
def english() -> dict[tuple[str, ...], str]:
    """Every run of words in the English texts of our suites, the ones with modifiers too, with its key."""
    found = {}
    for name in OURS:
        whole = read_whole(name)
        for made in (whole, modified_suite(whole, read_wordings())):
            for line in made.lines:
                if line.new.language == "en":
                    found.update(dict.fromkeys(runs(line.new.text), f"{name} {line.new.key}"))
    return found


def test_no_run_of_eight_words_is_taken_from_another_set(real_data, english):
    common = {
        (english[run], " ".join(run))
        for text in texts_of_others(real_data, "en")
        for run in runs(text)
        if run in english
    }
    assert common == set()


@pytest.mark.parametrize("language", LANGUAGES[:4])
def test_no_wording_of_a_modifier_is_one_of_the_paper(real_data, language):
    theirs = "\n".join(" ".join(words(text)) for text in texts_of_others(real_data, language))
    for modifier in read_wordings().modifiers.values():
        for wording in modifier.wordings:
            for number in modifier.numbers or (0,):
                text = wording.texts[language].replace("{n}", str(number)).partition("{language}")[0]
                assert " ".join(words(text)) not in theirs
