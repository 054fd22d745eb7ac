"""Uniting stores: everything once, in any order, as often as one likes; and what contradicts is named."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError

from core.merge import MergeResult, merge_stores
from store import StoreError, UsageError, open_store
from store.merging.merge_context import Conflict
from store.queries import journal, notes, raters, reviewers, surface
from store.queries.journal import Score, Shown
from store.queries.responses import text_digest
from store.queries.reviewers import pseudonyms
from store.read_only import open_read_only
from store.session import reading, writing
from tests.reviewing import campaign, make_store, rater_of, without_git, work

pytestmark = pytest.mark.parts


# What a store holds, without row numbers; runs and bookmarks are left out.
ANSWERED = "JOIN instruction AS i ON i.id = s.instruction_id JOIN model AS m ON m.id = s.model_id"
OF = f"JOIN response AS s ON s.id = t.response_id {ANSWERED}"
BY = f"JOIN rater AS r ON r.id = t.rater_id {OF}"
RATED = "r.name, r.version, i.key, i.language, m.name, t.criterion_id, t.score, t.skipped"
CONTENTS = {
    "instruction": "SELECT s.name, s.version, i.key, i.language, i.position, i.text, i.task "
    "FROM instruction AS i JOIN suite AS s ON s.id = i.suite_id",
    "response": f"SELECT i.key, i.language, m.name, s.sample, s.text FROM response AS s {ANSWERED}",
    "surface_metric": "SELECT i.key, i.language, m.name, t.metric, t.tool, t.value, t.label "
    f"FROM surface_metric AS t {OF}",
    "rater": "SELECT kind, name, version FROM rater",
    "current_rating": f"SELECT {RATED} FROM current_rating AS t {BY}",
    "rating": f"SELECT {RATED}, e.kind, e.created_at, e.looked_ms FROM rating AS t {BY} "
    "JOIN entry AS e ON e.id = t.entry_id",
    "entry": "SELECT r.name, e.kind, e.created_at, e.judge_shown, e.names_shown, o.kind, o.created_at "
    "FROM entry AS e JOIN rater AS r ON r.id = e.rater_id LEFT JOIN entry AS o ON o.id = e.target_id",
    "comment": f"SELECT r.name, i.key, i.language, m.name, t.text FROM comment AS t {BY}",
    "error_span": "SELECT r.name, i.key, i.language, m.name, t.start_offset, t.end_offset, t.category, "
    f"t.present FROM error_span AS t {BY}",
    "assignment": "SELECT c.name, p.name, r.version, t.position, t.kind, i.key, i.language, m.name "
    f"FROM assignment AS t {BY} JOIN campaign AS c ON c.id = t.campaign_id "
    "JOIN rater AS p ON p.id = t.reviewer_id",
    "campaign": "SELECT name, seed, blind, reveal, digest, created_at FROM campaign",
    "reviewer_code": "SELECT r.name, t.hashed FROM reviewer_code AS t JOIN rater AS r ON r.id = t.rater_id",
    "presentation": f"SELECT r.name, t.position, i.key, m.name FROM presentation AS t {BY}",
    "store_key": "SELECT purpose, value FROM store_key",
}


def contents(engine: Engine) -> dict[str, list[str]]:
    with engine.connect() as connection:
        return {
            table: sorted(str(tuple(row)) for row in connection.execute(text(question)))
            for table, question in CONTENTS.items()
        }


def rows_in(engine: Engine) -> dict[str, list[tuple]]:
    """Every row of every table."""
    asked = "SELECT name FROM sqlite_master WHERE type = 'table'"
    with engine.connect() as connection:
        return {
            name: [tuple(row) for row in connection.execute(text(f'SELECT * FROM "{name}"'))]
            for name in connection.execute(text(asked)).scalars().all()
        }


def merged(target: Engine, *sources: Path) -> list[MergeResult]:
    return merge_stores(target, [str(source) for source in sources])


def conflicts(found: list[MergeResult]) -> list[Conflict]:
    return [conflict for one in found for conflict in one.conflicts]


def copied(path: Path, name: str) -> Path:
    """A copy of a store that nobody has open."""
    return Path(shutil.copy(path, path.with_name(name)))


def with_store(path: Path, action: Callable[..., Any]) -> None:
    engine = open_store(path)
    with writing(engine) as session:
        action(session)
    engine.dispose()


def busy(reviewer: str, version: str = "") -> Callable[[Any], None]:
    """Scores, changes, a comment, spans, and some of it undone and done again."""

    def act(session: Any) -> None:
        rater = raters.rater_id(session, "human", reviewer, version)
        for response in (1, 2, 3):
            journal.append(session, rater, [Score(response, it, 2) for it in (1, 2, 3)], Shown(1500))
        journal.append(session, rater, [Score(1, 2, 0), Score(1, 1, None, skipped=True)])
        notes.set_comment(session, rater, [1, 2], f"by {reviewer}: ё\n2")
        notes.mark_span(session, rater, [3], 0, 4, "grammar", "minor")
        notes.remove_span(session, rater, [3], 0, 4, "grammar")
        journal.undo(session, rater)
        journal.commit_response(session, rater, 1, Shown(judge=True))
        journal.undo(session, rater)
        journal.redo(session, rater)
        journal.undo(session, rater)

    return act


def scored_by_anna(*score: int) -> Callable[[Any], Any]:
    return lambda it: journal.append(it, raters.rater_id(it, "human", "anna"), [Score(*score)])


@pytest.fixture(autouse=True)
def _quick_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    without_git(monkeypatch)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A store with responses, metrics and a judge (`base`), and copies of it that came back from anna, boris
    and nobody."""
    path = tmp_path_factory.mktemp("made") / "base.db"
    engine = make_store(path, keys=4, languages=("ru", "fr"))
    with writing(engine) as session:
        judge = raters.rater_id(session, "llm", "gpt", "1")
        for response in range(1, 9):
            journal.append(session, judge, [Score(response, 1, 1)])
        surface.add_metrics(
            session, [{"response_id": 1, "metric": "language", "tool": "t", "value": 0.9, "label": "ru"}]
        )
        pseudonyms(session)
    campaign(engine, "c", ["anna", "boris"], overlap=2, repeats=1, min_gap=3, codes=True)
    engine.dispose()
    anna, boris, both = (copied(path, f"{name}.db") for name in ("anna", "boris", "both"))
    with_store(anna, busy("anna"))
    with_store(boris, busy("boris"))
    engine = open_store(anna)
    work(engine, "c", "anna", most=12)
    engine.dispose()
    return {"base": path, "anna": anna, "boris": boris, "both": both}


