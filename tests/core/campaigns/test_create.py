"""Campaigns in the store: what is written, what is refused, and that content alone decides."""

import json

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from core.campaigns.create import plan_campaign
from core.cli import app
from store import UsageError
from store.queries import journal, raters, reviewers
from store.queries.journal import Score
from store.session import reading, writing
from tests.reviewing import campaign, make_store, rater_of, stops_of

pytestmark = pytest.mark.parts


runner = CliRunner()
CREATE = ["campaign", "create", "first", "--reviewer", "anna:ru,fr", "--reviewer", "boris:ru"]


def table(engine, name: str) -> list[tuple]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(f"SELECT * FROM {name} ORDER BY id"))]


def contents(engine, name: str, reviewer: str) -> list[tuple]:
    """A queue without row numbers."""
    asked = text(
        "SELECT a.position, a.kind, r.version, i.key, i.language, m.name FROM assignment AS a "
        "JOIN campaign AS c ON c.id = a.campaign_id JOIN rater AS p ON p.id = a.reviewer_id "
        "JOIN rater AS r ON r.id = a.rater_id JOIN response AS s ON s.id = a.response_id "
        "JOIN instruction AS i ON i.id = s.instruction_id JOIN model AS m ON m.id = s.model_id "
        "WHERE c.name = :name AND p.name = :reviewer ORDER BY a.position, m.name"
    )
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(asked, {"name": name, "reviewer": reviewer})]


def test_everything_is_assigned_and_what_reads_the_same_shares_a_place(engine):
    campaign(engine, "all", ["anna"])
    stops = stops_of(engine, "all", "anna")
    assert [stop.position for stop in stops] == list(range(1, len(stops) + 1))
    assert sum(len(stop.response_ids) for stop in stops) == 2 * 12 * 3
    assert sum(len(stop.response_ids) == 2 for stop in stops) == 2 * 3


def test_a_repeat_is_scored_as_the_reviewer_asked_again(engine):
    campaign(engine, "twice", ["anna:ru"], languages=("ru",), repeats=3, min_gap=5)
    with reading(engine) as session:
        first, again = rater_of(session, "anna"), rater_of(session, "anna", "#2")
    stops = stops_of(engine, "twice", "anna")
    assert {stop.rater_id for stop in stops if stop.kind == "normal"} == {first}
    assert [stop.rater_id for stop in stops if stop.kind == "repeat"] == [again] * 3


def test_the_same_content_in_another_file_gives_the_same_assignments(engine, tmp_path):
    other = make_store(tmp_path / "other.db", backwards=True)
    for found in (engine, other):
        campaign(found, "c", ["anna", "boris:ru"], sample=6, main="main", repeats=2, min_gap=4)
    for reviewer in ("anna", "boris"):
        assert contents(engine, "c", reviewer) == contents(other, "c", reviewer)
    assert len(contents(engine, "c", "boris")) > 10
    digests = [table(found, "campaign")[0] for found in (engine, other)]
    assert digests[0][7] == digests[1][7]


def test_made_again_it_is_the_same_and_nothing_is_written(engine):
    assert campaign(engine, "c", ["anna"]).new
    before = table(engine, "assignment"), table(engine, "run"), table(engine, "rater")
    assert not campaign(engine, "c", ["anna"]).new
    assert (table(engine, "assignment"), table(engine, "run"), table(engine, "rater")) == before


@pytest.mark.parametrize("other", [{"seed": 2}, {"overlap": 2}, {"reveal": True}, {"blind": False}])
def test_another_campaign_of_the_same_name_is_refused(engine, other):
    campaign(engine, "c", ["anna", "boris"])
    before = table(engine, "assignment")
    with pytest.raises(UsageError, match="another campaign named 'c'"):
        campaign(engine, "c", ["anna", "boris"], **other)
    assert table(engine, "assignment") == before


def test_a_campaign_may_take_some_models_and_languages(engine):
    campaign(engine, "c", ["anna"], models=("main", "other"), languages=("fr",))
    assert {row[4:] for row in contents(engine, "c", "anna")} == {("fr", "main"), ("fr", "other")}


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"models": ("nobody",)}, "The store holds no responses that fit"),
        ({"models": ("main", "nobody")}, "No responses of a model 'nobody'.*base, main, other"),
        ({"languages": ("ru", "de")}, "No responses in 'de'"),
        ({"suites": ("none",)}, "No suite 'none'"),
        ({"reveal": True, "blind": False}, "leave out --reveal"),
        ({"reveal": True, "repeats": 1, "min_gap": 2}, "would then measure memory"),
    ],
)
def test_what_cant_be_is_refused_and_nothing_is_written(engine, wanted, said):
    before = table(engine, "rater")
    with pytest.raises(UsageError, match=said):
        campaign(engine, "c", ["anna"], **wanted)
    assert (table(engine, "campaign"), table(engine, "rater")) == ([], before)


