"""Comments and error spans: made with keys, shown in columns and lists, and as they stand in the store."""

import pytest
from textual.events import Paste

from store.session import writing
from tests.ui.pilot import (
    NARROW,
    WIDE,
    at_once,
    blocked,
    compare_app,
    drawn,
    line_with,
    message,
    opened,
    paused,
    played,
    press,
    rows,
    session_of,
    settle,
    shown,
)
from tests.ui.stores import Question, add_reply, store_of
from tui.app import ReviewApp
from tui.review.error_spans import CATEGORIES, SEVERITIES
from tui.screens.compare import CompareScreen
from tui.screens.notes import NotesScreen
from tui.screens.spans import SpansScreen
from tui.theme import PALETTES, Look

pytestmark = pytest.mark.parts


TEXT = "\x1b[1m\tРаз 👍🏽 два,\r\nтри — четыре.\n\nпять"
QUESTIONS = {
    "one": Question({"ru": "Первый"}, {"ru": [TEXT]}),
    "two": Question({"ru": "Второй"}, {"ru": ["шесть семь", "другое"]}),
}
HOSTILE = "a\x1b[31mred\u202e\x9b2J[bold]x[/] \x07z\ny"


@pytest.fixture
def engine(tmp_path):
    with store_of(tmp_path / "notes.db", QUESTIONS) as found:
        yield found


@pytest.fixture
def app(engine) -> ReviewApp:
    return compare_app(engine)


def comments(engine) -> list[tuple]:
    return rows(engine, "SELECT response_id, text FROM current_comment ORDER BY response_id")


def spans(engine) -> list[tuple]:
    query = "SELECT start_offset, end_offset, category, severity FROM current_error_span ORDER BY id"
    return rows(engine, query)


def entries(engine) -> list[str]:
    return [kind for (kind,) in rows(engine, "SELECT kind FROM entry ORDER BY id")]


async def paste(pilot, text: str) -> None:
    pilot.app.post_message(Paste(text))
    await settle(pilot)


# Comments


