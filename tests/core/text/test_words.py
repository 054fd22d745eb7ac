"""The words of a text are found in any script, at offsets of the text as it is."""

from unicodedata import normalize

import pytest
import regex

from core.text.words import each_word, words


def found(text: str) -> list[str]:
    return [text[start:end] for start, end in words(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "Старый за\u0301мок — это по-русски, да?",
            ["Старый", "за\u0301мок", "это", "по-русски", "да"],
            id="ru",
        ),
        pytest.param(
            "L'arbre d’aujourd’hui, «c'est l’été».",
            ["L'arbre", "d’aujourd’hui", "c'est", "l’été"],
            id="fr",
        ),
        pytest.param("l'e\u0301te\u0301 re\u0301el", ["l'e\u0301te\u0301", "re\u0301el"], id="fr decomposed"),
        pytest.param(
            "Disse-lhe: não; guarda‑chuva…", ["Disse-lhe", "não", "guarda‑chuva"], id="pt with hyphens"
        ),
        pytest.param(
            "Die Donaudampfschifffahrt, Straße\u00adnbahn und E-Mail.",
            ["Die", "Donaudampfschifffahrt", "Straße\u00adnbahn", "und", "E-Mail"],
            id="de with a soft hyphen",
        ),
        pytest.param("el col·legi · la casa", ["el", "col·legi", "la", "casa"], id="ca"),
        pytest.param(
            "العَرَبِيَّةُ لُغةٌ جـــميلة، أليس كذلك؟",
            ["العَرَبِيَّةُ", "لُغةٌ", "جـــميلة", "أليس", "كذلك"],
            id="ar with harakat and tatweel",
        ),
        pytest.param(
            "می\u200cخواهم کتاب\u200cها را", ["می\u200cخواهم", "کتاب\u200cها", "را"], id="fa with a joiner"
        ),
        pytest.param('צה"ל, ג׳ירפה ובית־ספר: "שָׁלוֹם"', ['צה"ל', "ג׳ירפה", "ובית־ספר", "שָׁלוֹם"], id="he"),
        pytest.param(
            "हिन्दी में क्\u200dष और र्\u200cक।",
            ["हिन्दी", "में", "क्\u200dष", "और", "र्\u200cक"],
            id="hi with joiners",
        ),
        pytest.param("한국어를 배워요.", ["한국어를", "배워요"], id="ko"),
    ],
)
def test_words_of_scripts_with_spaces(text, expected):
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("我喜欢羽毛球。", list("我喜欢羽毛球"), id="one Han character is a word"),
        pytest.param("葛\U000e0100城", ["葛\U000e0100", "城"], id="with its variation selector"),
        pytest.param("ひらが\u3099な", ["ひ", "ら", "が\u3099", "な"], id="one hiragana is a word"),
        pytest.param(
            "らーめんとラーメン", ["らー", "め", "ん", "と", "ラーメン"], id="a katakana run is a word"
        ),
        pytest.param("ﾊﾞﾄﾞﾐﾝﾄﾝ・クラブ", ["ﾊﾞﾄﾞﾐﾝﾄﾝ", "クラブ"], id="halfwidth katakana"),
        pytest.param("น้ำดี", ["น้ำ", "ดี"], id="Thai, with vowel and tone"),
        pytest.param("ນ້ຳ", ["ນ້ຳ"], id="Lao"),
        pytest.param("ក្ករ", ["ក្ក", "រ"], id="Khmer, with a stacked letter"),
        pytest.param("မြန်မာ", ["မြ", "န်", "မာ"], id="Myanmar"),
    ],
)
def test_words_of_scripts_without_spaces(text, expected):
    assert found(text) == expected


def test_a_word_ends_where_a_script_without_spaces_begins():
    assert found("GPT-4は東京タワーへ2回") == ["GPT-4", "は", "東", "京", "タワー", "へ", "2", "回"]


