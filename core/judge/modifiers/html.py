"""`html_template`: the answer is an HTML page."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.extras import needs_extra
from core.judge.modifiers.length import length_of
from core.judge.modifiers.verdict import Verdict, counted

_FENCE = re.compile(
    r"^[ ]{0,3}```[ ]{0,3}(\w*)[^\n`]*\n(.*?)(?:^[ ]{0,3}```[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)
_START = re.compile(r"<!doctype\b|<html\b", re.IGNORECASE)
_END = re.compile(r"</html\s{0,9}>", re.IGNORECASE)

# How html5lib's names for the errors begin that mean tags out of balance; what was opened and never closed
# is counted besides.
_UNBALANCED = (
    "eof-in-",  # a tag, an attribute, a comment, a table ...
    "end-tag-too-early",
    "expected-one-end-tag-but-got-another",
    "expected-closing-tag-but-got-eof",
    "missing-end-tag",
    "adoption-agency-1",
)
_END_IS_OPTIONAL = "p li dt dd tr td th thead tbody tfoot colgroup option optgroup rt rp"
_BLOCKS = (
    "html body p div h1 h2 h3 h4 h5 h6 ul ol dl table pre section article main header footer nav aside"
    " blockquote form figure fieldset details center"
)
_HIDDEN = ("script", "style", "title", "template")


@dataclass(frozen=True)
class HtmlPage:
    """A document with its tags in balance and its text inside elements, as html5lib parses it.

    The document is what stands in the one fence (```html, or without a name and beginning with `<`), or else
    from `<!doctype>` or `<html>` to `</html>`, or else the whole response. At most `words_around` words may
    stand around it.

    Errors that matter: an end tag without its start, a start tag without its end, elements that overlap, the
    end of the text inside a tag, a comment or a table. Errors that don't: a missing doctype, `html`, `head`
    or `body`; end tags that the HTML standard makes optional (`</p>`, `</li>`, `</td>` ...); unknown or
    outdated elements, attributes, entities. At least one element is a block (a paragraph, a list, `body`
    ...), it holds text, and without `html` and `body` no text stands beside the elements.

    What is longer than `most` characters or has more than `tags` signs `<` is not decided: parsing could take
    minutes.
    """

    words_around: int = 50
    most: int = 50_000
    tags: int = 3_000

    @property
    def definition(self) -> str:
        return (
            "The response, or the one code block in it, is an HTML document as the parser of the standard "
            "reads it: no end tag without a start, no start tag without an end (but for those optional in "
            "the standard, such as </li>), no overlap, all text inside elements, at least one of them a "
            f"block. A doctype, html, head and body are not needed; at most {self.words_around} words may "
            "stand around the document."
        )

    @property
    def demand(self) -> str:
        return "The response is an HTML page: its content stands in elements, which are all closed."

    def judge(self, text: str) -> Verdict:
        fences = [match for match in _FENCE.finditer(text) if _is_html(match)]
        if len(fences) > 1:
            return Verdict(False, f"{len(fences)} blocks of HTML, not one")
        if fences:
            document, around = fences[0][2], text[: fences[0].start()] + "\n" + text[fences[0].end() :]
        else:
            document, around = _cut_out(text)
        outside = length_of(around)
        if outside.words > self.words_around:
            return Verdict(False, f"{counted(outside.amount, outside.unit)} around the document")
        if len(document) > self.most or document.count("<") > self.tags:
            return Verdict(None, "too long to be parsed as HTML")
        return _judge_document(document)


def _is_html(fence: re.Match[str]) -> bool:
    name = fence[1].casefold()
    return name in ("html", "xhtml", "htm") or (not name and fence[2].lstrip().startswith("<"))


def _cut_out(text: str) -> tuple[str, str]:
    start = _START.search(text)
    if start is None:
        return text, ""
    end = start.start()
    for match in _END.finditer(text, end):
        end = match.end()
    if end == start.start():
        end = len(text)
    return text[start.start() : end], text[: start.start()] + "\n" + text[end:]


def _judge_document(document: str) -> Verdict:
    with needs_extra("judge", "Judging HTML"):
        import html5lib
        from html5lib.constants import tokenTypes, voidElements

    opened: Counter[str] = Counter()
    closed: Counter[str] = Counter()

    class Counting(html5lib.HTMLParser):
        """Counts the tags that the parser meets: those inside scripts and comments are none."""

        def mainLoop(self) -> None:
            def counted_tokens(tokenizer: Any) -> Iterator[Any]:
                for token in plain.__iter__(tokenizer):
                    if token["type"] == tokenTypes["StartTag"] and not token["selfClosing"]:
                        opened[token["name"]] += 1
                    elif token["type"] == tokenTypes["EndTag"]:
                        closed[token["name"]] += 1
                    yield token

            plain = type(self.tokenizer)
            # The parser sets its tokenizer's state as it goes, so that another object can't stand in for it.
            self.tokenizer.__class__ = type("Counted", (plain,), {"__iter__": counted_tokens})
            super().mainLoop()

    parser = Counting(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    page = parser.parse(document.encode("utf-8", "replace").decode())
    if not opened:
        return Verdict(False, "no HTML elements")
    for name in sorted(opened.keys() | closed.keys()):
        more = opened[name] - closed[name]
        if name not in voidElements and (more < 0 or (more > 0 and name not in _END_IS_OPTIONAL.split())):
            return Verdict(
                False,
                f"{opened[name]} times <{_ascii_name(name)}>, {closed[name]} times </{_ascii_name(name)}>",
            )
    for _, code, data in parser.errors:
        if code.startswith(_UNBALANCED):
            return Verdict(
                False, f"tags out of balance: {code} {_ascii_name(str(data.get('name') or ''))}".rstrip()
            )
    if not opened.keys() & set(_BLOCKS.split()):
        return Verdict(False, "no block element such as <p> or <body>")
    body = page.find("body")
    if body is None or not _visible(body):
        return Verdict(False, "no text inside the elements")
    if not opened.keys() & {"html", "body"} and _beside(body):
        return Verdict(False, "text outside of elements")
    return Verdict(True, f"a document of {counted(sum(opened.values()), 'elements')}")


def _visible(body: Any) -> bool:
    """Whether a text of the page can be read: not a script, a style or the like."""
    for element in body.iter():
        texts = [
            element.tail,
            None if element.tag in _HIDDEN or not isinstance(element.tag, str) else element.text,
        ]
        if any(text and not text.isspace() for text in texts):
            return True
    return False


def _beside(body: Any) -> bool:
    return any(text and not text.isspace() for text in (body.text, *(child.tail for child in body)))


def _ascii_name(name: str) -> str:
    """A name of an element as a message may show it: what a response calls an element is hostile text."""
    return name[:20].encode("ascii", "backslashreplace").decode() if name.isprintable() else "?"
