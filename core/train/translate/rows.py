"""Conversations translated, all of them with as few calls of the translator as their cutting allows."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.train.data.conversation import Conversation, Message
from core.train.translate.checks import fault_of
from core.train.translate.pieces import Piece, finer, pieces_of
from core.train.translate.protecting import Lost, masked, unmasked
from core.train.translate.translator import Fault, Translator


@dataclass(frozen=True)
class Untranslated:
    """A conversation of which a piece could not be translated, and why."""

    reason: str


def translate_rows(
    translator: Translator, conversations: Sequence[Conversation], ratio: float
) -> list[list[Message] | Untranslated]:
    """The messages of each conversation in the other language.

    A translation that can't be one (see `core.train.translate.checks`, `ratio` there), or that lost what must
    stay as it is, is tried again in finer pieces. Where a piece can't be cut any finer, its conversation is
    `Untranslated`.
    """
    texts = [
        [Piece(message["content"], False, translator.cut, parts=pieces_of(message["content"], translator.cut))
         for message in conversation.messages]
        for conversation in conversations
    ]  # fmt: skip
    failed: dict[int, str] = {}
    while True:
        waiting = [
            (number, piece)
            for number, pieces in enumerate(texts)
            if number not in failed
            for text in pieces
            for piece in text.open()
        ]
        if not waiting:
            break
        asked = [masked(piece.text) for _, piece in waiting]
        once = list(dict.fromkeys(text for text, _ in asked))
        answers = dict(zip(once, translator.translate(once), strict=True))
        for (number, piece), (text, kept) in zip(waiting, asked, strict=True):
            fault = _settle(piece, text, kept, answers[text], ratio)
            if fault is not None:
                failed.setdefault(number, fault)
    return [
        Untranslated(failed[number])
        if number in failed
        else [
            {"role": message["role"], "content": text.joined()}
            for message, text in zip(conversation.messages, pieces, strict=True)
        ]
        for number, (conversation, pieces) in enumerate(zip(conversations, texts, strict=True))
    ]


def _settle(piece: Piece, text: str, kept: list[str], answer: str | Fault, ratio: float) -> str | None:
    """Take the answer for a piece, or cut it finer; what is wrong when neither can be done."""
    if isinstance(answer, Fault):
        fault: str | None = answer.reason
    else:
        fault = fault_of(text, answer, ratio)
    if fault is None and isinstance(answer, str):
        try:
            piece.out = unmasked(answer, kept)
            return None
        except Lost as error:
            fault = str(error)
    piece.parts = finer(piece)
    return fault if piece.parts is None else None