def test_a_letter_of_the_wrong_alphabet_is_inside_its_word():
    assert found("мир мiр") == ["мир", "мiр"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3,14 und 1.000.", ["3,14", "und", "1.000"]),
        ("٣٫١٤، ١٬٠٠٠", ["٣٫١٤", "١٬٠٠٠"]),
        ("10% or 10 %", ["10", "%", "or", "10", "%"]),
        ("$5, 5€", ["$", "5", "5", "€"]),
        ("конец.Начало,да", ["конец", "Начало", "да"]),
        ("x² 1º", ["x²", "1º"]),
        ("v.5,b", ["v", "5", "b"]),
    ],
)
def test_numbers_keep_their_separators_and_their_signs_stand_alone(text, expected):
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("👍🏽👍", ["👍🏽", "👍"]),
        ("👩\u200d🚀❤\ufe0fok", ["👩\u200d🚀", "❤\ufe0f", "ok"]),
        ("🇷🇺🇫🇷", ["🇷🇺", "🇫🇷"]),
        ("🏴\U000e0067\U000e0062\U000e007f!", ["🏴\U000e0067\U000e0062\U000e007f"]),
        ("1\ufe0f\u20e3", ["1\ufe0f\u20e3"]),
    ],
)
def test_an_emoji_with_all_that_is_joined_to_it_is_a_word(text, expected):
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n\t ",
        "—…!?«»、。",
        "- * # | > ``",
        "\u0301\u0301",
        "''''",
        "____",
        "\x00\x1b\u202e\ufeff",
        "\ud800",
    ],
)
def test_what_is_no_word(text):
    assert words(text) == []


def test_quotes_and_hyphens_at_the_edge_are_not_part_of_a_word():
    assert found("'so' -x- text--more __init__ foo_bar") == ["so", "x", "text", "more", "init", "foo_bar"]


def test_control_characters_end_a_word():
    assert found("ab\x00cd \u202eef\u202c gh\ud800ij") == ["ab", "cd", "ef", "gh", "ij"]


@pytest.mark.parametrize("text", ["l'été réel", "ёлка и йод", "がぎぐ ラーバ", "한국어", "hiện đại"])
def test_composed_and_decomposed_text_has_the_same_words(text):
    composed, decomposed = normalize("NFC", text), normalize("NFD", text)
    assert composed != decomposed
    assert [normalize("NFC", word) for word in found(decomposed)] == found(composed)


@pytest.mark.parametrize(
    "text",
    [
        "за\u0301мок, l'e\u0301te\u0301 العَرَبِيَّةُ שָׁלוֹם क्\u200dष क्\u200d हिन्दी",
        "น้ำใจ ក្ករ 葛\U000e0100城 が\u3099 ﾊﾞﾝﾄﾞ 👩\u200d🚀👍🏽🇷🇺🇫 1\ufe0f\u20e3 ❤\ufe0f",
    ],
)
def test_no_word_ends_inside_of_what_is_drawn_as_one_character(text):
    edges = {match.start() for match in regex.finditer(r"\X", text)} | {len(text)}
    assert {edge for span in words(text) for edge in span} <= edges


# Each is a million characters that take hours where the search goes back, or looks ahead without end.
@pytest.mark.parametrize(
    ("hostile", "number"),
    [
        ("a" * 10**6, 1),
        ("a" + "_" * 10**6, 1),
        ("a_" * 500_000, 1),
        ("1," * 500_000, 1),
        ("a\u200d" * 500_000, 1),
        ("a" + "\u0301" * 10**6, 1),
        ("\u0301" * 10**6, 0),
        ("a" + "\u00ad" * 10**6, 1),
        ("👩\u200d" * 500_000, 1),
        ("🇷" * 10**6, 500_000),
        ("東" * 10**6, 10**6),
        ("ក\u17d2" * 500_000, 1),
        ("\x00" * 10**6, 0),
    ],
)
def test_a_megabyte_on_one_line_is_read_once(hostile, number):
    assert len(words(hostile)) == number


def test_words_are_found_one_by_one():
    assert next(each_word("да " * 10**6)) == (0, 2)
