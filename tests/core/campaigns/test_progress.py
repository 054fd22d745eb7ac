"""How a campaign is getting on, and disagreements that a third reviewer settles."""

import io
import re

import pytest
from rich.console import Console
from sqlalchemy import text
from typer.testing import CliRunner

from core.campaigns.adjudicate import adjudicate
from core.campaigns.progress import campaign_status, list_status
from core.campaigns.tables import status_table
from core.cli import app
from core.exchange.exporting import run_export
from core.exchange.importing import run_import
from store import UsageError
from store.queries import journal, raters, review_queue
from store.queries.journal import Score
from store.session import reading, writing
from tests.reviewing import campaign, rater_of, stops_of, work

pytestmark = pytest.mark.parts


runner = CliRunner()


def of(engine, name: str, reviewer: str) -> dict:
    found = campaign_status(engine, name)["reviewers"]
    return next(row for row in found if row["name"] == reviewer)


def by_text(stop, criterion) -> int:
    """Scores that go with what is read and not with who reads it."""
    return stop.response_ids[0] % 3


def test_done_and_left_are_counted_in_places_of_the_queue(engine):
    campaign(engine, "c", ["anna", "boris"])
    total = len(stops_of(engine, "c", "anna"))
    work(engine, "c", "anna", most=5)
    found = of(engine, "c", "anna")
    assert (found["done"], found["left"], found["languages"]) == (5, total - 5, ["fr", "ru"])
    assert found["per_hour"] is not None
    assert of(engine, "c", "boris")["hours_left"] is None
    assert list_status(engine) == [{"name": "c", "open": True, "reviewers": 2, "readings": 66, "done": 5}]


def test_what_came_in_from_a_file_is_done_but_says_nothing_about_the_pace(engine, tmp_path):
    campaign(engine, "c", ["anna:ru", "boris:ru"], languages=("ru",), models=("main",))
    path = tmp_path / "anna.txt"
    run_export(engine, "annotator", path, {"campaign": "c", "reviewer": "anna"})
    named = ("CorrectLang", "Fluency", "Inform", "Accuracy", "Logical", "Safety")
    marks = " ".join(f"{name}:[2]" for name in named)
    path.write_text(re.sub(r"(?m)^\[END\].*$", f"[END](6) {marks}", path.read_text()))
    run_import(engine, "annotator", [path], {"rater": "anna"})
    found = of(engine, "c", "anna")
    assert found["done"] > 1
    assert (found["left"], found["per_hour"]) == (0, None)
    with reading(engine) as session:
        assert review_queue.commit_times(session, 1, rater_of(session, "anna")) == []


def test_a_response_that_is_scored_but_not_committed_is_not_done(engine):
    campaign(engine, "c", ["anna"])
    (stop, *_) = stops_of(engine, "c", "anna")
    with writing(engine) as session:
        journal.append(session, stop.rater_id, [Score(stop.response_ids[0], it, 2) for it in range(1, 7)])
    assert of(engine, "c", "anna")["done"] == 0


def test_agreement_counts_texts_that_two_have_committed_once(engine):
    campaign(engine, "c", ["anna", "boris"], languages=("ru",), overlap=2)
    work(engine, "c", "anna", by_text)
    work(
        engine, "c", "boris", lambda stop, criterion: by_text(stop, criterion) if criterion != "logic" else 2
    )
    found = campaign_status(engine, "c")
    assert found["agreement"]["fluency"] == {"n": 33, "exact": 100.0, "kappa": 1.0, "undefined": None}
    assert found["agreement"]["logic"]["exact"] < 50
    assert [(row["first"], row["second"]) for row in found["pairs"]] == [("anna", "boris")]


def test_self_agreement_sets_repeats_beside_the_first_time(engine):
    campaign(engine, "c", ["anna"], languages=("ru",), repeats=4, min_gap=5)
    work(
        engine, "c", "anna", lambda stop, criterion: 2 if stop.kind != "repeat" or criterion != "logic" else 1
    )
    found = of(engine, "c", "anna")["self_agreement"]
    assert (found["repeats"], found["done"], found["scores"]) == (4, 4, 24)
    assert found["exact"] == pytest.approx(100 * 20 / 24, abs=0.1)
    assert found["criteria"]["logic"]["exact"] == 0


def test_repeats_are_in_no_agreement_with_others(engine):
    campaign(engine, "c", ["anna", "boris"], languages=("ru",), overlap=2, repeats=4, min_gap=5)
    for reviewer in ("anna", "boris"):
        work(engine, "c", reviewer)
    assert campaign_status(engine, "c")["agreement"]["logic"]["n"] == 33


def test_a_check_is_passed_when_every_known_score_is_given(engine):
    with writing(engine) as session:
        rule = raters.rater_id(session, "rule", "known-answers", "2")
        for response in (1, 4):
            journal.append(session, rule, [Score(response, 1, 2), Score(response, 2, None, skipped=True)])
    campaign(engine, "c", ["anna"], models=("main",), checks=2)
    wrong = next(stop.response_ids[0] for stop in stops_of(engine, "c", "anna") if stop.kind == "check")
    work(engine, "c", "anna", lambda stop, criterion: 1 if wrong in stop.response_ids else 2)
    assert of(engine, "c", "anna")["checks"] == {"checks": 2, "done": 2, "passed": 1}


