"""The annotators' text file, both ways: how an answer stands in it, how it is read again, and what it means.

The form is that of the paper's annotator files (Chirkova & Nikoulina, arXiv 2402.14778), with a line above
each answer by which it is found again whatever the order:

    ITEM: [ 17 DIGEST-ABOUT ]
    TASK: [ the instruction ] END OF TASK
    the answer
    [END](6) CorrectLang:[2] Fluency:[1] Inform:[ ] Accuracy:[ ] Logical:[ ] Safety:[ ] a comment

`DIGEST` is the SHA-256 of the answer's text, `ABOUT` that of suite, language and key (8 hex digits), so that
the line tells nothing of the model. Text of others can't pretend to be part of the form: see `escaped`.

Going out, an answer that several models gave to one instruction in the same words stands there once, and no
model is named. Without a campaign the answers are in an order that tells nothing (that of their digests);
with one it is the reviewer's queue, items done already with their marks.

Coming back, empty brackets mean not scored; a score that differs from the last one is a revision; with the
language at 0 the empty ones are left out, as in the review room; an answer with every mark is done.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, TextIO

from sqlmodel import Session

from core.exchange.records import RaterName, RatingAction, ReadText, Record, ScoreRecord
from core.text.files import BadRow, Location, text_lines
from store.errors import UsageError
from store.queries import campaigns, journal, notes, raters, responses, review_queue, rubrics
from store.queries.exporting import response_rows
from store.queries.importing import ResponseTexts, texts_of
from store.queries.suites import find_suite
from store.tables import Criterion

# The names of the rubric's criteria in the paper's files, in their order there.
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
# A score outside brackets: `Fluency:1`, `Fluency:(1)`.
_BARE_MARK = re.compile(r"([^\W\d][\w-]*)\s*[:=]\s*[({]?\s*\d")
_HEADER = re.compile(r"\s*#\s*(campaign|reviewer|rubric|suite|language)\s*:\s*(.+)", re.IGNORECASE)
# What would be read as a part of the form at the beginning of a line of a text.
_FORM = re.compile(r"^(?=[^\S\n]*(ITEM\s*:|TASK\s*:\s*\[|\[\s*END\s*\]))", re.IGNORECASE | re.MULTILINE)
# Characters that an editor or a terminal would obey, or turn into a line end.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
_NEW_LINE = " ¶ "

FileLine = tuple[Location, str] | BadRow


@dataclass
class Block:
    """One answer as it stands in a file. `item` is position, digest and `about`; `tail` holds the scores as
    typed."""

    location: Location
    item: tuple[int, str, str] | None = None
    task: list[str] = field(default_factory=list)
    answer: list[str] = field(default_factory=list)
    tail: list[tuple[Location, str]] = field(default_factory=list)
    part: str = "item"
    broken: bool = False


def instruction_digest(suite: str, language: str, key: str) -> str:
    """Eight hex digits that tell instructions apart. `suite` is NAME/VERSION."""
    return hashlib.sha256("\0".join((suite, language, key)).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def escaped(text: str) -> str:
    """A text as the file shows it: control characters are written as `\\u001b`, and a backslash stands before
    whatever would be read as a part of the form."""
    text = _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text.replace("\r\n", "\n"))
    text = _TASK_END.sub(lambda match: f"]\\{match[0][1:]}", text)
    return _FORM.sub(lambda match: "\\", text)


def normalized(text: str) -> str:
    """A text as the file shows it, with one blank for every run of white space, since editors change
    these."""
    return " ".join(escaped(text).split())


def comment_as_read(comment: str) -> str:
    """A comment as it is read again when it was written to a file and nobody changed it there."""
    return _read_comment(_written_comment(comment))


def block_text(
    position: int,
    digest: str,
    about: str,
    instruction: str,
    answer: str,
    marks: Mapping[str, str],
    comment: str,
) -> str:
    """One answer as text. `about` is what `instruction_digest` gives; `marks` maps every criterion to what
    stands in its brackets."""
    names = [
        *(name for name in PAPER_NAMES if name in marks),
        *(name for name in marks if name not in PAPER_NAMES),
    ]
    cells = " ".join(f"{PAPER_NAMES.get(name, _word(name))}:[{marks[name] or ' '}]" for name in names)
    return (
        f"ITEM: [ {position} {digest}-{about} ]\n"
        f"TASK: [ {escaped(instruction)} ] END OF TASK\n\n"
        f"{escaped(answer)}\n\n"
        f"[END]({len(names)}) {cells}{_written_comment(comment)}\n\n\n"
    )


def read_file(lines: Iterable[FileLine]) -> tuple[dict[str, str], Iterator[Block | BadRow]]:
    """What the `#` lines at the head of a file say (campaign, reviewer, rubric, suite, language), and the
    answers below."""
    head: dict[str, str] = {}
    rest = iter(lines)
    for line in rest:
        if isinstance(line, BadRow) or not line[1].lstrip().startswith("#"):
            return head, blocks(chain([line], rest))
        if match := _HEADER.fullmatch(line[1]):
            head[match[1].lower()] = match[2].strip()
    return head, iter(())


def blocks(lines: Iterable[FileLine]) -> Iterator[Block | BadRow]:
    """The answers of a file. An answer without its end is a bad row, and so is text that belongs to no
    answer."""
    block: Block | None = None
    for row in lines:
        if isinstance(row, BadRow):
            yield row
            continue
        location, line = row
        begins = bool(
            _ITEM_LINE.match(line) or (_TASK.match(line) and (block is None or block.part != "item"))
        )
        if begins:
            if block is not None and not block.broken:
                yield _ended(block)
            block = Block(location)
        if block is None:
            yield BadRow(location, "text before the first answer: an answer begins with a line `TASK: [`")
            continue
        yield from _take(block, location, line)
    if block is not None and not block.broken:
        yield _ended(block)


def marks_of(block: Block) -> tuple[tuple[ScoreRecord, ...], str] | BadRow:
    """The scores that were typed behind an answer, and the comment, which is everything else that stands
    there."""
    marks: dict[str, ScoreRecord] = {}
    rest = []
    bracketed = {match[1].casefold() for _, line in block.tail for match in _MARK.finditer(line)}
    for location, line in block.tail:
        for match in _BARE_MARK.finditer(_MARK.sub(" ", line)):
            name = match[1].casefold()
            if name not in bracketed and (name in _OURS or name in PAPER_NAMES):
                return BadRow(location, f"{match[0]} is not in square brackets: write {match[1]}:[N]")
    for location, line in block.tail:
        for match in _MARK.finditer(line):
            name, typed = match[1].casefold(), match[2].strip()
            if name in marks:
                return BadRow(location, f"{match[1]} has two marks")
            if typed in ("", "-", "_", "."):
                continue
            if not (typed.isascii() and typed.isdigit() and len(typed) < 4):
                return BadRow(location, f"{match[1]}:[{typed[:20]}] is not a score")
            marks[name] = ScoreRecord(match[1], int(typed))
        rest.append(_MARK.sub(" ", line))
    return tuple(marks.values()), _read_comment(" ".join(rest))


def criterion_named(name: str, known: Sequence[str]) -> str | None:
    """The criterion with this name, in our words or in those of the paper's files, in any case; None when
    there is none."""
    wanted = _OURS.get(name.casefold(), name.casefold())
    return next(
        (criterion for criterion in known if wanted in (criterion.casefold(), _word(criterion).casefold())),
        None,
    )


def _take(block: Block, location: Location, line: str) -> Iterator[BadRow]:
    if block.part == "item":
        if _ITEM_LINE.match(line):
            item = _ITEM.fullmatch(line)
            block.broken = item is None
            if item is None:
                yield BadRow(
                    location, "the line `ITEM: [ NUMBER DIGEST ]` was changed: put it back as it was"
                )
            else:
                block.item = int(item[1]), item[2].lower(), item[3].lower()
            return
        begin = _TASK.match(line)
        if begin is None:
            if not block.broken:
                yield BadRow(location, "no line `TASK: [` above the answer")
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
    block.tail.append((location, line))


def _ended(block: Block) -> Block | BadRow:
    if block.part == "tail":
        return block
    if block.part == "answer":
        return BadRow(block.location, "the answer has no line `[END]` with the marks")
    return BadRow(block.location, "the answer has no line that ends its task: `] END OF TASK`")


def _word(name: str) -> str:
    return re.sub(r"\s+", "_", name)


def _written_comment(comment: str) -> str:
    # `Fluency:[1]` in a comment would be read as a score.
    line = comment.replace(":[", ":\\[").replace("\r\n", "\n").replace("\n", _NEW_LINE)
    line = _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", line)
    return f" {line}" if line else ""


def _read_comment(text: str) -> str:
    return " ".join(text.split()).replace(_NEW_LINE, "\n").replace(":\\[", ":[")


HEAD = """\
# Scores: write {scores} between the brackets. Leave brackets empty where you have no score.
# If the answer is in another language, write 0 for {language} and leave the rest empty.
# A comment may stand behind the marks, in the same line. Please change nothing else.
"""


class AnnotatorImporter:
    """Reads the scores and comments of one reviewer."""

    name = "annotator"
    summary = "marks of a reviewer in text files: TASK: [ ... ] END OF TASK ... [END](6) CorrectLang:[2] ..."
    options: ClassVar[dict[str, str]] = {
        "rater": "who scored (default: the reviewer that the file names)",
        "campaign": "the campaign in which it was scored (default: the one that the file names)",
        "suite": "name/version of the suite of answers that no line ITEM names",
        "language": "language of answers that no line ITEM names",
    }

    def read(self, paths: Sequence[Path], options: Mapping[str, Any]) -> Iterator[Record]:
        for path in paths:
            head, blocks = read_file(text_lines(path))
            rater = _consistent(path, "reviewer", head.get("reviewer"), options.get("rater"))
            campaign = _consistent(path, "campaign", head.get("campaign"), options.get("campaign"))
            if rater is None:
                raise UsageError(f"{path} does not name its reviewer: give the option `rater`.")
            seen: set[tuple[int, str, str]] = set()
            for block in blocks:
                if isinstance(block, BadRow):
                    yield block
                elif block.item is not None and block.item in seen:
                    yield BadRow(
                        block.location, f"the answer with the number {block.item[0]} stands here twice"
                    )
                else:
                    if block.item is not None:
                        seen.add(block.item)
                    yield _action(block, RaterName(rater), campaign, head, options)


class AnnotatorExporter:
    """Writes answers to be scored in an editor."""

    name = "annotator"
    summary = "a text file for a reviewer to write marks into"
    options: ClassVar[dict[str, str]] = {
        "campaign": "the queue of a reviewer in this campaign",
        "reviewer": "whose queue it is, or whose marks stand there already",
        "suite": "only this suite (name or name/version)",
        "language": "only instructions in this language",
    }

    def write(self, session: Session, file: TextIO, options: Mapping[str, Any]) -> int:
        name, campaign_name = options.get("reviewer"), options.get("campaign")
        rubric = rubrics.default_rubric_id(session)
        items: list[tuple[int, int | None, tuple[int, ...]]]
        if campaign_name is not None:
            if name is None:
                raise UsageError("Whose queue? Add the option `reviewer`.")
            if options.get("suite") or options.get("language"):
                raise UsageError("A queue is written whole: leave out `suite` and `language`.")
            campaign = campaigns.campaign_named(session, campaign_name)
            rubric = campaign.rubric_id
            rater = raters.person_id(session, name)
            stops = review_queue.queue_of(session, campaign.id or 0, rater) if rater else []
            if not stops:
                raise UsageError(f"{name!r} has no queue in campaign {campaign_name!r}.")
            items = [(stop.position, stop.rater_id, stop.response_ids) for stop in stops]
        else:
            rater = raters.person_id(session, name) if name else None
            items = list(_by_digest(session, options, rater))
        criteria = rubrics.criteria_of(session, rubric)
        file.write(_head(criteria))
        known = {"campaign": campaign_name, "reviewer": name, "rubric": rubrics.label_of(session, rubric)}
        file.writelines(f"# {key}: {value}\n" for key, value in known.items() if value)
        file.write("\n\n")
        count = 0
        for position, scorer, ids in items:
            first = texts_of(session, ids[:1])[0]
            file.write(_block(session, criteria, position, first, scorer))
            count += 1
        return count


def _consistent(path: Path, what: str, in_file: str | None, option: str | None) -> str | None:
    if in_file is not None and option is not None and in_file != option:
        raise UsageError(f"{path} is of the {what} {in_file!r}, not {option!r}: leave out the option.")
    return option or in_file


def _action(
    block: Block, rater: RaterName, campaign: str | None, head: Mapping[str, str], options: Mapping[str, Any]
) -> RatingAction | BadRow:
    typed = marks_of(block)
    if isinstance(typed, BadRow):
        return typed
    marks, comment = typed
    position, digest, about = block.item or (None, None, None)
    reading = ReadText(
        text="\n".join(block.answer), instruction="\n".join(block.task), campaign=campaign,
        position=position, digest=digest, about=about,
        suite=options.get("suite") or head.get("suite"),
        language=options.get("language") or head.get("language"),
    )  # fmt: skip
    location = block.tail[0][0]
    return RatingAction(
        location, reading, rater, head.get("rubric"), marks, comment=comment or None, whole=True
    )


def _by_digest(
    session: Session, options: Mapping[str, Any], rater: int | None
) -> Iterator[tuple[int, int | None, tuple[int, ...]]]:
    suite = find_suite(session, options["suite"]).id if options.get("suite") else None
    groups: dict[tuple[str, str, str, str], list[int]] = {}
    for row in response_rows(session, suite_id=suite, language=options.get("language")):
        digest = responses.text_digest(row["response"])
        groups.setdefault((digest, row["suite"], row["language"], row["key"]), []).append(row["response_id"])
    for position, (_, ids) in enumerate(sorted(groups.items()), start=1):
        yield position, rater, tuple(ids)


def _head(criteria: Sequence[Criterion]) -> str:
    low, high = (
        min(criterion.minimum for criterion in criteria),
        max(criterion.maximum for criterion in criteria),
    )
    scores = ", ".join(map(str, range(low, high))) + f" or {high}"
    return HEAD.format(scores=scores, language=PAPER_NAMES["language"])


def _block(
    session: Session, criteria: Sequence[Criterion], position: int, texts: ResponseTexts, rater: int | None
) -> str:
    scores, comment = {}, ""
    if rater is not None:
        scores = {
            rating.criterion_id: rating.score
            for rating in journal.current_ratings(session, rater, [texts.id])
        }
        comment = notes.comments_of(session, rater, [texts.id]).get(texts.id, "")
    marks = {
        criterion.name: "" if (score := scores.get(criterion.id or 0)) is None else str(score)
        for criterion in criteria
    }
    of = instruction_digest(texts.suite, texts.language, texts.key)
    return block_text(
        position, responses.text_digest(texts.text), of, texts.instruction, texts.text, marks, comment
    )
