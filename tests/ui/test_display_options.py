"""How responses are looked at: compared, marked, translated, collapsed, in other colours and directions."""

import re
import threading

import pytest
from sqlalchemy import Engine

from core.text import direction
from store.session import writing
from tests.ui.pilot import (
    NARROW,
    WIDE,
    blocked,
    compare_app,
    drawn,
    line_with,
    message,
    opened,
    played,
    press,
    rows,
    session_of,
    settle,
    shown,
)
from tests.ui.stores import Question, Reply, add_metrics, add_reply, store_of
from tui.app_protocol import app_of
from tui.review.scoring import CriterionScore
from tui.theme import PALETTES, Look

pytestmark = pytest.mark.parts


def compared(tmp_path, language: str, *texts: str | Reply, name: str = "two.db"):
    """A store with one question in a language, answered by as many models as there are texts."""
    return store_of(tmp_path / name, {"q": Question({language: "?"}, {language: texts})})


# Diff

CHANGED = {
    "ru": ("Кошка спит на диване", "Кошка ест на диване", ["ест"], ["спит"]),
    "fr": ("Aujourd'hui l'été est là", "Aujourd’hui l’hiver est là", ["l’hiver"], ["l'été"]),
    "pt": ("A ação é boa", "A ação é ótima", ["ótima"], ["boa"]),
    "de": ("Die Straße ist lang", "Die Strasse ist lang", ["Strasse"], ["Straße"]),
    "ja": ("猫は寝る。", "猫は走る。", ["走"], ["寝"]),
    "zh": ("我喜欢苹果", "我喜欢香蕉", ["香蕉"], ["苹果"]),
}


@pytest.mark.parametrize("language", CHANGED)
async def test_the_words_that_differ_are_marked_in_every_script(tmp_path, language):
    base, other, there, here = CHANGED[language]
    with compared(tmp_path, language, base, other) as engine:
        async with compare_app(engine, language=language, open=True).run_test(size=WIDE) as pilot:
            await press(pilot, "d")
            assert played(pilot, Look.DIFFERENT) == [*here, *there]
            await press(pilot, "d")
            assert played(pilot, Look.DIFFERENT) == []


async def test_the_words_that_differ_in_arabic_are_marked_where_they_are_drawn(tmp_path):
    with compared(tmp_path, "ar", "القطة تنام هنا", "القطة تأكل هنا") as engine:
        async with compare_app(engine, language="ar", open=True).run_test(size=WIDE) as pilot:
            await press(pilot, "d")
            shaped = [direction.visual(word, rtl=True)[0] for word in ("تنام", "تأكل")]
            assert played(pilot, Look.DIFFERENT) == shaped


async def test_composed_and_decomposed_letters_are_the_same_words(tmp_path):
    with compared(tmp_path, "fr", "l'été à la plage", "l'e\u0301te\u0301 a\u0300 la plage") as engine:
        async with compare_app(engine, language="fr", open=True).run_test(size=WIDE) as pilot:
            await press(pilot, "d")
            assert played(pilot, Look.DIFFERENT) == []
            assert "same words" in shown(pilot)


async def test_the_base_is_the_column_under_the_cursor_and_moves_with_d(tmp_path):
    with compared(tmp_path, "ru", "один два", "один три", "один четыре") as engine:
        async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
            await press(pilot, "l", "d")
            assert line_with(pilot, "base").split("┼")[1].strip("─ ").startswith("base")
            assert played(pilot, Look.DIFFERENT) == ["два", "три", "четыре"]
            await press(pilot, "l", "d")
            assert line_with(pilot, "base").split("┼")[2].strip("─ ").startswith("base")
            await press(pilot, "d")
            assert "base" not in shown(pilot)


async def test_the_comparison_goes_on_in_the_next_row(tmp_path):
    questions = {
        "a": Question({"ru": "?"}, {"ru": ["один", "два"]}),
        "b": Question({"ru": "?"}, {"ru": ["три слова тут", "три слова там"]}),
    }
    with store_of(tmp_path / "rows.db", questions) as engine:
        async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
            await press(pilot, "d", "n")
            assert played(pilot, Look.DIFFERENT) == ["тут", "там"]


