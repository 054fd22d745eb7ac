"""Checks of every kind, on answers in English, French, Portuguese, Russian and German."""

import pytest

from core.judge.known_answers import matching
from core.judge.known_answers.checks import BadCheck, read_check
from core.judge.known_answers.matching import TooSlow


def score(check: dict, response: str) -> int:
    return read_check(check).score(response)


@pytest.mark.parametrize(
    ("references", "response", "expected"),
    [
        (["the euro", "euros"], "They pay in EUROS there.", 2),
        (["the euro", "euros"], "They pay in eurosceptic money.", 0),
        (["l'été"], "C’est L’ÉTÉ.", 2),
        (["São Paulo", "Rio"], "É são\u00a0paulo!", 2),
        (["Королёв"], "Сергей КОРОЛЕВ", 2),
        (["Straße"], "auf der STRASSE", 2),
        (["Straße"], "auf der Strasse", 2),
        (["Guinea", "Equatorial Guinea"], "Equatorial Guinea", 2),
        (["yes"], "", 0),
    ],
)
def test_one_of_the_references_must_stand_in_the_response(references, response, expected):
    assert score({"references": references}, response) == expected


LABELS = [
    ["positive", "positif", "positiva", "положительный", "положительная", "positiv"],
    ["negative", "négatif", "negativa", "отрицательный", "отрицательная", "negativ"],
    ["neutral", "neutre", "neutra", "нейтральный", "нейтральная", "very mixed"],
]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ("The review is POSITIVE.", 2), ("L’avis est positif.", 2), ("A resenha é positiva", 2),
        ("Рецензия положительная!", 2), ("Die Rezension ist positiv.", 2), ("positive, very positive", 2),
        ("The review is negative.", 0), ("positive or negative", 0), ("ni positif, ni négatif", 0),
        ("positiva, negativa, neutra", 0), ("положительный, но местами отрицательный", 0),
        ("weder positiv noch negativ", 0), ("I can’t tell.", 0), ("", 0), ("positiveness", 0),
    ],
)  # fmt: skip
def test_a_choice_names_the_right_label_and_no_other(response, expected):
    assert score({"choice": 0, "of": LABELS}, response) == expected
    assert score({"choice": "Positif", "of": LABELS}, response) == expected


def test_a_label_inside_a_longer_one_counts_only_by_itself():
    check = {"choice": "toxic", "of": ["toxic", "non-toxic"]}
    assert [score(check, text) for text in ("toxic", "non‑toxic", "Non-toxic, not toxic")] == [2, 0, 0]
    check = {"choice": "non-toxic", "of": ["toxic", "non-toxic"]}
    assert [score(check, text) for text in ("toxic", "non-toxic", "toxic and non-toxic")] == [0, 2, 0]


def test_what_is_forbidden_makes_an_answer_wrong_whatever_else_it_says():
    check = {"groups": [{"any_of": ["Paris"]}, {"any_of": ["France"]}], "none_of": ["Lyon", "Marseille"]}
    responses = (
        "Paris, en France",
        "Paris",
        "Paris ou Lyon, en France",
        "LYON",
        "",
        "les Lyonnais, Paris, France",
    )
    assert [score(check, text) for text in responses] == [2, 1, 0, 0, 0, 2]


def test_what_is_forbidden_may_be_part_of_a_right_answer():
    check = {"references": ["Equatorial Guinea"], "none_of": ["Guinea"]}
    responses = ("Equatorial Guinea", "Guinea", "Guinea or Equatorial Guinea")
    assert [score(check, text) for text in responses] == [2, 0, 0]
    check = {"choice": 1, "of": ["good", "not good"], "none_of": ["not"]}
    assert [score(check, text) for text in ("not good", "not not good", "good")] == [2, 0, 0]


