"""One instruction with the responses to it, as read from the store for one reviewer."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlmodel import Session

from store.queries import compare, journal, reviewers
from store.queries.compare import Measured, Source
from store.queries.suites import SuiteSummary
from store.tables import Response
from tui.review import blind
from tui.review.rules import Mark, Marks, is_complete

TRANSLATION = "en"


@dataclass(frozen=True)
class View:
    """What is compared: the responses of some sources to a suite in one language, by one reviewer."""

    suite: SuiteSummary
    language: str
    sources: tuple[Source, ...]
    reviewer: str
    rater_id: int
    criterion_ids: tuple[int, ...]
    criteria: tuple[str, ...]
    best: tuple[int, ...]
    names_shown: bool = False

    @property
    def bookmark(self) -> str:
        return f"compare {self.suite.label} {self.language}"

    @property
    def language_criterion(self) -> int | None:
        return self.criteria.index("language") if "language" in self.criteria else None


@dataclass
class Answer:
    """One column: a response, its label, and what is known of it."""

    response_id: int
    label: str
    text: str
    marks: Marks
    committed: bool
    judge: Marks
    surface: dict[str, Measured] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return is_complete(self.marks)


@dataclass(frozen=True)
class Row:
    """An instruction and its columns, in the order they are shown."""

    instruction_id: int
    position: int
    task: str | None
    text: str
    translation: str | None
    judge: str | None
    answers: tuple[Answer, ...]

    @property
    def marks(self) -> list[Marks]:
        return [answer.marks for answer in self.answers]

    def column_of(self, response_id: int | None) -> int | None:
        """The column of a response, or None when it is not in this row."""
        places = (place for place, answer in enumerate(self.answers) if answer.response_id == response_id)
        return next(places, None)


def source_names(sources: Sequence[Source]) -> dict[compare.SourceKey, str]:
    """A name for each source: the model's, with engine and quantisation where a model has several."""
    plain = Counter(source.model for source in sources)

    def long_name(source: Source) -> str:
        parts = [source.model, source.engine, source.quantization or ""]
        return " ".join(part for part in parts if part) + (f" #{source.sample}" if source.sample else "")

    long_names = Counter(long_name(source) for source in sources)
    names = {}
    for source in sources:
        name = source.model if plain[source.model] == 1 else long_name(source)
        names[source.key] = name if long_names[name] < 2 else f"{name} {source.digest[:6]}"
    return names


def load_row(session: Session, view: View, instruction_id: int) -> tuple[Row, dict[int, int]]:
    """The row of an instruction, and the columns (by response) that are not written down yet.

    Blind, the columns are those in which the reviewer first saw the responses, counted over all sources,
    so that leaving out models moves no label. With the names shown, the order is that of the view.
    """
    instruction = compare.instruction_of(session, instruction_id)
    everything = compare.responses_to(session, instruction_id)
    sources = {response.id or 0: source for response, source in everything}
    if view.names_shown:
        places = {source.key: place for place, source in enumerate(view.sources)}
        names = source_names(view.sources)
        columns = {found: places[source.key] for found, source in sources.items() if source.key in places}
        labels = {found: names[sources[found].key] for found in columns}
        known = columns
    else:
        known = reviewers.presented(session, view.rater_id, list(sources))
        seed = blind.seed_of(view.reviewer, view.suite.label, instruction.key, view.language)
        columns = blind.columns_of(seed, sources, known)
        labels = {found: blind.letter(column) for found, column in columns.items()}
    keys = {source.key for source in view.sources}
    shown = [response for response, source in everything if source.key in keys]
    shown.sort(key=lambda response: columns[response.id or 0])
    judge, answers = _answers(session, view, shown, labels)
    row = Row(
        instruction_id=instruction_id,
        position=instruction.position,
        task=instruction.task,
        text=instruction.text,
        translation=compare.translation_of(session, instruction, TRANSLATION),
        judge=judge,
        answers=answers,
    )
    return row, {found: column for found, column in columns.items() if found not in known}


def _answers(
    session: Session, view: View, shown: Sequence[Response], labels: dict[int, str]
) -> tuple[str | None, tuple[Answer, ...]]:
    """The name of the judge and the columns of a row."""
    ids = [response.id or 0 for response in shown]
    marks = current_marks(session, view, ids)
    judge = compare.judge_scores(session, ids, view.criterion_ids)
    scores = judge.scores if judge else {}
    committed = journal.committed_responses(session, view.rater_id, ids)
    surface = compare.surface_of(session, ids)
    answers = tuple(
        Answer(
            response_id=found,
            label=labels[found],
            text=response.text,
            marks=marks[found],
            committed=found in committed,
            judge=tuple(
                Mark(scores[found, criterion][0]) if (found, criterion) in scores else None
                for criterion in view.criterion_ids
            ),
            surface=surface.get(found, {}),
        )
        for found, response in zip(ids, shown, strict=True)
    )
    return (None if judge is None else judge.name if judge.kind == "llm" else "rule"), answers


def current_marks(session: Session, view: View, ids: Sequence[int]) -> dict[int, Marks]:
    """The marks the reviewer gave to each of these responses, in the rubric's order."""
    found = {
        (score.response_id, score.criterion_id): Mark(None if score.skipped else score.score)
        for score in journal.current_ratings(session, view.rater_id, ids)
    }
    return {
        response: tuple(found.get((response, criterion)) for criterion in view.criterion_ids)
        for response in ids
    }
