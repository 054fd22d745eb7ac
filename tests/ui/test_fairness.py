"""Nothing hidden is seen before the commit, on any screen, and the journal says truly what was on show."""

import pytest

from store.queries import raters
from store.session import writing
from tests.ui.pilot import NARROW, WIDE, compare_app, message, opened, press, rows, session_of, settle, shown
from tests.ui.stores import JUDGE, Question, Reply, add_reply, score, store_of
from tui.app import ReviewApp

pytestmark = pytest.mark.parts


ALL = ("helpfulness", "language", "fluency", "accuracy", "logic", "harmlessness")


def reply(text: str) -> Reply:
    scores = dict.fromkeys(ALL, 1)
    return Reply(f"{text} with words", scores, "en", misspelt=[(0, 3)], foreign=[(4, 8, "en")])


QUESTIONS = {
    key: Question(
        {"ru": f"Вопрос {key}", "en": f"Question {key}"}, {"ru": [reply(f"{key}{n}") for n in range(4)]}
    )
    for key in ("one", "two", "six")
}
# What a reviewer must not see of a response before the commit: the judge's column, the metrics, the models.
HIDDEN = (
    JUDGE,
    "Δ",
    "0.90",
    "wrong language ·",
    "· wrong language",
    "spelling",
    "model 0",
    "parts in",
    "not relevant",
)


@pytest.fixture
def engine(tmp_path):
    with store_of(tmp_path / "fair.db", QUESTIONS) as found:
        yield found


@pytest.fixture
def app(engine) -> ReviewApp:
    return compare_app(engine)


def journal(engine, reviewer: str = "nv") -> list[tuple]:
    """(kind, judge shown, names shown) of everything that the reviewer did."""
    return rows(
        engine,
        "SELECT entry.kind, judge_shown, names_shown FROM entry JOIN rater ON rater.id = rater_id"
        " WHERE rater.name = :name ORDER BY entry.id",
        name=reviewer,
    )


def hidden_words(text: str) -> list[str]:
    # The hint line names a key by these words.
    body = text.replace("x wrong language", "").replace("hidden model", "")
    return [words for words in HIDDEN if words in body]


# Before the commit


@pytest.mark.parametrize("size", [WIDE, (120, 30), (300, 90)])
async def test_nothing_hidden_is_on_any_screen_before_the_commit(app, size):
    async with app.run_test(size=size) as pilot:
        await press(pilot, "a", "2")
        assert hidden_words(shown(pilot)) == []
        for key in ("s", "d", "=", "t", "R", "T"):
            await press(pilot, key)
            assert hidden_words(shown(pilot)) == [], key
        for key in ("f", "L", "w", "e", "m"):
            await press(pilot, key)
            seen = shown(pilot)
            for _ in range(3):
                await press(pilot, "pagedown")
                seen += shown(pilot)
            assert hidden_words(seen) == [], key
            await press(pilot, "escape")
        await press(pilot, "D")
        assert "no disagreement" in message(pilot)


async def test_no_tint_tells_that_a_response_is_measured_before_the_commit(engine, tmp_path):
    """The picture of a store with a judge and metrics is that of one without, style by style."""
    bare = {
        key: Question(question.texts, {"ru": [reply.text for reply in question.replies["ru"]]})
        for key, question in QUESTIONS.items()
    }

    async def picture(of) -> list:
        async with compare_app(of).run_test(size=WIDE) as pilot:
            await press(pilot, "s", "a", "2", "l", "h", "n", "p")
            strips = pilot.app.screen._compositor.render_strips()
            return [[(segment.text, segment.style) for segment in strip] for strip in strips]

    with store_of(tmp_path / "bare.db", bare) as without:
        assert await picture(engine) == await picture(without)


async def test_the_counts_of_the_filter_tell_nothing_of_what_is_hidden(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "a", "a", "a", "a", "f")
        line = next(line for line in shown(pilot).splitlines() if "judge differ" in line)
        assert line.split()[-1] == "0"
        assert "identified" not in shown(pilot)


