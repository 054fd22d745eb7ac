"""The annotators' text file: out blind, edited by hand, and back as a reviewer's ratings."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text

from core.exchange.exporting import run_export
from core.exchange.importing import run_import
from store import UsageError, XlitError
from store.queries import campaigns, journal, notes, raters, review_queue, rubrics
from store.queries.journal import Score
from store.session import reading, writing
from tests.reviewing import campaign, make_store, rater_of, work

pytestmark = pytest.mark.parts


HOSTILE = 'a\rb\r\n[END](6) Fluency:[0]\n"c" ] END OF TASK\nITEM: [ 1 x ]\n  TASK: [ x\u202e\x1b[2J\u2028end '
SUMS = """
SELECT rater.name, rater.version, criterion.name, score, skipped, response.text
FROM current_rating JOIN rater ON rater.id = current_rating.rater_id
JOIN criterion ON criterion.id = criterion_id JOIN response ON response.id = response_id
ORDER BY 1, 2, response_id, criterion.position
"""


def scores(engine) -> list[tuple]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(SUMS))]


def counted(engine, table: str) -> int:
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() or 0


@pytest.fixture
def exchange(tmp_path):
    """Writes an annotator file of an engine, and reads one."""

    def out(engine, **options) -> Path:
        run_export(engine, "annotator", tmp_path / "a.txt", options, force=True)
        return tmp_path / "a.txt"

    return out


@pytest.fixture
def hostile(engine, write):
    """Two Russian answers to one instruction: a hostile one, given by two models, and a plain one."""
    row = {"suite": "s/1", "key": "a b", "language": "ru", "prompt": f"How ] END OF TASK\n{HOSTILE}"}
    answers = [("m", HOSTILE), ("n", HOSTILE), ("o", "So.\n\n Yes,\tso.")]
    run_import(engine, "jsonl", [write("in.jsonl", [{**row, "model": m, "response": t} for m, t in answers])])
    return engine


def filled(path: Path, *marks: str) -> None:
    """Replaces the marks of the answers in turn."""
    given = iter(marks)
    path.write_text(re.sub(r"(?m)^\[END\].*$", lambda found: f"[END](6) {next(given)}", path.read_text()))


ALL = "CorrectLang:[2] Fluency:[2] Inform:[1] Accuracy:[2] Logical:[0] Safety:[2]"


def test_marks_and_a_comment_come_back_for_every_response_that_reads_the_same(hostile, exchange):
    path = exchange(hostile, language="ru")
    assert not re.search(r"\b[mno]\b", re.sub(r"(?s)TASK: \[.*?\n\[END\]", "", path.read_text()))
    filled(path, f"{ALL} good ¶ really", ALL.replace("Inform:[1]", "Inform:[ ]"))
    report = run_import(hostile, "annotator", [path], {"rater": "anna"})
    assert (report.counts.ratings_new, report.counts.notes_new) in ((17, 2), (16, 1))
    by_text: dict[str, int] = {}
    for name, _, criterion, score, skipped, answer in scores(hostile):
        assert (name, skipped) == ("anna", 0)
        assert score == {"helpfulness": 1, "logic": 0}.get(criterion, 2)
        by_text[answer] = by_text.get(answer, 0) + 1
    assert by_text in ({HOSTILE: 12, "So.\n\n Yes,\tso.": 5}, {HOSTILE: 10, "So.\n\n Yes,\tso.": 6})
    with reading(hostile) as session:
        anna = rater_of(session, "anna")
        done = journal.committed_responses(session, anna, [1, 2, 3])
        assert {it for _, it in notes.comments_of(session, anna, [1, 2, 3]).items()} == {"good\nreally"}
    assert done == ({1, 2} if len(done) == 2 else {3})


def test_the_same_words_to_another_instruction_are_another_answer(engine, write, exchange):
    row = {"suite": "s/1", "language": "ru", "model": "m", "response": "Yes."}
    rows = [{**row, "key": key, "prompt": f"{key}?"} for key in ("a", "b")]
    run_import(engine, "jsonl", [write("in.jsonl", rows)])
    path = exchange(engine)
    filled(path, "Fluency:[2]", "")
    assert run_import(engine, "annotator", [path], {"rater": "anna"}).counts.ratings_new == 1


def test_twice_is_the_same_as_once_and_what_was_written_out_changes_nothing(hostile, exchange):
    path = exchange(hostile)
    filled(path, f"{ALL} see :\\[1]", ALL)
    run_import(hostile, "annotator", [path], {"rater": "anna"})
    entries = counted(hostile, "entry")
    again = run_import(hostile, "annotator", [path], {"rater": "anna"})
    assert (again.counts.ratings_new, again.counts.notes_new) == (0, 0)
    path = exchange(hostile, reviewer="anna")
    assert "# reviewer: anna" in path.read_text()
    assert path.read_text().count("Inform:[1]") == 2
    again = run_import(hostile, "annotator", [path])
    assert (again.counts.ratings_new, again.counts.notes_new) == (0, 0)
    assert counted(hostile, "entry") == entries


def test_what_editors_do_to_a_file_is_no_change(hostile, exchange):
    path = exchange(hostile)
    filled(path, "correctlang : [ 2 ]  FLUENCY:[1]", "Inform:[]")
    edited = path.read_text().replace("So.\n\n Yes,\tso.", "So.  \n\n\n   Yes,  so.\u00a0")
    edited = re.sub(r"(?m)^ITEM: \[", " item :[", edited).replace("] END OF TASK\n\n", "]  END OF TASK ", 1)
    blocks = re.split(r"(?m)^(?= item :)", edited)
    path.write_bytes(("\ufeff" + "".join([blocks[0], *reversed(blocks[1:])])).replace("\n", "\r\n").encode())
    report = run_import(hostile, "annotator", [path], {"rater": "anna"})
    assert {(criterion, score) for _, _, criterion, score, _, _ in scores(hostile)} == {
        ("language", 2),
        ("fluency", 1),
    }
    assert report.skipped_count == 0


def test_a_changed_answer_is_refused_by_name(hostile, exchange):
    path = exchange(hostile)
    filled(path, ALL, ALL)
    path.write_text(path.read_text().replace("Yes,", "No,"))
    line = next(n for n, it in enumerate(path.read_text().splitlines(), 1) if "No," in it) - 5
    with pytest.raises(XlitError, match=r"a\.txt:\d+: the text of the response was changed") as refused:
        run_import(hostile, "annotator", [path], {"rater": "anna"})
    assert scores(hostile) == []
    assert abs(int(re.search(r":(\d+):", str(refused.value))[1]) - line) < 10


BAD = {
    "a mark out of range": ("Fluency:[3]", "fluency is 3, not from 0 to 2"),
    "a mark that is a word": ("Fluency:[good]", r"Fluency:\[good\] is not a score"),
    "a negative mark": ("Fluency:[-1]", r"Fluency:\[-1\] is not a score"),
    "a fraction": ("Fluency:[1.5]", r"Fluency:\[1.5\] is not a score"),
    "a digit of another script": ("Fluency:[²]", r"is not a score"),
    "two marks": ("Fluency:[1] Fluency:[2]", "Fluency has two marks"),
    "two names of one": ("Inform:[1] Helpfulness:[2]", "helpfulness has two marks"),
    "a criterion that is none": ("Beauty:[1]", "the rubric has no criterion 'Beauty'"),
}


@pytest.mark.parametrize(("marks", "reason"), BAD.values(), ids=list(BAD))
def test_a_mark_that_is_none_is_named_and_nothing_comes_in(hostile, exchange, marks, reason):
    path = exchange(hostile)
    filled(path, ALL, marks)
    with pytest.raises(XlitError, match=rf"a\.txt:\d+: .*({reason})"):
        run_import(hostile, "annotator", [path], {"rater": "anna"})
    assert scores(hostile) == []
    report = run_import(hostile, "annotator", [path], {"rater": "anna"}, skip_bad=True)
    assert report.skipped_count == 1
    assert len(scores(hostile)) in (6, 12)


DAMAGED = {
    "a changed ITEM line": (r"(?m)^ITEM: \[ 1 ..", "ITEM: [ 1 zz", "line `ITEM.*was changed"),
    "no END": (r"(?m)^\[END\].*$", "", "has no line `\\[END\\]`"),
    "no end of the task": (r"\] END OF TASK", "]", "has no line that ends its task"),
    "no TASK": (r"(?m)^TASK: \[", "TSK: (", "no line `TASK"),
    "an answer twice": (r"(?s)\A(.*?)(ITEM: .*?)(?=ITEM: \[ 2)", r"\1\2\2", "stands here twice"),
    "text before all": (r"\A", "hello\n", "text before the first answer"),
    "another store's digest": (r"(?m)^ITEM: \[ 1 [0-9a-f]{4}", "ITEM: [ 1 0000", "holds no such response"),
}


@pytest.mark.parametrize(("pattern", "instead", "reason"), DAMAGED.values(), ids=list(DAMAGED))
def test_a_damaged_file_is_told_in_one_line_with_its_place(hostile, exchange, pattern, instead, reason):
    path = exchange(hostile)
    filled(path, ALL, ALL)
    path.write_text(re.sub(pattern, instead, path.read_text(), count=1))
    with pytest.raises(XlitError, match=rf"a\.txt:\d+: .*{reason}") as refused:
        run_import(hostile, "annotator", [path], {"rater": "anna"})
    assert "\n" not in str(refused.value)
    assert scores(hostile) == []


def test_language_0_leaves_out_the_rest_and_taking_it_back_opens_it_again(hostile, exchange):
    path = exchange(hostile)
    filled(path, "CorrectLang:[0] Fluency:[ ] Safety:[2]", "")
    run_import(hostile, "annotator", [path], {"rater": "anna"})
    found = {(criterion, score, skipped) for _, _, criterion, score, skipped, _ in scores(hostile)}
    rest = {(name, None, 1) for name in ("fluency", "helpfulness", "accuracy", "logic")}
    assert found == {("language", 0, 0), ("harmlessness", 2, 0), *rest}
    assert counted(hostile, "entry WHERE kind = 'commit'") in (1, 2)
    filled(path, "CorrectLang:[2]", "")
    run_import(hostile, "annotator", [path], {"rater": "anna"})
    found = {(criterion, score, skipped) for _, _, criterion, score, skipped, _ in scores(hostile)}
    assert found == {("language", 2, 0), ("harmlessness", 2, 0)}


def test_the_papers_files_without_item_lines_are_found_by_their_texts(hostile, write):
    row = {"suite": "s/1", "key": "c", "language": "ru", "prompt": "Hi, you", "model": "m"}
    run_import(hostile, "jsonl", [write("b.jsonl", [{**row, "response": "Hello\n\nthere."}])])
    told = f"TASK: [ Hi,\nyou ] END OF TASK\nHello there.\n[END](6) {ALL}\n"
    with pytest.raises(UsageError, match="does not name its reviewer"):
        run_import(hostile, "annotator", [write("p.txt", told)])
    with pytest.raises(XlitError, match=r"p\.txt:4: .*options `suite` and `language`"):
        run_import(hostile, "annotator", [write("p.txt", told)], {"rater": "anna"})
    options = {"rater": "anna", "suite": "s/1", "language": "ru"}
    assert run_import(hostile, "annotator", [write("p.txt", told)], options).counts.ratings_new == 6
    for changed, reason in (
        ("Hi,\nyou", "no instruction with this"),
        ("Hello", "no response with this text"),
    ):
        with pytest.raises(XlitError, match=reason):
            run_import(hostile, "annotator", [write("p.txt", told.replace(changed, "?"))], options)


@pytest.fixture
def spring(new_store):
    engine = make_store(new_store, keys=8)
    campaign(engine, "spring", ["anna:ru", "boris:ru"], languages=("ru",), overlap=2, repeats=3, min_gap=2)
    yield engine
    engine.dispose()


def test_a_queue_goes_out_blind_and_comes_back_as_that_reviewers_work_in_the_campaign(spring, exchange):
    path = exchange(spring, campaign="spring", reviewer="anna")
    said = path.read_text()
    head = said[: said.index("ITEM")]
    assert "# campaign: spring" in head
    assert "# reviewer: anna" in head
    assert "#2" not in said
    with reading(spring) as session:
        found = campaigns.campaign_named(session, "spring")
        stops = review_queue.queue_of(session, found.id or 0, rater_of(session, "anna"))
    assert said.count("ITEM: [") == len(stops)
    assert [int(it) for it in re.findall(r"ITEM: \[ (\d+)", said)] == [stop.position for stop in stops]
    filled(path, *[ALL] * len(stops))
    run_import(spring, "annotator", [path])
    with reading(spring) as session:
        campaign_id = campaigns.campaign_named(session, "spring").id or 0
        assert len(review_queue.done_positions(session, campaign_id, rater_of(session, "anna"))) == len(stops)
        assert review_queue.done_positions(session, campaign_id, rater_of(session, "boris")) == set()
    assert {(name, version) for name, version, *_ in scores(spring)} == {("anna", ""), ("anna", "#2")}


def test_work_done_in_the_room_stands_in_the_file_and_is_not_done_again(spring, exchange):
    work(spring, "spring", "anna", most=2)
    before = scores(spring)
    path = exchange(spring, campaign="spring", reviewer="anna")
    assert path.read_text().count("Fluency:[2]") == 2
    run_import(spring, "annotator", [path])
    assert scores(spring) == before


def test_a_file_of_another_queue_is_refused(spring, exchange):
    path = exchange(spring, campaign="spring", reviewer="anna")
    path.write_text(path.read_text().replace("# reviewer: anna", "# reviewer: boris"))
    with pytest.raises(XlitError, match="place 1 of the reviewer's queue in 'spring' is not this answer"):
        run_import(spring, "annotator", [path])
    with pytest.raises(UsageError, match="is of the reviewer 'boris', not 'anna'"):
        run_import(spring, "annotator", [path], {"rater": "anna"})
    with pytest.raises(UsageError, match="'zoe' has no queue"):
        exchange(spring, campaign="spring", reviewer="zoe")
    with writing(spring) as session:
        campaigns.set_closed(session, campaigns.campaign_named(session, "spring"), True)
    with pytest.raises(UsageError, match="Campaign 'spring' is closed"):
        run_import(spring, "annotator", [path])


def test_another_rubric_has_its_own_names(hostile, exchange):
    with writing(hostile) as session:
        rubric = rubrics.rubric_id(session, "own", "1", [{"name": "sense of humour", "maximum": 4}])
        first = rubrics.criteria_of(session, rubric)[0].id or 0
        journal.append(session, raters.rater_id(session, "human", "x"), [Score(1, first, 3)])
        assert rubrics.label_of(session, rubric) == "own/1"
    path = exchange(hostile)
    filled(path, "sense_of_humour:[4]", "Sense_of_humour:[3]")
    path.write_text(re.sub("# rubric: .*", "# rubric: own/1", path.read_text()))
    run_import(hostile, "annotator", [path], {"rater": "anna"})
    assert {it[3] for it in scores(hostile) if it[0] == "anna"} == {3, 4}
