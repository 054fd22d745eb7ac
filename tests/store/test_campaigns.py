"""Codes and pseudonyms, on SQLite and on PostgreSQL."""

import re

import pytest
from sqlalchemy import text

from core.campaigns.adjudicate import adjudicate
from core.campaigns.progress import campaign_status
from store import open_store
from store.queries import campaigns, raters, review_queue, reviewers
from store.queries.reviewers import pseudonyms
from store.session import reading, writing
from tests.reviewing import campaign, make_store, rater_of, stops_of, work

pytestmark = pytest.mark.parts


def test_a_code_is_known_again_however_it_is_typed():
    code = reviewers.new_code()
    assert re.fullmatch(r"([0-9a-hjkmnp-tv-z]{4}-){2}[0-9a-hjkmnp-tv-z]{4}", code)
    kept = reviewers.hash_code(code)
    assert reviewers.code_matches(code, kept)
    assert reviewers.code_matches(f" {code.upper().replace('-', ' ')} ", kept)
    assert not reviewers.code_matches(reviewers.new_code(), kept)
    assert not reviewers.code_matches("", kept)


def test_the_same_code_is_kept_in_another_way_each_time():
    assert reviewers.hash_code("a-code") != reviewers.hash_code("a-code")


def test_a_pseudonym_is_the_same_in_a_store_and_another_in_another(tmp_path):
    found = []
    for name in ("a.db", "b.db"):
        engine = open_store(tmp_path / name, create=True)
        with writing(engine) as session:
            for rater in (("human", "anna"), ("human", "anna", "#2"), ("human", "boris"), ("llm", "gpt")):
                raters.rater_id(session, *rater)
        for _ in range(2):
            with writing(engine) as session:
                found.append(pseudonyms(session))
        engine.dispose()
    assert found[0] == found[1]
    assert found[2] == found[3]
    assert sorted(found[0]) == ["anna", "boris"]
    assert len({it[name] for it in (found[0], found[2]) for name in it}) == 4
    assert all("anna" not in pseudonym for pseudonym in found[0].values())


def test_a_campaign_lives_on_either_database(new_store):
    engine = make_store(new_store, keys=4, languages=("ru",))
    made = campaign(engine, "c", ["anna", "boris"], overlap=2, repeats=1, min_gap=2, codes=True)
    assert made.new
    assert not campaign(engine, "c", ["anna", "boris"], overlap=2, repeats=1, min_gap=2).new
    work(engine, "c", "anna", most=3)
    with reading(engine) as session:
        found = campaigns.campaign_named(session, "c").id or 0
        anna = rater_of(session, "anna")
        assert review_queue.done_positions(session, found, anna) == {1, 2, 3}
        times = review_queue.commit_times(session, found, anna)
        assert times == sorted(times)
        assert times[0].tzinfo is not None
        assert review_queue.open_campaign_of(session, "anna", 1) == "c"
        assert review_queue.open_campaign_of(session, "clara", 1) is None
        assert reviewers.code_matches(made.codes["anna"], reviewers.code_of(session, "anna"))
    assert len(stops_of(engine, "c", "anna")) == 12
    work(engine, "c", "anna")
    work(engine, "c", "boris", lambda stop, criterion: 0)
    found = campaign_status(engine, "c")
    assert found["agreement"]["logic"]["n"] == 11
    assert found["reviewers"][0]["self_agreement"]["exact"] == 100
    assert adjudicate(engine, "c", "clara").queued == 11
    work(engine, "c", "clara", most=1)
    with reading(engine) as session:
        settled = session.connection().execute(text("SELECT DISTINCT rater_id FROM adjudicator")).scalars()
        assert set(settled) == {rater_of(session, "clara")}
    engine.dispose()


@pytest.mark.parametrize(
    ("options", "bound", "sealed"),
    [({}, "c", "c"), ({"reveal": True}, "c", None), ({"blind": False}, None, None)],
)
def test_an_open_campaign_binds_those_who_score_blind_in_it(tmp_path, options, bound, sealed):
    engine = make_store(tmp_path / "s.db", keys=4, languages=("ru",))
    campaign(engine, "c", ["anna"], **options)
    with writing(engine) as session:
        assert review_queue.open_campaign_of(session, "anna", 1) == bound
        assert review_queue.open_campaign_of(session, "anna", 1, sealed=True) == sealed
        campaigns.set_closed(session, campaigns.campaign_named(session, "c"), True)
        assert review_queue.open_campaign_of(session, "anna", 1) is None
    engine.dispose()
