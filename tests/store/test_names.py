"""Names without what nobody can see in them: kept, looked up, and in an upgraded store."""

import sqlite3

import pytest
from sqlmodel import select

from store import open_store, upgrade_store
from store.names import case_notes, case_twins, trimmed
from store.queries import models, raters, suites
from store.session import reading, writing
from store.tables import Model, Rater

pytestmark = pytest.mark.parts


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("anna ", "anna"),
        ("\t anna\n", "anna"),
        ("m1\u200b", "m1"),
        ("m\u200b1\ufeff \u00a0", "m1"),
        ("\u202em1\u202c", "m1"),
        ("m\u200d1\ufe0f", "m1"),
        ("\u200b \u2060", ""),
        ("a\u00a0b", "a b"),
        ("cafe\u0301", "caf\u00e9"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # spelling
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("two  blanks", "two  blanks"),
        ("a\x1b[2Jb", "a\x1b[2Jb"),  # shown as ␛
    ],
)
def test_a_name_is_kept_without_what_cannot_be_seen(name, kept):
    assert trimmed(name) == kept
    assert trimmed(kept) == kept


def test_one_name_is_one_row_however_it_is_typed(tmp_path):
    engine = open_store(tmp_path / "s.db", create=True)
    with writing(engine) as session:
        assert len({raters.rater_id(session, "human", name) for name in ("anna", "anna ", "an\u200bna")}) == 1
        assert raters.person_id(session, " anna") == raters.rater_id(session, "human", "anna")
        assert raters.is_known(session, "anna\u2060")
        assert len({models.model_id(session, name) for name in ("m1", "m1 ", "m1\u200b")}) == 1
        weights = models.WeightsDigest("checkpoint", "ab")
        assert models.register_model(session, "m1\u00a0", {}, weights) == models.model_id(session, "m1")
        suites.add_suite(session, "s ", "1", [])
        assert (
            suites.find_suite(session, "s\u200b / 1").label == suites.find_suite(session, " s").label == "s/1"
        )


def test_names_that_differ_by_case_alone_are_told_by_kind(tmp_path):
    assert case_twins(["m1", "M1", "m2", "Straße", "STRASSE", "m1"]) == [("M1", "m1"), ("STRASSE", "Straße")]
    engine = open_store(tmp_path / "s.db", create=True)
    with writing(engine) as session:
        for kind, name in (("human", "anna"), ("human", "Anna"), ("llm", "ANNA"), ("human", "boris")):
            raters.rater_id(session, kind, name)
        models.model_id(session, "m1")
        models.model_id(session, "M1")
        told = ["'M1', 'm1' are 2 models: their names differ by case alone.",
                "'Anna', 'anna' are 2 raters (human): their names differ by case alone."]  # fmt: skip
        assert case_notes(session) == told
        assert case_notes(session, ["m1 "]) == told[:1]
        assert case_notes(session, ["boris"]) == []


def test_an_upgrade_trims_names_and_keeps_two_that_would_be_one(tmp_path):
    path = tmp_path / "s.db"
    open_store(path, create=True).dispose()
    with sqlite3.connect(path) as connection:
        connection.executemany("INSERT INTO model (name) VALUES (?)", [("m1 ",), ("m1",), ("m2\u200b",)])
        connection.execute("INSERT INTO rater (kind, name, version) VALUES ('human', 'anna ', '')")
        connection.execute("UPDATE alembic_version SET version_num = '0007'")
    connection.close()
    upgrade_store(path)
    with reading(open_store(path)) as session:
        assert session.exec(select(Model.name).order_by(Model.id)).all() == ["m1 (2)", "m1", "m2"]
        assert session.exec(select(Rater.name)).all() == ["anna"]