async def test_enter_saves_a_comment_and_its_mark_stands_in_the_title(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        assert "✎" not in shown(pilot)
        await press(pilot, "c", *"Хорошо, но 2 ошибки", "enter")
        assert comments(engine) == [(1, "Хорошо, но 2 ошибки")]
        assert "✎" in line_with(pilot, "▶ A")
        assert message(pilot) == "A: comment saved"


async def test_typed_letters_neither_score_nor_move(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "c", *"012axgGnpUDfFdstwLqurR?/=mТХГ", "up", "down", "left", "delete", "pagedown")
        assert entries(engine) == []
        assert session_of(pilot).number == 1
        assert isinstance(app.screen, CompareScreen)
        await press(pilot, "escape", "2")
        assert entries(engine) == ["score"]


@pytest.mark.parametrize("key", ["c", "/"])
async def test_letters_that_come_in_one_packet_with_the_key_that_opens_the_box_are_typed(app, engine, key):
    async with app.run_test(size=WIDE) as pilot:
        await at_once(pilot, key, "2", "1", "2")
        assert entries(engine) == []
        assert pilot.app.screen.entry.text == "212"


@pytest.mark.parametrize("keys", [["c", "ы", "enter"], ["/", "1", "enter"], ["c", "escape"]])
async def test_a_key_that_comes_in_one_packet_with_the_end_of_the_box_is_a_command(app, engine, keys):
    async with app.run_test(size=WIDE) as pilot:
        await at_once(pilot, *keys, "2")
        assert session_of(pilot).left == 5


async def test_ctrl_j_starts_a_new_line_and_escape_leaves_what_was(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "c", *"раз", "ctrl+j", *"два", "enter")
        assert comments(engine) == [(1, "раз\nдва")]
        await press(pilot, "c", *" и три", "escape")
        assert comments(engine) == [(1, "раз\nдва")]
        await press(pilot, "c")
        assert "раз" in shown(pilot)
        assert "два" in shown(pilot)
        await press(pilot, *" и три", "enter")
        assert comments(engine) == [(1, "раз\nдва и три")]


async def test_an_emptied_comment_is_taken_away(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "c", *"ой", "enter", "c", "backspace", "backspace", "enter")
        assert comments(engine) == []
        assert "✎" not in shown(pilot)
        assert message(pilot) == "A: comment taken away"


async def test_an_unchanged_comment_writes_nothing(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "c", *"да", "enter", "c", "enter")
        assert entries(engine) == ["comment"]


async def test_undo_takes_a_comment_back_and_redo_brings_it_again(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "c", *"раз", "enter", "c", *" два", "enter", "u")
        assert comments(engine) == [(1, "раз")]
        await press(pilot, "u")
        assert comments(engine) == []
        assert "✎" not in shown(pilot)
        await press(pilot, "r")
        assert comments(engine) == [(1, "раз")]
        assert "✎" in shown(pilot)
        await press(pilot, "r")
        assert comments(engine) == [(1, "раз два")]
        assert message(pilot).startswith("done again")


async def test_undo_takes_a_comment_back_after_a_restart_and_from_another_row(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "c", *"раз", "enter", "n")
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        assert session_of(pilot).number == 2
        await press(pilot, "u")
        assert session_of(pilot).number == 1
        assert comments(engine) == []


async def test_a_comment_and_a_score_are_undone_in_their_order(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "2", "c", *"да", "enter", "1", "u", "u", "u")
        assert entries(engine)[:3] == ["score", "comment", "score"]
        targets = rows(engine, "SELECT target_id FROM entry WHERE kind = 'undo' ORDER BY id")
        assert targets == [(3,), (2,), (1,)]


async def test_a_comment_that_is_not_saved_is_not_shown(app, engine, tmp_path):
    async with app.run_test(size=WIDE) as pilot:
        with blocked(engine, tmp_path / "notes.db"):
            await press(pilot, "c", *"да", "enter")
            assert "not saved: another program is writing" in message(pilot)
            assert "✎" not in shown(pilot)
        assert comments(engine) == []


async def test_a_comment_that_is_not_saved_is_not_lost(app, engine, tmp_path):
    async with app.run_test(size=WIDE) as pilot:
        with blocked(engine, tmp_path / "notes.db"):
            await press(pilot, "c", *"длинный комментарий", "enter")
        await paused(pilot)
        if not app.screen.entry.display:
            await press(pilot, "c")
        await press(pilot, "enter")
        assert comments(engine) == [(1, "длинный комментарий")]


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_hostile_text_in_a_comment_is_listed_safely(app, engine, size):
    async with app.run_test(size=size) as pilot:
        await press(pilot, "c")
        await paste(pilot, HOSTILE)
        await press(pilot, "enter", "L")
        assert isinstance(app.screen, NotesScreen)
        assert "a␛[31mred⟨U+202E⟩⟨U+009B⟩2J[bold]x[/] ␇z␊y" in shown(pilot)
        assert not set("\x1b\x07\x9b\u202e") & set(shown(pilot))


async def test_hostile_text_in_a_comment_is_shown_safely_where_it_is_written_on(app, engine):
    opened(engine).comment("a\x1b]0;evil\x07\u202eb\x9b2J")
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        await press(pilot, "c")
        assert not set("\x1b\x07\x9b\u202e") & set(shown(pilot))


async def test_what_is_pasted_is_text_and_no_key(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await paste(pilot, "222x")
        assert entries(engine) == []
        await press(pilot, "c")
        await paste(pilot, "раз\nдва\n")
        assert entries(engine) == []
        await press(pilot, "enter")
        assert comments(engine) == [(1, "раз\nдва")]


async def test_what_no_store_can_hold_is_pasted_as_what_stands_for_it(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "c")
        await paste(pilot, "a\x00b\ud800")
        await press(pilot, "enter")
        assert comments(engine) == [(1, "a␀b⟨U+D800⟩")]


# The list


async def test_the_list_leads_to_the_response(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "n", "l", "c", *"второй", "enter", "p", "c", *"первый", "enter")
        meant = rows(engine, "SELECT response_id FROM current_comment WHERE text = 'второй'")[0][0]
        await press(pilot, "L")
        text = shown(pilot)
        assert text.index("первый") < text.index("второй")
        assert "2 comments and errors" in text
        await press(pilot, "j", "enter")
        assert session_of(pilot).answer.response_id == meant
        assert session_of(pilot).number == 2


async def test_an_empty_list_says_so_and_leads_nowhere(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "L")
        assert "no comments or errors yet" in shown(pilot)
        await press(pilot, "enter")
        assert isinstance(app.screen, NotesScreen)
        await press(pilot, "q")
        assert isinstance(app.screen, CompareScreen)


async def test_the_list_holds_the_reviewers_own_notes_alone(app, engine):
    other = opened(engine, reviewer="someone else")
    other.comment("чужое")
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "c", *"своё", "enter", "L")
        assert "своё" in shown(pilot)
        assert "чужое" not in shown(pilot)
        assert "✎" in shown(pilot)


async def test_an_error_is_listed_with_its_words_its_kind_and_its_severity(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "n")
        await press(pilot, "e", "right", "enter", "4", "3", "q", "L")
        words = session_of(pilot).answer.text.split()[-1]
        assert f"‹critical spelling› {words}" in line_with(pilot, "▸    2")


async def test_a_note_on_a_response_that_this_view_does_not_show_says_so(engine):
    review = opened(engine)
    review.go(1)
    column = next(at for at, answer in enumerate(review.row.answers) if answer.text == "другое")
    review.move(columns=column)
    review.comment("про вторую модель")
    async with compare_app(engine, wanted=["model 0"]).run_test(size=WIDE) as pilot:
        await press(pilot, "L", "enter")
        assert message(pilot) != ""


# Error spans


def chosen(pilot) -> str:
    return " ".join(played(pilot, Look.CHOSEN))


async def test_arrows_go_by_words_and_space_begins_a_stretch(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "n")
        column = next(
            at for at, answer in enumerate(session_of(pilot).row.answers) if answer.text == "шесть семь"
        )
        await press(pilot, *["l"] * column, "e")
        assert chosen(pilot) == "шесть"
        await press(pilot, "right")
        assert chosen(pilot) == "семь"
        await press(pilot, "right")
        assert chosen(pilot) == "семь"
        await press(pilot, "left", "space", "right")
        assert chosen(pilot) == "шесть семь"
        await press(pilot, "space")
        assert chosen(pilot) == "семь"


@pytest.mark.parametrize(
    ("moves", "words"),
    [
        (["right"], "Раз"),
        (["right"] * 2, "👍🏽"),
        (["right"] * 6, "пять"),
        (["right", "space", "right", "right", "right"], "Раз 👍🏽 два,\r\nтри"),
        (["right"] * 4 + ["space", "right"], "три — четыре"),
        (["v", "right"], "1m\tРаз"),
    ],
)
async def test_offsets_in_the_store_are_code_points_of_the_raw_response(app, engine, moves, words):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "e", *moves, "enter", "3", "2")
        ((start, end, category, severity),) = spans(engine)
        assert TEXT[start:end] == words
        assert (category, severity) == (CATEGORIES[2][0], SEVERITIES[1][0])
        text = rows(engine, "SELECT text FROM response WHERE id = 1")[0][0]
        assert text[start:end] == words


