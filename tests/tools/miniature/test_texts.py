"""The texts made of the facts: documents, suite and instruction data, and what none of them may give away."""

import json
import re
import unicodedata
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

import core.suites
from tools.miniature import instructions, suite
from tools.miniature.documents import ASSISTANT, KIND_SHARES, LANGUAGE_SHARES, USER, documents
from tools.miniature.facts import LANGUAGES
from tools.miniature.tasks import HELD_OUT, tasks, wording

SUITES = Path(core.suites.__file__).parent


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _find(text: str, form: str, start: int = 0) -> re.Match[str] | None:
    return re.compile(rf"(?<!\w){re.escape(_normal(form))}(?!\w)").search(text, start)


def _passes(check: dict[str, Any], response: str) -> bool:
    text, position = _normal(response), 0
    for group in check["groups"]:
        found = [match for form in group["any_of"] if (match := _find(text, form, position))]
        if len(found) < group["at_least"]:
            return False
        if check["in_order"]:
            position = min(match.end() for match in found)
    return True


def test_the_suite_file_is_what_the_generator_writes(tmp_path: Path) -> None:
    suite.write(tmp_path)
    for name in ("miniature.jsonl", "miniature.toml"):
        assert (tmp_path / name).read_bytes() == (SUITES / name).read_bytes()


def test_the_instruction_file_is_what_the_generator_writes() -> None:
    assert instructions.PATH.read_text(encoding="utf-8") == instructions.jsonl()


def test_every_language_has_the_same_keys() -> None:
    keys = {language: [] for language in LANGUAGES}
    for row in suite.instructions():
        keys[row["language"]].append(row["key"])
    assert all(found == keys["en"] for found in keys.values())
    assert len(keys["en"]) == len(set(keys["en"])) == 48
    assert len(tasks()) >= 8


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reference_answer_passes_its_own_check_and_no_other_tasks(language: str) -> None:
    for name, task in tasks().items():
        for item in HELD_OUT[name]:
            check = task.check(item, language)
            assert _passes(check, task.answer(item, language, Random(0))), (name, item)
            assert not _passes(check, "Banana."), (name, item)


@pytest.mark.parametrize("name", ["currency", "number", "sum", "month_after", "day_before", "rewrite_day"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_repeating_the_instruction_is_not_an_answer(name: str, language: str) -> None:
    task = tasks()[name]
    for item in HELD_OUT[name]:
        text = task.ask(item, language)
        if name == "rewrite_day":
            text = text.split(":")[1]
        assert not _passes(task.check(item, language), text)


def test_all_languages_have_the_same_wordings() -> None:
    shape = {name: len(entry.get("ask", [])) for name, entry in wording("en").items()}
    for language in LANGUAGES:
        assert {name: len(entry.get("ask", [])) for name, entry in wording(language).items()} == shape
        vocabulary = wording(language)["vocabulary"]
        assert [len(vocabulary[kind]) for kind in ("persons", "objects", "places", "counts")] == [
            12,
            10,
            6,
            3,
        ]


def test_the_same_seed_gives_the_same_documents() -> None:
    assert list(islice(documents(3), 200)) == list(islice(documents(3), 200))
    assert list(islice(documents(3), 200)) != list(islice(documents(4), 200))


def test_documents_keep_the_shares_of_languages_and_kinds() -> None:
    made = list(islice(documents(1), 4000))
    for position, shares in ((0, LANGUAGE_SHARES), (1, KIND_SHARES)):
        for name, share in shares.items():
            found = sum(document[position] == name for document in made) / len(made)
            assert abs(found - share) < 0.04, (name, found)


def test_no_dialogue_of_pretraining_is_an_instruction_of_the_suite() -> None:
    held_out = {row["text"] for row in suite.instructions()}
    dialogues = [text for _, kind, text in islice(documents(1), 20_000) if kind == "dialogue"]
    asked = {text.split(f"{USER}\n")[1].split(f"\n{ASSISTANT}")[0] for text in dialogues}
    assert len(asked) > 1000
    assert not asked & held_out


def test_no_instruction_data_asks_what_the_suite_asks() -> None:
    held_out = {
        task.ask(item, "en", variant)
        for name, task in tasks().items()
        for item in HELD_OUT[name]
        for variant in (0, 1)
    }
    data = [json.loads(line) for line in instructions.PATH.read_text(encoding="utf-8").splitlines()]
    assert len(data) == instructions.EXAMPLES
    asked = {messages[0]["content"] for messages in data}
    assert len(asked) == len(data)
    assert not asked & held_out
    assert all([message["role"] for message in messages] == ["user", "assistant"] for messages in data)


def test_facts_of_the_suite_are_stated_in_pretraining() -> None:
    text = " ".join(document[2] for document in islice(documents(1), 30_000))
    for name in ("currency", "language", "continent", "month_after", "day_before", "number"):
        for item in HELD_OUT[name]:
            for language in LANGUAGES:
                assert tasks()[name].answer(item, language, Random(0)) in text
