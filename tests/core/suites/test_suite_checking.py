"""What `xlit-core suite check` finds: one small suite for each thing that can be wrong."""

import pytest

from core.judge.surface.spelling import find_dictionary
from core.suites.checking.check import check_suite

GOOD = [
    {
        "key": "sum-1",
        "language": "en",
        "task": "sum",
        "text": "Please work out for me how much seven and five are together.",
        "check": {"number": 12},
    },
    {
        "key": "sum-1",
        "language": "ru",
        "task": "sum",
        "text": "Посчитай, пожалуйста, сколько будет семь и пять вместе.",
        "check": {"number": 12},
    },
    {
        "key": "letter-1",
        "language": "en",
        "task": "letter",
        "text": "Write a friendly letter to the people next door about the noise next week.",
    },
    {
        "key": "letter-1",
        "language": "ru",
        "task": "letter",
        "text": "Напиши дружелюбное письмо соседям о шуме на следующей неделе.",
    },
]


def changed(key: str, language: str, **fields) -> list[dict]:
    """The good lines with other fields in one of them; None takes a field away."""
    lines = []
    for line in GOOD:
        if (line["key"], line["language"]) == (key, language):
            line = {name: value for name, value in {**line, **fields}.items() if value is not None}
        lines.append(line)
    return lines


def with_more(key: str, task: str, en: str, ru: str, **fields) -> list[dict]:
    more = {"key": key, "task": task, **fields}
    return [*GOOD, {**more, "language": "en", "text": en}, {**more, "language": "ru", "text": ru}]


def found(folder) -> set[tuple]:
    return {(one.level, one.kind, one.where) for one in check_suite(str(folder)).findings}


@pytest.mark.skipif(find_dictionary("ru") is None, reason="no Russian dictionary is installed")
def test_a_good_suite_has_no_findings(suite):
    report = check_suite(str(suite(GOOD)))
    assert (report.findings, report.not_done, report.exit_code) == ((), (), 0)


def test_a_line_that_can_not_be_taken_is_an_error_and_the_rest_is_checked_all_the_same(suite):
    lines = changed("sum-1", "en", check={"number": "twelve"})
    report = check_suite(str(suite(lines)))
    first, second = (one for one in report.findings if one.level == "error")
    assert (first.kind, first.where) == ("line", "small.jsonl:1")
    assert "`number` must be a number" in first.message
    assert (second.kind, second.where) == ("missing language", "small.jsonl:2")
    assert report.exit_code == 1


def test_a_modifier_that_does_not_exist_is_an_error_that_names_those_that_do(suite):
    report = check_suite(str(suite(changed("letter-1", "ru", modifiers=["short", "louder"]))))
    assert any("'louder'; there are short, long" in one.message for one in report.findings)


def test_a_modifier_that_an_instruction_carries_and_no_judge_knows_is_an_error(suite):
    lines = [{**line, "modifier": "num_items" if line["key"] == "sum-1" else "short"} for line in GOOD]
    unknown = [one for one in check_suite(str(suite(lines))).findings if one.kind == "modifier"]
    assert [(one.level, one.where) for one in unknown] == [("error", f"small.jsonl:{n}") for n in (1, 2)]
    assert "num_items_N" in unknown[0].message


@pytest.mark.parametrize(
    "fields",
    [
        {"task": "mail"},
        {"tags": ["culture-bound"]},
        {"modifiers": ["short"]},
        {"modifier": "short"},
        {"check": {"number": 1}},
    ],
)
def test_what_differs_between_the_languages_of_a_key_is_an_error(suite, fields):
    assert ("error", "misaligned", "small.jsonl:4") in found(suite(changed("letter-1", "ru", **fields)))


def test_a_modifier_may_ask_for_another_language_in_each_language(suite):
    lines = [
        {**line, "modifier": {"en": "lang_fr", "ru": "lang_de"}[line["language"]]}
        for line in GOOD
        if line["key"] == "letter-1"
    ]
    assert not {one for one in found(suite(lines)) if one[0] == "error"}


