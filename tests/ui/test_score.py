"""The queue of a campaign in the room: one response at a time, blind, and where it goes on."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from store import UsageError, open_store
from store.queries import campaigns, filters, journal, models, raters, responses
from store.queries.filters import Filter
from store.queries.journal import Score
from store.session import reading, writing
from tests.reviewing import SAME, campaign, make_store, rater_of, stops_of, without_git, work
from tests.ui.pilot import compare_app, message, press, shown
from tui.app import ReviewApp
from tui.identity import CodeNeeded, require_code, with_code
from tui.review import overview
from tui.review.navigation import Destination
from tui.review.queue import QueueSession, open_queue
from tui.review.session import ReviewSession
from tui.review.updates import apply_update, read_update
from tui.review.view import open_view
from tui.screens.score import ScoreScreen
from tui.sessions import overview_session, queue_session

pytestmark = pytest.mark.parts


SIZE = (120, 40)
JUDGE = "gpt-judge"


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models in two languages, all judged."""
    path = tmp_path_factory.mktemp("judged") / "s.db"
    engine = make_store(path, keys=8)
    with writing(engine) as session:
        judge = raters.rater_id(session, "llm", JUDGE, "1")
        for response in range(1, 8 * 3 * 2 + 1):
            journal.append(session, judge, [Score(response, it, 1) for it in range(1, 7)])
    engine.dispose()
    return path


@pytest.fixture(autouse=True)
def _quick_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    without_git(monkeypatch)


@pytest.fixture
def engine(judged: Path, tmp_path: Path) -> Iterator[Engine]:
    found = open_store(Path(shutil.copy(judged, tmp_path / "s.db")))
    yield found
    found.dispose()


def session_of(engine: Engine, reviewer: str = "anna", name: str = "c") -> QueueSession:
    return QueueSession(engine, open_queue(engine, campaign=name, reviewer=reviewer))


def score_app(engine: Engine, reviewer: str = "anna") -> ReviewApp:
    return ReviewApp(ScoreScreen(session_of(engine, reviewer)))


def scored(engine: Engine, reviewer: str, response: int, version: str = "") -> list[int | None]:
    with reading(engine) as session:
        found = journal.current_ratings(session, rater_of(session, reviewer, version), [response])
    return [it.score for it in sorted(found, key=lambda it: it.criterion_id)]


