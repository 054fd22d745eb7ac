"""`xlit-core report` and `select`, as one uses them."""

import json
from pathlib import Path

import pytest

from core.report.build import make_report
from store import UsageError, open_store
from store.queries import journal, models, responses, rubrics, suites, surface
from store.queries import raters as rater_queries
from store.queries.journal import Score
from store.session import reading, writing
from tests.core.command import xlit_core

pytestmark = pytest.mark.parts


def run(*command, check=True):
    done = xlit_core(*command)
    assert not check or done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done


def fill(path: Path, *, languages=("en", "ru"), raters=(("human", "nv"), ("human", "ab"), ("llm", "judge"))):
    """Two models, twelve instructions; model `b` is the worse one in Russian."""
    engine = open_store(path, create=True)
    with writing(engine) as session:
        new = [
            suites.NewInstruction(f"k{place}", language, f"{place}?", task=("sum", "письмо")[place % 2])
            for language in languages
            for place in range(12)
        ]
        suite, _ = suites.add_suite(session, "small", "1", new)
        decoding = models.decoding_id(session, "imported", None, {})
        rows = [
            {"instruction_id": row.id, "model_id": models.model_id(session, name), "decoding_id": decoding,
             "text": f"{name} {row.key}"}
            for name in ("a", "b")
            for language in languages
            for row in suites.instructions_of(session, suite, language)
        ]  # fmt: skip
        responses.add_responses(session, rows)
        criteria = rubrics.criteria_of(session, rubrics.default_rubric_id(session))
        for place, (kind, name) in enumerate(raters):
            rater = rater_queries.rater_id(session, kind, name)
            for response in range(1, len(rows) + 1):
                worse = response > len(rows) * 3 // 4
                new = [
                    Score(response, one.id, max(0, 2 - worse - (response + place + one.position) % 3 // 2))
                    for one in criteria
                ]
                journal.append(session, rater, new)
        labels = [
            {
                "response_id": place + 1,
                "metric": "language",
                "tool": "t",
                "value": 0.9,
                "label": languages[-1],
            }
            for place in range(len(rows))
        ]
        surface.add_metrics(session, labels)
    engine.dispose()
    return path


def report_of(path: Path, **options):
    engine = open_store(path)
    report = make_report(engine, number=200, **options)
    engine.dispose()
    return report


def sections(path: Path, **options):
    return {section.title: section for section in report_of(path, **options).sections}


def test_a_report_is_written_whole_and_the_same_store_gives_the_same_bytes(tmp_path):
    store = fill(tmp_path / "s.db")
    run("report", "--store", store, "--out", tmp_path / "one", "--resamples", 200)
    kinds = [option for kind in ("md", "html", "csv", "tex") for option in ("--format", kind)]
    done = run("report", "--store", store, "--out", tmp_path / "two", "--resamples", 200, *kinds)
    assert "report.html" in done.stderr
    files = {path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()}
    for kind in ("md", "html", "csv", "tex", "png", "pdf", "svg"):
        assert any(path.suffix == f".{kind}" for path in files), kind
    tables = {path for path in files if path.suffix in (".csv", ".tex")} | {Path("report.html")}
    for path in tables:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes(), path
    page = (tmp_path / "one" / "report.html").read_text(encoding="utf-8")
    assert "письмо" in page
    assert "human:nv" in page


def test_the_means_are_those_of_the_review_rooms_overview(tmp_path):
    from core.analysis.bootstrap import draw_resamples
    from core.analysis.means import all_rater_groups, mean_scores
    from core.analysis.scores import load_scores
    from store.queries.overview import Scope, heat_map

    engine = open_store(fill(tmp_path / "s.db"))
    with reading(engine) as session:
        rubric = rubrics.default_rubric_id(session)
        scored = load_scores(session, 1, "small/1", rubric)
        means = mean_scores(scored, draw_resamples(12, number=100))
        asked = [
            (rater_group, language, [scored.raters[place].id for place in rater_group.raters])
            for rater_group in all_rater_groups(scored)
            for language in ("en", "ru")
        ]
        compared = 0
        for rater_group, language, ids in asked:
            for cell in heat_map(session, Scope(1, language), rubric, ids):
                source = next(
                    place for place, one in enumerate(scored.sources) if one.model_id == cell.source[0]
                )
                criterion = next(
                    place for place, one in enumerate(scored.criteria) if one.id == cell.criterion_id
                )
                ours = means.at(rater_group, source, criterion, language)
                assert (ours.n, ours.value) == (cell.n, pytest.approx(cell.mean))
                compared += 1
        # Two people apart and together, and a judge; two languages, two models, six criteria.
        assert compared == 4 * 2 * 2 * 6
    engine.dispose()


def test_the_tables_go_to_programs_as_json_and_to_people_on_the_terminal(tmp_path):
    store = fill(tmp_path / "s.db")
    found = json.loads(run("report", "--store", store, "--json", "--resamples", 200).stdout)
    assert found["sections"][0]["title"] == "Scores"
    assert "nan" not in json.dumps(found).lower()
    shown = run("report", "--store", store, "--show", "--resamples", 200).stdout
    assert "Mean scores" in shown
    assert max(map(len, shown.splitlines())) <= 110


def test_only_the_formats_asked_for(tmp_path):
    store = fill(tmp_path / "s.db")
    run("report", "--store", store, "--out", tmp_path / "r", "--format", "csv", "--resamples", 200)
    assert {path.suffix for path in (tmp_path / "r").rglob("*.*") if not path.name.startswith(".")} == {
        ".csv"
    }
    wrong = run("report", "--store", store, "--out", tmp_path / "q", "--format", "docx", check=False)
    assert wrong.returncode == 2
    assert not (tmp_path / "q").exists()


def test_a_store_without_anything_is_a_sentence(tmp_path):
    open_store(tmp_path / "e.db", create=True).dispose()
    done = run("report", "--store", tmp_path / "e.db", "--out", tmp_path / "r", check=False)
    assert done.returncode == 2
    assert "holds no suite yet" in done.stderr
    assert not (tmp_path / "r").exists()
    assert "holds no suite yet" in run("select", "--store", tmp_path / "e.db", check=False).stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"raters": ()}, "Nobody has scored"),
        ({"raters": (("human", "nv"),)}, "No judge has scored a response"),
        ({"raters": (("llm", "judge"),)}, "No person has scored a response"),
        ({"languages": ("ru",)}, "All responses are in one language, ru"),
        ({"languages": ("en",), "raters": (("human", "nv"),)}, "All responses are in one language, en"),
    ],
)
def test_what_is_missing_is_said_in_words(tmp_path, options, sentence):
    report = report_of(fill(tmp_path / "s.db", **options))
    lines = [*report.about, *(line for section in report.sections for line in section.text)]
    assert any(sentence in line for line in lines), lines


