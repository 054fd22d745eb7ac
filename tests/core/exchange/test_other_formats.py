"""AlpacaEval, LLM Comparator, preference pairs, Parquet, Dolly and LIMA; rows matched to a suite by text."""

import json

import pyarrow
import pyarrow.parquet
import pytest

from core.exchange.exporting import run_export
from core.exchange.importing import run_import
from store import UsageError, XlitError
from store.provenance import EXIT_FAILED, EXIT_PARTLY
from store.queries import journal, raters, rubrics
from store.queries.journal import Score
from store.queries.rubrics import default_rubric_id
from store.session import writing

pytestmark = pytest.mark.parts


OUTPUTS = [
    {"dataset": "koala", "instruction": "How\n are you?", "output": "Fine.", "generator": "m"},
    {"dataset": "selfinstruct", "instruction": "Add.", "input": "1 2", "output": "", "generator": "m"},
]


def test_alpaca_eval_makes_a_suite_of_its_own(engine, write, ask):
    path = write("o.json", json.dumps(OUTPUTS, indent=1))
    run_import(engine, "alpaca-eval", [path])
    rows = ask(
        "SELECT name, version, language, task, instruction.text, response.text FROM response "
        "JOIN instruction ON instruction.id = instruction_id JOIN suite ON suite.id = suite_id "
        "ORDER BY position"
    )
    assert rows == [
        ("alpaca-eval", "1", "en", "koala", "How\n are you?", "Fine."),
        ("alpaca-eval", "1", "en", "selfinstruct", "Add.\n\n1 2", ""),
    ]


def test_answers_without_keys_find_the_instructions_of_a_suite_by_their_text(engine, write, ask, counts):
    row = {"suite": "paper/1", "key": "0001", "language": "en", "prompt": "How are  you? "}
    run_import(engine, "jsonl", [write("s.jsonl", [row])])
    path = write("o.json", json.dumps(OUTPUTS, indent=1))
    before = counts()
    looked = run_import(engine, "alpaca-eval", [path], {"match": "paper/1"}, dry_run=True)
    assert looked.exit_code == EXIT_FAILED
    assert any("o.json:8: suite paper/1 holds no instruction with this text" in it for it in looked.lines())
    assert counts() == before
    with pytest.raises(XlitError, match=r"o\.json:8: suite paper/1 holds no instruction with this text"):
        run_import(engine, "alpaca-eval", [path], {"match": "paper/1"})
    report = run_import(engine, "alpaca-eval", [path], {"match": "paper"}, skip_bad=True)
    assert (report.exit_code, report.counts.responses_new) == (EXIT_PARTLY, 1)
    assert ask(
        "SELECT key, response.text FROM response JOIN instruction ON instruction.id = instruction_id"
    ) == [("0001", "Fine.")]
    rows = [{"instruction": "How are you?", "response": "Well.", "model": "n", "language": "en"}]
    run_import(engine, "jsonl", [write("m.jsonl", rows)], {"match": "paper/1"})
    assert counts()["instruction"] == 1
    with pytest.raises(UsageError, match="No suite 'none/1'"):
        run_import(engine, "jsonl", [write("m.jsonl", rows)], {"match": "none/1"})


def test_the_real_outputs_of_alpaca_eval_come_in_and_match_the_papers_instructions(
    engine, real_data, ask, tmp_path
):
    run_import(engine, "paper-set", [real_data / "paper/alpacaeval_test_subset.en.jsonl"])
    paths = sorted((real_data / "alpaca_eval").glob("*/model_outputs.json"))[:2]
    report = run_import(engine, "alpaca-eval", paths, {"match": "alpacaeval_test_subset/1"}, skip_bad=True)
    matched = report.counts.responses_new
    assert matched + report.skipped_count == 2 * 805
    assert matched >= 2 * 41
    assert ask("SELECT count(*) FROM instruction") == [(113,)]
    assert (
        run_export(engine, "alpaca-eval", tmp_path / "o.json", {"models": [report.models[0]]}) == matched / 2
    )
    found = json.loads((tmp_path / "o.json").read_text())
    assert set(found[0]) == {"instruction", "output", "generator", "dataset"}
    assert {it["generator"] for it in found} == {report.models[0]}
    again = run_import(engine, "alpaca-eval", [tmp_path / "o.json"], {"match": "alpacaeval_test_subset/1"})
    assert (again.counts.responses_new, again.counts.responses_known) == (0, matched / 2)


def test_an_empty_store_gives_an_empty_array(engine, tmp_path):
    assert run_export(engine, "alpaca-eval", tmp_path / "o.json") == 0
    assert json.loads((tmp_path / "o.json").read_text()) == []