@pytest.fixture
def base(made: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copy(made["base"], tmp_path))


@pytest.fixture
def files(made: dict[str, Path], tmp_path: Path) -> tuple[Path, Path, Path]:
    """The files of anna, of boris, and of nobody."""
    anna, boris, both = (Path(shutil.copy(made[name], tmp_path)) for name in ("anna", "boris", "both"))
    return anna, boris, both


def test_two_reviewers_files_give_one_store_in_any_order_and_as_often_as_one_likes(base, files, tmp_path):
    anna, boris, _ = files
    found = []
    for number, order in enumerate(((anna, boris), (boris, anna), (anna, boris, anna, boris))):
        target = open_store(copied(base, f"t{number}.db"))
        assert conflicts(merged(target, *order)) == []
        found.append(contents(target))
        target.dispose()
    assert found[0] == found[1] == found[2]
    for path, name in ((anna, "anna"), (boris, "boris")):
        own = open_store(path)
        for table, held in contents(own).items():
            assert set(held) <= set(found[0][table]), (table, name)
        own.dispose()


def test_merged_into_a_new_store_everything_is_there(files, tmp_path):
    target = open_store(tmp_path / "new.db", create=True)
    source = open_store(files[0])
    merged(target, files[0])
    assert contents(target) == contents(source)
    merged(target, files[1])
    assert len(contents(target)["comment"]) > len(contents(source)["comment"])


def test_a_second_time_changes_no_row_of_any_table(base, files):
    target = open_store(base)
    merged(target, *files[:2])
    before = rows_in(target)
    again = merged(target, *files[:2])
    assert [one.added for one in again] == [{}, {}]
    assert rows_in(target) == before


def test_undo_and_redo_go_on_where_they_were(base, files):
    anna = files[0]
    alone, target = open_store(anna), open_store(base)
    merged(target, *files[:2])
    for _ in range(30):
        said = []
        for engine in (alone, target):
            with writing(engine) as session:
                rater = raters.rater_id(session, "human", "anna")
                undone = journal.undo(session, rater)
                criteria = journal.current_ratings(session, rater, range(1, 25))
                said.append((undone, sorted(criteria, key=str), notes.comments_of(session, rater, [1, 2, 3])))
        assert said[0] == said[1]
    assert said[0][0] is None


