"""Responses: written once per (instruction, model, decoding, sample), and what is still missing."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from store.tables import Instruction, Response
from store.upsert import insert_missing

# What makes a response empty when there is nothing else in it.
BLANKS = " \t\n\v\f\r\u00a0\u3000\ufeff"

# A database takes only so many values in one question.
IDS_AT_ONCE = 500

IDENTITY = ("instruction_id", "model_id", "decoding_id", "sample")


def text_digest(text: str) -> str:
    """The SHA-256 (hex) of a text, as `Response.text_digest` and `Response.prompt_digest` keep it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def add_responses(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    """Write the responses that are not there yet; returns how many were new.

    Each row holds the columns of `store.tables.Response`; `text_digest` is filled in here.
    """
    complete = [{"sample": 0, **row, "text_digest": text_digest(row["text"])} for row in rows]
    return insert_missing(session, Response, complete, IDENTITY)


def is_empty(text: Any) -> ColumnElement[bool]:
    """In SQL, whether a text is white space only (not by its length, which ends at a NUL in SQLite)."""
    return func.trim(text, BLANKS) == ""


def answered(
    session: Session, model: int, decoding: int, among: Collection[int] | None = None
) -> set[tuple[int, int]]:
    """The (instruction id, sample) that this model has answered under this decoding; only `among` these
    instructions (some hundred at most)."""
    statement = select(Response.instruction_id, Response.sample).where(
        Response.model_id == model, Response.decoding_id == decoding
    )
    if among is not None:
        statement = statement.where(col(Response.instruction_id).in_(among))
    return set(session.exec(statement))


def languages_with_responses(session: Session, suite: int | None = None) -> list[str]:
    """The languages in which the store holds at least one response, sorted."""
    statement = select(Instruction.language).join(Response).distinct().order_by(Instruction.language)
    if suite is not None:
        statement = statement.where(Instruction.suite_id == suite)
    return list(session.exec(statement))


def response_texts(session: Session, response_ids: Collection[int]) -> dict[int, str]:
    """The texts of these responses, by their ids."""
    ids = list(response_ids)
    texts: dict[int, str] = {}
    for first in range(0, len(ids), IDS_AT_ONCE):
        chunk = ids[first : first + IDS_AT_ONCE]
        statement = select(Response.id, Response.text).where(col(Response.id).in_(chunk))
        texts |= {number or 0: text for number, text in session.exec(statement)}
    return texts
