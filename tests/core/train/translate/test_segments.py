"""Texts are cut and put together again; code, addresses and placeholders come through untouched."""

import random

import pytest

from core.train.translate.languages import language_name, model_code
from core.train.translate.rows import find_fault
from core.train.translate.segments import (
    LONGEST_SENTENCE,
    Cut,
    LostMark,
    Segment,
    cut_finer,
    mask,
    segment_text,
    unmask,
)

TEXT = (
    "# Title here\n\nSee `x = 1` and https://a.b/c. Ask {name} or me@x.org, ok?\n- Item one. Two!\n\n"
    "```py\ncode here.\n```\n\n  Last <b>bold</b> 100%, [1] text 🗼"
)


def translated(text: str, cut: Cut) -> list[str]:
    return [segment.text for segment in segment_text(text, cut) if not segment.verbatim]


def test_a_text_is_cut_into_paragraphs_without_its_code():
    assert translated(TEXT, Cut.PARAGRAPHS) == [
        "# Title here",
        "See `x = 1` and https://a.b/c. Ask {name} or me@x.org, ok?\n- Item one. Two!",
        "Last <b>bold</b> 100%, [1] text 🗼",
    ]


def test_a_line_that_begins_with_code_is_no_fence():
    text = "```git``` has:\n```--hard``` and ```--soft```.\n\n~~~\nkept\n~~~\nEnd."
    assert translated(text, Cut.PARAGRAPHS) == ["```git``` has:\n```--hard``` and ```--soft```.", "End."]


def test_sentences_are_cut_without_the_marks_of_lists_and_headings():
    assert translated(TEXT, Cut.SENTENCES) == [
        "Title here",
        "See `x = 1` and https://a.b/c.",
        "Ask {name} or me@x.org, ok?",
        "Item one.",
        "Two!",
        "Last <b>bold</b> 100%, [1] text 🗼",
    ]


def test_the_finest_cut_keeps_what_is_untouchable():
    assert translated("See `x` and https://a.b/c, {name}: <b>bold</b>", Cut.BETWEEN) == ["See", "and", "bold"]


@pytest.mark.parametrize("cut", Cut)
def test_the_pieces_joined_are_the_text_whatever_it_is(cut):
    chance = random.Random(cut)
    signs = [
        "a",
        "B",
        " ",
        "\n",
        "\n\n",
        "\r\n",
        ". ",
        "`",
        "```",
        "\n```\n",
        "http://x.y",
        "<b>",
        "{a}",
        ", ",
    ]
    signs += ["。", "- ", "1. ", "字", "x@y.z", "[1]", "%s", "🗼", "\u2028"]
    texts = ["".join(chance.choices(signs, k=chance.randint(0, 60))) for _ in range(300)]
    for text in [TEXT, "", " \n", "word " * 500, "字" * 2000, *texts]:
        assert "".join(segment.text for segment in segment_text(text, cut)) == text


def test_a_sentence_that_is_too_long_is_cut_at_commas_and_never_inside_code():
    code = "`" + "a, b " * 60 + "`"
    long_one = ("so it goes on, " * 20) + code + " and " + "on " * 200
    parts = translated(long_one, Cut.SENTENCES)
    assert all(len(segment) <= LONGEST_SENTENCE or code in segment for segment in parts)
    assert parts[0].endswith("goes on,")
    assert sum(code in segment for segment in parts) == 1


def test_a_piece_is_cut_finer_until_that_makes_no_difference():
    segment = Segment("One is `x`. Two.", False, Cut.PARAGRAPHS)
    sentences = cut_finer(segment)
    assert [segment.text for segment in sentences if not segment.verbatim] == ["One is `x`.", "Two."]
    assert [segment.text for segment in cut_finer(sentences[0]) if not segment.verbatim] == ["One is"]
    assert cut_finer(sentences[2]) is None


def test_what_must_stay_is_masked_and_put_back_wherever_the_mark_went():
    text, kept = mask("Put {a} before `b` [7].")
    assert (text, kept) == ("Put [1] before [2] [3].", ["{a}", "`b`", "[7]"])
    assert unmask("Vor [2] kommt [ 1 ] [3].", kept) == "Vor `b` kommt {a} [7]."


@pytest.mark.parametrize("translation", ["[1] [2]", "[1] [2] [3] [3]", "[1] [2] [4]", ""])
def test_a_lost_or_doubled_mark_is_noticed(translation):
    with pytest.raises(LostMark):
        unmask(translation, ["{a}", "{b}", "{c}"])


@pytest.mark.parametrize(
    ("source", "translation", "fault"),
    [
        ("Hello, how are you?", "Bonjour, comment allez-vous ?", None),
        ("OK", "D'accord, c'est bon.", None),
        ("He was born in Paris and lived there all his life.", "他出生在巴黎，一生都住在那里。", None),
        (
            "He was born in Paris and lived there all his life.",
            "Он родился в Париже и прожил там всю жизнь.",
            None,
        ),
        ("He was born in Paris.", " … ", "empty"),
        ("He was born in Paris and lived there all his life.", "Il", "times the length"),
        (
            "He was born in Paris.",
            "Il est né à Paris, " + "capitale de la France et ville des arts " * 2,
            "times as long",
        ),
        ("He was born in Paris.", "né à né à né à né à né à né à", "repeats itself"),
        ("----------\nTitle", "----------\nTitre", None),
        ("one\ntwo", "un deux", "line breaks"),
    ],
)
def test_what_can_be_no_translation_is_told(source, translation, fault):
    reason = find_fault(source, translation, 3.0)
    assert reason is None if fault is None else fault in reason


def test_languages_are_named_as_each_model_names_them():
    assert model_code("fr", {"fra_Latn": 0}) == model_code("fra_Latn", {"fra_Latn": 0}) == "fra_Latn"
    assert model_code("nb", {"nob_Latn": 0, "nno_Latn": 1}) == "nob_Latn"
    assert model_code("zh-TW", {"zho_Hans": 0, "zho_Hant": 1}) == "zho_Hant"
    assert model_code("fr", {"__fr__": 0, "fr": 1}) == "__fr__"
    assert model_code("pt-BR", {"pt_XX": 0}) == "pt_XX"
    assert model_code("fr", {"<2fr>": 0}) == "<2fr>"
    assert model_code("de", {">>deu<<": 0}) == ">>deu<<"
    assert model_code("fr", {"fr": 0, "deu_Latn": 1}) is None
    assert (language_name("pt_BR"), language_name("deu_Latn"), language_name("tlh")) == (
        "Portuguese",
        "German",
        "tlh",
    )