async def test_a_marked_error_is_drawn_on_its_words_in_the_column_and_counted(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "e", *["right"] * 3, "enter", "1", "1", *["right"] * 3, "enter", "2", "3", "q")
        assert isinstance(app.screen, CompareScreen)
        assert played(pilot, Look.ERROR) == ["два", "пять"]
        assert "‹2›" in line_with(pilot, "▶ A")


@pytest.mark.parametrize("category", [1, 5, len(CATEGORIES)])
async def test_each_digit_is_its_category(app, engine, category):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "e", "enter")
        assert CATEGORIES[category - 1][0] in shown(pilot)
        await press(pilot, str(category))
        assert SEVERITIES[2][0] in shown(pilot)
        await press(pilot, "3")
        assert spans(engine)[0][2:] == (CATEGORIES[category - 1][0], "critical")
        assert isinstance(app.screen, SpansScreen)


async def test_escape_at_the_category_or_the_severity_marks_nothing(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "e", "enter", "escape")
        assert isinstance(app.screen, SpansScreen)
        await press(pilot, "enter", "1", "escape")
        assert isinstance(app.screen, SpansScreen)
        assert spans(engine) == []


async def test_x_takes_the_error_under_the_cursor_away(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "e", "right", "enter", "1", "1", "right", "x")
        assert message(pilot) == "no marked error under the cursor"
        await press(pilot, "left")
        assert message(pilot) == "minor accuracy"
        await press(pilot, "x", "q")
        assert rows(engine, "SELECT count(*) FROM current_error_span") == [(0,)]
        assert "‹1›" not in shown(pilot)
        assert played(pilot, Look.ERROR) == []


async def test_undo_takes_back_a_mark_and_the_taking_away_of_one(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "e", "enter", "1", "1", "x", "q", "u")
        assert len(spans(engine)) == 1
        assert "‹1›" in shown(pilot)
        await press(pilot, "u")
        assert spans(engine) == []
        assert "‹1›" not in shown(pilot)
        await press(pilot, "r")
        assert len(spans(engine)) == 1


async def test_the_same_words_marked_again_get_the_new_severity(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "e", "enter", "1", "1", "enter", "1", "3")
        assert [span[2:] for span in spans(engine)] == [("accuracy", "critical")]


async def test_n_and_p_lead_from_error_to_error_and_round(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "e", "n")
        assert message(pilot) == "no errors are marked yet"
        await press(pilot, "right", "enter", "3", "1", *["right"] * 3, "enter", "4", "2", "left")
        await press(pilot, "n")
        assert message(pilot) == "major spelling"
        await press(pilot, "n")
        assert message(pilot) == "minor grammar"
        await press(pilot, "p")
        assert message(pilot) == "major spelling"