async def test_responses_that_read_the_same_have_the_same_words(tmp_path):
    with compared(tmp_path, "ru", "один и тот же", "один и тот же") as engine:
        async with compare_app(engine, open=True, collapse=False).run_test(size=WIDE) as pilot:
            await press(pilot, "d")
            below = line_with(pilot, "same words").split("┼")
            assert ["base" in below[0], "same words" in below[1]] == [True, True]


async def test_what_differs_is_counted_in_words(tmp_path):
    with compared(tmp_path, "ru", "один два три четыре пять", "один два ТРИ ЧЕТЫРЕ") as engine:
        async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
            await press(pilot, "d")
            assert re.search(r"\+2 −3 words", shown(pilot))


async def test_a_text_too_long_to_compare_says_so_and_has_no_marks(tmp_path):
    with compared(tmp_path, "ru", "слово " * 7000, "другое") as engine:
        async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
            await press(pilot, "l", "d")
            assert "too long to compare" in shown(pilot)
            assert played(pilot, Look.DIFFERENT) == []


async def test_marks_of_the_diff_stand_on_the_right_words_after_controls_and_tabs(tmp_path):
    with compared(tmp_path, "ru", "\x1b[1m\tраз\r\nдва", "\x1b[1m\tраз\r\nтри") as engine:
        async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
            await press(pilot, "d")
            assert played(pilot, Look.DIFFERENT) == ["два", "три"]


# Marks of the surface metrics

MARKED = Reply(
    "\tБодминтон — игра with a racket.", language="ru", misspelt=[(1, 10)], foreign=[(18, 31, "en")]
)
PLAIN = Reply("Игра as such тоже.", language="ru", misspelt=[(0, 4)], foreign=[(5, 12, "en")])


async def test_marks_come_with_the_commit_of_that_response_alone(tmp_path):
    with compared(tmp_path, "ru", MARKED, PLAIN) as engine:
        async with compare_app(engine).run_test(size=WIDE) as pilot:
            await press(pilot, "s")
            assert (played(pilot, Look.MISSPELT), played(pilot, Look.FOREIGN)) == ([], [])
            assert "parts in" not in shown(pilot)
            assert "committed" in message(pilot)
            column = next(
                at for at, answer in enumerate(session_of(pilot).row.answers) if answer.text == MARKED.text
            )
            await press(pilot, *["l"] * column, "a", *["h"] * 5, *["l"] * column, "g")
            assert played(pilot, Look.MISSPELT) == ["Бодминтон"]
            assert played(pilot, Look.FOREIGN) == ["with a racket"]
            assert line_with(pilot, "1 wrong").count("parts in en") == 1
            await press(pilot, "s")
            assert (played(pilot, Look.MISSPELT), played(pilot, Look.FOREIGN)) == ([], [])


async def test_open_shows_the_marks_at_once(tmp_path):
    with compared(tmp_path, "ru", MARKED, PLAIN) as engine:
        async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
            assert played(pilot, Look.MISSPELT) == []
            await press(pilot, "s")
            assert played(pilot, Look.MISSPELT) == ["Бодминтон", "Игра"]
            assert played(pilot, Look.FOREIGN) == ["with a racket", "as such"]


@pytest.mark.parametrize("palette", PALETTES)
async def test_marks_are_told_apart_by_shape_in_every_palette(tmp_path, palette):
    with compared(tmp_path, "ru", MARKED) as engine:
        app = compare_app(engine, open=True)
        app.palette = PALETTES[palette]
        async with app.run_test(size=WIDE) as pilot:
            await press(pilot, "s")
            assert drawn(pilot, lambda style: bool(style.underline) and not style.italic) == ["Бодминтон"]
            assert drawn(pilot, lambda style: bool(style.italic) and not style.underline) == ["with a racket"]


async def look_for_news(pilot) -> None:
    await pilot.app.first._read_update()
    await settle(pilot)


