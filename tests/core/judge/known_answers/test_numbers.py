"""Numbers in responses: how they are read in five languages, and which of them is the answer."""

import random
from fractions import Fraction

import pytest

from core.judge.known_answers.checks import read_check
from core.judge.known_answers.numbers import numbers_in

NO_BREAK, NARROW, THIN = "\u00a0", "\u202f", "\u2009"


def read(text: str) -> list[set[Fraction]]:
    return [set(number.readings) for number in numbers_in(text)]


def score(value, response: str, **more) -> int:
    return read_check({"number": value, **more}).score(response)


@pytest.mark.parametrize(
    "text",
    [
        "It is 1,234.5 in all.", f"C’est 1{NARROW}234,5 au total.", f"São 1{NO_BREAK}234,5 ao todo.",
        "Das sind 1.234,5 insgesamt.", f"Всего 1{THIN}234,5 штук.", "Das sind 1'234,5.", "Das sind 1’234.5",
        "1234.5", "1234,5.", "١٬٢٣٤٫٥", "１２３４.５", "(1 234,5)",
    ],
)  # fmt: skip
def test_groups_and_decimals_are_read_as_each_language_writes_them(text):
    assert Fraction("1234.5") in read(text)[0]
    assert len(read(text)) == 1
    assert score(1234.5, text) == 2


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,234,567.89", {"1234567.89"}),
        ("1.234.567,89", {"1234567.89"}),
        (f"1{NO_BREAK}234{NO_BREAK}567", {"1234567"}),
        ("1,234", {"1234", "1.234"}),
        ("1.234", {"1234", "1.234"}),
        ("1,234,567", {"1234567"}),
        ("0,125", {"0.125"}),
        ("12,34", {"12.34"}),
        ("1234,567", {"1234.567"}),
        (".5", {"0.5"}),
        ("007", {"7"}),
        ("50%", {"50", "0.5"}),
        (f"50{NO_BREAK}%", {"50", "0.5"}),
        ("٥٠٪", {"50", "0.5"}),
        ("3/4", {"3/4"}),
        ("3 / 4", {"3/4"}),
        ("3⁄4", {"3/4"}),
        ("½", {"1/2"}),
        ("1½", {"3/2", "1", "1/2"}),
        ("1 3/4", {"7/4", "1", "3/4"}),
        ("12 345", {"12345", "12", "345"}),
        ("-5", {"-5"}),
        ("−5", {"-5"}),
        ("(–5)", {"-5"}),
        ("= -1,5", {"-1.5"}),
        ("-½", {"-1/2"}),
        ("१२३", {"123"}),
        ("答えは42です", {"42"}),
        ("42km", {"42"}),
        ("R$42", {"42"}),
    ],
)
def test_one_number_has_these_readings(text, values):
    assert read(text) == [{Fraction(value) for value in values}]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("10-5", [10, 5]), ("10 - 5", [10, 5]), ("17–25", [17, 25]), ("x−5", [5]), ("1, 2, 3", [1, 2, 3]),
        ("1,2,3,4", [1, 2, 3, 4]), ("12.05.2020", [12, 5, 2020]), ("12/05/2020", [12, 5, 2020]),
        ("10:30", [10, 30]), ("2010 300", [2010, 300]), ("1. one\n2. two", [1, 2]), ("3.\n4", [3, 4]),
        ("192.168.1.1", [192, 168, 1, 1]),
    ],
)  # fmt: skip
def test_several_numbers_are_not_one(text, values):
    assert read(text) == [{Fraction(value)} for value in values]


@pytest.mark.parametrize("text", ["", "none", "B12", "H2O", "v1.2.3", "x_1", "m²", "forty-two"])
def test_names_and_words_are_no_numbers(text):
    assert read(text) == []


def test_no_number_is_divided_by_zero_and_none_of_thousands_of_digits_is_read():
    assert not any(read("1/0"))
    assert not any(read("9" * 100_000))
    assert not any(read("." + "9" * 100_000))
    assert score(5, "9" * 100_000 + " 5") == 2