async def test_up_and_down_go_to_another_line(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "e", "right", "down")
        here = chosen(pilot)
        assert here in ("три", "четыре")
        await press(pilot, "down")
        assert chosen(pilot) == "пять"
        await press(pilot, "up", "up")
        assert chosen(pilot) in ("1m", "Раз", "👍🏽", "два")


async def test_overlapping_errors_are_both_there_and_the_shorter_is_under_the_cursor(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "e", "right", "space", "right", "right", "enter", "6", "1")
        await press(pilot, "left", "enter", "4", "2")
        assert len(spans(engine)) == 2
        assert message(pilot).endswith("marked")
        await press(pilot, "right", "left", "x")
        assert [span[2] for span in spans(engine)] == ["style"]


@pytest.mark.parametrize("text", ["", " \n ", "!?", "\x00\x1b", "ы" * 30_000])
async def test_any_response_can_be_opened_to_mark_errors(tmp_path, text):
    with store_of(tmp_path / "odd.db", {"q": Question({"ru": "?"}, {"ru": [text]})}) as engine:
        async with compare_app(engine).run_test(size=NARROW) as pilot:
            await press(pilot, "e", "right", "down", "up", "space", "n", "x", "enter")
            if not text:
                assert "there is nothing to mark" in message(pilot)
                assert spans(engine) == []
                return
            await press(pilot, "1", "1", "q")
            assert [span[:2] for span in spans(engine)] == [(0, len(text))]
            assert "‹1›" in shown(pilot)


async def test_a_long_response_scrolls_with_the_cursor(tmp_path):
    text = "\n".join(f"слово{number}" for number in range(100))
    with store_of(tmp_path / "long.db", {"q": Question({"ru": "?"}, {"ru": [text]})}) as engine:
        async with compare_app(engine).run_test(size=NARROW) as pilot:
            await press(pilot, "e", *["down"] * 60)
            assert chosen(pilot) == "слово60"
            await press(pilot, *["left"] * 55)
            assert chosen(pilot) == "слово5"


async def test_the_chosen_words_stay_in_sight_when_the_terminal_gets_smaller(tmp_path):
    text = "\n".join(f"слово{number}" for number in range(100))
    with store_of(tmp_path / "long.db", {"q": Question({"ru": "?"}, {"ru": [text]})}) as engine:
        async with compare_app(engine).run_test(size=WIDE) as pilot:
            await press(pilot, "e", *["down"] * 40)
            await pilot.resize_terminal(80, 20)
            await settle(pilot)
            assert chosen(pilot) == "слово40"


async def test_errors_in_arabic_are_chosen_and_drawn_on_the_right_words(tmp_path):
    text = "القطة تنام على الأريكة"
    with store_of(tmp_path / "ar.db", {"q": Question({"ar": "؟"}, {"ar": [text]})}) as engine:
        async with compare_app(engine, language="ar").run_test(size=WIDE) as pilot:
            await press(pilot, "e", "left", "enter", "1", "1")
            ((start, end, _, _),) = spans(engine)
            assert text[start:end] == "تنام"
            await press(pilot, "q", "R")
            assert played(pilot, Look.ERROR) == ["تنام"]


async def test_a_mark_that_is_not_saved_is_told_and_not_shown(app, engine, tmp_path):
    async with app.run_test(size=WIDE) as pilot:
        with blocked(engine, tmp_path / "notes.db"):
            await press(pilot, "e", "enter", "1", "1")
            assert "not saved: another program is writing" in message(pilot)
            assert "0 marked" in shown(pilot)
        assert spans(engine) == []


async def test_news_while_errors_are_marked_do_not_move_what_is_marked(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "e", *["right"] * 3)
        with writing(engine) as session:
            add_reply(session, 1, "model 9", "новый ответ")
        await app.first._read_update()
        await press(pilot, "enter", "1", "1")
        assert rows(engine, "SELECT response_id FROM current_error_span") == [(1,)]
        await press(pilot, "q")
        await app.first._read_update()
        await settle(pilot)
        assert "новый ответ" in shown(pilot)


async def test_the_cursor_in_the_text_is_seen_in_monochrome_beside_a_marked_error(engine):
    app = compare_app(engine)
    app.palette = PALETTES["monochrome"]
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "e", "right", "enter", "1", "1", "right", "right")
        assert drawn(pilot, lambda style: bool(style.reverse) and not style.underline) == ["Раз"]
        assert drawn(pilot, lambda style: bool(style.reverse) and bool(style.underline)) == ["два"]
