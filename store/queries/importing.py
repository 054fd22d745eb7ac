"""What an import asks of the store, a batch of rows at a time."""

from collections.abc import Collection

from sqlalchemy import func
from sqlmodel import Session, col, select

from store.tables import Instruction, Response


def known_instructions(
    session: Session, suite_id: int, language: str, keys: Collection[str]
) -> dict[str, tuple[int, str]]:
    """Of these keys, the ones the suite holds in this language: key to (instruction id, text)."""
    statement = select(Instruction.key, Instruction.id, Instruction.text).where(
        Instruction.suite_id == suite_id, Instruction.language == language, col(Instruction.key).in_(keys)
    )
    return {key: (found or 0, text) for key, found, text in session.exec(statement)}


def next_position(session: Session, suite_id: int, language: str) -> int:
    """The position after the suite's last instruction in this language; 0 when it has none."""
    statement = select(func.max(Instruction.position)).where(
        Instruction.suite_id == suite_id, Instruction.language == language
    )
    last = session.exec(statement).one()
    return 0 if last is None else last + 1


def known_answers(
    session: Session, model_id: int, decoding_id: int, instruction_ids: Collection[int]
) -> dict[tuple[int, int], str]:
    """This model's answers under this decoding: (instruction id, sample) to the digest of the text."""
    statement = select(Response.instruction_id, Response.sample, Response.text_digest).where(
        Response.model_id == model_id,
        Response.decoding_id == decoding_id,
        col(Response.instruction_id).in_(instruction_ids),
    )
    return {(instruction, sample): digest for instruction, sample, digest in session.exec(statement)}
