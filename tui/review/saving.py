"""Writes of the review room: on disk when they return, or a sentence that says why not."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from store.session import writing

_REASONS = (
    ("locked", "another program is writing to the store"),
    ("full", "the disk is full"),
    ("readonly", "the store may not be written to"),
    ("disk i/o", "the disk reports an error; is the store's folder still there?"),
    ("unable to open", "the store can't be opened any more; is its folder still there?"),
)


class NotSaved(Exception):
    """A write that left nothing behind; the text says why and what to do."""


@contextmanager
def saving(engine: Engine) -> Iterator[Session]:
    """A writing session. Raises `NotSaved`, which says in words why the write failed."""
    try:
        with writing(engine) as session:
            yield session
    except DBAPIError as error:
        raise NotSaved(reason_of(error)) from error


def reason_of(error: DBAPIError) -> str:
    """Why the database refused, in words."""
    message = str(error.orig or error).strip().splitlines()[0]
    for words, reason in _REASONS:
        if words in message.lower():
            return reason
    return message