def test_a_key_that_a_language_lacks_is_an_error_at_the_line_that_is_there(suite):
    assert ("error", "missing language", "small.jsonl:3") in found(suite(GOOD[:3]))


def test_a_language_without_any_instruction_is_one_error_and_not_one_for_each_key(suite):
    folder = suite(GOOD, languages=["en", "ru", "fr"])
    missing = [one for one in check_suite(str(folder)).findings if one.kind == "missing language"]
    assert [(one.where, one.message) for one in missing] == [("small.toml", "There is no instruction in fr.")]


def test_another_order_in_a_language_is_an_error_once(suite):
    lines = [GOOD[0], GOOD[2], GOOD[3], GOOD[1]]
    misaligned = [one for one in check_suite(str(suite(lines))).findings if one.kind == "misaligned"]
    assert [one.where for one in misaligned] == ["small.jsonl:3"]


def test_a_text_under_two_keys_is_an_error_whatever_its_capitals_and_spaces(suite):
    text = GOOD[2]["text"].upper().replace(" ", "  ")
    lines = with_more("letter-2", "letter", text, "Придумай короткий рассказ о чайке, которая боится моря.")
    errors = {one for one in found(suite(lines)) if one[0] == "error"}
    assert errors == {("error", "duplicate", "small.jsonl:5")}


def test_nearly_the_same_text_is_a_warning_in_another_task_only(suite):
    en = GOOD[2]["text"].replace("friendly", "angry")
    ru = "Придумай короткий рассказ о чайке, которая боится моря."
    near = ("warning", "near-duplicate", "small.jsonl:5")
    assert near in found(suite(with_more("mail-1", "mail", en, ru)))
    assert near not in found(suite(with_more("letter-2", "letter", en, ru)))


def test_instructions_that_share_the_wording_of_a_modifier_are_not_near_one_another(suite):
    demand = " The answer must be a list of exactly five items, neither more nor fewer, please."
    lines = [
        {"key": key, "language": "en", "task": key, "text": text + demand, "modifier": "num_items_5"}
        for key, text in (("a", "What grows in the shade?"), ("b", "Who lives in the sea?"))
    ]
    plain = [{**line, "modifier": None} for line in lines]
    assert "near-duplicate" not in {one[1] for one in found(suite(lines, languages=["en"]))}
    assert "near-duplicate" in {one[1] for one in found(suite(plain, languages=["en"]))}


def test_a_text_left_untranslated_is_an_error(suite):
    lines = changed("letter-1", "ru", text=GOOD[2]["text"])
    errors = found(suite(lines))
    assert {
        ("error", "untranslated", "small.jsonl:4"),
        ("error", "wrong language", "small.jsonl:4"),
    } <= errors


def test_a_text_in_the_wrong_language_is_an_error(suite):
    lines = changed("letter-1", "ru", text="Schreibe bitte einen freundlichen Brief an die Nachbarn.")
    assert ("error", "wrong language", "small.jsonl:4") in found(suite(lines))


def test_a_part_in_another_language_is_a_warning_and_a_quotation_is_fine(suite):
    foreign = "The weather will be fine tomorrow, they say."
    text = "Переведи на русский язык и объясни, почему в английском предложении стоит такое время: "
    quoted = {one[1] for one in found(suite(changed("letter-1", "ru", text=f"{text}«{foreign}»")))}
    assert "wrong language" not in quoted
    part = found(suite(changed("letter-1", "ru", text=f"{text}\n{foreign}")))
    assert ("warning", "wrong language", "small.jsonl:4") in part


@pytest.mark.parametrize("text", ["Да?", "Реши: 2 + 2.", "4 × 5 = ?"])
def test_short_texts_are_not_taken_for_another_language(suite, text):
    assert "wrong language" not in {one[1] for one in found(suite(changed("letter-1", "ru", text=text)))}


