"""From conversations to token ids and labels: the loss covers answers and their end token, nothing else.

A conversation is one example with all its answers, where the last one comes after exactly those ids that the
others have when they are generated. Where it does not (a template that writes earlier answers otherwise than
the last one, thoughts left out for one, or that ends none but the last), every answer becomes an example of
its own, with what came before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from core.train.data.conversation import UNDETERMINED, Conversation
from core.train.templates.choosing import ChatTemplate, choose_template
from core.train.templates.turns import Turn, turns_of
from store import UsageError

IGNORED = -100  # the label that torch's cross entropy leaves out

_AT_A_TIME = 1000  # conversations that are tokenised together


@dataclass(frozen=True, slots=True)
class Example:
    """What the model sees at a time: `input_ids` and `labels` have the same length, in tokens; a label is the
    id to learn, or `IGNORED`. `place`: FILE:LINE of the conversation."""

    input_ids: list[int]
    labels: list[int]
    language: str = UNDETERMINED
    place: str = ""

    def __len__(self) -> int:
        return len(self.input_ids)

    @property
    def answer_tokens(self) -> int:
        return sum(label != IGNORED for label in self.labels)


@dataclass
class LanguageCount:
    """What became of the conversations of a language.

    `split`: made into an example for each answer; `shortened`: examples that lost whole turns at their end to
    fit the longest length; `truncated`: examples cut within their first answer; `dropped`: examples of which
    nothing of an answer was left. `tokens` and `answer_tokens` are those of `examples`.
    """

    conversations: int = 0
    examples: int = 0
    tokens: int = 0
    answer_tokens: int = 0
    split: int = 0
    shortened: int = 0
    truncated: int = 0
    dropped: int = 0


@dataclass(frozen=True)
class Examples:
    """All examples in the order of their conversations, and what had to be cut, by language."""

    examples: list[Example]
    counts: dict[str, LanguageCount] = field(default_factory=dict)

    @property
    def truncated(self) -> int:
        """Examples that lost something: turns, or the end of an answer."""
        return sum(count.shortened + count.truncated for count in self.counts.values())

    @property
    def dropped(self) -> int:
        return sum(count.dropped for count in self.counts.values())

    def lines(self) -> list[str]:
        """A line for each language: how much there is, and what was cut."""
        found = []
        for language, count in sorted(self.counts.items()):
            cut = [
                f"{number} {what}"
                for number, what in (
                    (count.split, "conversations made into an example for each answer"),
                    (count.shortened, "shortened by whole turns"),
                    (count.truncated, "cut within an answer"),
                    (count.dropped, "dropped, for no answer fits"),
                )
                if number
            ]
            also = f"; {', '.join(cut)}" if cut else ""
            found.append(
                f"{language}: {count.examples} examples, {count.tokens} tokens, of these "
                f"{count.answer_tokens} learned{also}"
            )
        return found


def build_examples(
    tokenizer: Any,
    conversations: Sequence[Conversation],
    max_length: int,
    template: ChatTemplate | None = None,
) -> Examples:
    """Tokenise conversations with a chat template (default: see `choose_template`), at most `max_length`
    tokens each.

    A longer one loses whole turns at its end where an answer is left then, else it is cut within the answer.
    Raises `UsageError` for a conversation that the template refuses, for a template whose answers can't be
    told from its prompts, and when no example is left.
    """
    template = template or choose_template(tokenizer)
    made = Examples([])
    for start in range(0, len(conversations), _AT_A_TIME):
        portion = conversations[start : start + _AT_A_TIME]
        for conversation, turns in zip(portion, turns_of(tokenizer, template, portion), strict=True):
            count = made.counts.setdefault(conversation.language, LanguageCount())
            count.conversations += 1
            together = _together(turns)
            count.split += not together
            for group in [turns] if together else [[turn] for turn in turns]:
                example = _example(conversation, group, max_length, count)
                if example is not None:
                    made.examples.append(example)
    if not made.examples:
        raise UsageError(f"No conversation has an answer within {max_length} tokens. Raise `max_length`.")
    return made


def _together(turns: Sequence[Turn]) -> bool:
    """Whether the last answer comes after the others exactly as they are learned."""
    whole = turns[-1].ids
    return all(whole[: len(turn.ids)] == turn.ids for turn in turns[:-1])


def _example(
    conversation: Conversation, turns: Sequence[Turn], max_length: int, count: LanguageCount
) -> Example | None:
    ids = turns[-1].ids
    labels = [IGNORED] * len(ids)
    for turn in turns:
        for place in turn.learned:
            labels[place] = ids[place]
    if len(ids) > max_length:
        fitting = [len(turn.ids) for turn in turns if len(turn.ids) <= max_length]
        cut = fitting[-1] if fitting else max_length
        ids, labels = ids[:cut], labels[:cut]
        if all(label == IGNORED for label in labels):
            count.dropped += 1
            return None
        count.shortened += bool(fitting)
        count.truncated += not fitting
    example = Example(ids, labels, conversation.language, conversation.place)
    count.examples += 1
    count.tokens += len(ids)
    count.answer_tokens += example.answer_tokens
    return example