def test_who_scores_far_from_the_others_is_named_with_the_rule(engine):
    names = ["anna", "boris", "clara"]
    campaign(engine, "c", names, languages=("ru",), overlap=3)
    for name in names[:2]:
        work(engine, "c", name, lambda stop, criterion: 1 + by_text(stop, criterion) // 2)
    work(engine, "c", "clara", lambda stop, criterion: by_text(stop, criterion) // 2)
    assert of(engine, "c", "anna")["unlike_others"] == []
    assert "logic: -1.0 points from the others (n=33)" in of(engine, "c", "clara")["unlike_others"]
    assert any("standard errors" in rule for rule in campaign_status(engine, "c")["rules"])


def test_the_table_fits_80_columns_and_obeys_no_name(engine):
    campaign(engine, "c", ["[red]a\x1b[2J", "boris"], languages=("ru",), overlap=2, repeats=2, min_gap=5)
    work(engine, "c", "boris")
    work(engine, "c", "[red]a\x1b[2J")
    out = io.StringIO()
    Console(file=out, width=80, force_terminal=False).print(status_table(campaign_status(engine, "c")))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in out.getvalue()
    row = next(line for line in lines if "boris" in line)
    assert "35" in row
    assert "100% (2/2)" in row


def test_a_campaign_that_is_not_there_is_named_with_those_that_are(engine):
    campaign(engine, "c", ["anna"])
    with pytest.raises(UsageError, match=r"No campaign 'd'.*There are: c"):
        campaign_status(engine, "d")


def test_the_commands_show_one_or_all_and_close_and_open_again(store_path, engine):
    campaign(engine, "c", ["anna"])
    store = ["--store", str(store_path)]
    assert "Campaign c (open): 0 of 66 read" in runner.invoke(app, ["campaign", "status", "c", *store]).stdout
    assert runner.invoke(app, ["campaign", "close", "c", *store]).exit_code == 0
    assert "closed" in runner.invoke(app, ["campaign", "status", *store]).stdout
    assert runner.invoke(app, ["campaign", "close", "c", "--reopen", *store]).exit_code == 0
    assert campaign_status(engine, "c")["open"]


# Adjudication


def scored_apart(engine, by: int) -> set[int]:
    """Two reviewers score Russian responses alike but for logic of every third, `by` points apart; returns
    these responses."""
    campaign(engine, "c", ["anna", "boris"], languages=("ru",), overlap=2)
    work(engine, "c", "anna")
    work(engine, "c", "boris", lambda it, name: 2 - by * (name == "logic" and it.response_ids[0] % 3 == 0))
    apart = [it for it in stops_of(engine, "c", "anna") if it.response_ids[0] % 3 == 0]
    return {response for stop in apart for response in stop.response_ids}


def test_what_two_scored_two_points_apart_goes_to_a_third(engine):
    apart = scored_apart(engine, 2)
    found = adjudicate(engine, "c", "clara")
    queued = stops_of(engine, "c", "clara")
    assert {response for stop in queued for response in stop.response_ids} == apart
    assert {stop.kind for stop in queued} == {"adjudication"}
    assert [stop.position for stop in queued] == list(range(1, found.queued + 1))


def test_a_point_apart_is_no_disagreement_unless_asked_for(engine):
    apart = scored_apart(engine, 1)
    assert adjudicate(engine, "c", "clara").queued == 0
    adjudicate(engine, "c", "clara", by=1)
    assert {it for stop in stops_of(engine, "c", "clara") for it in stop.response_ids} == apart


def test_adjudicated_again_only_what_is_new_is_queued_and_nobody_takes_over_what_another_has(engine):
    scored_apart(engine, 2)
    first = adjudicate(engine, "c", "clara").queued
    assert first
    assert adjudicate(engine, "c", "clara").queued == 0
    assert adjudicate(engine, "c", "dora").queued == 0


def test_nobody_settles_a_disagreement_of_their_own(engine):
    scored_apart(engine, 2)
    found = adjudicate(engine, "c", "boris")
    assert (found.queued, found.known > 0) == (0, True)


def test_a_third_reviewer_reads_only_the_languages_named(engine):
    scored_apart(engine, 2)
    with pytest.raises(UsageError, match="no responses in 'fr'"):
        adjudicate(engine, "c", "clara:fr")
    assert adjudicate(engine, "c", "clara:ru").queued


def test_a_response_is_settled_when_the_third_has_committed_it(engine):
    scored_apart(engine, 2)
    adjudicate(engine, "c", "clara")
    work(engine, "c", "clara", most=2)
    with reading(engine) as session:
        clara = rater_of(session, "clara")
        rows = session.connection().execute(text("SELECT response_id, rater_id FROM adjudicator"))
        settled = {row.response_id: row.rater_id for row in rows}
    done = {it for stop in stops_of(engine, "c", "clara")[:2] for it in stop.response_ids}
    assert settled == dict.fromkeys(done, clara)


def test_adjudication_is_in_no_agreement(engine):
    scored_apart(engine, 2)
    before = campaign_status(engine, "c")["agreement"]
    adjudicate(engine, "c", "clara")
    work(engine, "c", "clara")
    assert campaign_status(engine, "c")["agreement"] == before


def test_a_third_reviewer_gets_a_code_where_the_others_have_one(engine):
    campaign(engine, "c", ["anna", "boris"], languages=("ru",), overlap=2, codes=True)
    work(engine, "c", "anna")
    work(engine, "c", "boris", lambda stop, criterion: 0)
    assert list(adjudicate(engine, "c", "clara").codes) == ["clara"]


def test_a_closed_campaign_takes_no_more(engine, store_path):
    scored_apart(engine, 2)
    runner.invoke(app, ["campaign", "close", "c", "--store", str(store_path)])
    with pytest.raises(UsageError, match="is closed"):
        adjudicate(engine, "c", "clara")
