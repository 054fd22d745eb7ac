"""Stable pseudonyms for people, so that scores can be given away without names.

A pseudonym is a keyed hash (HMAC-SHA-256, RFC 2104) of the name under a random key of the store's own: the
same name has the same pseudonym in every export of the store and of its copies, and without the key nobody
can try names out. Who has the store has the names all the same.
"""

import hashlib
import hmac
import secrets

from sqlmodel import Session, col, select

from store.tables import Rater, StoreKey
from store.upsert import insert_missing

PURPOSE = "pseudonyms"
_HEX_DIGITS = 10


def pseudonyms(session: Session) -> dict[str, str]:
    """The pseudonym of every person in the store, by name. Needs the writer's lock (`store.session`): the key
    is made the first time."""
    insert_missing(session, StoreKey, [{"purpose": PURPOSE, "value": secrets.token_hex(32)}], ["purpose"])
    key = session.exec(select(StoreKey.value).where(StoreKey.purpose == PURPOSE)).one()
    names = session.exec(select(Rater.name).where(col(Rater.kind) == "human").distinct())
    return {name: _pseudonym(key, name) for name in names}


def _pseudonym(key: str, name: str) -> str:
    found = hmac.new(bytes.fromhex(key), name.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
    return f"reviewer-{found[:_HEX_DIGITS]}"
