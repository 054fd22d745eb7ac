"""The text file that annotators fill in: how an answer stands in it, and how it is read again.

The form is that of the paper's annotator files (Chirkova & Nikoulina, arXiv 2402.14778), with a line above
each answer by which it is found again whatever the order:

    ITEM: [ 17 DIGEST-ABOUT ]
    TASK: [ the instruction ] END OF TASK
    the answer
    [END](6) CorrectLang:[2] Fluency:[1] Inform:[ ] Accuracy:[ ] Logical:[ ] Safety:[ ] a comment

`DIGEST` is the SHA-256 of the answer's text, `ABOUT` that of suite, language and key (8 hex digits), so that
the line tells nothing of the model. Text of others can't pretend to be part of the form: see `shown`.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from core.exchange.records import BadRow, Mark, Place

# What the paper's files call the criteria of its rubric, in the order in which they stand there.
PAPER_NAMES = {
    "language": "CorrectLang",
    "fluency": "Fluency",
    "helpfulness": "Inform",
    "accuracy": "Accuracy",
    "logic": "Logical",
    "harmlessness": "Safety",
}
_OURS = {name.casefold(): ours for ours, name in PAPER_NAMES.items()}

_ITEM = re.compile(r"\s*ITEM\s*:\s*\[\s*(\d{1,9})\s+([0-9a-f]{64})-([0-9a-f]{8})\s*\]\s*", re.IGNORECASE)
_ITEM_LINE = re.compile(r"\s*ITEM\s*:", re.IGNORECASE)
_TASK = re.compile(r"\s*TASK\s*:\s*\[", re.IGNORECASE)
_TASK_END = re.compile(r"\]\s*END OF TASK", re.IGNORECASE)
_END = re.compile(r"\s*\[\s*END\s*\]\s*(\([^()]{0,9}\))?", re.IGNORECASE)
_MARK = re.compile(r"([^\W\d][\w-]*)\s*:\s*\[([^\[\]]*)\]")
_HEADER = re.compile(r"\s*#\s*(campaign|reviewer|rubric|suite|language)\s*:\s*(.+)", re.IGNORECASE)
# What would be taken for a part of the form, at the beginning of a line of a text.
_FORM = re.compile(r"^(?=[^\S\n]*(ITEM\s*:|TASK\s*:\s*\[|\[\s*END\s*\]))", re.IGNORECASE | re.MULTILINE)
# What an editor or a terminal would obey, or turn into a line end.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
_NEW_LINE = " ¶ "

Line = tuple[Place, str] | BadRow


@dataclass
class Block:
    """One answer as a file has it. `item` is position, digest and about; `marks` are as they were typed."""

    place: Place
    item: tuple[int, str, str] | None = None
    task: list[str] = field(default_factory=list)
    answer: list[str] = field(default_factory=list)
    tail: list[tuple[Place, str]] = field(default_factory=list)
    part: str = "item"
    broken: bool = False


def about(suite: str, language: str, key: str) -> str:
    """Eight hex digits that tell instructions apart; `suite` is NAME/VERSION."""
    return hashlib.sha256("\0".join((suite, language, key)).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def shown(text: str) -> str:
    """A text as the file shows it: control characters written out, and a backslash before whatever would be
    read as a part of the form."""
    text = _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text.replace("\r\n", "\n"))
    text = _TASK_END.sub(lambda found: f"]\\{found[0][1:]}", text)
    return _FORM.sub(lambda found: "\\", text)


def plain(text: str) -> str:
    """A text as the file shows it without what an editor may do to white space."""
    return " ".join(shown(text).split())


def comment_as_read(comment: str) -> str:
    """What comes back of a comment that was written to a file and not touched."""
    return _read_comment(_written_comment(comment))


def written(
    position: int, digest: str, of: str, instruction: str, answer: str, marks: Mapping[str, str], comment: str
) -> str:
    """One answer. `of` is what `about` gives; `marks` maps every criterion to what stands in its brackets."""
    names = [*(name for name in PAPER_NAMES if name in marks), *(it for it in marks if it not in PAPER_NAMES)]
    cells = " ".join(f"{PAPER_NAMES.get(name, _word(name))}:[{marks[name] or ' '}]" for name in names)
    return (
        f"ITEM: [ {position} {digest}-{of} ]\n"
        f"TASK: [ {shown(instruction)} ] END OF TASK\n\n"
        f"{shown(answer)}\n\n"
        f"[END]({len(names)}) {cells}{_written_comment(comment)}\n\n\n"
    )


def read_file(lines: Iterable[Line]) -> tuple[dict[str, str], Iterator[Block | BadRow]]:
    """What the `#` lines at the head of a file say (campaign, reviewer, rubric, suite, language), and its
    answers."""
    head: dict[str, str] = {}
    rest = iter(lines)
    for found in rest:
        if isinstance(found, BadRow) or not found[1].lstrip().startswith("#"):
            return head, blocks(chain([found], rest))
        if named := _HEADER.fullmatch(found[1]):
            head[named[1].lower()] = named[2].strip()
    return head, iter(())


def blocks(lines: Iterable[Line]) -> Iterator[Block | BadRow]:
    """The answers of a file; one without its end is a bad row, and so is text that belongs to none."""
    block: Block | None = None
    for found in lines:
        if isinstance(found, BadRow):
            yield found
            continue
        place, line = found
        begins = bool(
            _ITEM_LINE.match(line) or (_TASK.match(line) and (block is None or block.part != "item"))
        )
        if begins:
            if block is not None and not block.broken:
                yield _ended(block)
            block = Block(place)
        if block is None:
            yield BadRow(place, "text before the first answer: an answer begins with a line `TASK: [`")
            continue
        yield from _take(block, place, line)
    if block is not None and not block.broken:
        yield _ended(block)


def marks_of(block: Block) -> tuple[tuple[Mark, ...], str] | BadRow:
    """The marks that were typed behind an answer, and the comment: whatever else stands there."""
    marks: dict[str, Mark] = {}
    rest = []
    for place, line in block.tail:
        for found in _MARK.finditer(line):
            name, typed = found[1].casefold(), found[2].strip()
            if name in marks:
                return BadRow(place, f"{found[1]} has two marks")
            if typed in ("", "-", "_", "."):
                continue
            if not (typed.isascii() and typed.isdigit() and len(typed) < 4):
                return BadRow(place, f"{found[1]}:[{typed[:20]}] is not a score")
            marks[name] = Mark(found[1], int(typed))
        rest.append(_MARK.sub(" ", line))
    return tuple(marks.values()), _read_comment(" ".join(rest))


def criterion_named(name: str, known: Sequence[str]) -> str | None:
    """The criterion of this name, ours or that of the paper's files, whatever its case; None: none."""
    wanted = _OURS.get(name.casefold(), name.casefold())
    return next((it for it in known if wanted in (it.casefold(), _word(it).casefold())), None)