async def test_six_digits_and_enter_lead_to_the_next_response(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",))
    first, second, *_ = stops_of(engine, "c", "anna")
    async with score_app(engine).run_test(size=SIZE) as pilot:
        assert "ru · c · 1/22 · 22 left" in shown(pilot)
        await press(pilot, *"210122", "enter")
        assert "2/22 · 21 left" in shown(pilot)
        assert message(pilot) == "1 done, 21 left"
        assert pilot.app.screen.session.row.answers[0].response_ids == second.response_ids
    for response in first.response_ids:
        assert scored(engine, "anna", response) == [2, 1, 0, 1, 2, 2]


async def test_names_judges_and_kinds_are_hidden_before_and_after_a_commit(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",), models=("main",), repeats=2, min_gap=2)
    async with score_app(engine).run_test(size=SIZE) as pilot:
        for _ in range(5):
            text = shown(pilot).replace("main says", "")
            assert not any(word in text for word in (JUDGE, "gpt", "main", "repeat", "#2"))
            await press(pilot, "a", "enter", "p", "U")


async def test_an_open_campaign_shows_names_and_judges(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",), blind=False)
    async with score_app(engine).run_test(size=SIZE) as pilot:
        assert JUDGE in shown(pilot)
        assert "open" in shown(pilot).splitlines()[0]
        assert pilot.app.screen.session.answer.label.split("=")[0] in ("base", "main", "other")


async def test_a_campaign_that_reveals_shows_the_judge_once_a_response_is_committed(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",), reveal=True)
    async with score_app(engine).run_test(size=SIZE) as pilot:
        assert JUDGE not in shown(pilot)
        await press(pilot, "a", "enter")
        assert "1/22 · 21 left" in shown(pilot)
        assert JUDGE in shown(pilot)


async def test_a_response_must_be_complete_before_it_is_done(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",))
    async with score_app(engine).run_test(size=SIZE) as pilot:
        await press(pilot, "2", "enter")
        assert "5 to score" in message(pilot)
        assert "22 left" in shown(pilot)


async def test_it_goes_on_where_it_stopped_and_says_when_it_is_done(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",), models=("main",))
    async with score_app(engine).run_test(size=SIZE) as pilot:
        await press(pilot, "a", "enter", "n", "n", "1")
        pilot.app.screen.session.close()
    async with score_app(engine).run_test(size=SIZE) as pilot:
        assert "4/8 · 7 left" in shown(pilot)
        assert pilot.app.screen.session.cursor.criterion == 1
        await press(pilot, *["a", "enter"] * 7)
        assert "everything is done" in message(pilot)
        assert "0 left" in shown(pilot)
    async with score_app(engine).run_test(size=SIZE) as pilot:
        assert "everything is done" in shown(pilot)


async def test_a_repeat_is_read_anew_and_leaves_the_first_scores_alone(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",), models=("main",), repeats=1, min_gap=3)
    queue = stops_of(engine, "c", "anna")
    repeat = next(stop for stop in queue if stop.kind == "repeat")
    async with score_app(engine).run_test(size=SIZE) as pilot:
        await press(pilot, *["a", "enter"] * (repeat.position - 1))
        session = pilot.app.screen.session
        assert session.row.key == repeat.position
        assert session.answer.scores == (None,) * 6
        await press(pilot, "c", *"again", "enter")
        await press(pilot, *"111111")
    (response,) = repeat.response_ids
    assert scored(engine, "anna", response) == [2] * 6
    assert scored(engine, "anna", response, "#2") == [1] * 6


async def test_undo_and_redo_go_back_through_both_ways_in_which_one_scored(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",), models=("main",), repeats=1, min_gap=1)
    at = next(stop.position for stop in stops_of(engine, "c", "anna") if stop.kind == "repeat")
    first = max(at - 1, 1)
    async with score_app(engine).run_test(size=SIZE) as pilot:
        await press(pilot, "/", *str(first), "enter")
        for _ in range(3):
            await press(pilot, "a", "n")
        session = pilot.app.screen.session
        visited = []
        for _ in range(3):
            await press(pilot, "u")
            visited.append(session.row.key)
        assert visited == [first + 2, first + 1, first]
        await press(pilot, "u")
        assert message(pilot) == "nothing to undo"
        again = []
        for _ in range(3):
            await press(pilot, "r")
            again.append(session.row.key)
        assert again == visited[::-1]
        await press(pilot, "r")
        assert message(pilot) == "nothing to redo"


async def test_responses_that_read_the_same_are_shown_once_and_all_scored(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",))
    same = next(stop for stop in stops_of(engine, "c", "anna") if len(stop.response_ids) == 2)
    async with score_app(engine).run_test(size=SIZE) as pilot:
        await press(pilot, "/", *str(same.position), "enter")
        assert shown(pilot).count(SAME) == 1
        await press(pilot, "a", "enter")
    assert [scored(engine, "anna", response) for response in same.response_ids] == [[2] * 6] * 2
    assert same.position in open_queue(engine, campaign="c", reviewer="anna").done


async def test_keys_of_the_compare_screen_that_need_several_columns_are_not_there(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",))
    async with score_app(engine).run_test(size=SIZE) as pilot:
        before = shown(pilot)
        await press(pilot, "d", "G", "w", "f", "D", "=")
        assert shown(pilot) == before
        await press(pilot, "?")
        assert "done with the response, and on to the next" in shown(pilot)
        assert "compare the words" not in shown(pilot)


async def test_words_are_found_and_notes_lead_back(engine):
    campaign(engine, "c", ["anna"])
    async with score_app(engine).run_test(size=SIZE) as pilot:
        session = pilot.app.screen.session
        start = session.row.key
        await press(pilot, "c", *"note", "enter", "/", *"MAIN says to k003 in ru", "enter")
        assert "main says to k003 in ru" in shown(pilot)
        assert session.row.key != start
        await press(pilot, "/", "backspace", "enter", "/", *str(start), "enter", "n", "L", "enter")
        assert session.row.key == start


async def test_a_language_follows_the_other_and_each_has_its_translation(engine):
    campaign(engine, "c", ["anna:ru,fr"], languages=("ru", "fr"), models=("main",))
    async with score_app(engine).run_test(size=SIZE) as pilot:
        await press(pilot, "/", "9", "enter")
        assert "fr · c · 9/16" in shown(pilot)
        await press(pilot, "t", "t")
        assert pilot.app.screen.session.view.language == "fr"


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_small_terminals_show_the_place_and_the_response(engine, size):
    campaign(engine, "c", ["anna:ru"], languages=("ru",), models=("main",))
    async with score_app(engine).run_test(size=size) as pilot:
        assert "1/8" in shown(pilot)
        assert "main says" in shown(pilot)


def test_a_closed_or_unknown_campaign_and_a_stranger_are_told(engine):
    campaign(engine, "c", ["anna"])
    for name, reviewer, said in (
        ("d", "anna", "No campaign 'd'"),
        ("c", "boris", "has nothing for boris. It is for: anna"),
    ):
        with pytest.raises(UsageError, match=said):
            open_queue(engine, campaign=name, reviewer=reviewer)
    with writing(engine) as session:
        campaigns.set_closed(session, campaigns.campaign_named(session, "c"), True)
    with pytest.raises(UsageError, match="is closed"):
        open_queue(engine, campaign="c", reviewer="anna")


def test_the_journal_says_what_was_on_show_and_for_how_long(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",), models=("main",))
    ticks = iter(range(100))
    queue = open_queue(engine, campaign="c", reviewer="anna")
    session = QueueSession(engine, queue, clock=lambda: float(next(ticks)))
    session.shows(session.answer.response_ids)
    session.score_best()
    session.commit()
    with engine.connect() as connection:
        said = connection.exec_driver_sql(
            "SELECT kind, looked_ms, judge_shown, names_shown FROM entry WHERE rater_id = "
            "(SELECT id FROM rater WHERE name = 'anna') ORDER BY id"
        ).all()
    assert [(row[0], row[2], row[3]) for row in said] == [("score", 0, 0), ("commit", 0, 0)]
    assert said[0][1] == 1000


# A queue side by side


def in_view(engine: Engine, reviewer: str = "anna", **view: Any) -> set[int]:
    """The responses that stand in a view of the campaign, read row by row."""
    session = ReviewSession(engine, open_view(engine, reviewer=reviewer, campaign="c", **view))
    found: set[int] = set()
    for key in session.rows.keys:
        session.go_to(Destination(key))
        found |= {response for answer in session.row.answers for response in answer.response_ids}
    return found


def queued(engine: Engine, reviewer: str = "anna", language: str = "ru") -> set[int]:
    stops = [stop for stop in stops_of(engine, "c", reviewer) if stop.language == language]
    return {response for stop in stops for response in stop.response_ids}


def test_compare_with_a_campaign_shows_what_is_in_the_queue_and_nothing_else(engine):
    campaign(engine, "c", ["anna:ru", "boris:ru", "clara:fr"], sample=5, repeats=2, min_gap=1)
    for reviewer, language in (("anna", "ru"), ("boris", "ru"), ("clara", "fr")):
        theirs = queued(engine, reviewer, language)
        assert 0 < len(theirs) < 24
        assert in_view(engine, reviewer, language=language) == theirs


async def test_scores_given_side_by_side_are_done_in_the_queue(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",), models=("main", "base"), sample=2)
    app = compare_app(engine, reviewer="anna", campaign="c")
    async with app.run_test(size=(200, 50)) as pilot:
        assert "ru · c · 1/2 · 12 left in this row" in shown(pilot)
        assert "other says" not in shown(pilot)
        await press(pilot, *"aljhla", "G", "n")
        await press(pilot, "/", *"other", "enter")
        assert "nothing holds" in message(pilot)
    assert len(open_queue(engine, campaign="c", reviewer="anna").done) == 2


async def test_what_the_filter_counts_and_finds_is_of_the_queue(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",), models=("main",))
    work(engine, "c", "anna", most=3)
    view = open_view(engine, language="ru", reviewer="anna", campaign="c")
    with reading(engine) as session:
        counts = filters.group_counts(session, view.scope)["statuses"]
        assert (counts["committed"], counts["unscored"]) == (3, 5)
        assert (
            len(filters.responses_matching(session, view.scope, Filter(statuses=frozenset({"unscored"}))))
            == 5
        )


def test_a_new_answer_does_not_join_a_queue_side_by_side(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",), models=("main",))
    session = ReviewSession(engine, open_view(engine, language="ru", reviewer="anna", campaign="c"))
    before = session.row
    with writing(engine) as store:
        decoding, late = models.decoding_id(store, "imported", None, {}), models.model_id(store, "late")
        new = {"instruction_id": before.instruction_id, "model_id": late, "decoding_id": decoding}
        responses.add_responses(store, [{**new, "text": "Too late."}])
    found = read_update(session)
    assert found is not None
    apply_update(session, found)
    assert [answer.response_ids for answer in session.row.answers] == [
        answer.response_ids for answer in before.answers
    ]


def test_undoing_what_is_not_in_the_queue_is_refused(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",), models=("main",))
    everything = ReviewSession(engine, open_view(engine, language="ru", reviewer="anna"))
    everything.move(
        columns=next(at for at, answer in enumerate(everything.row.answers) if "main" not in answer.text)
    )
    everything.score_best()
    session = ReviewSession(engine, open_view(engine, language="ru", reviewer="anna", campaign="c"))
    assert "in another view" in session.undo().message


def test_an_open_campaign_side_by_side_has_names_and_its_own_place_is_kept(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",), models=("main",), blind=False)
    view = open_view(engine, language="ru", reviewer="anna", campaign="c")
    assert view.names_shown
    assert view.judge is not None
    session = ReviewSession(engine, view)
    session.go(3)
    session.close()
    again = ReviewSession(engine, open_view(engine, language="ru", reviewer="anna", campaign="c"))
    assert again.row.key == session.row.key
    assert ReviewSession(engine, open_view(engine, language="ru", reviewer="anna")).number == 1


def test_an_open_campaign_shows_no_names_to_who_scores_the_suite_blind_elsewhere(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",), models=("main",), blind=False)
    campaign(engine, "hidden", ["anna:fr"], languages=("fr",))
    view = open_view(engine, language="ru", reviewer="anna", campaign="c")
    assert not view.names_shown
    assert view.judge is None
    assert not open_queue(engine, campaign="c", reviewer="anna").view.names_shown


def test_a_campaign_reveals_no_judge_that_another_hides(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",), models=("main",), reveal=True)
    assert open_queue(engine, campaign="c", reviewer="anna").view.judge is not None
    campaign(engine, "hidden", ["anna:fr"], languages=("fr",))
    assert open_queue(engine, campaign="c", reviewer="anna").view.judge is None


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"campaign": "d"}, "No campaign 'd'"),
        ({"reviewer": "clara"}, "has nothing for clara. It is for: anna"),
        ({"language": "fr"}, r"nothing for anna in fr. It has: ru \(paper/1\)"),
        ({"suite": "other"}, r"nothing for anna in ru \(other\). It has: ru \(paper/1\)"),
        ({"wanted": ["main"]}, "scores blind in the campaign 'c' until it is closed: leave out --models"),
        ({"by_language": True}, "scores blind in the campaign 'c' until it is closed: leave out --by"),
    ],
)
def test_a_campaign_that_is_not_there_to_compare_is_told(engine, asked, said):
    campaign(engine, "c", ["anna:ru"], languages=("ru",), models=("main",))
    with pytest.raises(UsageError, match=said):
        open_view(engine, **{"language": "ru", "reviewer": "anna", "campaign": "c", **asked})


# Who sees what while a campaign is open


def test_its_reviewers_read_blind_in_compare_and_never_see_the_judge(engine):
    campaign(engine, "c", ["anna", "boris"], overlap=2)
    with pytest.raises(UsageError, match="scores blind in the campaign 'c'"):
        open_view(engine, language="ru", reviewer="anna", open=True)
    assert open_view(engine, language="ru", reviewer="anna").judge is None
    assert open_view(engine, language="ru", reviewer="clara", open=True).judge is not None


async def test_compare_shows_the_same_responses_side_by_side_with_the_own_scores(engine):
    campaign(engine, "c", ["anna:ru", "boris:ru"], languages=("ru",), overlap=2)
    work(engine, "c", "anna", lambda stop, criterion: 1)
    work(engine, "c", "boris", lambda stop, criterion: 2)
    async with compare_app(engine, reviewer="anna").run_test(size=(200, 50)) as pilot:
        scores = [answer.scores for answer in pilot.app.first.session.row.answers]
        assert {score.value for row in scores for score in row} == {1}
        assert not any(answer.revealed for answer in pilot.app.first.session.row.answers)
        await press(pilot, "n")
        assert JUDGE not in shown(pilot)


def test_the_overview_shows_a_reviewer_nobody_elses_scores_until_it_is_closed(engine):
    campaign(engine, "c", ["anna", "boris"], overlap=2)
    for reviewer, score in (("anna", 0), ("boris", 2)):
        work(engine, "c", reviewer, lambda stop, criterion, score=score: score)
    asked, _ = overview.query_of_suite(engine, language="ru", suite=None, reviewer="anna")
    found = overview.load_overview(engine, asked)
    assert {cell.mean for cell in found.means.values()} == {0.0}
    assert [rater.name for rater in found.raters] == ["anna"]
    assert found.judges == ()
    assert not any("main" in name for name in found.names.values())
    stranger, _ = overview.query_of_suite(engine, language="ru", suite=None, reviewer="boss")
    assert stranger.hidden_for is None
    with writing(engine) as session:
        campaigns.set_closed(session, campaigns.campaign_named(session, "c"), True)
    asked, _ = overview.query_of_suite(engine, language="ru", suite=None, reviewer="anna")
    assert [rater.name for rater in overview.load_overview(engine, asked).raters] == ["anna", "boris"]


async def test_what_a_reviewer_opens_from_the_overview_is_blind(engine, tmp_path):
    campaign(engine, "c", ["anna:ru"], languages=("ru",))
    work(engine, "c", "anna", most=4)
    with overview_session(str(tmp_path / "s.db"), language="ru", suite=None, reviewer="anna") as first:
        async with ReviewApp(first()).run_test(size=SIZE) as pilot:
            await pilot.app.workers.wait_for_complete()
            await press(pilot, "enter")
            assert "blind" in shown(pilot).splitlines()[0]


def test_repeats_are_in_no_mean_and_no_progress(engine):
    from store.queries import scores

    campaign(engine, "c", ["anna:ru"], languages=("ru",), models=("main",), repeats=2, min_gap=2)
    work(engine, "c", "anna", lambda stop, criterion: 0 if stop.kind == "repeat" else 2)
    with reading(engine) as session:
        found = {row.mean for row in scores.mean_scores(session, 1) if row.rater == "human:anna"}
        assert found == {2.0}
        assert not any("#2" in row.rater for row in scores.mean_scores(session, 1))


# Codes


def test_a_reviewer_with_a_code_is_let_in_with_it_alone(engine, tmp_path):
    made = campaign(engine, "c", ["anna", "boris"], codes=True)
    store = str(tmp_path / "s.db")
    for code in (None, "", made.codes["boris"]):
        with (
            pytest.raises(CodeNeeded, match="anna has"),
            queue_session(store, campaign="c", reviewer="anna", code=code),
        ):
            pass
    with queue_session(store, campaign="c", reviewer="anna", code=made.codes["anna"]) as first:
        assert isinstance(first(), ScoreScreen)
    require_code(engine, "stranger", None)


def test_no_code_comes_into_the_record_of_the_run(engine, tmp_path):
    made = campaign(engine, "c", ["anna"], codes=True)
    with queue_session(
        str(tmp_path / "s.db"), campaign="c", reviewer="anna", code=made.codes["anna"]
    ) as first:
        first()
    with engine.connect() as connection:
        assert made.codes["anna"] not in str(connection.exec_driver_sql("SELECT * FROM run").all())


def test_the_code_of_the_environment_comes_first_then_what_is_typed(monkeypatch):
    tried = []

    def start(code):
        tried.append(code)
        if code != "right":
            raise CodeNeeded("anna has a code.")

    typed = iter(["wrong", "right"])
    monkeypatch.setattr("tui.identity.getpass.getpass", lambda prompt: next(typed))
    monkeypatch.setenv("XLIT_CODE", "old")
    with_code("anna", start)
    assert tried == ["old", "wrong", "right"]


def test_nothing_typed_ends_it(monkeypatch):
    def start(code):
        raise CodeNeeded("anna has a code.")

    monkeypatch.delenv("XLIT_CODE", raising=False)
    monkeypatch.setattr("tui.identity.getpass.getpass", lambda prompt: "")
    with pytest.raises(CodeNeeded):
        with_code("anna", start)


async def test_everything_scored_side_by_side_says_what_the_campaign_does_not_count_yet(engine):
    campaign(engine, "c", ["anna:ru"], languages=("ru",))
    app = compare_app(engine, reviewer="anna", campaign="c", collapse=False)
    async with app.run_test(size=SIZE) as pilot:
        session = app.first.session
        for _ in range(len(session.rows.keys)):
            for _ in session.row.answers:
                await press(pilot, "a")
            await press(pilot, "n")
        count = len(stops_of(engine, "c", "anna"))
        await press(pilot, "U")
        assert "everything is scored; " in message(pilot)
        assert "G commits a row" in message(pilot)
        for _ in range(count):
            await press(pilot, "G", "U")
        assert message(pilot) == "everything is scored and committed, thank you (q leaves)"
