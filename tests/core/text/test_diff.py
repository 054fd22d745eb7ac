"""The columns are compared with the base by words, and what is marked are words that really differ."""

import random

import pytest

from core.text.diff import LONGEST_NORMALISED, MOST_CHARACTERS, MOST_WORDS, Differences, compare_to_base
from core.text.words import words


def marked(texts: list[str], base: int = 0) -> list[list[str]]:
    """What is marked in each text."""
    found = compare_to_base(texts, base)
    return [[text[start:end] for start, end in its.spans] for text, its in zip(texts, found, strict=True)]


@pytest.mark.parametrize(
    ("base", "other", "in_base", "in_other"),
    [
        pytest.param(
            "Возьмите ракетку и лёгкий волан.",
            "Возьмите ракетки и волан по-русски!",
            ["ракетку", "лёгкий"],
            ["ракетки", "по-русски"],
            id="ru",
        ),
        pytest.param(
            "L'arbre d'hier est tombé.",
            "L’arbre d’aujourd’hui est tombé.",
            ["d'hier"],
            ["d’aujourd’hui"],
            id="fr",
        ),
        pytest.param(
            "Ele disse-lhe a verdade.", "Ele disse a verdade toda.", ["disse-lhe"], ["disse", "toda"], id="pt"
        ),
        pytest.param(
            "Der Apfelkuchen kostet 3,50 €.",
            "Der Apfelstrudel kostet 3,80 €.",
            ["Apfelkuchen", "3,50"],
            ["Apfelstrudel", "3,80"],
            id="de",
        ),
        pytest.param(
            "東京タワーは高いです。", "東京スカイツリーは高いです。", ["タワー"], ["スカイツリー"], id="ja"
        ),
        pytest.param("我喜欢打羽毛球。", "我喜欢看足球。", ["打羽毛"], ["看足"], id="zh"),
        pytest.param("أحب اللغة العربية كثيرا", "أحب اللُّغة العربية", ["اللغة", "كثيرا"], ["اللُّغة"], id="ar"),
        pytest.param("हम हिन्दी बोलते हैं", "हम उर्दू बोलते हैं", ["हिन्दी"], ["उर्दू"], id="hi"),
        pytest.param("ได้ 👍", "ได้ 👎", ["👍"], ["👎"], id="emoji"),
    ],
)
def test_the_words_that_differ_are_marked_in_both(base, other, in_base, in_other):
    assert marked([base, other]) == [in_base, in_other]
    assert marked([other, base], base=1) == [in_other, in_base]


def test_the_same_text_has_no_marks():
    text = "Мир, труд, май!"
    assert compare_to_base([text, text], 1) == [Differences((), 0, 3, True)] * 2


def test_decomposed_letters_are_the_same_letters():
    assert marked(["l'été à la plage", "l'e\u0301te\u0301 a\u0300 la plage"]) == [[], []]


def test_only_words_are_compared():
    assert marked(["«Ну что ж» — сказал он; да.", '"Ну, что ж", - сказал\n\nон: да!']) == [[], []]
    assert marked(["l'eau porte-clés", "l’eau porte\u2011clés"]) == [[], []]
    assert marked(["Straßenbahn", "Straßen\u00adbahn"]) == [[], []]


def test_letter_case_is_a_difference():
    assert marked(["Да здравствует Мир", "Да здравствует мир"]) == [["Мир"], ["мир"]]


def test_the_base_marks_what_none_of_the_others_has():
    base = "Бадминтон — это быстрая игра с ракеткой и воланом."
    others = ["Бадминтон — это игра с ракеткой.", "Бадминтон — это игра с мячом и воланом."]
    assert marked([others[0], base, others[1]], base=1) == [[], ["быстрая"], ["мячом"]]


def test_the_base_has_no_marks_when_one_of_the_others_is_the_same():
    assert marked(["Да, конечно.", "Нет.", "Да, конечно."]) == [[], ["Нет"], []]


def test_words_that_another_column_adds_do_not_mark_the_base():
    found = compare_to_base(["один два", "один три два"], 0)
    assert found[0] == Differences((), 0, 2, True)
    assert found[1].missing == 0


def test_missing_counts_the_words_of_the_base_without_a_partner():
    found = compare_to_base(["один два три четыре пять", "один пять", "", "шесть семь"], 0)
    assert [its.missing for its in found] == [0, 3, 5, 5]
    assert [its.words for its in found] == [5, 2, 0, 2]


def test_a_repeated_word_has_one_partner_only():
    assert marked(["да", "да да"]) == [[], ["да"]]


def test_marked_words_that_follow_each_other_are_one_span():
    assert marked(["Да.", "Да. Это, «конечно», так!"]) == [[], ["Это, «конечно», так"]]


def test_a_short_word_inside_a_rewritten_passage_is_marked_with_it():
    base = "Возьмите ракетку покрепче и ударьте по волану"
    other = "Найдите площадку поблизости и начинайте играть каждый день"
    assert marked([base, other]) == [[base], [other]]
    assert compare_to_base([base, other], 0)[1].missing == 7
    assert marked(["天气很好的话我们去", "春季买车的人都留下"]) == [
        ["天气很好的话我们去"],
        ["春季买车的人都留下"],
    ]


def test_a_short_word_between_small_changes_keeps_its_partner():
    base, other = "белый кот и молодой пёс играли", "серый кит и сердитый лис спали"
    assert marked([base, other]) == [["белый кот", "молодой пёс играли"], ["серый кит", "сердитый лис спали"]]


