"""Conversations translated and checked, with as few calls of the translator as possible.

A translation is refused when it is empty, repeats itself without end, is far too short or too long, or has
other line breaks than its source.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from core.text.scripts import HAN_AND_KANA
from core.train.data.formats import Conversation
from core.train.data.turns import THOUGHT, Message
from core.train.translate.segments import Cut, LostMark, Segment, cut_finer, mask, segment_text, unmask
from core.train.translate.translator import Fault, Translator

# One sign of these scripts says about as much as three letters of an alphabet (Han, kana), or two (Hangul).
_HAN = regex.compile(f"[{HAN_AND_KANA}]")
_HANGUL = regex.compile(r"\p{Script=Hangul}")

# Short texts vary: "OK" may well become "d'accord".
_SLACK = 20

# The same stretch five times or more in a row; or one letter ten times.
_LOOP = re.compile(r"(.{2,60}?)\1{4,}|(\w)\2{9,}", re.DOTALL)


@dataclass(frozen=True)
class Untranslated:
    """A conversation of which a segment could not be translated, and why."""

    reason: str


def translate_rows(
    translator: Translator, conversations: Sequence[Conversation], ratio: float
) -> list[list[Message] | Untranslated]:
    """The messages of each conversation in the other language.

    A translation that can't be one (see `find_fault`), or that lost what must
    stay as it is, is tried again in finer segments. Where a segment can't be cut any finer, its conversation
    is `Untranslated`.
    """
    texts = [
        [_segmented(message["content"], translator.cut) for message in conversation.messages]
        for conversation in conversations
    ]
    failed: dict[int, str] = {
        number: reason
        for number, conversation in enumerate(conversations)
        if (reason := _untranslatable(conversation)) is not None
    }
    while True:
        waiting = [
            (number, segment)
            for number, messages in enumerate(texts)
            if number not in failed
            for message in messages
            for segment in message.untranslated()
        ]
        if not waiting:
            break
        masked = [mask(segment.text) for _, segment in waiting]
        once = list(dict.fromkeys(text for text, _ in masked))
        answers = dict(zip(once, translator.translate(once), strict=True))
        for (number, segment), (text, kept) in zip(waiting, masked, strict=True):
            fault = _settle(segment, text, kept, answers[text], ratio)
            if fault is not None:
                failed.setdefault(number, fault)
    return [
        Untranslated(failed[number])
        if number in failed
        else [
            message | {"content": translated.joined()}
            for message, translated in zip(conversation.messages, messages, strict=True)
        ]
        for number, (conversation, messages) in enumerate(zip(conversations, texts, strict=True))
    ]


def _untranslatable(conversation: Conversation) -> str | None:
    """Why a conversation stays out: what is not text of a turn would stand there in the other language."""
    if conversation.tools or any(message.get("tool_calls") for message in conversation.messages):
        return "it has tools, which are not translated"
    if any(message.get(THOUGHT) for message in conversation.messages):
        return f"it has a thought (`{THOUGHT}`), which is not translated; --drop-field leaves it out"
    return None


def _segmented(text: str, cut: Cut) -> Segment:
    return Segment(text, False, cut, segments=segment_text(text, cut))


def _settle(segment: Segment, text: str, kept: list[str], answer: str | Fault, ratio: float) -> str | None:
    """Take the answer for a segment, or cut the segment finer; returns what is wrong when neither
    can be done."""
    if isinstance(answer, Fault):
        fault: str | None = answer.reason
    else:
        fault = find_fault(text, answer, ratio)
    if fault is None and isinstance(answer, str):
        try:
            segment.translation = unmask(answer, kept)
            return None
        except LostMark as error:
            fault = str(error)
    segment.segments = cut_finer(segment)
    return fault if segment.segments is None else None


def find_fault(source: str, translation: str, ratio: float) -> str | None:
    """Why a text can't be the translation of `source`, in a few words; None when it can.

    `ratio`: how many times longer or shorter it may be, in letters of an alphabet.
    """
    if not any(character.isalnum() for character in translation):
        return "an empty translation"
    if _LOOP.search(translation) and not _LOOP.search(source):
        return "a translation that repeats itself without end"
    before, after = length_in_letters(source), length_in_letters(translation)
    if after > ratio * before + _SLACK:
        return f"a translation {after / max(before, 1):.1f} times as long"
    if after < (before - _SLACK) / ratio:
        return f"a translation of {after / before:.2f} times the length"
    if source.count("\n") != translation.count("\n"):
        return "a translation with other line breaks"
    return None


def length_in_letters(text: str) -> int:
    """The length of a text in letters of an alphabet, marks that stand on letters left out."""
    marks = sum(unicodedata.combining(character) > 0 for character in text) if not text.isascii() else 0
    return len(text) - marks + 2 * len(_HAN.findall(text)) + len(_HANGUL.findall(text))
