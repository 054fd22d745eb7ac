"""Rows with named columns: JSON Lines and CSV, what they may look like, and what they become."""

import hashlib

import pytest

from core.exchange.importing import run_import
from store import UsageError, XlitError

pytestmark = pytest.mark.parts


ANSWER = {"language": "ru", "prompt": "Привет?", "completion": "Привет!", "generator": "m"}
RESPONSES = """
    SELECT key, language, instruction.text, model.name, response.text FROM response
    JOIN instruction ON instruction.id = instruction_id JOIN model ON model.id = model_id ORDER BY response.id
"""


def test_aliases_of_the_columns_are_understood_and_the_text_names_the_instruction(engine, write, ask):
    report = run_import(engine, "jsonl", [write("a.jsonl", [ANSWER, {**ANSWER, "generator": "n"}])])
    key = hashlib.sha256("Привет?".encode()).hexdigest()[:16]
    assert ask(RESPONSES) == [
        (key, "ru", "Привет?", "m", "Привет!"),
        (key, "ru", "Привет?", "n", "Привет!"),
    ]
    assert (report.counts.instructions_new, report.counts.responses_new) == (1, 2)
    assert report.suites == ["imported/1"]
    assert report.exit_code == 0


def test_the_same_file_twice_brings_nothing_new(engine, write, counts):
    path = write("a.jsonl", [ANSWER, {**ANSWER, "prompt": "Ещё?"}])
    run_import(engine, "jsonl", [path])
    before = counts()
    again = run_import(engine, "jsonl", [path]).counts
    assert counts() == before
    assert (again.instructions_new, again.instructions_known) == (0, 2)
    assert (again.responses_new, again.responses_known) == (0, 2)


def test_a_language_is_one_under_all_its_codes(engine, write, ask):
    """A second file that names it otherwise finds the instruction of the first."""
    run_import(engine, "jsonl", [write("a.jsonl", [{**ANSWER, "language": "rus_Cyrl"}])])
    again = run_import(engine, "jsonl", [write("b.jsonl", [{**ANSWER, "language": "rus", "generator": "n"}])])
    assert (again.counts.instructions_known, again.counts.responses_new) == (1, 1)
    assert ask("SELECT language FROM instruction") == [("ru",)]


def test_a_dry_run_tells_the_same_and_writes_nothing_at_all(engine, write, counts, ask):
    path = write("a.jsonl", [ANSWER])
    would = run_import(engine, "jsonl", [path], dry_run=True)
    assert set(counts().values()) == {0}
    assert ask("SELECT count(*) FROM run") == [(0,)]
    did = run_import(engine, "jsonl", [path])
    assert would.counts == did.counts
    assert "1 would be new" in would.lines()[0]
    assert "would" not in did.lines()[0]


def test_columns_can_be_renamed_and_given_for_all_rows(engine, write, ask):
    path = write("a.csv", "question,reply,note\nHow?,So.,x\n")
    report = run_import(
        engine,
        "csv",
        [path],
        {
            "columns": {"instruction": "question", "response": "reply"},
            "language": "en",
            "model": "m",
            "suite": "mine/2",
            "task": "advice",
            "licence": "CC0-1.0",
        },
    )
    assert [row[1:] for row in ask(RESPONSES)] == [("en", "How?", "m", "So.")]
    assert ask("SELECT name, version, licence FROM suite") == [("mine", "2", "CC0-1.0")]
    assert ask("SELECT task FROM instruction") == [("advice",)]
    assert report.notes == ["columns not used: 'note'"]


def test_a_column_of_the_row_wins_over_what_was_given_for_all(engine, write, ask):
    rows = [{**ANSWER, "model": "own"}, {"prompt": "Ещё?", "language": "ru", "response": ""}]
    run_import(engine, "jsonl", [write("a.jsonl", rows)], {"model": "given", "language": "en"})
    assert [row[1::2] for row in ask(RESPONSES)] == [("ru", "own"), ("ru", "given")]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"instruction": "question"}, "'question', which no row holds.*'prompt'"),
        ({"answer": "x"}, "'answer'"),
    ],
)
def test_a_column_that_is_not_there_is_named_beside_those_that_are(engine, write, counts, columns, told):
    with pytest.raises(UsageError, match=told):
        run_import(engine, "jsonl", [write("a.jsonl", [ANSWER])], {"columns": columns})
    assert set(counts().values()) == {0}


def test_unknown_formats_options_and_paths_are_told_with_what_there_is(engine, write, tmp_path):
    path = write("a.jsonl", [ANSWER])
    with pytest.raises(UsageError, match="paper-set"):
        run_import(engine, "jsn", [path])
    with pytest.raises(UsageError, match=r"no option 'lang'.*language"):
        run_import(engine, "jsonl", [path], {"lang": "ru"})
    with pytest.raises(UsageError, match=r"nothing\.jsonl"):
        run_import(engine, "jsonl", [tmp_path / "nothing.jsonl"])
    with pytest.raises(UsageError, match="Nothing to import"):
        run_import(engine, "jsonl", [])


def test_a_row_without_a_response_adds_the_instruction_alone(engine, write, counts):
    rows = [{"prompt": "A?", "language": "en"}, {"prompt": "B?", "language": "en", "response": None}]
    run_import(engine, "jsonl", [write("a.jsonl", rows)])
    run_import(engine, "csv", [write("a.csv", "prompt,language,response,model\nC?,en,,\n")])
    assert (counts()["instruction"], counts()["response"], counts()["model"]) == (3, 0, 0)