async def test_words_that_are_measured_while_the_room_is_open_are_marked(tmp_path):
    with compared(tmp_path, "ru", MARKED.text) as engine:
        async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
            await press(pilot, "s")
            with writing(engine) as session:
                add_metrics(session, 1, MARKED)
            await look_for_news(pilot)
            assert "1 wrong" in shown(pilot)
            assert played(pilot, Look.MISSPELT) == ["Бодминтон"]


async def test_a_response_that_arrives_is_compared_and_so_is_the_base_with_it(tmp_path):
    with compared(tmp_path, "ru", "один два три", "один два четыре") as engine:
        async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
            await press(pilot, "d")
            assert played(pilot, Look.DIFFERENT) == ["три", "четыре"]
            with writing(engine) as session:
                add_reply(session, 1, "model 2", "раз два три")
            await look_for_news(pilot)
            # The last word of the base is in one of the others now.
            assert played(pilot, Look.DIFFERENT) == ["четыре", "раз"]


# Colours


async def test_t_goes_through_all_palettes_and_round(store_path, engine):
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        seen = []
        for _ in PALETTES:
            await press(pilot, "T")
            seen.append(app_of(pilot).palette.name)
            assert seen[-1] in message(pilot)
        assert set(seen) == set(PALETTES)
        await press(pilot, "T")
        assert app_of(pilot).palette.name == seen[0]


async def test_monochrome_draws_no_colour_and_still_shows_the_cursor(engine):
    app = compare_app(engine)
    app.palette = PALETTES["monochrome"]
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, *"222222", "h", "g", "d")
        lines = pilot.app.screen._compositor.render_strips()
        colours = {
            segment.style.color.name
            for strip in lines
            for segment in strip
            if segment.style and segment.style.color and segment.text.strip()
        }
        assert colours <= {"default"}
        assert drawn(pilot, lambda style: bool(style.reverse))[0] == "▶ A"
        assert "◆ committed" in shown(pilot)


# Translation


async def test_t_goes_through_the_languages_of_the_suite_and_none(tmp_path):
    texts = {"ru": "Вопрос", "en": "Question", "de": "Frage", "fr": "Demande"}
    with store_of(tmp_path / "t.db", {"q": Question(texts, {"ru": ["да"]})}) as engine:
        async with compare_app(engine).run_test(size=WIDE) as pilot:
            seen = []
            for _ in range(4):
                seen += [text for code, text in texts.items() if code != "ru" and text in shown(pilot)]
                await press(pilot, "t")
                assert "Вопрос" in shown(pilot)
            assert sorted(seen) == ["Demande", "Frage", "Question"]
            assert "Question" in shown(pilot)


async def test_the_translation_stays_in_the_next_row_and_moves_no_cursor(tmp_path):
    questions = {
        key: Question(
            {"ru": f"Вопрос {key}", "en": f"Question {key}", "de": f"Frage {key}"}, {"ru": ["да", "нет"]}
        )
        for key in ("eins", "zwei")
    }
    with store_of(tmp_path / "t.db", questions) as engine:
        async with compare_app(engine, translation="de").run_test(size=WIDE) as pilot:
            await press(pilot, "l", "j", "j")
            cursor = session_of(pilot).cursor
            await press(pilot, "t", "t", "t")
            assert "Frage eins" in shown(pilot)
            assert session_of(pilot).cursor == cursor
            await press(pilot, "n")
            assert "Frage zwei" in shown(pilot)
            assert "Question" not in shown(pilot)


async def test_a_missing_translation_leaves_the_instruction_alone(tmp_path):
    questions = {
        "one": Question({"ru": "Вопрос", "en": "Question"}, {"ru": ["да"]}),
        "two": Question({"ru": "Только по-русски"}, {"ru": ["да"]}),
    }
    with store_of(tmp_path / "t.db", questions) as engine:
        async with compare_app(engine).run_test(size=WIDE) as pilot:
            await press(pilot, "n")
            assert "Только по-русски" in shown(pilot)
            assert " en " not in shown(pilot).splitlines()[3]


