"""Out of one store and into another: what a format can carry is the same there."""

import csv
import json
import shutil
from datetime import UTC, datetime

import pyarrow.parquet
import pytest
from sqlalchemy import text

from core.exchange.exporting import run_export
from core.exchange.importing import run_import
from store import UsageError, XlitError, open_store
from store.queries import journal, notes, raters, rubrics
from store.queries.journal import Score, Shown
from store.queries.rubrics import default_rubric_id
from store.session import writing

pytestmark = pytest.mark.parts


TABLES = ("jsonl", "csv", "parquet")
HOSTILE = 'a\rb\r\n"c", =1+1;\u2028\u202e\x1b[2J\x9b2J\tend '
FORMULAS = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'=1", "''@", "'x", "=", "", "plain"]

CONTENT = """
SELECT suite.name, suite.version, key, language, instruction.text, task, modifier, model.name, engine,
       quantization, CAST(parameters AS TEXT), sample, response.text
FROM instruction JOIN suite ON suite.id = suite_id LEFT JOIN response ON instruction_id = instruction.id
LEFT JOIN model ON model.id = model_id LEFT JOIN decoding ON decoding.id = decoding_id
ORDER BY 1, 2, 3, 4, 8, 9, 10, 11, 12
"""
RATINGS = """
SELECT rater.kind, rater.name, rater.version, rubric.name, criterion.name, response.text, sample, score,
       skipped, entry.created_at, looked_ms, judge_shown, names_shown
FROM rating JOIN entry ON entry.id = entry_id JOIN rater ON rater.id = rating.rater_id
JOIN criterion ON criterion.id = criterion_id JOIN rubric ON rubric.id = rubric_id
JOIN response ON response.id = rating.response_id
ORDER BY 1, 2, 3, 5, 6, 7, rating.id
"""
NOTED = """
SELECT rater.name, response.text, comment.text, 0, 0, '', '', entry.created_at FROM current_comment AS comment
JOIN entry ON entry.id = entry_id JOIN rater ON rater.id = comment.rater_id
JOIN response ON response.id = comment.response_id WHERE rater.kind = 'human'
UNION ALL
SELECT rater.name, response.text, note, start_offset, end_offset, category, severity, entry.created_at
FROM current_error_span AS span JOIN entry ON entry.id = entry_id JOIN rater ON rater.id = span.rater_id
JOIN response ON response.id = span.response_id WHERE rater.kind = 'human'
ORDER BY 1, 2, 3, 4
"""


def content(engine, sql: str = CONTENT) -> list[tuple]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


