"""Suites with modifiers: what is drawn, always the same, and that the rules understand what is asked."""

import json
import re
import subprocess
import sys

import pytest

from core.judge.modifiers.registry import read_modifier
from core.suites.loader import read_whole
from core.suites.modifiers import SHIPPED_WORDINGS, modified_suite, modifier_counts, read_wordings
from store import UsageError, XlitError
from store.queries.expected_language import expected_language

LANGUAGES = ("en", "fr", "pt", "ru", "de")
GROUPS = tuple(read_wordings().modifiers)
PAPER = {"short": 20, "long": 20, "num_items": 12, "lang": 100, "two-hop": 15} | dict.fromkeys(
    ("markdown", "html", "arrow", "cap", "scientific", "simple"), 14
)
TASKS = [f"task{n}" for n in range(25)]

# In each language a subject and what it does: sentences of six words or so.
SUBJECTS = {
    "en": ["The captain of the small boat", "Our old neighbour from the village"],
    "fr": ["Le capitaine du petit bateau", "Notre vieille voisine du village"],
    "pt": ["O capitão do pequeno barco", "Nossa velha vizinha da aldeia"],
    "ru": ["Капитан небольшого рыбацкого корабля", "Наша старая соседка из деревни"],
    "de": ["Der Kapitän des kleinen Bootes", "Unsere alte Nachbarin aus dem Dorf"],
}
DOES = {
    "en": ["tells a long story about the sea.", "bakes bread for all of the children."],
    "fr": ["raconte une longue histoire sur la mer.", "prépare du pain pour tous les enfants."],
    "pt": ["conta uma longa história sobre o mar.", "faz pão para todas as crianças da rua."],
    "ru": ["рассказывает длинную историю о море.", "печёт хлеб для всех детей на улице."],
    "de": ["erzählt eine lange Geschichte über das Meer.", "backt Brot für alle Kinder der Straße."],
}


def sentences(language: str, number: int) -> list[str]:
    """Different sentences in a language."""
    pairs = [(a, b) for b in DOES[language] for a in SUBJECTS[language]]
    return [f"{a} {b[:-1]} ({n})." for n, (a, b) in zip(range(number), pairs * number, strict=False)]