def test_known_answers_are_checks_of_responses_that_a_rule_has_scored(engine):
    with writing(engine) as session:
        rule = raters.rater_id(session, "rule", "known-answers", "2")
        for response in (1, 5, 9):
            journal.append(session, rule, [Score(response, 1, 2)])
    campaign(engine, "c", ["anna"], models=("main",), checks=2)
    checks = [stop for stop in stops_of(engine, "c", "anna") if stop.kind == "check"]
    assert len(checks) == 2
    assert {response for stop in checks for response in stop.response_ids} <= {1, 5, 9}


def test_a_code_is_shown_once_and_kept_only_as_a_hash(store_path, engine):
    made = campaign(engine, "c", ["anna", "boris"], codes=True)
    assert sorted(made.codes) == ["anna", "boris"]
    assert campaign(engine, "c", ["anna", "boris"], codes=True).codes == {}
    with reading(engine) as session:
        kept = reviewers.code_of(session, "anna")
    assert reviewers.code_matches(made.codes["anna"].upper().replace("-", " "), kept)
    assert not reviewers.code_matches(made.codes["boris"], kept)
    engine.dispose()
    assert made.codes["anna"].encode() not in store_path.read_bytes()


def test_hours_come_from_looking_times_where_there_are_any(engine):
    from tests.reviewing import campaign as make

    assert make(engine, "before", ["anna"]).planned.measured is False
    with writing(engine) as session:
        boris = raters.rater_id(session, "human", "boris")
        for response, looked in ((1, 10_000), (2, 30_000), (3, 50_000)):
            journal.append(session, boris, [Score(response, 1, 2)], journal.Shown(looked_ms=looked))
    planned = make(engine, "after", ["anna"]).planned
    assert (planned.measured, planned.seconds) == (True, 30.0)


def test_a_dry_run_shows_the_plan_and_writes_nothing(store_path, engine):
    before = table(engine, "rater"), table(engine, "run")
    result = runner.invoke(app, [*CREATE, "--preset", "paper", "--sample", "6", "--main", "main",
                                 "--dry-run", "--json", "--store", str(store_path)])  # fmt: skip
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["languages"]["ru"]["responses"] == 6 * 3 + 6
    assert (table(engine, "rater"), table(engine, "run"), table(engine, "campaign")) == (*before, [])


def test_the_command_shows_counts_and_hours_and_how_to_begin(store_path):
    result = runner.invoke(app, [*CREATE, "--store", str(store_path)])
    assert result.exit_code == 0, result.output
    assert "60 s each (a guess" in " ".join(result.output.split())
    assert "xlit-tui score first --reviewer NAME" in result.output


def test_the_papers_preset_wants_a_main_model_and_there_is_no_other(store_path):
    for words, said in ((["--preset", "paper"], "--main MODEL"), (["--preset", "mine"], "There is: paper")):
        result = runner.invoke(app, [*CREATE, *words, "--store", str(store_path)])
        assert said in str(result.exception)


def test_keys_come_from_a_file_a_line_each(store_path, engine, tmp_path):
    keys = tmp_path / "keys.txt"
    keys.write_text("\ufeffk003\r\n\r\n k001 \n", encoding="utf-8")
    result = runner.invoke(app, [*CREATE, "--keys", str(keys), "--store", str(store_path)])
    assert result.exit_code == 0, result.output
    assert {row[3] for row in contents(engine, "first", "anna")} == {"k001", "k003"}
    for name, content in (("empty", b"\n"), ("latin", b"\xff\xfe\xfa")):
        (tmp_path / name).write_bytes(content)
        broken = [*CREATE, "--keys", str(tmp_path / name), "--store", str(store_path)]
        assert isinstance(runner.invoke(app, broken).exception, UsageError)


def test_planning_reads_and_writes_nothing(engine):
    from core.campaigns.create import CampaignRequest

    with engine.connect() as connection:
        connection.execute(text("PRAGMA query_only=ON"))
    planned = plan_campaign(engine, CampaignRequest("c", (), (), (), ["anna"], {"seed": 1}))
    assert len(planned.queues["anna"]) == 2 * (12 * 3 - 3)