def test_the_same_reviewer_goes_on_in_another_file(base, files):
    anna, later = files[0], copied(files[0], "later.db")
    with_store(later, scored_by_anna(1, 2, 1))
    target = open_store(base)
    assert conflicts(merged(target, anna, later)) == []
    with reading(target) as session:
        ratings = journal.current_ratings(session, raters.rater_id(session, "human", "anna"), [1])
    assert {(it.criterion_id, it.score) for it in ratings} >= {(2, 1)}


def test_what_one_did_about_a_response_in_two_files_is_named_and_the_older_does_not_win(base, files):
    first, second = copied(files[0], "first.db"), copied(files[0], "second.db")
    for path, score in ((first, 0), (second, 1)):
        with_store(
            path,
            lambda it, score=score: journal.append(
                it, raters.rater_id(it, "human", "anna"), [Score(9, 1, score)]
            ),
        )
    target = open_store(base)
    assert conflicts(merged(target, first, second)) == []
    other = open_store(copied(files[0], "other.db"))
    (found,) = conflicts(merged(other, second, first))
    assert found.what == "anna, response of other to k002 (ru)"
    assert "1 actions stay out" in found.out
    for engine in (target, other):
        with reading(engine) as session:
            (rating,) = journal.current_ratings(session, raters.rater_id(session, "human", "anna"), [9])
        assert rating.score == 1


def change(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "what", "said"),
    [
        ("UPDATE instruction SET text = 'else' WHERE key = 'k001' AND language = 'fr'",
         "suite paper/1, instruction k001 (fr)", "another text; its responses stay out"),
        ("UPDATE instruction SET task = 'else' WHERE key = 'k001' AND language = 'fr'",
         "suite paper/1, instruction k001 (fr)", "another task; the one here is kept"),
        (f"UPDATE response SET text = 'else', text_digest = '{text_digest('else')}' WHERE id = 1",
         "response of base to k000 (ru)", "another text; it and what was said of it stay out"),
        ("UPDATE response SET text = 'else' WHERE id = 1", "response of base to k000 (ru)",
         "its digest is of another text; it stays out"),
        ("UPDATE surface_metric SET value = 0.1", "response of base to k000 (ru)", "another language by t"),
        ("UPDATE criterion SET maximum = 3 WHERE id = 1", "rubric six-criteria/1", "other criteria"),
        ("UPDATE campaign SET digest = 'x'", "campaign c", "another plan; its assignments stay out"),
        ("UPDATE reviewer_code SET hashed = 'x' WHERE rater_id = (SELECT id FROM rater WHERE name = 'anna' "
         "AND version = '')", "reviewer anna", "another code; all that this reviewer did stays out"),
        ("UPDATE store_key SET value = 'ff'", "key for pseudonyms", "another one; the one here is kept"),
    ],
)  # fmt: skip
def test_what_contradicts_is_named_and_nothing_here_changes(base, statement, what, said):
    other = copied(base, "other.db")
    change(other, statement)
    target = open_store(base)
    before = contents(target)
    found = {conflict.what: str(conflict) for conflict in conflicts(merged(target, other))}
    assert said in found[what]
    assert contents(target) == before


@pytest.mark.parametrize(
    ("change_of_other", "reason"),
    [
        ("""weights = '{"checkpoint": "ef01"}'""", "it has weights ef01, the one here weights abcd"),
        ("seed = 2, weights = '{}'", "its seed is 2, here it is 1"),
        ("seed = 2", None),  # the same weights
        ("seed = NULL, weights = '{}'", None),  # unknown
    ],
)
def test_another_model_of_the_same_name_stays_out_with_its_responses(base, change_of_other, reason):
    change(base, """UPDATE model SET seed = 1, weights = '{"checkpoint": "abcd"}' WHERE name = 'base'""")
    other = copied(base, "other.db")
    change(other, f"UPDATE model SET {change_of_other} WHERE name = 'base'")
    change(other, "UPDATE response SET sample = 1")
    (result,) = merged(open_store(base), other)
    assert [str(conflict) for conflict in result.conflicts if conflict.what.startswith("model")] == (
        [f"model base: another model: {reason}; its responses stay out"] if reason else []
    )
    models = {row[2] for row in map(eval, contents(open_store(base))["response"]) if row[3] == 1}
    assert models == ({"main", "other"} if reason else {"main", "other", "base"})


