"""One instruction with the responses to it, as read from the store for one reviewer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlmodel import Session

from store.labels import labels_by_key
from store.queries import compare, journal, notes, review_queue, reviewers
from store.queries.compare import MeasuredMetric
from store.queries.expected_language import expected_language
from store.queries.notes import Span
from store.tables import Instruction, Response
from tui.review import blind
from tui.review.scoring import CriterionScore, Scores, is_complete
from tui.review.view import View


@dataclass(frozen=True)
class Answer:
    """One column: a response, its label, and what is known of it.

    `response_ids` are several where responses that read the same stand as one column; what the reviewer does
    to the column is done to each. `language` is the instruction's, `expected` the one that it asks for an
    answer in. `revealed`: judge and surface are on show.
    """

    response_ids: tuple[int, ...]
    label: str
    language: str
    expected: str
    text: str
    marks: Scores
    committed: bool
    revealed: bool
    judge: Scores
    surface: dict[str, MeasuredMetric]
    comment: str
    spans: tuple[Span, ...]

    @property
    def response_id(self) -> int:
        return self.response_ids[0]

    @property
    def complete(self) -> bool:
        return is_complete(self.marks)


@dataclass(frozen=True)
class Row:
    """An instruction and its columns, in the order they are shown, as `view` has it.

    `key` is what the room knows the row by: the instruction's id, or in a queue the position. Where responses
    that read the same stand as one column, `responses` has a column for every one of them; else it is empty.
    """

    view: View
    key: int
    instruction_id: int
    position: int
    task: str | None
    modifier: str | None
    text: str
    translation: str | None
    answers: tuple[Answer, ...]
    responses: tuple[Answer, ...] = ()

    @property
    def marks(self) -> list[Scores]:
        return [answer.marks for answer in self.answers]

    def column_of(self, response_id: int | None) -> int | None:
        """The column of a response, or None when it is not in this row."""
        places = (place for place, answer in enumerate(self.answers) if response_id in answer.response_ids)
        return next(places, None)

    def with_answer(self, column: int, answer: Answer) -> "Row":
        """The row with another answer in a column."""
        own = {name: getattr(answer, name) for name in ("marks", "committed", "revealed", "comment", "spans")}
        responses = (
            replace(response, **own) if response.response_id in answer.response_ids else response
            for response in self.responses
        )
        answers = (*self.answers[:column], answer, *self.answers[column + 1 :])
        return replace(self, answers=answers, responses=tuple(responses))


def load_row(
    session: Session, view: View, instruction_id: int, *, collapse: bool = True
) -> tuple[Row, dict[int, int]]:
    """The row of an instruction, and the columns (by response) that are not written down yet.

    With `collapse`, responses that read the same, and were marked the same, stand as one column.
    """
    instruction = compare.instruction_of(session, instruction_id)
    if view.by == "language":
        shown, labels, new = _by_language(session, view, instruction)
    else:
        shown, labels, new = _by_model(session, view, instruction)
    if view.campaign_id is not None:
        ids = [response.id or 0 for response, _ in shown]
        theirs = review_queue.assigned(session, view.campaign_id, view.rater_id, ids)
        shown = [(response, asked) for response, asked in shown if response.id in theirs]
    answers = answers_of(session, view, shown, labels)
    row = row_of(session, view, instruction, answers, instruction_id, instruction.position)
    if collapse and view.by == "model":
        row = replace(row, answers=_collapsed(answers), responses=answers)
    return row, new


def reread_row(session: Session, row: Row) -> Row:
    """The row with what its reviewer has said of each response by now: marks, comments and error spans."""
    ids = [response for answer in row.answers for response in answer.response_ids]
    marks = scores_of(session, row.view, row.view.rater_id, ids)
    comments = notes.comments_of(session, row.view.rater_id, ids)
    spans = notes.spans_of(session, row.view.rater_id, ids)

    def reread(answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
        return tuple(
            replace(
                answer,
                marks=marks[answer.response_id],
                comment=comments.get(answer.response_id, ""),
                spans=tuple(spans.get(answer.response_id, ())),
            )
            for answer in answers
        )

    if row.responses:
        responses = reread(row.responses)
        return replace(row, answers=_collapsed(responses), responses=responses)
    return replace(row, answers=reread(row.answers))


def row_of(
    session: Session,
    view: View,
    instruction: Instruction,
    answers: tuple[Answer, ...],
    key: int,
    position: int,
) -> Row:
    """The row of an instruction with these answers."""
    translation = None
    if view.translation is not None:
        translation = compare.translation_of(session, instruction, view.translation)
    return Row(
        view=view,
        key=key,
        instruction_id=instruction.id or 0,
        position=position,
        task=instruction.task,
        modifier=instruction.modifier,
        text=instruction.text,
        translation=translation,
        answers=answers,
    )


AskedResponses = list[tuple[Response, Instruction]]


def _by_model(
    session: Session, view: View, instruction: Instruction
) -> tuple[AskedResponses, dict[int, str], dict[int, int]]:
    """The responses with their instruction in the order of the columns, their labels, and new columns.

    Blind, the columns are those in which the reviewer first saw the responses, counted over all sources,
    so that leaving out models moves no label. With the names shown, the order is that of the view.
    """
    everything = compare.responses_to(session, instruction.id or 0)
    sources = {response.id or 0: source for response, source in everything}
    new: dict[int, int] = {}
    if view.names_shown:
        places = {source.key: place for place, source in enumerate(view.sources)}
        names = labels_by_key(view.sources)
        columns = {found: places[source.key] for found, source in sources.items() if source.key in places}
        labels = {found: names[sources[found].key] for found in columns}
    else:
        known = reviewers.presented(session, view.rater_id, list(sources))
        seed = blind.seed_of(view.reviewer, view.suite.label, instruction.key, view.language)
        columns = blind.columns_of(seed, sources, known)
        labels = {found: blind.letter(column) for found, column in columns.items()}
        new = {found: column for found, column in columns.items() if found not in known}
    keys = {source.key for source in view.sources}
    shown = [(response, instruction) for response, source in everything if source.key in keys]
    shown.sort(key=lambda it: columns[it[0].id or 0])
    return shown, labels, new


def _by_language(
    session: Session, view: View, instruction: Instruction
) -> tuple[AskedResponses, dict[int, str], dict[int, int]]:
    """The same for one model's responses to an instruction in every language; the view's own comes first."""
    keys = {source.key for source in view.sources}
    shown: AskedResponses = []
    for language in view.languages:
        found = compare.instruction_in(session, instruction, language)
        if found is not None:
            responses = compare.responses_to(session, found.id or 0)
            shown += [(response, found) for response, source in responses if source.key in keys]
    return shown, {response.id or 0: asked.language for response, asked in shown}, {}


def answers_of(
    session: Session, view: View, shown: AskedResponses, labels: dict[int, str]
) -> tuple[Answer, ...]:
    """A column for each of these responses, which go with their instructions; `labels` by response."""
    ids = [response.id or 0 for response, _ in shown]
    marks = scores_of(session, view, view.rater_id, ids)
    judge = scores_of(session, view, view.judge.id, ids) if view.judge else {}
    committed = journal.committed_responses(session, view.rater_id, ids)
    surface = compare.surface_of(session, ids)
    comments = notes.comments_of(session, view.rater_id, ids)
    spans = notes.spans_of(session, view.rater_id, ids)
    nothing: Scores = (None,) * len(view.criteria)
    return tuple(
        Answer(
            response_ids=(found,),
            label=labels[found],
            language=asked.language,
            expected=expected_language(asked.language, asked.modifier),
            text=response.text,
            marks=marks[found],
            committed=found in committed,
            revealed=view.open or (view.reveal and found in committed),
            judge=judge.get(found, nothing),
            surface=surface.get(found, {}),
            comment=comments.get(found, ""),
            spans=tuple(spans.get(found, ())),
        )
        for found, (response, asked) in zip(ids, shown, strict=True)
    )


def _collapsed(answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """Columns that read the same and are in the same state as one, in the place of the first."""
    groups: dict[tuple[object, ...], list[Answer]] = {}
    for answer in answers:
        judge = answer.judge if answer.revealed else None
        state = (answer.text, answer.marks, answer.committed, judge, answer.comment, answer.spans)
        groups.setdefault(state, []).append(answer)
    return tuple(
        replace(
            group[0],
            response_ids=tuple(answer.response_id for answer in group),
            label="=".join(answer.label for answer in group),
        )
        for group in groups.values()
    )


def scores_of(session: Session, view: View, rater_id: int, ids: Sequence[int]) -> dict[int, Scores]:
    """The marks that a rater gave to each of these responses, in the rubric's order."""
    found = {
        (score.response_id, score.criterion_id): CriterionScore(None if score.skipped else score.score)
        for score in journal.current_ratings(session, rater_id, ids)
    }
    return {
        response: tuple(found.get((response, criterion)) for criterion in view.criterion_ids)
        for response in ids
    }