def test_an_empty_response_of_a_model_is_kept_as_empty(engine, write, ask):
    run_import(engine, "csv", [write("a.csv", "prompt,language,response,model\nC?,en,,m\n")])
    assert ask("SELECT text FROM response") == [("",)]


def test_responses_find_instructions_that_came_before_by_key_alone(engine, write, ask):
    instruction = {"suite": "s/3", "key": 7, "language": "en", "prompt": "How?", "modifier": "short"}
    answer = {"suite": "s/3", "key": "7", "language": "en", "model": "m", "response": "So."}
    run_import(engine, "jsonl", [write("a.jsonl", [instruction])])
    run_import(engine, "jsonl", [write("b.jsonl", [answer])])
    assert ask(RESPONSES) == [("7", "en", "How?", "m", "So.")]
    with pytest.raises(XlitError, match=r"c.jsonl:1: suite s/3 holds no instruction '8' \(en\)"):
        run_import(engine, "jsonl", [write("c.jsonl", [{**answer, "key": "8"}])])


def test_samples_and_decodings_are_told_apart(engine, write, ask):
    rows = [
        {
            **ANSWER,
            "completion": str(number),
            "sample": number % 2,
            "parameters": {"temperature": number // 2},
        }
        for number in range(4)
    ]
    run_import(engine, "jsonl", [write("a.jsonl", rows)])
    found = ask("SELECT text, sample, parameters FROM response JOIN decoding ON decoding.id = decoding_id")
    assert sorted(found) == [
        ("0", 0, '{"temperature": 0}'),
        ("1", 1, '{"temperature": 0}'),
        ("2", 0, '{"temperature": 1}'),
        ("3", 1, '{"temperature": 1}'),
    ]


def test_marks_of_the_byte_order_and_windows_line_ends_are_no_part_of_the_data(engine, write, ask):
    line = '{"language": "ru", "prompt": "Привет?", "completion": "Привет!", "generator": "m"}'
    run_import(engine, "jsonl", [write("a.jsonl", b"\xef\xbb\xbf" + f"{line}\r\n\r\n".encode())])
    table = "language,prompt,completion,generator\r\nru,Привет?,Привет!,n\r\n"
    run_import(engine, "csv", [write("a.csv", b"\xef\xbb\xbf" + table.encode())])
    assert [row[1:] for row in ask(RESPONSES)] == [
        ("ru", "Привет?", "m", "Привет!"),
        ("ru", "Привет?", "n", "Привет!"),
    ]


def test_line_ends_commas_and_quotes_inside_a_quoted_cell_are_kept(engine, write, ask):
    table = 'language,prompt,response,model\nen,"a\r\nb, ""c""\n\rd\n",x,m\n'
    run_import(engine, "csv", [write("a.csv", table)])
    assert ask("SELECT text FROM instruction") == [('a\r\nb, "c"\n\rd\n',)]


def test_a_cell_longer_than_the_csv_module_allows_by_default_is_read_whole(engine, write, ask):
    run_import(engine, "csv", [write("a.csv", f"language,prompt\nen,{'x' * 200_000}\n")])
    assert ask("SELECT length(text) FROM instruction") == [(200_000,)]


def test_batches_share_instructions_and_positions_go_on(engine, write, ask, counts):
    rows = [
        {"prompt": f"{number % 750}?", "language": "en", "response": "x", "model": f"m{number // 750}"}
        for number in range(1500)
    ]
    report = run_import(engine, "jsonl", [write("a.jsonl", rows)])
    assert (counts()["instruction"], counts()["response"]) == (750, 1500)
    assert ask("SELECT min(position), max(position), count(DISTINCT position) FROM instruction") == [
        (0, 749, 750)
    ]
    assert (report.counts.instructions_new, report.counts.instructions_known) == (750, 0)


def test_the_run_is_written_down_and_its_number_stands_on_the_rows(engine, write, ask):
    run_import(engine, "jsonl", [write("a.jsonl", [ANSWER])], {"task": "x"})
    [(run, command, status, parameters)] = ask("SELECT id, command, status, parameters FROM run")
    assert (command, status) == ("import", "done")
    assert '"task": "x"' in parameters
    assert ask("SELECT run_id FROM response") == [(run,)]


def test_names_are_one_without_what_cannot_be_seen_and_case_is_told(engine, write, ask):
    rows = [{**ANSWER, "generator": name} for name in ("m1 ", "m1", "M1", "m1\u200b")]
    report = run_import(engine, "jsonl", [write("a.jsonl", rows)])
    assert [row[3] for row in ask(RESPONSES)] == ["m1", "M1"]
    assert "'M1', 'm1' are 2 models: their names differ by case alone." in report.notes
    with pytest.raises(XlitError, match="the model is empty"):
        run_import(engine, "jsonl", [write("b.jsonl", [{**ANSWER, "generator": "\u200b"}])])
    key = hashlib.sha256("Привет?".encode()).hexdigest()[:16]
    rating = {"suite": "imported/1 ", "key": key, "language": "ru", "model": "m1\u00a0", "score": 1}
    scores = [
        {**rating, "criterion": criterion, "rater": rater}
        for criterion, rater in (("fluency", "anna"), ("logic", "anna "), ("fluency", "Anna"))
    ]
    report = run_import(engine, "jsonl", [write("c.jsonl", scores)], {"what": "ratings"})
    assert ask("SELECT name FROM rater ORDER BY id") == [("anna",), ("Anna",)]
    assert report.notes == ["'Anna', 'anna' are 2 raters (human): their names differ by case alone."]