@pytest.mark.parametrize(
    ("pattern", "response", "expected"),
    [
        (r"\bcolou?r\b", "What a COLOR", 2), (r"\bcolou?r\b", "colors", 0), (r"^\d+\. ", "List:\n1. one", 2),
        (r"^l'été$", "Voici :\nL’ÉTÉ\nfin", 2), (r"é", "e\u0301", 2), (r"\bнаука\b", "НАУКА и жизнь", 2),
        (r"ção\b", "educaÇÃO.", 2), (r"ção\b", "ações", 0), (r"\p{Lu}\w+keit", "die Freundlichkeit", 2),
        (r"^\s*[^!]+\Z", "Achtung!", 0), (r"\A(?:\w+[ .]*){3}\Z", "one two three", 2), (r"x.y", "x\ny", 0),
    ],
)  # fmt: skip
def test_a_pattern_is_found_whatever_its_case_marks_and_composition(pattern, response, expected):
    assert score({"pattern": pattern}, response) == expected


@pytest.mark.parametrize(
    ("asked", "response", "expected"),
    [
        ({"starts_with": "a", "at_least": 3}, "Sure: apple, Ant, AXE!", 2),
        ({"starts_with": "a", "at_least": 3}, "apple, apple, Apple", 0),
        ({"starts_with": "a", "at_least": 3}, "l’arbre, l'avion, l’âne et l'ami", 2),
        ({"starts_with": "é", "at_least": 2}, "école, E\u0301tat, elle", 2),
        ({"starts_with": "а", "at_least": 5}, "Вот: арбуз, автобус, аист, Аня и ананас.", 2),
        ({"starts_with": "а", "at_least": 5}, "Вот: арбуз, автобус, aист (латиницей), Аня.", 0),
        ({"starts_with": "Über", "at_least": 1}, "die ÜBERRASCHUNG", 2),
        ({"ends_with": "ção", "at_least": 2}, "1. Educação 2. nação", 2),
        ({"ends_with": "ção", "at_least": 2}, "Educação, ações", 0),
        ({"starts_with": "s", "ends_with": "t", "at_least": 1}, "Saat", 2),
        ({"starts_with": "s", "ends_with": "t", "at_least": 1}, "Sand, Rat", 0),
        ({"starts_with": "p"}, "Peter Piper picked 7 peppers.", 2),
        ({"starts_with": "p"}, "Peter Piper picked a pepper.", 0),
        ({"starts_with": "п"}, "Пётр Петрович пошёл погулять", 2),
        ({"starts_with": "p"}, "", 0),
        ({"starts_with": "p"}, "1 2 3", 0),
    ],
)  # fmt: skip
def test_words_begin_and_end_as_asked(asked, response, expected):
    assert score({"each_word": asked}, response) == expected


