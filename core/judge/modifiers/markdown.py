"""`markdown_template`: the answer is formatted in Markdown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from core.extras import needs_extra
from core.judge.modifiers.verdict import Verdict

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_BLOCKS = {"fence": "code block", "table_open": "table"}
_INLINE = {"code_inline": "code", "image": "image"}
_SPANS = {"em_open": "emphasis", "strong_open": "emphasis", "link_open": "link"}


@dataclass(frozen=True)
class Markdown:
    """At least one element of structure, as CommonMark (with tables) reads the first `most` characters.

    Not counted, as plain text has them too: a list of a single item (a dash of a dialogue), a heading by a
    line of dashes underneath, a rule, code by indentation, a bare address, HTML; and emphasis inside a word
    or without a letter (`2*3*4`).
    """

    most: int = 50_000

    @property
    def definition(self) -> str:
        return (
            "At least one element of structure as a CommonMark parser finds it: a heading with #, a list "
            "of two items or more, emphasis, a table, code in backticks, a quote, a link or an image. "
            f"Emphasis inside a word or without letters (2*3*4) does not count. Only the first {self.most} "
            "characters are looked at."
        )

    @property
    def demand(self) -> str:
        return "The response is formatted in Markdown: with headings, lists, emphasis, tables or the like."

    def judge(self, text: str) -> Verdict:
        tokens = _parser().parse(text[: self.most])
        elements = sorted(
            {*_blocks(tokens), *(kind for token in tokens for kind in _inline(token.children or ()))}
        )
        return Verdict(bool(elements), ", ".join(elements) or "no element of structure")


@lru_cache(maxsize=1)
def _parser() -> "MarkdownIt":
    with needs_extra("judge", "Judging Markdown"):
        from markdown_it import MarkdownIt
    return MarkdownIt("commonmark").enable("table")


def _blocks(tokens: Sequence["Token"]) -> Iterator[str]:
    items: list[int] = []
    for index, token in enumerate(tokens):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            items.append(0)
        elif token.type == "list_item_open":
            items[-1] += 1
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            if items.pop() > 1:
                yield "list"
        elif token.type == "heading_open":
            if token.markup.startswith(("#", "=")) and tokens[index + 1].content:
                yield "heading"
        elif token.type == "blockquote_open":
            # Its first line stands a few tokens further on, within lists too; `> ^ <` is a drawing.
            if any(map(str.isalpha, "".join(inner.content for inner in tokens[index : index + 6]))):
                yield "quote"
        elif token.type in _BLOCKS:
            yield _BLOCKS[token.type]


def _inline(children: Sequence["Token"]) -> Iterator[str]:
    opened: list[tuple[Token, int]] = []
    for index, token in enumerate(children):
        if token.type in _INLINE:
            yield _INLINE[token.type]
        elif token.nesting > 0:
            opened.append((token, index))
        elif token.nesting < 0 and opened:
            start, before = opened.pop()
            if start.type in _SPANS and start.info != "auto" and _is_meant(start, children, before, index):
                yield _SPANS[start.type]


def _is_meant(start: "Token", children: Sequence["Token"], before: int, after: int) -> bool:
    inside = "".join(token.content for token in children[before + 1 : after])
    if not any(map(str.isalpha, inside)):
        return False
    if start.type == "link_open":
        return True
    left = children[before - 1].content[-1:] if before else ""
    right = children[after + 1].content[:1] if after + 1 < len(children) else ""
    return not (left.isalnum() and right.isalnum())