def test_sections_without_anything_are_a_line_with_the_reason_and_the_papers_are_not_there(tmp_path):
    report = report_of(fill(tmp_path / "s.db", raters=()))
    assert [section.title for section in report.sections] == ["Surface metrics"]
    told = [line for line in report.about if line.startswith("No section on ")]
    assert "No section on agreement. Nobody has scored a response yet" in " ".join(told)
    assert not any("Chirkova" in line for line in report.about)


def test_responses_without_scores_are_no_error(tmp_path):
    engine = open_store(fill(tmp_path / "s.db", raters=()))
    with writing(engine) as session:
        suites.add_suite(session, "no-responses", "1", [suites.NewInstruction("k", "en", "?")])
    engine.dispose()
    run("report", "--store", tmp_path / "s.db", "--suite", "small", "--out", tmp_path / "r")
    run("report", "--store", tmp_path / "s.db", "--suite", "no-responses", "--out", tmp_path / "q")


def test_wrong_options_are_one_sentence(tmp_path):
    store = fill(tmp_path / "s.db")
    for option in (
        ("--suite", "none"),
        ("--resamples", "3"),
        ("--same-as", "x"),
        ("--same-as", "none=LLaMA-2-13B / Dolly-En / FT"),
    ):
        done = run("report", "--store", store, "--out", tmp_path / "r", *option, check=False)
        assert done.returncode == 2, done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    with pytest.raises(UsageError):
        make_report(open_store(store), number=99)
    assert not (tmp_path / "r").exists()