def test_a_short_word_at_the_edge_of_a_change_keeps_its_partner():
    assert marked(["и затем ударьте посильнее", "и сразу начинайте заниматься"]) == [
        ["затем ударьте посильнее"],
        ["сразу начинайте заниматься"],
    ]


def test_a_long_word_inside_a_rewritten_passage_keeps_its_partner():
    base = "Возьмите ракетку покрепче: бадминтон требует сильных рук"
    other = "Найдите площадку поблизости: бадминтон любит много места"
    assert marked([base, other])[1] == ["Найдите площадку поблизости", "любит много места"]


def test_two_short_words_inside_a_rewritten_passage_keep_their_partners():
    base = "Возьмите ракетку покрепче и не требуйте от друзей"
    other = "Найдите площадку поблизости и не любите много места"
    assert marked([base, other])[1] == ["Найдите площадку поблизости", "любите много места"]


def test_a_passage_that_one_text_adds_is_marked_as_a_whole_too():
    assert marked(["Вот и всё", "Вот совсем другая история и потом ещё одна всё"])[1] == [
        "совсем другая история и потом ещё одна"
    ]


def test_a_base_alone_has_no_marks():
    assert compare_to_base(["один"], 0) == [Differences((), 0, 1, True)]


@pytest.mark.parametrize("base", [-1, 2])
def test_a_base_that_is_not_there_is_an_error(base):
    with pytest.raises(IndexError):
        compare_to_base(["один", "два"], base)


@pytest.mark.parametrize("blank", ["", " \n\t ", "—…!?", "\x00\x00", "\u202e\u202d", "\ud800"])
def test_a_text_without_words_lacks_all_of_the_base(blank):
    assert compare_to_base(["один два", blank], 0) == [
        Differences(((0, 8),), 0, 2, True, 2),
        Differences((), 2, 0, True),
    ]
    assert compare_to_base([blank, "один два"], 0) == [
        Differences((), 0, 0, True),
        Differences(((0, 8),), 0, 2, True, 2),
    ]


def test_control_characters_stay_where_they_are():
    other = "\x00один\u202e \x1b[31mтри"
    assert [other[slice(*span)] for span in compare_to_base(["один три", other], 0)[1].spans] == ["31mтри"]


LONG = ["да " * (MOST_WORDS + 1), "а" * (MOST_CHARACTERS + 1)]


@pytest.mark.parametrize("long", LONG, ids=["words", "characters"])
def test_a_text_that_is_too_long_is_not_comparable_and_the_others_are(long):
    base, too_long, other = compare_to_base(["один два", long, "один три"], 0)
    assert (too_long.comparable, too_long.spans, too_long.missing) == (False, (), 0)
    assert (other.comparable, other.spans) == (True, ((5, 8),))
    # That "два" is in none of the others was not looked at.
    assert (base.comparable, base.spans) == (False, ())


@pytest.mark.parametrize("long", LONG, ids=["words", "characters"])
def test_nothing_is_comparable_with_a_base_that_is_too_long_but_the_same_text(long):
    assert [its.comparable for its in compare_to_base([long, "да"], 0)] == [False, False]
    assert [its.comparable for its in compare_to_base([long, "да", long], 0)] == [True, False, True]


def test_texts_of_just_as_many_words_as_are_compared_are_comparable():
    base = "да " * (MOST_WORDS - 1)
    found = compare_to_base([base + "нет", base + "ну"], 0)
    assert found[1] == Differences(((len(base), len(base) + 2),), 1, MOST_WORDS, True, 1)


@pytest.mark.parametrize(
    "hostile", ["a " * 500_000, "a" * 10**6, "東" * 10**6, "\x00" * 10**6, "a" + "\u0301\u0316" * 500_000]
)
def test_a_megabyte_on_one_line_is_not_worked_through(hostile):
    assert compare_to_base(["да", hostile], 0)[1].comparable is False


def test_a_word_too_long_to_normalise_is_compared_as_it_is():
    composed, decomposed = "é" * LONGEST_NORMALISED, "e\u0301" * LONGEST_NORMALISED
    assert marked([composed, decomposed]) == [[composed], [decomposed]]
    half = LONGEST_NORMALISED // 2
    assert marked([composed[:half], decomposed[: 2 * half]]) == [[], []]


VOCABULARY = [
    "и",
    "the",
    "дом",
    "за\u0301мок",
    "l'été",
    "東",
    "ラーメン",
    "は",
    "น้ำ",
    "👍",
    "3,14",
    "по-русски",
]


@pytest.mark.parametrize("seed", range(40))
def test_spans_are_apart_and_what_is_left_unmarked_comes_in_the_order_of_the_base(seed):
    chance = random.Random(seed)
    texts = [
        "".join(
            chance.choice(VOCABULARY) + chance.choice([" ", ", ", "\n", " — "])
            for _ in range(chance.randrange(30))
        )
        for _ in range(4)
    ]
    base = chance.randrange(4)
    in_base = [texts[base][start:end] for start, end in words(texts[base])]
    for index, (text, its) in enumerate(zip(texts, compare_to_base(texts, base), strict=True)):
        edges = [edge for span in its.spans for edge in span]
        assert edges == sorted(set(edges))
        assert all(0 <= edge <= len(text) for edge in edges)
        left = [
            text[start:end]
            for start, end in words(text)
            if not any(first <= start and end <= last for first, last in its.spans)
        ]
        rest = iter(in_base)
        assert all(word in rest for word in left)
        if index != base:
            assert len(left) == len(in_base) - its.missing
