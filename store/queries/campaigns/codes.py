"""The codes by which reviewers are known: shown once, kept only as scrypt makes them unreadable.

scrypt is RFC 7914; its cost here (N = 2^14, r = 8, p = 1) is 16 MB and some 50 ms for a guess. A code has 60
random bits, so that guessing is hopeless even without that.
"""

import hashlib
import hmac
import secrets

from sqlmodel import Session, select

from store.tables import Rater, ReviewerCode

# Crockford's base 32: no letter can be taken for a digit.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_N, _R, _P = 2**14, 8, 1
_GROUPS, _LETTERS = 3, 4


def new_code() -> str:
    """A code to be told to a reviewer, such as `k7qm-x2fd-9rtw`."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS)) for _ in range(_GROUPS))
    return "-".join(groups)


def hashed(code: str, salt: bytes | None = None) -> str:
    """A code as `ReviewerCode.hashed` keeps it; case, spaces and hyphens don't count."""
    salt = secrets.token_bytes(16) if salt is None else salt
    found = hashlib.scrypt(_plain(code), salt=salt, n=_N, r=_R, p=_P)
    return f"scrypt${_N}${_R}${_P}${salt.hex()}${found.hex()}"


def matches(code: str, kept: str) -> bool:
    """Whether a code is the one that is kept."""
    _, n, r, p, salt, found = kept.split("$")
    tried = hashlib.scrypt(_plain(code), salt=bytes.fromhex(salt), n=int(n), r=int(r), p=int(p))
    return hmac.compare_digest(tried, bytes.fromhex(found))


def give_code(session: Session, rater_id: int, code: str) -> None:
    """Keep the code of a reviewer who has none."""
    session.add(ReviewerCode(rater_id=rater_id, hashed=hashed(code)))
    session.flush()


def code_of(session: Session, reviewer: str) -> str | None:
    """What is kept of the code of the person of this name; None: there is no code."""
    statement = (
        select(ReviewerCode.hashed)
        .join(Rater)
        .where(Rater.kind == "human", Rater.name == reviewer, Rater.version == "")
    )
    return session.exec(statement).first()


def _plain(code: str) -> bytes:
    return "".join(letter for letter in code.lower() if letter.isalnum()).encode()
