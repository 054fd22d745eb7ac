"""What can't be told is not measured and says why: no prose, too short, language unknown."""

import json
import unicodedata

import pytest
from sqlalchemy import text as sql

from core.judge.surface.language import LanguageIdentifier, needed_probability
from core.judge.surface.metrics import judge_surface
from core.text.prose import blank_code
from store.queries.surface import surface_measures
from store.session import reading


@pytest.fixture(scope="module")
def identifier():
    return LanguageIdentifier()


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "42",
        "[5, 1, 3]",
        '{"cities": ["Berlin", "Paris"]}',
        "```json\n[1]\n```",
        "```json\n[1]\n```<|im_end|>\n",
        "~~~\nlet total = price\n~~~",
        "def area(width):\n    return width\nprint(area(3))",
        'int main() {\n  puts("hello");\n}',
        "SELECT name FROM people WHERE age > 3;",
        "$\\frac{1}{2}$",
        "x = 2a + b",
        "\\[ \\text{area} = 3 \\]",
        "<style>p { color: red }</style><!-- a remark in English -->",
        "https://example.com/a-page-in-english",
    ],
)
def test_code_mathematics_and_markup_are_no_prose(identifier, answer):
    assert identifier.identify(answer).reason == "no prose"
    assert len(blank_code(answer)) == len(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "For example:",
        "It costs $5 and 10$ a day.",
        "- un point (voir plus haut) ;",
        "From here to there.",
    ],
)
def test_prose_that_looks_a_little_like_code_stays(answer):
    assert blank_code(answer) == answer


def test_a_word_or_two_that_fasttext_guesses_at_are_too_short(identifier):
    for answer in ("bone", "Azote.", "Non.", "mice, knives, teeth, crises"):
        identified = identifier.identify(answer)
        assert (identified.label, identified.reason) == (None, "too short")
        assert identified.guess is not None
    assert identifier.identify("Der Himmel ist heute blau.").label == "de"


@pytest.mark.parametrize(
    ("prose", "needed"),
    [("one", 2.0), ("one two", 0.9), ("one two three 4 5 6", 0.7), ("a b c d e", 0.5), ("a " * 8, 0.0),
     ("今天天气", 0.9), ("今天天气今天天气今天天气今天天气", 0.0)],
)  # fmt: skip
def test_the_fewer_words_the_surer_it_must_be(prose, needed):
    assert needed_probability(prose) == needed


@pytest.mark.parametrize(
    "answer", ["L'élève a terminé ses études à l'école.", "A informação está disponível"]
)
def test_decomposed_letters_and_entities_are_the_same_text(identifier, answer):
    plain = identifier.identify(answer)
    assert identifier.identify(unicodedata.normalize("NFD", answer)) == plain
    entities = "".join(
        f"&#{ord(letter)};" if letter == "'" or not letter.isascii() else letter for letter in answer
    )
    assert entities != answer
    assert identifier.identify(entities) == plain


def test_an_entity_is_inside_its_word(answered):
    engine = answered(("fr", "?", "<p>Une le&ccedil;on d&rsquo;&eacute;t&eacute; tr&egrave;s wrogn.</p>"))
    judge_surface(engine, metrics=["spelling"])
    with engine.connect() as connection:
        value, detail = connection.execute(sql("SELECT value, detail FROM surface_metric")).one()
    assert value == pytest.approx(4 / 5)
    ((start, end),) = json.loads(detail)["misspelt"]
    assert "<p>Une le&ccedil;on d&rsquo;&eacute;t&eacute; tr&egrave;s wrogn.</p>"[start:end] == "wrogn"


def test_reasons_reach_who_asks_for_shares(answered):
    engine = answered(
        ("rw", "?", "Ushobora kureba ku rubuga rwacu rwa interineti buri munsi."),
        ("en", "?", "42"),
        ("en", "?", "bone"),
        ("rus", "?", "Радуга видна после дождя, когда светит солнце."),
    )
    judge_surface(engine, metrics=["language"])
    with reading(engine) as session:
        measures = surface_measures(session, 1)
    assert [(measure.right_language, measure.reason) for _, measure in sorted(measures.items())] == [
        (None, "language unknown"), (None, "no prose"), (None, "too short"), (True, None),
    ]  # fmt: skip


def test_a_word_of_which_fasttext_knows_no_piece_is_too_short(identifier):
    assert identifier.identify("ⴰⵣⵓⵍ").reason == "too short"
    assert identifier.identify("ⴰⵣⵓⵍ " * 8).reason == "language unknown"
