"""What the store knows of a reviewer besides scores: code, pseudonym, order of the columns, and bookmarks.

A code is shown once, and kept only as scrypt (RFC 7914) makes it unreadable. scrypt's cost here (N = 2^14,
r = 8, p = 1) is 16 MB and some 50 ms for a guess; a code has 60 random bits, so that guessing is hopeless
even without that.

A pseudonym is a keyed hash (HMAC-SHA-256, RFC 2104) of the name under a random key of the store's own: the
same name has the same pseudonym in every export of the store and of its copies, and without the key nobody
can try names out. Whoever has the store has the names all the same.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence

from sqlmodel import Session, col, select

from store.names import trimmed
from store.tables import Bookmark, Presentation, Rater, ReviewerCode, StoreKey
from store.upsert import insert_missing, insert_or_update

# Crockford's base 32: no letter can be taken for a digit.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_N, _R, _P = 2**14, 8, 1
_GROUPS, _LETTERS = 3, 4

# Of the key of `StoreKey`; and how much of a name's hash its pseudonym shows.
PURPOSE = "pseudonyms"
_HEX_DIGITS = 10


def new_code() -> str:
    """A new code for a reviewer, such as `k7qm-x2fd-9rtw`."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS)) for _ in range(_GROUPS))
    return "-".join(groups)


def hash_code(code: str, salt: bytes | None = None) -> str:
    """A code as `ReviewerCode.hashed` keeps it; case, spaces and hyphens don't count."""
    salt = secrets.token_bytes(16) if salt is None else salt
    derived = hashlib.scrypt(_plain(code), salt=salt, n=_N, r=_R, p=_P)
    return f"scrypt${_N}${_R}${_P}${salt.hex()}${derived.hex()}"


def code_matches(code: str, kept: str) -> bool:
    """Whether a code is the one that is kept."""
    _, n, r, p, salt, derived = kept.split("$")
    tried = hashlib.scrypt(_plain(code), salt=bytes.fromhex(salt), n=int(n), r=int(r), p=int(p))
    return hmac.compare_digest(tried, bytes.fromhex(derived))


def give_code(session: Session, rater_id: int, code: str) -> None:
    """Keep the code of a reviewer who has none."""
    session.add(ReviewerCode(rater_id=rater_id, hashed=hash_code(code)))
    session.flush()


def code_of(session: Session, reviewer: str) -> str | None:
    """What is kept of the code of the person of this name; None: there is no code."""
    statement = (
        select(ReviewerCode.hashed)
        .join(Rater)
        .where(Rater.kind == "human", Rater.name == trimmed(reviewer), Rater.version == "")
    )
    return session.exec(statement).first()


def _plain(code: str) -> bytes:
    return "".join(letter for letter in code.lower() if letter.isalnum()).encode()


def pseudonyms(session: Session) -> dict[str, str]:
    """The pseudonym of every person in the store, by name. Needs the writer's lock (`store.session`): the key
    is made the first time."""
    insert_missing(session, StoreKey, [{"purpose": PURPOSE, "value": secrets.token_hex(32)}], ["purpose"])
    key = session.exec(select(StoreKey.value).where(StoreKey.purpose == PURPOSE)).one()
    names = session.exec(select(Rater.name).where(col(Rater.kind) == "human").distinct())
    return {name: _pseudonym(key, name) for name in names}


def _pseudonym(key: str, name: str) -> str:
    digest = hmac.new(bytes.fromhex(key), name.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
    return f"reviewer-{digest[:_HEX_DIGITS]}"


def presented(session: Session, rater_id: int, response_ids: Sequence[int]) -> dict[int, int]:
    """The column (from 0) in which each of these responses stood when the reviewer first saw it."""
    statement = select(Presentation.response_id, Presentation.position).where(
        Presentation.rater_id == rater_id, col(Presentation.response_id).in_(list(response_ids))
    )
    return dict(session.exec(statement).all())


def present(session: Session, rater_id: int, positions: dict[int, int]) -> None:
    """Write down the columns of responses that are shown to a reviewer for the first time."""
    rows = [
        {"rater_id": rater_id, "response_id": response, "position": position}
        for response, position in positions.items()
    ]
    if rows:
        insert_missing(session, Presentation, rows, ("rater_id", "response_id"))


def bookmark_of(session: Session, rater_id: int, view: str) -> Bookmark | None:
    """Where the reviewer stopped in this view."""
    return session.exec(select(Bookmark).where(Bookmark.rater_id == rater_id, Bookmark.view == view)).first()


def save_bookmark(
    session: Session,
    rater_id: int,
    view: str,
    instruction_id: int,
    response_id: int | None,
    criterion: str | None,
) -> None:
    """Remember where the reviewer is in this view."""
    row = {
        "rater_id": rater_id,
        "view": view,
        "instruction_id": instruction_id,
        "response_id": response_id,
        "criterion": criterion,
    }
    insert_or_update(session, Bookmark, row, ("rater_id", "view"))