def test_all_parts_make_2_some_1_and_none_0():
    check = {
        "groups": [{"any_of": ["Summe", "sum"]}],
        "references": ["siebzehn", "seventeen"],
        "number": 42,
        "choice": "even",
        "of": ["even", "odd"],
        "pattern": r"!\Z",
        "each_word": {"starts_with": "q", "at_least": 1},
    }
    whole = "Quite: the sum of seventeen and 25 = 42, which is even!"
    assert score(check, whole) == 2
    pieces = ("Quite: ", "sum", "seventeen", "42", "even", "!")
    for piece in pieces:
        assert score(check, whole.replace(piece, "-")) == 1, piece
        assert score({key: check[key] for key in check if key not in ("number",)}, piece) == (piece != "42")
    assert score(check, "I don’t know.") == 0


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ([], "is an object"),
        ({}, "must ask for something"),
        ({"one_of": ["a"]}, "is an object with .*`references`"),
        ({"none_of": ["a"]}, "must ask for something"),
        ({"in_order": True, "references": ["a"]}, "`in_order` goes with `groups`"),
        ({"tolerance": 1, "references": ["a"]}, "`tolerance` goes with `number`"),
        ({"of": ["a", "b"], "references": ["a"]}, "`of` goes with `choice`"),
        ({"references": "a"}, "`references` must be a list"),
        ({"references": []}, "`references` must hold at least one"),
        ({"references": [None]}, "`references` must be a list of strings"),
        ({"references": ["a"], "none_of": []}, "`none_of` must hold"),
        ({"references": ["A"], "none_of": ["a"]}, "'a' is both right and in `none_of`"),
        ({"groups": [{"any_of": ["Ё"]}], "none_of": ["е"]}, "both right"),
        ({"choice": 0, "of": ["a", "b"], "none_of": ["a"]}, "both right"),
        ({"number": "42"}, "`number` must be a number"),
        ({"number": True}, "`number` must be a number"),
        ({"number": float("nan")}, "`number` must be a number"),
        ({"number": None}, "`number` must be a number"),
        ({"number": 1, "tolerance": -1}, "`tolerance` must be"),
        ({"number": 1, "tolerance": "1"}, "`tolerance` must be"),
        ({"choice": 0}, "`of` must be a list of at least two"),
        ({"choice": 0, "of": ["a"]}, "`of` must be a list of at least two"),
        ({"choice": 2, "of": ["a", "b"]}, "its place from 0 to 1"),
        ({"choice": -1, "of": ["a", "b"]}, "its place from 0 to 1"),
        ({"choice": True, "of": ["a", "b"]}, "its place from 0 to 1"),
        ({"choice": "c", "of": ["a", "b"]}, "'c' is none of the labels"),
        ({"choice": 0, "of": ["a", []]}, "label 1 of `of` must hold"),
        ({"choice": 0, "of": ["a", 1]}, "label 1 of `of` must be a list"),
        ({"choice": 0, "of": ["a", ["b", "A"]]}, "'a' is a wording of two labels"),
        ({"pattern": 1}, "`pattern` must be a regular expression"),
        ({"pattern": ""}, "`pattern` must be a regular expression"),
        ({"pattern": "a" * 1001}, "at most 1000 characters"),
        ({"pattern": "(a"}, "`pattern` is no regular expression: missing"),
        ({"pattern": "(" * 500 + ")" * 500}, "`pattern` is no regular expression"),
        ({"pattern": r"\L<words>"}, "`pattern` is no regular expression"),
        ({"pattern": "a*"}, "found even in an empty response"),
        ({"each_word": "a"}, "`each_word` must be an object"),
        ({"each_word": {"at_least": 1}}, "`each_word` must be an object"),
        ({"each_word": {"starts_with": "a", "least": 1}}, "`each_word` must be an object"),
        ({"each_word": {"starts_with": ""}}, "`starts_with` of `each_word` must be letters"),
        ({"each_word": {"ends_with": "a b"}}, "`ends_with` of `each_word` must be letters"),
        ({"each_word": {"starts_with": "a", "at_least": 0}}, "`at_least` of `each_word`"),
        ({"each_word": {"starts_with": "a", "at_least": True}}, "`at_least` of `each_word`"),
    ],
)
def test_a_broken_check_is_refused_with_what_is_wrong(broken, reason):
    with pytest.raises(BadCheck, match=reason):
        read_check(broken)


@pytest.mark.parametrize("pattern", [r"^(a|a)+$", r"(\w+\s*)+[?.]", r"^(a+)+$"])
def test_a_pattern_that_would_never_end_is_stopped(pattern, monkeypatch):
    monkeypatch.setattr(matching, "SECONDS", 0.05)
    check = read_check({"pattern": pattern})
    with pytest.raises(TooSlow, match=r"not done after 0\.05 s"):
        check.score("a" * 30_000 + "!" + "a" * 30_000 + "!")


def test_hostile_text_is_checked_like_any_other():
    check = {
        "references": ["yes"], "none_of": ["no"], "number": 1, "choice": 0, "of": ["a", "b"],
        "pattern": "q", "each_word": {"starts_with": "z", "at_least": 1},
    }  # fmt: skip
    for text in ("\x00yes\x00", "\ud800 yes", "yes" + "\u202e" + " yes", "x" * 1_000_000 + " yes"):
        assert score(check, text) == 1, text[:10]