@pytest.fixture
def compared(engine, write):
    """Three models' answers to two instructions in two languages. On the first, two people prefer m to n by
    two points and by one, and o reads like n; in French m is in the wrong language. A judge sees it the
    other way round, and so does one of the two when asked again."""
    answers = {"m": "Good.", "n": "Bad.", "o": "Bad."}
    rows = [
        {"suite": "s/1", "key": key, "language": language, "task": "chat", "prompt": f"{key} {language}?",
         "model": model, "response": answer}
        for language in ("ru", "fr")
        for key in ("a", "b")
        for model, answer in answers.items()
    ]  # fmt: skip
    run_import(engine, "jsonl", [write("in.jsonl", rows)])
    with writing(engine) as session:
        criteria = {it.name: it.id or 0 for it in rubrics.criteria_of(session, default_rubric_id(session))}
        people = {name: raters.rater_id(session, "human", name) for name in ("anna", "boris")}
        again = raters.rater_id(session, "human", "anna", "#2")
        judge = raters.rater_id(session, "llm", "gpt", "1")

        def score(rater: int, response: int, value: int, name: str = "helpfulness") -> None:
            journal.append(session, rater, [Score(response, criteria[name], value)])

        for response, anna, boris, gpt in ((1, 2, 2, 0), (2, 0, 1, 2), (3, 0, None, 2)):
            score(people["anna"], response, anna)
            score(again, response, 2 - anna)
            score(judge, response, gpt)
            if boris is not None:
                score(people["boris"], response, boris)
        for response, value in ((7, 2), (8, 1)):
            score(people["anna"], response, value)
        score(people["anna"], 7, 0, "language")
        score(people["anna"], 8, 2, "language")
        score(people["boris"], 4, 1)
        score(people["boris"], 5, 1)
    return engine


def pairs(engine, tmp_path, **options) -> list[tuple[str, str, str]]:
    run_export(engine, "preferences", tmp_path / "p.jsonl", options, force=True)
    rows = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    for row in rows:
        assert list(row) == ["prompt", "chosen", "rejected"]
        assert [row[side][0]["role"] for side in row] == ["user", "assistant", "assistant"]
    return [tuple(row[side][0]["content"] for side in row) for row in rows]


def test_preference_pairs_are_of_one_instruction_by_a_margin_and_never_of_the_wrong_language(
    compared, tmp_path
):
    good = ("a ru?", "Good.", "Bad.")
    assert pairs(compared, tmp_path) == [good, good]
    assert pairs(compared, tmp_path, margin=1.6) == [good]  # 2 against 0.5, and 2 against 0
    assert pairs(compared, tmp_path, margin=2.1) == []
    assert pairs(compared, tmp_path, rater="gpt") == [("a ru?", "Bad.", "Good.")] * 2
    assert pairs(compared, tmp_path, language="fr") == []
    assert pairs(compared, tmp_path, criterion="language") == [("a fr?", "Bad.", "Good.")]
    for options, said in (
        ({"margin": 0.0}, "must be above 0"),
        ({"criterion": "beauty"}, "No criterion 'beauty'"),
        ({"rater": "zoe"}, "No rater 'zoe'"),
    ):
        with pytest.raises(UsageError, match=said):
            pairs(compared, tmp_path, **options)


def test_criteria_of_two_rubrics_that_share_a_name_are_never_compared(compared, tmp_path):
    with writing(compared) as session:
        anna = raters.rater_id(session, "human", "anna")
        long = [{"name": "clarity", "minimum": 1, "maximum": 6}, {"name": "helpfulness", "maximum": 6}]
        longer = {
            it.name: it.id for it in rubrics.criteria_of(session, rubrics.rubric_id(session, "l", "1", long))
        }
        short = {
            it.name: it.id
            for it in rubrics.criteria_of(
                session, rubrics.rubric_id(session, "k", "1", [{"name": "clarity"}])
            )
        }
        for response, score in ((10, 2), (11, 0)):
            journal.append(session, anna, [Score(response, short["clarity"], score)])
        for response, score in ((11, 3), (12, 3)):
            journal.append(session, anna, [Score(response, longer["clarity"], score)])
        journal.append(session, anna, [Score(response, longer["helpfulness"], 6) for response in (2, 3)])
    assert pairs(compared, tmp_path) == [("a ru?", "Good.", "Bad.")] * 2  # helpfulness: the default rubric
    with pytest.raises(UsageError, match=r"'clarity' in l/1, k/1: name one with --rubric"):
        pairs(compared, tmp_path, criterion="clarity")
    assert pairs(compared, tmp_path, criterion="clarity", rubric="k") == [("b fr?", "Good.", "Bad.")]
    assert pairs(compared, tmp_path, criterion="clarity", rubric="l/1") == []
    with pytest.raises(UsageError, match=r"Rubric 'x': there are scores for 'clarity' in l/1, k/1"):
        pairs(compared, tmp_path, criterion="clarity", rubric="x")


