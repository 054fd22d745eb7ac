"""The answers of conversations as token ids, each after the prompt that generation would feed for it.

The prompt is tokenised by itself, as it is when an answer is generated. Where the answer joins on without a
change, which is nearly always, it is tokenised together with it; where tokens would merge across the border,
as what follows the prompt.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from core.train.data.conversation import Conversation, Message
from core.train.templates.choosing import ChatTemplate, encoded, end_tokens
from store import UsageError

# Before what follows a prompt, to tokenise it as the middle of a text; none of them merges with much.
_ANCHORS = ("\n", "]", ":", "a")

_NOT_AT_THE_BORDER = (
    "The chat template of {name} writes a prompt that is not the beginning of what it writes with the answer "
    "({place}), so the answer can't be told. Choose another with --template."
)


@dataclass(slots=True)
class Turn:
    """An answer with all that comes before it: `ids` to its end token, which the template wrote or else we
    did, and the places in it that are `learned`."""

    ids: list[int]
    learned: list[int]


def turns_of(
    tokenizer: Any, template: ChatTemplate, conversations: Sequence[Conversation]
) -> list[list[Turn]]:
    """The answers of each conversation, in order; all are tokenised in two calls.

    Raises `UsageError` for a conversation that the template refuses, and for a template whose prompts are not
    the beginning of what it writes with the answer.
    """
    answers = [
        (number, place)
        for number, conversation in enumerate(conversations)
        for place, message in enumerate(conversation.messages)
        if message["role"] == "assistant"
    ]
    prompts = [(conversations[number], conversations[number].messages[:place]) for number, place in answers]
    wholes = [
        (conversations[number], conversations[number].messages[: place + 1]) for number, place in answers
    ]
    marked = template.marks_answers and tokenizer.is_fast
    prompt_texts, _ = _rendered(tokenizer, template, prompts, prompt=True, marked=False)
    texts, spans = _rendered(tokenizer, template, wholes, prompt=False, marked=marked)
    prompt_ids = encoded(tokenizer, prompt_texts)
    read = tokenizer(texts, add_special_tokens=False, verbose=False, return_offsets_mapping=marked)
    ends = end_tokens(tokenizer, template)
    found: list[list[Turn]] = [[] for _ in conversations]
    for number, (owner, _) in enumerate(answers):
        before, ids = prompt_ids[number], read["input_ids"][number]
        allowed: Iterable[int] | None = None
        if ids[: len(before)] == before:
            if marked:
                allowed = _covered(read["offset_mapping"][number], spans[number])
        elif texts[number].startswith(prompt_texts[number]):
            ids = before + _continuation(tokenizer, texts[number][len(prompt_texts[number]) :])
        else:
            raise UsageError(
                _NOT_AT_THE_BORDER.format(name=tokenizer.name_or_path, place=conversations[owner].place)
            )
        found[owner].append(_turn(ids, len(before), ends, allowed))
    return found


def _turn(ids: list[int], start: int, ends: list[int], allowed: Iterable[int] | None) -> Turn:
    """`start`: where the answer begins; `ends`: the template's end token and the tokenizer's; `allowed`: the
    places that the template marks."""
    closing = [place for place in range(start, len(ids)) if ids[place] == ends[0]]
    ids = ids[: closing[-1] + 1] if closing else [*ids, ends[-1]]
    last = len(ids) - 1
    learned = list(range(start, last + 1))
    if allowed is not None:
        kept = set(allowed) | {last}
        learned = [place for place in learned if place in kept]
    return Turn(ids, learned)


def _continuation(tokenizer: Any, text: str) -> list[int]:
    """The ids of a text that follows another: without what a tokenizer does at the beginning of a text."""
    for anchor in _ANCHORS:
        alone, joined = encoded(tokenizer, [anchor, anchor + text])
        if joined[: len(alone)] == alone:
            return joined[len(alone) :]
    return encoded(tokenizer, [text])[0]


def _covered(offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> Iterator[int]:
    """The places of tokens that overlap a span of the text; both are in order."""
    number = 0
    for place, (start, end) in enumerate(offsets):
        while number < len(spans) and start >= spans[number][1]:
            number += 1
        if number == len(spans):
            return
        if end > spans[number][0]:
            yield place


def _rendered(
    tokenizer: Any,
    template: ChatTemplate,
    chats: Sequence[tuple[Conversation, Sequence[Message]]],
    *,
    prompt: bool,
    marked: bool,
) -> tuple[list[str], list[list[tuple[int, int]]]]:
    """The chats as the template writes them, and the spans of each text that it marks."""
    from transformers.utils.chat_template_utils import render_jinja_template

    def render(some: list[Sequence[Message]]) -> Any:
        return render_jinja_template(
            some,
            chat_template=template.source,
            add_generation_prompt=prompt,
            return_assistant_tokens_mask=marked,
            **tokenizer.special_tokens_map,
        )

    try:
        texts, spans = render([messages for _, messages in chats])
        return texts, spans
    except Exception as error:  # a template is a program of its author; it may raise what it likes
        for conversation, messages in chats:
            try:
                render([messages])
            except Exception as reason:
                raise UsageError(
                    f"The chat template can't write the conversation of {conversation.place}: {reason}. "
                    "Leave it out, or choose another with --template."
                ) from None
        raise UsageError(f"The chat template can't write the conversations: {error}.") from None