def _take(block: Block, place: Place, line: str) -> Iterator[BadRow]:
    if block.part == "item":
        if _ITEM_LINE.match(line):
            item = _ITEM.fullmatch(line)
            block.broken = item is None
            if item is None:
                yield BadRow(place, "the line `ITEM: [ NUMBER DIGEST ]` was changed: put it back as it was")
            else:
                block.item = int(item[1]), item[2].lower(), item[3].lower()
            return
        begin = _TASK.match(line)
        if begin is None:
            if not block.broken:
                yield BadRow(place, "no line `TASK: [` above the answer")
            block.part, block.broken = "answer", True
        else:
            block.part, line = "task", line[begin.end() :]
    if block.part == "task":
        end = _TASK_END.search(line)
        block.task.append(line[: end.start()] if end else line)
        if end is None:
            return
        block.part, line = "answer", line[end.end() :]
    if block.part == "answer":
        end = _END.match(line)
        if end is None:
            block.answer.append(line)
            return
        block.part, line = "tail", line[end.end() :]
    block.tail.append((place, line))


def _ended(block: Block) -> Block | BadRow:
    if block.part == "tail":
        return block
    if block.part == "answer":
        return BadRow(block.place, "the answer has no line `[END]` with the marks")
    return BadRow(block.place, "the answer has no line that ends its task: `] END OF TASK`")


def _word(name: str) -> str:
    return re.sub(r"\s+", "_", name)


def _written_comment(comment: str) -> str:
    # A mark in a comment would be read as a mark.
    line = comment.replace(":[", ":\\[").replace("\r\n", "\n").replace("\n", _NEW_LINE)
    line = _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", line)
    return f" {line}" if line else ""


def _read_comment(text: str) -> str:
    return " ".join(text.split()).replace(_NEW_LINE, "\n").replace(":\\[", ":[")