@pytest.mark.parametrize(
    "response",
    [
        "42", "17 + 25 = 42", "42 = 17 + 25", "17 + 25 = 42.", "The answer is 42.", "42, as of 2024",
        "In 2024 there were 42 of them.", "There are 42 of them (since 1990).", "**42**",
        "$17+25=\\boxed{42}$",
        "Let x = 5. Then there are 42.", "17 + 25 = 42. Check: 42 − 25 = 17.", "20 + 17 = 37, 37 + 5 = 42",
        "Réponse : 42, et non 41.", "Le résultat est de 42 euros.", "A resposta é 42, de 2024.",
        "Das Ergebnis ist 42 (Stand 2024).", "Die Antwort lautet: 42", "Ответ: 42.", "17 плюс 25 равно 42",
        "Ответ на вопрос — 42, а не 41", "Результат: «42».", "= 42,0", "17+25＝42", "٤٢",
    ],
)  # fmt: skip
def test_the_right_answer_is_found_among_other_numbers(response):
    assert score(42, response) == 2


@pytest.mark.parametrize(
    "response",
    [
        "", "no idea", "41", "-42", "17 + 25 = 43", "The answer is 43.", "420", "4.2", "B42",
        "42? No: the answer is 43.", "42 ? Non, la réponse est 43.", "42? Não, o resultado é 43.",
        "42? Нет, ответ: 43", "42? Nein, das Ergebnis ist 43", "42 + 1 = 43",
    ],
)  # fmt: skip
def test_another_answer_is_wrong(response):
    assert score(42, response) == 0


@pytest.mark.parametrize("response", ["17 + 25 = 43", "8 × 17 = 10", "Die Antwort auf 17 + 25 ist gleich 43"])
def test_an_operand_is_not_the_answer_where_a_result_is_stated(response):
    assert score(17, response) == 0


def test_without_a_stated_result_any_number_may_be_the_right_one():
    assert score(42, "41, 42 or 43") == 2
    check = read_check({"number": 42, "none_of": ["41", "43"]})
    assert [check.score(text) for text in ("41, 42 or 43", "it is 42")] == [0, 2]


@pytest.mark.parametrize(
    ("value", "tolerance", "response", "expected"),
    [
        (3.14, 0, "π ≈ 3,14", 2), (3.14, 0, "π ≈ 3.1416", 0), (3.14, 0.01, "π ≈ 3.1416", 2),
        (3.14, 0.01, "3,15", 2), (3.14, 0.01, "3,151", 0), (0.1, 0, "0,1", 2), (0.1, 0, "1/10", 2),
        (0.5, 0, "50 %", 2), (50, 0, "50 %", 2), (0.75, 0, "Drei Viertel, also 3/4", 2), (-3, 0, "−3 °C", 2),
        (-3, 0, "3 °C", 0), (3, 0, "-3 °C", 0), (1e21, 0, "10" + "0" * 20, 2), (1234, 0, "1.234 Euro", 2),
        (1234, 0, "1,234 euros", 2), (1.234, 0, "1,234 euros", 2),
    ],
)  # fmt: skip
def test_the_value_may_be_missed_by_the_tolerance_and_no_more(value, tolerance, response, expected):
    assert score(value, response, tolerance=tolerance) == expected


def test_hostile_text_is_read_without_an_error():
    alphabet = "0123456789 .,-–'/%=½\u00a0x(²٣\ud800\x00{\\\nanswer:"
    rng = random.Random(1)
    for _ in range(20_000):
        numbers_in("".join(rng.choice(alphabet) for _ in range(rng.randrange(16))))


@pytest.mark.parametrize(
    "text", ["1/", "12 345 ", "1 " + " " * 50, "= ", "answer ", "-", "1,", "1\u00a0", "½"]
)
def test_a_long_text_takes_a_time_that_grows_with_its_length(text):
    """A search that were quadratic would take minutes here."""
    numbers_in(text * (100_000 // len(text)))