async def test_a_search_finds_no_judge_and_no_name(app):
    async with app.run_test(size=WIDE) as pilot:
        for words in ("model 0", "gpt"):
            await press(pilot, "/", *words, "enter")
            assert "nothing holds" in message(pilot)


async def test_the_commit_of_one_response_reveals_that_one_alone(app):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "a", "a", "h", "h", "g", "s")
        assert shown(pilot).count(JUDGE) == 1
        assert shown(pilot).count("en 0.90") == 1
        assert shown(pilot).count("1 wrong") == 1
        assert "model 0" not in shown(pilot)


async def test_an_incomplete_response_can_not_be_committed(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, *"22222", "g")
        assert "1 to score" in message(pilot)
        await press(pilot, "G")
        assert "no complete response" in message(pilot)
        assert JUDGE not in shown(pilot)
        assert {kind for kind, _, _ in journal(engine)} == {"score"}


async def test_what_was_committed_is_still_revealed_after_a_restart(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "a", "h", "g")
    async with compare_app(engine).run_test(size=WIDE) as pilot:
        await settle(pilot)
        assert shown(pilot).count(JUDGE) == 1


async def test_the_commit_of_one_reviewer_reveals_nothing_to_another(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "a", "h", "g")
    async with compare_app(engine, reviewer="zoe").run_test(size=WIDE) as pilot:
        await press(pilot, "D")
        assert "no disagreement" in message(pilot)
        assert JUDGE not in shown(pilot).replace(message(pilot), "")


# The order of the columns


def order_of(review) -> list[list[int]]:
    found = []
    for number in range(1, 4):
        review.go_to_number(number)
        found.append([answer.response_id for answer in review.row.answers])
    return found


def test_the_order_of_the_columns_is_written_down_and_the_same_next_time(engine):
    first = order_of(opened(engine))
    written = rows(
        engine,
        "SELECT response_id FROM presentation JOIN rater ON rater.id = rater_id"
        " WHERE rater.name = 'nv' ORDER BY (response_id - 1) / 4, position",
    )
    assert [response for (response,) in written] == [response for row in first for response in row]
    assert order_of(opened(engine)) == first


