"""The annotators' text file, both ways: see `core.exchange.annotator_text` for its form.

Going out, an answer that several models gave to one instruction in the same words stands there once, and no
model is named. Without a campaign the answers are in an order that tells nothing (that of their digests);
with one it is the reviewer's queue, places done already with their marks.

Coming back, empty brackets mean not scored; a score that differs from the last one is a revision; with the
language at 0 the empty ones are left out, as in the review room; an answer with every mark is done.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TextIO

from sqlmodel import Session, select

from core.exchange.annotator_text import PAPER_NAMES, Block, about, marks_of, read_file, written
from core.exchange.lines import text_lines
from core.exchange.records import Action, BadRow, RaterName, Reading, Record
from store.errors import UsageError
from store.queries import journal, models, notes, responses, rubrics
from store.queries.campaigns import queue, rows
from store.queries.exporting import response_rows
from store.queries.importing_actions import Texts, texts_of
from store.queries.suites import find_suite
from store.tables import Criterion, Rater

HEAD = """\
# Scores: write {scores} between the brackets. Leave brackets empty where you have no score.
# If the answer is in another language, write 0 for {language} and leave the rest empty.
# A comment may stand behind the marks, in the same line. Please change nothing else.
"""


class AnnotatorImporter:
    """Reads marks and comments of one reviewer."""

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
            rater = _agreed(path, "reviewer", head.get("reviewer"), options.get("rater"))
            campaign = _agreed(path, "campaign", head.get("campaign"), options.get("campaign"))
            if rater is None:
                raise UsageError(f"{path} does not name its reviewer: give the option `rater`.")
            seen: set[tuple[int, str, str]] = set()
            for block in blocks:
                if isinstance(block, BadRow):
                    yield block
                elif block.item is not None and block.item in seen:
                    yield BadRow(block.place, f"the answer with the number {block.item[0]} stands here twice")
                else:
                    if block.item is not None:
                        seen.add(block.item)
                    yield _action(block, RaterName(rater), campaign, head, options)


class AnnotatorExporter:
    """Writes answers to be marked in an editor."""

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
            campaign = rows.campaign_named(session, campaign_name)
            rubric = campaign.rubric_id
            rater = _rater(session, name)
            stops = queue.queue_of(session, campaign.id or 0, rater) if rater else []
            if not stops:
                raise UsageError(f"{name!r} has no queue in campaign {campaign_name!r}.")
            items = [(it.position, it.rater_id, it.response_ids) for it in stops]
        else:
            rater = _rater(session, name) if name else None
            items = list(_unordered(session, options, rater))
        criteria = models.criteria_of(session, rubric)
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


def _agreed(path: Path, what: str, told: str | None, given: str | None) -> str | None:
    if told is not None and given is not None and told != given:
        raise UsageError(f"{path} is of the {what} {told!r}, not {given!r}: leave out the option.")
    return given or told


def _action(
    block: Block, rater: RaterName, campaign: str | None, head: Mapping[str, str], options: Mapping[str, Any]
) -> Action | BadRow:
    typed = marks_of(block)
    if isinstance(typed, BadRow):
        return typed
    marks, comment = typed
    position, digest, of = block.item or (None, None, None)
    reading = Reading(
        text="\n".join(block.answer), instruction="\n".join(block.task), campaign=campaign,
        position=position, digest=digest, about=of,
        suite=options.get("suite") or head.get("suite"),
        language=options.get("language") or head.get("language"),
    )  # fmt: skip
    place = block.tail[0][0]
    return Action(place, reading, rater, head.get("rubric"), marks, comment=comment or None, whole=True)


def _rater(session: Session, name: str) -> int | None:
    return session.exec(
        select(Rater.id).where(Rater.kind == "human", Rater.name == name, Rater.version == "")
    ).first()


def _unordered(
    session: Session, options: Mapping[str, Any], rater: int | None
) -> Iterator[tuple[int, int | None, tuple[int, ...]]]:
    suite = find_suite(session, options["suite"]).id if options.get("suite") else None
    same: dict[tuple[str, str, str, str], list[int]] = {}
    for row in response_rows(session, suite_id=suite, language=options.get("language")):
        digest = responses.text_digest(row["response"])
        same.setdefault((digest, row["suite"], row["language"], row["key"]), []).append(row["response_id"])
    for position, (_, ids) in enumerate(sorted(same.items()), start=1):
        yield position, rater, tuple(ids)


def _head(criteria: Sequence[Criterion]) -> str:
    low, high = min(it.minimum for it in criteria), max(it.maximum for it in criteria)
    scores = ", ".join(map(str, range(low, high))) + f" or {high}"
    return HEAD.format(scores=scores, language=PAPER_NAMES["language"])


def _block(
    session: Session, criteria: Sequence[Criterion], position: int, texts: Texts, rater: int | None
) -> str:
    given, comment = {}, ""
    if rater is not None:
        given = {it.criterion_id: it.score for it in journal.current_ratings(session, rater, [texts.id])}
        comment = notes.comments_of(session, rater, [texts.id]).get(texts.id, "")
    marks = {it.name: "" if given.get(it.id or 0) is None else str(given[it.id or 0]) for it in criteria}
    of = about(texts.suite, texts.language, texts.key)
    return written(
        position, responses.text_digest(texts.text), of, texts.instruction, texts.text, marks, comment
    )