@pytest.fixture(scope="module")
def full_store(tmp_path_factory, empty_store):
    """Answers of two models, one of them under two decodings and with two samples, in two languages; scores
    and notes of two people and a judge, some of them changed, left out, taken back, undone."""
    rows = [
        {"suite": "a/b/2", "key": key, "language": language, "task": "=t", "modifier": modifier,
         "prompt": prompt, "model": model, "response": f"{answer}{sample}", "sample": sample,
         "engine": "transformers", "quantization": quantization, "parameters": {"penalty": 1.1, "ü": [model]}}
        for key, prompt, modifier in (("k 1", HOSTILE, None), ("-k2", "=2+2?", "briefly"))
        for language in ("ru", "pt-BR")
        for model, answer in (("m", HOSTILE), ("@n", "'=So."))
        for quantization in (None, "Q4_K_M")
        for sample in (0, 1)
    ]  # fmt: skip
    folder = tmp_path_factory.mktemp("full")
    engine = open_store(shutil.copy(empty_store, folder / "full.db"))
    (folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run_import(engine, "jsonl", [folder / "in.jsonl"])
    with writing(engine) as session:
        criteria = {it.name: it.id or 0 for it in rubrics.criteria_of(session, default_rubric_id(session))}
        nv, amy = (raters.rater_id(session, "human", name) for name in ("nv", "=amy"))
        judge = raters.rater_id(session, "llm", "gpt", "2#2")

        def score(rater: int, response: int, name: str, value: int | None, **more) -> None:
            journal.append(
                session, rater, [Score(response, criteria[name], value, **more)], Shown(1200, True)
            )

        for response in range(1, 17):
            score(judge, response, "fluency", response % 3)
        score(nv, 1, "language", 0)
        score(nv, 1, "fluency", None, skipped=True)
        score(nv, 1, "language", 2)
        score(nv, 2, "logic", 2)
        score(nv, 2, "logic", None)
        score(amy, 2, "logic", 1)
        journal.undo(session, amy)
        score(amy, 3, "accuracy", 0)
        both = [Score(4, criteria[name], 1) for name in ("logic", "accuracy")]
        journal.append(session, amy, both, Shown(names=True))
        notes.set_comment(session, nv, [1, 2], "first")
        notes.set_comment(session, nv, [1], HOSTILE)
        notes.mark_span(session, amy, [4], 0, 3, "accuracy", "major", "=why")
        notes.mark_span(session, amy, [4], 1, 3, "accuracy", "minor")
    engine.dispose()
    return folder / "full.db"


@pytest.fixture
def full(tmp_path, full_store):
    opened = open_store(shutil.copy(full_store, tmp_path / "full.db"))
    yield opened
    opened.dispose()


@pytest.fixture
def other(tmp_path, empty_store):
    opened = open_store(shutil.copy(empty_store, tmp_path / "other.db"))
    yield opened
    opened.dispose()


@pytest.mark.parametrize("form", TABLES)
def test_everything_tidy_comes_back_as_it_was(full, other, tmp_path, form):
    for what, options in (
        ("responses", {}),
        ("ratings", {"journal": True, "text": True}),
        ("notes", {"text": True}),
    ):
        path = tmp_path / f"{what}.{form}"
        run_export(full, form, path, {"what": what, **options})
        run_import(other, form, [path], {"what": what})
    assert content(other) == content(full)
    assert content(other, RATINGS) == content(full, RATINGS)
    assert content(other, NOTED) == content(full, NOTED)
    entries = content(other, "SELECT count(*) FROM entry")
    for what in ("responses", "ratings", "notes"):
        again = run_import(other, form, [tmp_path / f"{what}.{form}"], {"what": what})
        new = {name: count for name, count in again.as_dict().items() if name.endswith("_new")}
        assert set(new.values()) == {0}
    assert content(other, "SELECT count(*) FROM entry") == entries


def test_what_goes_out_of_one_database_comes_in_at_another(full, new_store, tmp_path):
    there = open_store(new_store, create=True)
    for what, options in (("responses", {}), ("ratings", {"journal": True}), ("notes", {})):
        rows = []
        for engine, name in ((full, "a"), (there, "b")):
            if engine is there:
                run_import(there, "jsonl", [tmp_path / "a.jsonl"], {"what": what})
            run_export(engine, "jsonl", tmp_path / f"{name}.jsonl", {"what": what, **options}, force=True)
            found = [json.loads(line) for line in (tmp_path / f"{name}.jsonl").read_text().split("\n")[:-1]]
            for row in found:  # what a store numbers for itself, or does not carry
                for own in ("response_id", "entry_id", "entry_kind"):
                    row.pop(own, None)
                if what == "responses":
                    del row["created_at"]
            rows.append(sorted(json.dumps(row) for row in found))
        assert rows[0] == rows[1]
    there.dispose()


def test_current_ratings_without_texts_are_those_of_the_named_rater_with_their_time(full, other, tmp_path):
    run_export(full, "jsonl", tmp_path / "r.jsonl", {"what": "responses"})
    run_import(other, "jsonl", [tmp_path / "r.jsonl"])
    run_export(full, "csv", tmp_path / "s.csv", {"what": "ratings"})
    report = run_import(other, "csv", [tmp_path / "s.csv"], {"what": "ratings"})
    assert "ratings: 21 new, 0 known" in report.lines()
    run_export(other, "csv", tmp_path / "t.csv", {"what": "ratings"})

    def stripped(name: str) -> list[str]:
        lines = (tmp_path / name).read_text().split("\n")
        return sorted(line.rpartition(",")[0] for line in lines)  # without the revision

    assert stripped("t.csv") == stripped("s.csv")


def test_scores_set_at_one_time_are_one_action_that_can_be_undone(full, other, tmp_path):
    for what in ("responses", "ratings"):
        run_export(full, "jsonl", tmp_path / "x.jsonl", {"what": what}, force=True)
        run_import(other, "jsonl", [tmp_path / "x.jsonl"], {"what": what})
    with writing(other) as session:
        amy = raters.rater_id(session, "human", "=amy")
        assert journal.undo(session, amy) == 4
        assert journal.current_ratings(session, amy, [4]) == []
        assert journal.undo(session, amy) == 3


def test_a_score_older_than_what_the_store_has_is_refused_by_name(full, write):
    row = {"suite": "a/b/2", "key": "k 1", "language": "ru", "model": "m", "sample": 0, "rater": "nv"}
    row |= {"criterion": "language", "engine": "transformers", "quantization": None, "score": 1}
    old = {**row, "created_at": "2020-01-01T00:00:00Z"}
    before = content(full, RATINGS)
    with pytest.raises(XlitError, match=r"r\.jsonl:1: the store holds a later one of this rater"):
        run_import(full, "jsonl", [write("r.jsonl", [old])], {"what": "ratings"})
    assert content(full, RATINGS) == before


def test_scores_without_a_time_are_said_once(full, write):
    row = {"suite": "a/b/2", "key": "k 1", "language": "ru", "model": "m", "sample": 0, "rater": "nv"}
    row |= {"engine": "transformers", "quantization": None}
    rows = [{**row, "criterion": "language", "score": 2}, {**row, "criterion": "logic", "score": "1"}]
    rows += [{**row, "criterion": "accuracy", "score": None}]
    path = write("r.jsonl", rows)
    report = run_import(full, "jsonl", [path], {"what": "ratings"})
    assert (report.counts.ratings_new, report.counts.ratings_known) == (1, 1)
    assert report.notes == ["rows without a score: 1"]
    assert run_import(full, "jsonl", [path], {"what": "ratings"}).counts.ratings_new == 0
    created = datetime.fromisoformat(content(full, "SELECT max(created_at) FROM entry")[0][0]).replace(
        tzinfo=UTC
    )
    assert abs((datetime.now(UTC) - created).total_seconds()) < 60


BAD_RATINGS = {
    "no rater": ({"rater": None}, "no rater"),
    "no criterion": ({"criterion": ""}, "no criterion"),
    "another criterion": ({"criterion": "beauty"}, "the rubric has no criterion 'beauty'"),
    "another rubric": ({"rubric": "x/9"}, "the store holds no rubric x/9"),
    "out of range": ({"score": 3}, "language is 3, not from 0 to 2"),
    "a fraction": ({"score": 1.5}, "the score is 1.5, not a whole number"),
    "a word": ({"score": "good"}, "the score is 'good', not a number"),
    "infinity": ({"score": "inf"}, "the score is Infinity, not a whole number"),
    "a huge number": ({"score": 10**30}, "the score is 1000"),
    "true": ({"score": True}, "not a whole number"),
    "skipped with a score": ({"skipped": True}, "left out"),
    "no flag": ({"skipped": "maybe"}, "neither true nor false"),
    "no time": ({"created_at": "yesterday"}, "created_at is 'yesterday'"),
    "another kind": ({"rater_kind": "alien"}, "the kind of the rater is 'alien'"),
    "NUL": ({"rater": "a\x00"}, "the rater holds a NUL"),
    "no such instruction": ({"key": "none"}, "holds no instruction 'none'"),
    "no such suite": ({"suite": "none/1"}, "the store holds no suite none/1"),
    "no such model": ({"model": "none"}, "the store holds no response of model 'none'"),
    "another text": ({"response": "Another."}, "has another text in the store"),
    "several that fit": ({"quantization": None, "engine": None}, "2 responses fit"),
    "a list": ({"model": ["m"]}, "the model is not a text"),
}


@pytest.mark.parametrize(("changes", "reason"), BAD_RATINGS.values(), ids=list(BAD_RATINGS))
def test_a_bad_rating_is_named_and_changes_nothing(full, write, changes, reason):
    row = {"suite": "a/b/2", "key": "k 1", "language": "ru", "model": "m", "sample": 0, "rater": "zoe"}
    row |= {"engine": "transformers", "quantization": None, "criterion": "language", "score": 1}
    before = content(full, RATINGS), content(full, "SELECT * FROM rater")
    with pytest.raises(XlitError, match=rf"r\.jsonl:2: .*{reason}") as refused:
        run_import(full, "jsonl", [write("r.jsonl", [row, {**row, **changes}])], {"what": "ratings"})
    assert "\n" not in str(refused.value)
    assert (content(full, RATINGS), content(full, "SELECT * FROM rater")) == before


BAD_NOTES = {
    "no kind": ({"kind": "remark"}, "the kind is 'remark'"),
    "an empty comment": ({"kind": "comment", "text": ""}, "a comment without a text"),
    "no span": ({"end": 0}, "the span from 0 to 0 is none"),
    "beyond the end": ({"end": 4000}, "the span ends at 4000, the response has"),
    "no category": ({"category": None}, "no category"),
}


@pytest.mark.parametrize(("changes", "reason"), BAD_NOTES.values(), ids=list(BAD_NOTES))
def test_a_bad_note_is_named(full, write, changes, reason):
    row = {"suite": "a/b/2", "key": "k 1", "language": "ru", "model": "m", "sample": 0, "rater": "zoe"}
    row |= {"engine": "transformers", "response": f"{HOSTILE}0", "kind": "span", "start": 0, "end": 1}
    row |= {"category": "fluency", "severity": "minor"}
    with pytest.raises(XlitError, match=rf"n\.jsonl:1: .*{reason}"):
        run_import(full, "jsonl", [write("n.jsonl", [{**row, **changes}])], {"what": "notes"})
    assert run_import(full, "jsonl", [write("n.jsonl", [row])], {"what": "notes"}).counts.notes_new == 1


def test_no_cell_of_a_csv_file_is_a_formula_and_all_come_back_unchanged(engine, other, write, tmp_path):
    rows = [
        {"key": f"k{n}", "language": "en", "prompt": f"{it}?", "model": "m", "response": it}
        for n, it in enumerate(FORMULAS)
    ]
    run_import(engine, "jsonl", [write("in.jsonl", rows)])
    run_export(engine, "csv", tmp_path / "o.csv", {"what": "responses"})

    with (tmp_path / "o.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell[:1] in set("=+-@\t\r") and cell] == []
    run_import(other, "csv", [tmp_path / "o.csv"])
    assert content(other) == content(engine)


@pytest.mark.parametrize("what", ["ratings", "notes"])
@pytest.mark.parametrize("form", TABLES)
def test_pseudonyms_stand_for_people_only_and_are_the_same_everywhere(full, tmp_path, form, what):
    path = tmp_path / f"p.{form}"
    run_export(full, form, path, {"what": what, "pseudonyms": True, "text": False})
    said = str(pyarrow.parquet.read_table(path).to_pylist()) if form == "parquet" else path.read_text()
    run_export(full, "jsonl", tmp_path / "q.jsonl", {"what": what, "pseudonyms": True})
    rows = [json.loads(line) for line in (tmp_path / "q.jsonl").read_text().split("\n")[:-1]]
    names = {row["rater"] for row in rows}
    people = {name for name in names if name.startswith("reviewer-")}
    assert len(people) == 2
    assert names - people == ({"gpt"} if what == "ratings" else set())
    assert all(name in said for name in people)
    assert "amy" not in said
    with pytest.raises(UsageError, match="no option 'pseudonyms'"):
        run_export(full, "alpaca-eval", tmp_path / "a.json", {"pseudonyms": True})


def test_what_a_word_that_is_none_is_told(engine, write):
    path = write("a.jsonl", [])
    with pytest.raises(UsageError, match=r"Import what\? 'x' is none of responses, ratings, notes"):
        run_import(engine, "jsonl", [path], {"what": "x"})
