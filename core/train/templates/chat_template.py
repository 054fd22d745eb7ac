"""The chat template of a run: the tokenizer's own, one of this folder by name, or a file."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store import UsageError

DEFAULT = "llama-2"  # the paper's, for a tokenizer without one
OWN = "own"

# What templates write as single tokens: `<|im_start|>`, `<|eot_id|>`, `<start_of_turn>`.
_MARKS = re.compile(r"<\|[^|<>\s]{1,40}\|>|<(?:start|end)_of_turn>")

_QUESTION, _ANSWER = "question", "xlit-answer"
_PROBE = [{"role": "user", "content": _QUESTION}, {"role": "assistant", "content": _ANSWER}]


@dataclass(frozen=True)
class ChatTemplate:
    """A template (Jinja), as transformers reads it. `notes`: what a person should know of how it fits the
    tokenizer, a sentence each."""

    name: str
    source: str
    notes: tuple[str, ...] = ()

    @property
    def marks_answers(self) -> bool:
        """Whether it says by `{% generation %}` what is to be learned."""
        return re.search(r"\{%-?\s*generation\s*-?%\}", self.source) is not None


def template_names() -> list[str]:
    """The templates that come with the project."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.jinja"))


def choose_template(tokenizer: Any, name: str | None = None) -> ChatTemplate:
    """The template called `name` (or the file), else the tokenizer's own, else Llama-2's chat.

    It becomes the tokenizer's `chat_template`, so that a checkpoint saved with this tokenizer writes its
    prompts alike. Raises `UsageError` for a template that is not there or not valid, for a named one whose
    marks are no tokens of this tokenizer (they would fall into pieces, and an answer would have no end), and
    for a tokenizer without an end token.
    """
    label, source = _lookup(tokenizer, name)
    if tokenizer.eos_token_id is None:
        raise UsageError(
            f"The tokenizer of {tokenizer.name_or_path} has no end token: answers could not end."
        )
    vocabulary = tokenizer.get_vocab()
    missing = sorted({mark for mark in _MARKS.findall(source) if mark not in vocabulary})
    if missing and label in template_names():
        raise UsageError(
            f"The template {label} writes {', '.join(missing)}, which the tokenizer of "
            f"{tokenizer.name_or_path} has not as tokens. Choose another with --template "
            f"({', '.join(template_names())}, or a file)."
        )
    tokenizer.chat_template = source
    notes = [f"The template writes {mark}, which is no token of this tokenizer." for mark in missing]
    if "strftime_now" in source:
        notes.append("The template writes today's date: prompts of another day will differ from the learned.")
    return ChatTemplate(label, source, (*notes, *_notes_on_begin(tokenizer)))


def end_tokens(tokenizer: Any, template: ChatTemplate | None = None) -> list[int]:
    """The ids that end an answer: the token that the template closes an answer with, then the tokenizer's end
    token where that is another. A checkpoint's `generation_config.eos_token_id` must hold them all."""
    source = template.source if template else None
    text = _render(tokenizer, _PROBE, source, prompt=False)
    if _ANSWER not in text:
        raise UsageError("The chat template does not write the answer of a question and its answer.")
    tail = text[text.rindex(_ANSWER) + len(_ANSWER) :]
    marks = set(tokenizer.added_tokens_decoder) | set(tokenizer.all_special_ids)
    closing = [token for token in encode(tokenizer, [tail])[0] if token in marks][:1]
    return list(dict.fromkeys([*closing, tokenizer.eos_token_id]))


def encode(tokenizer: Any, texts: list[str]) -> list[list[int]]:
    """The token ids of texts in which the template has written the special tokens already."""
    return list(tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"])


def _lookup(tokenizer: Any, name: str | None) -> tuple[str, str]:
    if name is None and tokenizer.chat_template:
        return OWN, str(tokenizer.get_chat_template())
    name = name or DEFAULT
    if name in template_names():
        return name, (Path(__file__).parent / f"{name}.jinja").read_text(encoding="utf-8")
    try:
        return name, Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise UsageError(
            f"No chat template {name!r}. There are: {', '.join(template_names())}; or give a Jinja file."
        ) from None


def _notes_on_begin(tokenizer: Any) -> list[str]:
    begin = tokenizer.bos_token_id
    prompt = encode(tokenizer, [_render(tokenizer, _PROBE[:1], None, prompt=True)])[0]
    if begin is None:
        return []
    if prompt[:2] == [begin, begin]:
        return [f"The template writes {tokenizer.bos_token} twice at the beginning."]
    if prompt[:1] != [begin] and list(tokenizer(_QUESTION)["input_ids"])[:1] == [begin]:
        return [f"The template does not write {tokenizer.bos_token}, which this tokenizer begins texts with."]
    return []


def _render(tokenizer: Any, chat: list[dict[str, str]], source: str | None, *, prompt: bool) -> str:
    try:
        return str(
            tokenizer.apply_chat_template(
                chat, chat_template=source, tokenize=False, add_generation_prompt=prompt
            )
        )
    except Exception as error:  # a template is a program of its author; it may raise what it likes
        raise UsageError(f"The chat template can't write a question and its answer: {error}") from None