def answers(group: str, parameter: str, language: str) -> tuple[str, str]:
    """An answer in a language that does what a modifier demands, and one that does not."""
    few, many = sentences(language, 3), sentences(language, 40)
    lines = "\n".join
    if group == "num_items":
        n = int(parameter)
        numbered = [f"{place}. {text}" for place, text in enumerate(sentences(language, n + 1), 1)]
        return lines(numbered[:n]), lines(numbered)
    if group == "lang":
        return " ".join(sentences(parameter, 4)), " ".join(sentences(language, 4))
    return {
        "short": (" ".join(few), " ".join(many)),
        "long": (" ".join(many), " ".join(few)),
        "markdown": (f"## {few[0]}\n\n* {few[1]}\n* **{few[2]}**", " ".join(few)),
        "html": (f"<!DOCTYPE html>\n<html><body><p>{few[0]}</p></body></html>", f"<div><p>{few[0]}</p>"),
        "arrow": (lines(f"--> {text}" for text in few), lines(f"- {text}" for text in few)),
        "cap": (" ".join(few).title(), " ".join(few)),
    }[group]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """25 tasks with 5 instructions each in five languages, for all of which all modifiers fit."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "big.toml").write_text(
        f'name = "big"\nversion = "2"\nlicence = "CC0-1.0"\nlanguages = {json.dumps(list(LANGUAGES))}\n'
        'answer_in_text = ["task1", "task2-1"]\n[subsets]\nsome = ["task0-1", "task0-2"]\n'
    )
    rows = [
        {
            "key": f"{task}-{n}",
            "language": language,
            "task": task,
            "text": f"{task} {n} {language}?",
            "check": {"number": n},
            "modifiers": list(GROUPS),
        }
        for task in TASKS
        for n in range(1, 6)
        for language in LANGUAGES
    ]
    (folder / "big.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return read_whole(folder)


@pytest.fixture(scope="module")
def made(whole):
    return modified_suite(whole, read_wordings())


def test_every_modifier_has_as_many_instructions_as_in_the_paper(made):
    assert modifier_counts(made) == PAPER
    assert sum(PAPER.values()) == 251


def test_keys_are_aligned_and_only_the_language_asked_for_differs_between_languages(made):
    by_key = {}
    for line in made.lines:
        by_key.setdefault(line.new.key, []).append(line.new)
    for key, lines in by_key.items():
        assert [new.language for new in lines] == list(LANGUAGES)
        names = {new.modifier for new in lines}
        if key.endswith("+lang"):
            for new in lines:
                assert expected_language(new.language, new.modifier) != new.language
        else:
            assert len(names) == 1


def test_an_instruction_has_a_modifier_once_and_the_tasks_share_it_evenly(made):
    keys = list(dict.fromkeys(line.new.key for line in made.lines))
    for group, number in PAPER.items():
        mine = [key.removesuffix(f"+{group}") for key in keys if key.endswith(f"+{group}")]
        assert len(set(mine)) == number
        shares = [sum(key.startswith(f"{task}-") for key in mine) for task in TASKS]
        assert max(shares) - min(shares) <= 1


def test_items_and_languages_vary(made):
    items = [line.new for line in made.lines if line.new.modifier.startswith("num_items_")]
    assert len({new.modifier for new in items}) >= 4
    assert all(new.modifier.removeprefix("num_items_") in re.findall(r"\d+", new.text) for new in items)
    for language, targets in {"en": {"fr", "pt", "ru"}, "ru": {"fr", "pt", "de"}}.items():
        asked = {line.new.modifier for line in made.lines if line.new.language == language}
        assert {name.removeprefix("lang_") for name in asked if name.startswith("lang_")} == targets


@pytest.mark.whole
def test_the_same_seed_gives_the_same_suite_in_another_process_and_another_seed_another(whole, made):
    script = (
        "import sys, core.suites.cli, core.suites.tables, core.suites.checking.check\n"
        "from core.suites.loader import read_whole\n"
        "from core.suites.modifiers import modified_suite\n"
        "from core.suites.modifiers import read_wordings\n"
        "for line in modified_suite(read_whole(sys.argv[1]), read_wordings()).lines:\n"
        "    print(ascii(line.new))\n"
        "print(sorted({'torch', 'transformers', 'numpy', 'openai', 'fasttext'} & set(sys.modules)))"
    )
    folder = whole.lines[0].location.file.parent
    command = [sys.executable, "-c", script, str(folder)]
    other = subprocess.run(command, capture_output=True, text=True, check=True)
    *lines, heavy_libraries = other.stdout.splitlines()
    assert lines == [ascii(line.new) for line in made.lines]
    assert heavy_libraries == "[]"
    another = modified_suite(whole, read_wordings(), seed=2)
    assert [line.new for line in another.lines] != [line.new for line in made.lines]
    assert another.meta.version != made.meta.version


def test_a_smaller_draw_is_a_part_of_the_larger_one(whole, made):
    few = modified_suite(whole, read_wordings(), only=["html_template", "short"], count=3)
    assert modifier_counts(few) == {"short": 3, "html": 3}
    larger = {(line.new.key, line.new.language): line.new for line in made.lines}
    assert all(larger[line.new.key, line.new.language] == line.new for line in few.lines)


def test_the_known_answer_stays_only_where_it_still_is_one(made):
    with_check = {line.new.key.rpartition("+")[2] for line in made.lines if line.new.check is not None}
    assert with_check == set(GROUPS) - {"lang", "num_items", "two-hop"}


def test_the_description_follows_the_keys(made):
    subset = set(made.meta.subsets["some"])
    assert subset == {
        line.new.key for line in made.lines if line.new.key.partition("+")[0] in ("task0-1", "task0-2")
    }
    assert "task1" in made.meta.answer_in_text
    assert any(name.startswith("task2-1+") for name in made.meta.answer_in_text)
    assert (made.meta.name, made.meta.licence) == ("big-modifiers", "CC0-1.0")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("group", GROUPS)
def test_the_rule_of_a_made_instruction_tells_whether_an_answer_does_what_it_demands(made, group, language):
    lines = [line.new for line in made.lines if line.new.key.endswith(f"+{group}")]
    for name in {new.modifier for new in lines if new.language == language}:
        modifier = read_modifier(name)
        assert modifier.group == group
        if group in ("scientific", "simple", "two-hop"):
            assert modifier.by == "judge"
            continue
        does, does_not = answers(group, name.rpartition("_")[2], language)
        assert modifier.judge(does).fulfilled is True
        assert modifier.judge(does_not).fulfilled is False


def test_a_demand_goes_on_a_line_of_its_own_behind_a_text_of_several_lines(suite):
    texts = ["Read this:\nA long time ago.", "A title without an end", "A question?"]
    lines = [
        {"key": f"k{n}", "language": "en", "text": text, "modifiers": ["short"]}
        for n, text in enumerate(texts)
    ]
    made = modified_suite(read_whole(suite(lines, languages=["en"])), read_wordings())
    joined = [line.new.text for line in made.lines]
    assert [text.startswith(f"{start}\n\n") for text, start in zip(joined, texts, strict=True)] == [
        True,
        True,
        False,
    ]


def test_a_wording_for_a_task_goes_before_those_for_any(suite):
    lines = [
        {"key": f"{task}-1", "language": "en", "task": task, "text": "Go on.", "modifiers": ["two-hop"]}
        for task in ("recipe", "riddle")
    ]
    recipe, riddle = modified_suite(read_whole(suite(lines, languages=["en"])), read_wordings()).lines
    assert "drink" in recipe.new.text
    assert "drink" not in riddle.new.text


def test_a_suite_that_does_not_say_what_fits_is_refused(suite):
    lines = [{"key": "a", "language": "en", "text": "How?"}]
    with pytest.raises(XlitError, match="`modifiers`"):
        modified_suite(read_whole(suite(lines, languages=["en"])), read_wordings())


def test_languages_without_wordings_are_left_out_and_refused_when_there_is_no_other(suite):
    lines = [
        {"key": "a", "language": language, "text": "?", "modifiers": ["short"]} for language in ("en", "fi")
    ]
    made = modified_suite(read_whole(suite(lines, languages=["en", "fi"])), read_wordings())
    assert made.meta.languages == ("en",)
    with pytest.raises(XlitError, match=r"no wordings in any language of fi/1 \(fi\)"):
        modified_suite(read_whole(suite(lines[1:], languages=["fi"], name="fi")), read_wordings())


def test_an_unknown_modifier_is_told_with_those_there_are(whole):
    with pytest.raises(UsageError, match=r"No modifier 'louder'\. There are: short, long"):
        modified_suite(whole, read_wordings(), only=["louder"])


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("count = 20\n", "count = 0\n", "short.count"),
        ("keeps_check = true\n", "", "short.keeps_check"),
        ("short", "shout", "no modifier is called 'shout'"),
        ("numbers = [2, 3, 4, 5, 6, 7, 8, 9, 10]\n", "", "num_items: `numbers`"),
        (
            "exactly {n} items",
            "some items",
            "num_items: {n} is missing in 'The answer should be a list of some",
        ),
        ("em si deve estar {language}", "em si", "lang: {language} is missing in 'A resposta em si"),
        ('version = "1"\n', "", "version"),
        ("[short]\n", "[short\n", "not valid TOML"),
    ],
)
def test_wordings_that_are_wrong_are_refused_with_the_key(tmp_path, old, new, says):
    text = SHIPPED_WORDINGS.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "own.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(XlitError, match=rf"own\.toml: .*{says}"):
        read_wordings(tmp_path / "own.toml")


def test_wordings_that_are_not_there_are_wrong_usage(tmp_path):
    with pytest.raises(UsageError, match="No wordings"):
        read_wordings(tmp_path / "none.toml")
