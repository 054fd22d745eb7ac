"""From conversations to token ids and labels: the loss covers answers and their end token, nothing else.

The prompt of an answer is tokenised by itself, as it is when an answer is generated. Where the answer
continues it without changing its tokens, which is nearly always, prompt and answer are tokenised together;
where tokens would merge across the border, the answer is tokenised as what follows the prompt.

A conversation is one example with all its answers if the last answer comes after exactly those ids that the
others have when they are generated. If it does not (a template that writes earlier answers otherwise than the
last one, that leaves out thoughts, or that ends none but the last), every answer becomes an example of its
own, with what came before it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.train.data.formats import UNDETERMINED, Conversation
from core.train.data.turns import Message
from core.train.templates.chat_template import ChatTemplate, choose_template, encode, end_tokens
from core.train.templates.written import check_written, messages_for
from store import UsageError

IGNORED = -100  # the label that torch's cross entropy leaves out

_AT_A_TIME = 1000  # conversations that are tokenised together

# Before what follows a prompt, to tokenise it as the middle of a text; none of them merges with much.
_ANCHORS = ("\n", "]", ":", "a")

_NOT_AT_THE_BORDER = (
    "The chat template of {name} writes a prompt that is not the beginning of what it writes with the answer "
    "({location}), so the answer can't be told. Choose another with --template."
)


@dataclass(frozen=True, slots=True)
class Example:
    """What the model sees at a time: `input_ids` and `labels` have the same length, in tokens; a label is the
    id to learn, or `IGNORED`. `location`: FILE:LINE of the conversation."""

    input_ids: list[int]
    labels: list[int]
    language: str = UNDETERMINED
    location: str = ""

    def __len__(self) -> int:
        return len(self.input_ids)

    @property
    def answer_tokens(self) -> int:
        return sum(label != IGNORED for label in self.labels)


@dataclass(slots=True)
class AnswerTokens:
    """An answer with all that comes before it: `ids` to its end token, which the template wrote or else we
    did, and the positions in it that are `learned`."""

    ids: list[int]
    learned: list[int]


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
        lines = []
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
            lines.append(
                f"{language}: {count.examples} examples, {count.tokens} tokens, of these "
                f"{count.answer_tokens} learned{also}"
            )
        return lines


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
    built = Examples([])
    for start in range(0, len(conversations), _AT_A_TIME):
        portion = conversations[start : start + _AT_A_TIME]
        for conversation, turns in zip(portion, tokenize_answers(tokenizer, template, portion), strict=True):
            count = built.counts.setdefault(conversation.language, LanguageCount())
            count.conversations += 1
            together = _fit_one_example(turns)
            count.split += not together
            for group in [turns] if together else [[turn] for turn in turns if turn.learned]:
                example = _example(conversation, group, max_length, count)
                if example is not None:
                    built.examples.append(example)
    if not built.examples:
        raise UsageError(f"No conversation has an answer within {max_length} tokens. Raise `max_length`.")
    return built


def _fit_one_example(turns: Sequence[AnswerTokens]) -> bool:
    """Whether the last answer comes after the others exactly as they are learned."""
    whole = turns[-1].ids
    return all(whole[: len(turn.ids)] == turn.ids for turn in turns[:-1])


def _example(
    conversation: Conversation, turns: Sequence[AnswerTokens], max_length: int, count: LanguageCount
) -> Example | None:
    ids = turns[-1].ids
    labels = [IGNORED] * len(ids)
    for turn in turns:
        for position in turn.learned:
            labels[position] = ids[position]
    if len(ids) > max_length:
        fitting = [len(turn.ids) for turn in turns if turn.learned and len(turn.ids) <= max_length]
        cut = fitting[-1] if fitting else max_length
        ids, labels = ids[:cut], labels[:cut]
        if all(label == IGNORED for label in labels):
            count.dropped += 1
            return None
        count.shortened += bool(fitting)
        count.truncated += not fitting
    example = Example(ids, labels, conversation.language, conversation.location)
    count.examples += 1
    count.tokens += len(ids)
    count.answer_tokens += example.answer_tokens
    return example


def tokenize_answers(
    tokenizer: Any, template: ChatTemplate, conversations: Sequence[Conversation]
) -> list[list[AnswerTokens]]:
    """The answers of each conversation, in order; all are tokenised in two calls.

    Raises `UsageError` for a conversation that the template refuses, and for a template whose prompts are not
    the beginning of what it writes with the answer.
    """
    answers = [
        (number, index)
        for number, conversation in enumerate(conversations)
        for index, message in enumerate(conversation.messages)
        if message["role"] == "assistant"
    ]
    prompts = [(conversations[number], conversations[number].messages[:index]) for number, index in answers]
    wholes = [
        (conversations[number], conversations[number].messages[: index + 1]) for number, index in answers
    ]
    marked = template.marks_answers and tokenizer.is_fast
    prompt_texts, _ = _rendered(tokenizer, template, prompts, prompt=True, marked=False)
    texts, spans = _rendered(tokenizer, template, wholes, prompt=False, marked=marked)
    prompt_ids = encode(tokenizer, prompt_texts)
    for (conversation, messages), text in zip(wholes, texts, strict=True):
        check_written(text, conversation, messages)
    encoded = tokenizer(texts, add_special_tokens=False, verbose=False, return_offsets_mapping=marked)
    ends = end_tokens(tokenizer, template)
    tokenized: list[list[AnswerTokens]] = [[] for _ in conversations]
    for number, (owner, _) in enumerate(answers):
        before, ids = prompt_ids[number], encoded["input_ids"][number]
        allowed: Iterable[int] | None = None
        if ids[: len(before)] == before:
            if marked:
                allowed = _covered(encoded["offset_mapping"][number], spans[number])
        elif texts[number].startswith(prompt_texts[number]):
            ids = before + _continuation(tokenizer, texts[number][len(prompt_texts[number]) :])
        else:
            raise UsageError(
                _NOT_AT_THE_BORDER.format(name=tokenizer.name_or_path, location=conversations[owner].location)
            )
        answer = _answer_tokens(ids, len(before), ends, allowed)
        if wholes[number][1][-1].get("weight") == 0:
            answer.learned = []
        tokenized[owner].append(answer)
    return tokenized


def _answer_tokens(
    ids: list[int], start: int, ends: list[int], allowed: Iterable[int] | None
) -> AnswerTokens:
    """`start`: where the answer begins; `ends`: the template's end token and the tokenizer's; `allowed`: the
    positions that the template marks."""
    closing = [position for position in range(start, len(ids)) if ids[position] == ends[0]]
    ids = ids[: closing[-1] + 1] if closing else [*ids, ends[-1]]
    last = len(ids) - 1
    learned = list(range(start, last + 1))
    if allowed is not None:
        marked = set(allowed) | {last}
        learned = [position for position in learned if position in marked]
    return AnswerTokens(ids, learned)


def _continuation(tokenizer: Any, text: str) -> list[int]:
    """The ids of a text that follows another: without what a tokenizer does at the beginning of a text."""
    for anchor in _ANCHORS:
        alone, joined = encode(tokenizer, [anchor, anchor + text])
        if joined[: len(alone)] == alone:
            return joined[len(alone) :]
    return encode(tokenizer, [text])[0]


def _covered(offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> Iterator[int]:
    """The positions of tokens that overlap a span of the text; both are in order."""
    number = 0
    for position, (start, end) in enumerate(offsets):
        while number < len(spans) and start >= spans[number][1]:
            number += 1
        if number == len(spans):
            return
        if end > spans[number][0]:
            yield position


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

    def render(conversations: list[Sequence[Message]], tools: list[Any] | None = None) -> Any:
        return render_jinja_template(
            [messages_for(template.source, messages) for messages in conversations],
            tools=tools,
            chat_template=template.source,
            add_generation_prompt=prompt,
            return_assistant_tokens_mask=marked,
            **tokenizer.special_tokens_map,
        )

    try:
        if not any(conversation.tools for conversation, _ in chats):
            texts, spans = render([messages for _, messages in chats])
            return texts, spans
        rendered = [render([messages], conversation.tools) for conversation, messages in chats]
        return [texts[0] for texts, _ in rendered], [spans[0] for _, spans in rendered if spans]
    except Exception as error:  # a template is a program of its author; it may raise what it likes
        for conversation, messages in chats:
            try:
                render([messages], conversation.tools)
            except Exception as reason:
                raise UsageError(
                    f"The chat template can't write the conversation of {conversation.location}: {reason}. "
                    "Leave it out, or choose another with --template."
                ) from None
        raise UsageError(f"The chat template can't write the conversations: {error}.") from None