def test_the_order_that_was_written_down_counts_and_not_how_it_was_found(engine):
    opened(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE presentation SET position = 3 - position")
    turned = [answer.response_id for answer in opened(engine).row.answers]
    kept = rows(engine, "SELECT response_id FROM presentation ORDER BY position")
    assert turned == [response for (response,) in kept]


def test_reviewers_and_instructions_have_orders_of_their_own(engine):
    orders = {
        tuple((response - 1) % 4 for response in row)
        for reviewer in ("nv", "zoe", "ann", "bob")
        for row in order_of(opened(engine, reviewer=reviewer))
    }
    assert len(orders) > 4


def test_the_labels_say_nothing_of_the_models_over_the_rows(engine):
    first = {
        (order[0] - 1) % 4
        for name in ("nv", "zoe", "ann", "bob")
        for order in order_of(opened(engine, reviewer=name))
    }
    assert len(first) > 1


async def test_a_late_response_comes_last_and_moves_no_label(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await settle(pilot)
        before = [(answer.label, answer.response_id) for answer in session_of(pilot).row.answers]
        with writing(engine) as session:
            add_reply(session, session_of(pilot).row.instruction_id, "aaa first by name", "поздний")
        await pilot.app.screen._read_update()
        await settle(pilot)
        after = [(answer.label, answer.response_id) for answer in session_of(pilot).row.answers]
        assert after[:4] == before
        assert after[4][0] == "E"
        assert "поздний" in shown(pilot)
        assert "1 more response" in message(pilot)
    reopened = [answer.response_id for answer in opened(engine).row.answers]
    assert reopened == [response for _, response in after]


async def test_what_the_judge_says_while_the_room_is_open_is_shown_of_committed_responses_alone(tmp_path):
    questions = {"q": Question({"ru": "?"}, {"ru": ["один", "два"]})}
    with store_of(tmp_path / "late.db", questions) as engine:
        async with compare_app(engine).run_test(size=WIDE) as pilot:
            await press(pilot, "a", "h", "g")
            assert "no judge" in shown(pilot)
            with writing(engine) as session:
                judge = raters.rater_id(session, "llm", JUDGE, "1")
                for response in (1, 2):
                    score(session, judge, response, dict.fromkeys(ALL, 1))
            await pilot.app.screen._read_update()
            await settle(pilot)
            assert shown(pilot).count(JUDGE) == 1
            assert shown(pilot).count("+1") == len(ALL)


async def test_a_judge_that_has_scored_a_new_model_alone_is_taken_in_with_it(tmp_path):
    with store_of(tmp_path / "late.db", {"q": Question({"ru": "?"}, {"ru": ["один"]})}) as engine:
        async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
            with writing(engine) as session:
                add_reply(session, 1, "late", reply("три"))
            await pilot.app.screen._read_update()
            await settle(pilot)
            assert JUDGE in shown(pilot)


# The journal


async def test_the_journal_says_truly_what_was_on_show_while_blind(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "a", "h", "c", *"да", "enter", "e", "enter", "1", "1", "q", "g", "1", "u", "r")
        assert journal(engine) == [
            ("score", 0, 0),
            ("comment", 0, 0),
            ("span", 0, 0),
            ("commit", 0, 0),
            ("score", 1, 0),
            ("undo", 1, 0),
            ("redo", 1, 0),
        ]


async def test_the_journal_says_that_a_comment_and_an_error_came_after_the_reveal(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "a", "h", "g", "c", *"да", "enter", "e", "enter", "1", "1", "x", "q")
        assert journal(engine)[2:] == [("comment", 1, 0), ("span", 1, 0), ("span", 1, 0)]
        await press(pilot, "l", "c", *"да", "enter")
        assert journal(engine)[-1] == ("comment", 0, 0)


async def test_the_journal_says_that_everything_was_shown_with_open(engine):
    async with compare_app(engine, open=True).run_test(size=WIDE) as pilot:
        await press(pilot, "2", "c", *"да", "enter", "u", "a", "h", "g")
        assert {(judge, names) for _, judge, names in journal(engine)} == {(1, 1)}
        assert "open" in shown(pilot)


async def test_the_undo_of_a_response_in_another_row_says_what_was_shown_of_that_one(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "a", "h", "g", "1", "n", "2", "u", "u")
        assert journal(engine)[-2:] == [("undo", 0, 0), ("undo", 1, 0)]
        assert session_of(pilot).number == 1


async def test_a_revision_after_the_reveal_is_a_row_of_its_own_beside_the_first_score(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, *"210122", "h", "g", "0")
        found = rows(
            engine,
            "SELECT rating.score, entry.judge_shown FROM rating JOIN entry ON entry.id = entry_id"
            " JOIN criterion ON criterion.id = criterion_id JOIN rater ON rater.id = rating.rater_id"
            " WHERE criterion.name = 'helpfulness' AND rater.name = 'nv' ORDER BY rating.id",
        )
        assert found == [(2, 0), (0, 1)]
        assert "◆ committed" in shown(pilot)


async def test_taking_back_all_scores_of_a_committed_response_hides_nothing_again(app, engine):
    async with app.run_test(size=WIDE) as pilot:
        await press(pilot, "a", "h", "g", "u")
        assert shown(pilot).count(JUDGE) == 1
        await press(pilot, "2")
        assert journal(engine)[-1] == ("score", 1, 0)


async def test_the_time_that_a_response_was_on_show_is_kept_with_the_score(app, engine):
    async with app.run_test(size=NARROW) as pilot:
        await press(pilot, "2")
        ((looked,),) = rows(engine, "SELECT looked_ms FROM entry ORDER BY id DESC LIMIT 1")
        assert looked is not None
        assert looked >= 0


def test_a_score_by_a_name_of_its_own_is_nobody_elses(engine):
    opened(engine, reviewer="nv").score(2)
    zoe = opened(engine, reviewer="zoe")
    assert all(mark is None for answer in zoe.row.answers for mark in answer.scores)
    assert zoe.undo().message == "nothing to undo"
