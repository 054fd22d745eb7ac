"""Our language identification is fastText's own, but for the preparation that is stated."""

import fasttext
import pytest

from core.judge.surface.language import LanguageIdentifier, find_model, prepared_line
from core.text.prose import blank_code

# To these the preparation does nothing.
LINES = """
Badminton is a racquet sport for two or four players.
You will need good shoes, and it helps to warm up before the game.
The weather was so bad yesterday that nobody left the house.
In 1992 the sport became part of the Olympic Games.
Could you tell me where the station is?
1. Hold the racket loosely.
Yes.
Le badminton est un sport de raquette qui se joue à deux ou à quatre.
Il faisait si mauvais hier que personne n'est sorti de la maison.
Pourriez-vous me dire où se trouve la gare ?
Voici trois conseils pour bien dormir :
- Évitez le café après midi.
C'est aujourd'hui qu'il arrive.
O badminton é um esporte de raquete que se joga em dupla.
Ontem o tempo estava tão ruim que ninguém saiu de casa.
Você pode me dizer onde fica a estação?
Não esqueça o guarda-chuva, porque vai chover.
2) Misture a farinha com os ovos.
Obrigado!
Бадминтон — это игра с ракеткой и воланом.
Вчера была такая плохая погода, что никто не вышел из дома.
Не подскажете, где находится вокзал?
Вот несколько советов, которые помогут вам уснуть:
* Не пейте кофе вечером.
В 1992 году этот вид спорта стал олимпийским.
Badminton ist ein Rückschlagspiel für zwei oder vier Personen.
Gestern war das Wetter so schlecht, dass niemand das Haus verließ.
Können Sie mir sagen, wo der Bahnhof ist?
Für diesen Kuchen brauchen Sie drei Eier, etwas Mehl und Zucker.
Vergiss den Regenschirm nicht!
El bádminton es un deporte de raqueta.
Il badminton è uno sport che si gioca con una racchetta.
バドミントンはラケットを使うスポーツです。
羽毛球是一项用球拍打的运动。
배드민턴은 라켓으로 하는 운동이다.
Бадмінтон — це гра з ракеткою та воланом.
Ja, we spelen elke zaterdag badminton.
qwrt zxcv plkj
Смотри: Yonex Astrox 99
""".strip().splitlines()


@pytest.fixture(scope="module")
def identifier():
    return LanguageIdentifier()


@pytest.fixture(scope="module")
def plain():
    """A plain call of fastText with the same file: label and probability of a line."""
    model = fasttext.load_model(str(find_model()))

    def predict(line):
        labels, probabilities = model.predict(line)
        return labels[0].removeprefix("__label__"), min(float(probabilities[0]), 1.0)

    return predict


def test_there_are_some_dozens_of_lines_in_many_languages(plain):
    assert len(LINES) > 36
    assert len({plain(line)[0] for line in LINES}) > 9


@pytest.mark.parametrize("line", LINES)
def test_where_the_preparation_does_nothing_label_and_probability_are_fasttexts_own(identifier, plain, line):
    assert prepared_line(blank_code(line)) == line
    found = identifier.identify_prose(line)
    assert (found.label, found.probability) == plain(line)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("Line one is here.\n\n Line\ttwo is there.\r\n", "Line one is here. Line two is there."),
        ("Смотри `print(x)` и запусти.", "Смотри и запусти."),
        ("Voir https://example.com/a?b=c pour la suite.", "Voir pour la suite."),
        ("Schreib an a.b@example.com oder ruf <b>heute</b> an.", "Schreib an oder ruf heute an."),
        ("LE BADMINTON EST UN SPORT", "le badminton est un sport"),
        ("БАДМИНТОН - ЭТО Игра", "бадминтон - это игра"),
        ("Bad\x00minton spielt man zu zweit", "Bad minton spielt man zu zweit"),
        ("So \ud800 ist es gut", "So ? ist es gut"),
    ],
)
def test_what_the_preparation_changes_is_what_is_stated_and_no_more(identifier, plain, text, asked):
    assert prepared_line(blank_code(text)) == asked
    found = identifier.identify_prose(blank_code(text))
    assert (found.label, found.probability) == plain(asked)


@pytest.mark.parametrize(
    ("line", "small"),
    [
        ("AAbb", False),
        ("AAAbb", True),
        ("ÉÀÜ ab", True),
        ("ÉÀÜ abc", False),
        ("ДА нет", False),
        ("НЕТ да", True),
        ("ǅ ªº", False),
        ("123 中文", False),
    ],
)
def test_a_line_is_put_in_small_letters_when_capitals_are_more(line, small):
    assert prepared_line(line) == (line.lower() if small else line)


@pytest.mark.parametrize(
    "code",
    [
        "`x`",
        "```x```",
        "http://x.org",
        "https://x.org",
        "www.x.org",
        "a@b.org",
        "<b>",
        "</b>",
        "&nbsp;",
        "&#160;",
    ],
)
def test_each_kind_of_code_and_address_is_blanked_by_itself(code):
    assert blank_code(f"vor {code} nach") == f"vor {' ' * len(code)} nach"


@pytest.mark.parametrize("text", ["a:b", "http:/x", "wwwx", "a b", "x > y", "100 %", "‘x’"])
def test_what_is_no_code_stays(text):
    assert blank_code(text) == text