def test_a_store_with_conflicts_gives_all_the_rest(base, files):
    anna = files[0]
    change(anna, "UPDATE response SET text = 'else', text_digest = 'x' WHERE id = 2")
    target = open_store(base)
    found = {conflict.what: conflict for conflict in conflicts(merged(target, anna))}
    assert set(found) >= {"response of main to k000 (ru)", "anna"}
    with reading(target) as session:
        rater = raters.rater_id(session, "human", "anna")
        assert journal.current_ratings(session, rater, [2]) == []
        assert len(journal.current_ratings(session, rater, [3])) >= 3


def test_what_differs_in_one_file_stops_no_other(base, files):
    target = open_store(base)
    before = contents(target)
    broken = base.with_name("broken.db")
    broken.write_bytes(b"no store at all")
    with pytest.raises(StoreError, match="not a SQLite file"):
        merged(target, files[0], broken)
    assert contents(target) == before


def test_a_dry_run_tells_the_same_and_writes_nothing(base, files):
    target = open_store(base)
    before = rows_in(target)
    dry = merge_stores(target, [str(files[0])], dry_run=True)
    assert rows_in(target) == before
    (wet,) = merged(target, files[0])
    assert dry[0].added == wet.added


def test_a_source_is_only_read_even_from_a_folder_that_cant_be_written_to(base, files, tmp_path):
    folder = tmp_path / "mailed"
    folder.mkdir()
    mailed = Path(shutil.copy(files[0], folder / "anna.db"))
    before = mailed.read_bytes()
    folder.chmod(0o555)
    try:
        merged(open_store(base), mailed)
    finally:
        folder.chmod(0o755)
    assert mailed.read_bytes() == before
    engine = open_read_only(files[0])
    with pytest.raises(DatabaseError, match="readonly"), engine.begin() as connection:
        connection.execute(text("INSERT INTO rater (kind, name, version) VALUES ('human', 'x', '')"))
    engine.dispose()


def test_a_store_that_is_still_open_elsewhere_is_read_as_it_is(base, files):
    """Its last changes are in the write-ahead log."""
    writer = open_store(files[0])
    with writing(writer) as session:
        notes.set_comment(session, raters.rater_id(session, "human", "anna"), [5], "in the log")
    assert os.path.getsize(f"{files[0]}-wal") > 0
    target = open_store(base)
    merged(target, files[0])
    assert any("in the log" in row for row in contents(target)["comment"])
    writer.dispose()


def test_stores_of_other_versions_and_the_target_itself_are_refused(base, tmp_path):
    target = open_store(base)
    with pytest.raises(UsageError, match="is the store to merge into"):
        merged(target, base)
    with pytest.raises(StoreError, match="No store at"):
        merged(target, tmp_path / "none.db")
    old = tmp_path / "old.db"
    with sqlite3.connect(old) as connection:
        script = (Path(__file__).parents[1] / "version-0001.sql").read_text(encoding="utf-8")
        connection.executescript(script)
    connection.close()
    with pytest.raises(StoreError, match=r"version 0001.*xlit-core upgrade --store"):
        merged(target, old)
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    with pytest.raises(StoreError, match="not a store of xlit"):
        merged(target, foreign)


def test_files_come_together_on_a_server_as_well(new_store, files):
    target = open_store(new_store, create=True)
    for _ in range(2):
        assert conflicts(merged(target, *files[:2])) == []
    with reading(target) as session:
        boris = rater_of(session, "boris")
        current = len(journal.current_ratings(session, boris, range(1, 25)))
    assert current == 9
    counts = {}
    with target.connect() as connection:
        for table in ("entry", "rating", "comment", "error_span", "assignment", "response"):
            counts[table] = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()
    both = open_store(files[2])
    merged(both, *files[:2])
    with both.connect() as connection:
        for table, count in counts.items():
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == count
    target.dispose()


def test_the_codes_of_reviewers_come_along(files, tmp_path):
    target = open_store(tmp_path / "new.db", create=True)
    merged(target, files[0])
    with reading(target) as session:
        assert reviewers.code_of(session, "anna") is not None