@pytest.mark.skipif(find_dictionary("ru") is None, reason="no Russian dictionary is installed")
def test_a_misspelt_word_is_one_warning_unless_it_is_allowed(suite):
    lines = changed(
        "letter-1", "ru", text="Напиши письмо Бузямбе: Бузямба любит письма и щумит на всю улицу."
    )
    messages = [one.message for one in check_suite(str(suite(lines))).findings if one.kind == "spelling"]
    assert len(messages) == 3
    assert "щумит" in messages[-1]
    allowed = suite(lines, toml='[spelling.allow]\nru = ["Бузямбе", "Бузямба"]\n')
    assert len([one for one in check_suite(str(allowed)).findings if one.kind == "spelling"]) == 1


def test_a_text_that_holds_its_answer_is_a_warning_unless_that_is_meant(suite):
    lines = changed("sum-1", "en", text="Is it true that seven and five make 12 when you add them up?")
    leak = ("warning", "answer in text", "small.jsonl:1")
    assert leak in found(suite(lines))
    assert leak not in found(suite(lines, toml='answer_in_text = ["sum"]'))
    assert leak not in found(suite(lines, toml='answer_in_text = ["sum-1"]'))


def test_a_choice_between_labels_gives_nothing_away(suite):
    text = "Is this review positive or negative? The soup was cold and nobody cared about us."
    lines = changed("sum-1", "en", text=text, check={"choice": "negative", "of": ["positive", "negative"]})
    assert "answer in text" not in {one[1] for one in found(suite(lines))}


def test_a_task_with_far_more_instructions_than_the_others_is_a_warning(suite):
    lines = list(GOOD)
    for number, (en, ru) in enumerate([("apple", "яблоко"), ("ship", "корабль"), ("storm", "буря")], 2):
        more = {"key": f"sum-{number}", "task": "sum"}
        lines += [{**more, "language": "en", "text": f"{number} {en}"}]
        lines += [{**more, "language": "ru", "text": f"{number} {ru}"}]
    lines += [{**line, "key": "tale-1", "task": "tale", "text": line["text"][::-1]} for line in GOOD[2:]]
    assert ("warning", "unbalanced", "small.toml") in found(suite(lines))
    assert "unbalanced" not in {one[1] for one in found(suite(GOOD))}


def test_an_instruction_without_a_task_beside_others_is_a_warning(suite):
    lines = [{**line, "task": None} if line["key"] == "letter-1" else line for line in GOOD]
    assert ("warning", "task", "small.jsonl:3") in found(suite(lines))


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ('[subsets]\nx = ["sum-1", "sum-9"]', "'sum-9', which is no key"),
        ('[subsets]\nx = ["sum-1", "sum-1"]', "'sum-1' 2 times"),
        ("[subsets]\nx = []", "'x' is empty"),
        ('answer_in_text = ["riddle"]', "'riddle', which is neither a task nor a key"),
    ],
)
def test_a_description_that_names_what_is_not_there_is_an_error(suite, toml, says):
    report = check_suite(str(suite(GOOD, toml=toml)))
    assert [one.level for one in report.findings if says in one.message] == ["error"]


def test_a_suite_without_a_licence_is_a_warning(suite):
    assert ("warning", "description", "small.toml") in found(suite(GOOD, licence=None))


def test_what_can_not_be_checked_is_named_and_the_exit_code_says_so(suite, tmp_path):
    lines = [{**line, "language": "tlh" if line["language"] == "ru" else "en"} for line in GOOD]
    report = check_suite(str(suite(lines, languages=["en", "tlh"])))
    assert any("spelling of 'tlh' was not checked" in reason for reason in report.not_done)
    assert any("'tlh' was not checked: the model lacks it" in reason for reason in report.not_done)
    assert report.exit_code == (1 if report.errors else 3)


def test_every_finding_is_one_sentence(suite):
    lines = [*changed("letter-1", "ru", text=GOOD[2]["text"], task=None), {**GOOD[0], "key": "sum-2"}]
    report = check_suite(str(suite(lines, licence=None, toml='[subsets]\nx = ["y"]')))
    assert len(report.findings) > 5
    for one in report.findings:
        assert one.message[0].isupper() or one.message[0].islower()
        assert one.message.endswith(".")
        assert "\n" not in one.message