async def test_a_translation_that_could_not_be_read_is_told_and_not_taken(tmp_path, store_path, engine):
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        with blocked(engine, store_path):
            await press(pilot, "t")
            assert "not saved" in message(pilot)
            assert session_of(pilot).view.translation == "en"


def test_what_was_read_ahead_for_another_view_is_not_shown(engine, review, monkeypatch):
    reading, may_end = threading.Event(), threading.Event()
    load = review.loader.load

    def slow(*args, **options):
        loaded = load(*args, **options)
        reading.set()
        assert may_end.wait(10)
        return loaded

    monkeypatch.setattr(review.loader, "load", slow)
    ahead = threading.Thread(target=review.loader.read_ahead, args=(review.neighbours([1, -1]),))
    ahead.start()
    assert reading.wait(10)
    monkeypatch.setattr(review.loader, "load", load)
    review.change_view(opened(engine, translation=None).view)
    may_end.set()
    ahead.join()
    review.go(1)
    assert review.row.translation is None


# Collapse

SAME = {
    "a": Question({"ru": "Первый"}, {"ru": ["одно и то же", "другое", "одно и то же"]}),
    "b": Question({"ru": "Второй"}, {"ru": ["x", "y", "z"]}),
}


@pytest.fixture
def same(tmp_path):
    with store_of(tmp_path / "same.db", SAME) as engine:
        yield engine


def place_of(pilot, text: str) -> int:
    return next(at for at, answer in enumerate(session_of(pilot).row.answers) if answer.text == text)


def scores_of_nv(engine: Engine) -> list[tuple]:
    return rows(
        engine,
        "SELECT response_id, score FROM current_rating JOIN rater ON rater.id = rater_id"
        " WHERE rater.name = 'nv' ORDER BY response_id, criterion_id",
    )


async def test_one_score_for_responses_that_read_the_same_is_written_for_each_and_undone_for_all(same):
    async with compare_app(same).run_test(size=WIDE) as pilot:
        column = place_of(pilot, "одно и то же")
        label = session_of(pilot).row.answers[column].label
        assert re.fullmatch(r"[ABC]=[ABC]", label)
        assert f" {label} " in shown(pilot)
        await press(pilot, *["l"] * column, "2", "1")
        assert scores_of_nv(same) == [(1, 2), (1, 1), (3, 2), (3, 1)]
        await press(pilot, "u")
        assert scores_of_nv(same) == [(1, 2), (3, 2)]
        await press(pilot, "u")
        assert scores_of_nv(same) == []
        await press(pilot, "r")
        assert scores_of_nv(same) == [(1, 2), (3, 2)]


async def test_a_collapsed_score_is_one_entry_of_the_journal_for_one_undo(same):
    async with compare_app(same).run_test(size=WIDE) as pilot:
        await press(pilot, *["l"] * place_of(pilot, "одно и то же"), "x")
        assert rows(same, "SELECT count(*) FROM entry") == [(1,)]
        assert len(scores_of_nv(same)) == 12


async def test_the_commit_of_a_collapsed_column_is_written_for_each_response(same):
    async with compare_app(same).run_test(size=WIDE) as pilot:
        column = place_of(pilot, "одно и то же")
        await press(pilot, *["l"] * column, "x", *["h"] * 3, *["l"] * column, "g")
        found = rows(same, "SELECT response_id FROM entry WHERE kind = 'commit' ORDER BY response_id")
        assert found == [(1,), (3,)]


async def test_the_equals_sign_parts_the_columns_and_joins_them_again(same):
    async with compare_app(same).run_test(size=WIDE) as pilot:
        await press(pilot, *["l"] * place_of(pilot, "одно и то же"), "j", "j")
        here = session_of(pilot).answer.response_id
        await press(pilot, "=")
        assert re.search(r" A .* B .* C ", shown(pilot))
        assert session_of(pilot).answer.response_id == here
        assert session_of(pilot).cursor.criterion == 2
        await press(pilot, "=")
        assert re.search(r" [ABC]=[ABC] ", shown(pilot))


