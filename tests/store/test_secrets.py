"""Secrets in addresses: hidden in every part of an address, in what is printed and in what is kept."""

import pytest
from sqlmodel import select

from store.engine import open_store, printable_name
from store.errors import StoreError
from store.provenance import record_run
from store.secrets import without_secrets
from store.session import reading
from store.tables import Failure, Run

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"postgresql://ann:{SECRET}@host/db", "postgresql://ann:***@host/db"),
        (f"postgresql://ann:x@{SECRET}@host/db", "postgresql://ann:***@host/db"),
        (f"postgresql://ann:a/{SECRET}?b@host/db", "postgresql://ann:***@host/db"),
        (f"postgresql://host/db?password={SECRET}", "postgresql://host/db?password=***"),
        (
            f"postgresql+psycopg://ann@host:5432/db?sslmode=require&sslpassword={SECRET}",
            "postgresql+psycopg://ann@host:5432/db?sslmode=require&sslpassword=***",
        ),
        (f"https://{SECRET}@host/data?sig={SECRET}#{SECRET}", "https://***@host/data?sig=***#***"),
        ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        (f"connection to host=a password={SECRET} failed", "connection to host=a password=*** failed"),
        ("no address: a password is needed", "no address: a password is needed"),
        ("studies/a.db", "studies/a.db"),
    ],
)
def test_secrets_are_hidden_in_every_part_of_an_address(address, shown):
    assert without_secrets(address) == shown
    assert without_secrets(f"{address} and on") == f"{shown} and on"
    assert without_secrets(shown) == shown


def test_the_name_of_a_store_is_printed_without_them():
    name = printable_name(f"postgresql://ann@host/db?password={SECRET}&sslpassword={SECRET}")
    assert name == "postgresql://ann@host/db?password=***&sslpassword=***"


@pytest.mark.parts
def test_a_port_that_is_no_number_is_one_sentence_without_the_password():
    with pytest.raises(StoreError, match="can't be opened as a store") as caught:
        open_store(f"postgresql://ann:{SECRET}@host:port/db")
    assert SECRET not in str(caught.value)


@pytest.mark.parts
def test_a_run_keeps_none_in_parameters_and_failures(tmp_path):
    engine = open_store(tmp_path / "a.db", create=True)
    address = f"https://u:{SECRET}@host/x?token={SECRET}"
    with record_run(engine, "merge", {"store": address, "data": [{"name": address}]}) as run:
        run.note("later", address)
        run.fail(address, f"could not read {address}")
    with reading(engine) as session:
        kept = session.exec(select(Run)).one()
        failure = session.exec(select(Failure)).one()
    text = f"{kept.parameters} {failure.unit} {failure.reason}"
    assert SECRET not in text
    assert text.count("https://u:***@host/x?token=***") == 5