def test_llm_comparator_gets_two_models_with_every_raters_difference(compared, tmp_path):
    path = tmp_path / "c.json"
    assert run_export(compared, "llm-comparator", path, {"models": ["n", "m"]}) == 2
    found = json.loads(path.read_text())
    assert set(found) == {"metadata", "models", "examples"}
    assert [it["name"] for it in found["models"]] == ["n", "m"]
    first, second = found["examples"]
    assert (first["input_text"], first["tags"]) == ("a ru?", ["ru", "chat"])
    assert (first["output_text_a"], first["output_text_b"]) == ("Bad.", "Good.")
    assert [it["score"] for it in first["individual_rater_scores"]] == [-1.5, -0.75]
    assert [it["rationale"] for it in first["individual_rater_scores"]] == ["anna: 0 and 2", "boris: 1 and 2"]
    assert all(it["is_flipped"] is False for it in first["individual_rater_scores"])
    assert first["score"] == pytest.approx(-1.125)
    assert (second["score"], second["custom_fields"]) == (0, {"key": "b", "suite": "s/1"})
    run_export(compared, "llm-comparator", path, {"models": ["n", "m"], "pseudonyms": True}, force=True)
    assert "anna" not in path.read_text()
    for wrong in ([], ["m"], ["m", "m"]):
        with pytest.raises(UsageError, match="compares two models"):
            run_export(compared, "llm-comparator", tmp_path / "d.json", {"models": wrong})


def test_parquet_made_by_others_comes_in_row_group_by_row_group(engine, tmp_path, ask):
    table = pyarrow.table(
        {
            "question": pyarrow.array(["A?", "B?"]).dictionary_encode(),
            "answer": pyarrow.array([b"a", "б".encode()]),
            "model": pyarrow.array(["m", "m"], pyarrow.large_string()),
            "n": pyarrow.array([0.0, float("nan")]),
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet", row_group_size=1)
    columns = {"instruction": "question", "response": "answer", "sample": "n"}
    options = {"language": "ru", "columns": columns}
    with pytest.raises(XlitError, match=r"t\.parquet:1: the sample is 0.0"):
        run_import(engine, "parquet", [tmp_path / "t.parquet"], options)
    del columns["sample"]
    report = run_import(engine, "parquet", [tmp_path / "t.parquet"], options)
    assert report.notes == ["columns not used: 'n'"]
    assert ask("SELECT text FROM response ORDER BY id") == [("a",), ("б",)]


def test_parquet_goes_out_with_types_and_not_to_a_terminal(compared, tmp_path):
    path = tmp_path / "r.parquet"
    run_export(compared, "parquet", path, {"what": "ratings"})
    schema = pyarrow.parquet.read_schema(path)
    assert str(schema.field("created_at").type) == "timestamp[us, tz=UTC]"
    assert str(schema.field("score").type) == "int64"
    assert str(schema.field("skipped").type) == "bool"
    assert pyarrow.parquet.read_metadata(path).num_rows == len(pyarrow.parquet.read_table(path).to_pylist())


def test_dolly_is_a_suite_whose_answers_are_a_model_called_reference(engine, write, ask):
    rows = [
        {"instruction": "Sum up.", "context": "A cat.", "response": "Cat.", "category": "summarization"},
        {"instruction": "Hi", "context": "", "response": "Hello", "category": "open_qa"},
    ]
    run_import(engine, "dolly", [write("dolly.jsonl", rows)])
    sql = (
        "SELECT suite.name, licence, key, task, instruction.text, model.name, response.text FROM response "
        "JOIN instruction ON instruction.id = instruction_id JOIN suite ON suite.id = suite_id "
        "JOIN model ON model.id = model_id ORDER BY position"
    )
    assert ask(sql) == [
        ("dolly", "CC-BY-SA-3.0", "00001", "summarization", "Sum up.\n\nA cat.", "reference", "Cat."),
        ("dolly", "CC-BY-SA-3.0", "00002", "open_qa", "Hi", "reference", "Hello"),
    ]


def test_lima_comes_in_with_its_first_turns_and_questions_alone(engine, write, ask):
    rows = [
        {"conversations": ["Q1", "A1", "Q2", "A2"], "source": "stackexchange"},
        {"conversations": ["Only asked"], "source": "authors_test"},
    ]
    report = run_import(engine, "lima", [write("lima.jsonl", rows)], {"language": "fr", "suite": "lima-fr/2"})
    assert (report.counts.instructions_new, report.counts.responses_new) == (2, 1)
    assert ask("SELECT task, language, text FROM instruction ORDER BY position") == [
        ("stackexchange", "fr", "Q1"),
        ("authors_test", "fr", "Only asked"),
    ]
    assert ask("SELECT text FROM response") == [("A1",)]


def test_the_real_lima_comes_in_whole(engine, real_data):
    report = run_import(engine, "lima", [real_data / "paper/lima.en.jsonl"], dry_run=True)
    assert report.counts.instructions_new == 1030