async def test_different_marks_keep_responses_apart_and_undo_brings_them_together(same):
    async with compare_app(same).run_test(size=WIDE) as pilot:
        await press(pilot, "=")
        await press(pilot, *["l"] * place_of(pilot, "одно и то же"), "2")
        await press(pilot, "=")
        assert len(session_of(pilot).row.answers) == 3
        assert "=" not in "".join(answer.label for answer in session_of(pilot).row.answers)
        await press(pilot, "u")
        assert len(session_of(pilot).row.answers) == 2
        assert session_of(pilot).left == 12


async def test_a_comment_on_one_of_two_equal_responses_keeps_them_apart(same):
    async with compare_app(same).run_test(size=WIDE) as pilot:
        await press(pilot, "=")
        await press(pilot, *["l"] * place_of(pilot, "одно и то же"), "c", "ы", "enter", "=")
        assert len(session_of(pilot).row.answers) == 3


async def test_collapsed_responses_count_once_in_what_is_left(same):
    async with compare_app(same).run_test(size=WIDE) as pilot:
        assert "12 left in this row" in shown(pilot)
        await press(pilot, "=")
        assert "18 left in this row" in shown(pilot)


def test_scores_given_apart_are_not_lost_when_columns_are_joined(same):
    review = opened(same, collapse=False)
    first = review.row.column_of(1)
    review.move(columns=first - review.cursor.column)
    review.score(2)
    review.change_view(review.view, collapse=True)
    assert [answer.scores[0] for answer in review.row.answers if answer.response_id == 1] == [
        CriterionScore(2)
    ]
    assert [answer.scores[0] for answer in review.row.answers if answer.response_id == 3] == [None]


# Directions

ARABIC = "القطة تنام على الأريكة"


async def test_arabic_is_drawn_in_the_order_in_which_it_is_seen_in_columns_above_each_other(tmp_path):
    with compared(tmp_path, "ar", ARABIC, "the cat sleeps") as engine:
        async with compare_app(engine, language="ar", open=True).run_test(size=WIDE) as pilot:
            await pilot.pause()
            lines = shown(pilot).splitlines()
            titles = [y for y, line in enumerate(lines) if re.match(r"[▶─] model \d ", line)]
            assert len(titles) == 2
            assert titles[1] - titles[0] > 10
            visual = direction.visual(ARABIC, rtl=True)[0]
            arabic = next(line for line in lines if visual in line)
            # Longer lines than 120 cells are hard to read: the edge of the text, not of the screen.
            assert arabic.endswith(visual)
            assert arabic.index(visual) > 60
            assert any(line.startswith(" the cat sleeps") for line in lines)


async def test_a_terminal_that_knows_directions_gets_the_text_as_it_is(tmp_path):
    with compared(tmp_path, "ar", ARABIC, "the cat sleeps") as engine:
        async with compare_app(engine, language="ar", open=True).run_test(size=WIDE) as pilot:
            await press(pilot, "R")
            assert ARABIC in shown(pilot)
            assert "by the terminal" in message(pilot)
            await press(pilot, "R")
            assert direction.visual(ARABIC, rtl=True)[0] in shown(pilot)


async def test_an_arabic_view_fits_a_low_terminal_one_column_at_a_time(tmp_path):
    with compared(tmp_path, "ar", ARABIC, "the cat sleeps", "قطة") as engine:
        async with compare_app(engine, language="ar", open=True).run_test(size=NARROW) as pilot:
            await press(pilot, "l")
            text = shown(pilot)
            assert "▶ model 1" in text
            assert "the cat sleeps" in text
            assert "[model 1 0/6]" in text


async def test_an_arabic_answer_to_a_russian_question_is_ordered_too(tmp_path):
    with compared(tmp_path, "ru", ARABIC, "кошка") as engine:
        async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
            await settle(pilot)
            assert direction.visual(ARABIC, rtl=False)[0] in shown(pilot)
