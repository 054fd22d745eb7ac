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

# What the reviewer has said of a response, or sees because of it: the fields of `Answer` that a key changes.
REVIEWED = ("scores", "committed", "revealed", "comment", "spans")


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
    scores: Scores
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
        return is_complete(self.scores)


@dataclass(frozen=True)
class Row:
    """An instruction and its columns in their order, as `view` has them.

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
    def scores(self) -> list[Scores]:
        return [answer.scores for answer in self.answers]

    def column_of(self, response_id: int | None) -> int | None:
        """The column of a response, or None when it is not in this row."""
        columns = enumerate(self.answers)
        return next((column for column, answer in columns if response_id in answer.response_ids), None)

    def with_answer(self, column: int, answer: Answer) -> "Row":
        """The row with another answer in a column."""
        reviewed = {name: getattr(answer, name) for name in REVIEWED}
        responses = (
            replace(response, **reviewed) if response.response_id in answer.response_ids else response
            for response in self.responses
        )
        answers = (*self.answers[:column], answer, *self.answers[column + 1 :])
        return replace(self, answers=answers, responses=tuple(responses))


def load_row(
    session: Session, view: View, instruction_id: int, *, collapse: bool = True
) -> tuple[Row, dict[int, int]]:
    """The row of an instruction, and the columns (by response) that are not written down yet.

    With `collapse`, responses that read the same, and have the same scores, stand as one column.
    """
    instruction = compare.instruction_of(session, instruction_id)
    if view.by == "language":
        responses, labels, new = _by_language(session, view, instruction)
    else:
        responses, labels, new = _by_model(session, view, instruction)
    if view.campaign_id is not None:
        ids = [response.id or 0 for response, _ in responses]
        assigned = review_queue.assigned(session, view.campaign_id, view.rater_id, ids)
        responses = [(response, asked) for response, asked in responses if response.id in assigned]
    answers = answers_of(session, view, responses, labels)
    row = row_of(session, view, instruction, answers, instruction_id, instruction.position)
    if collapse and view.by == "model":
        row = replace(row, answers=_collapsed(answers), responses=answers)
    return row, new


def reread_row(session: Session, row: Row) -> Row:
    """The row with what its reviewer has said of each response by now: scores, comments and error spans."""
    ids = [response for answer in row.answers for response in answer.response_ids]
    scores = scores_of(session, row.view, row.view.rater_id, ids)
    comments = notes.comments_of(session, row.view.rater_id, ids)
    spans = notes.spans_of(session, row.view.rater_id, ids)

    def reread(answers: tuple[Answer, ...]) -> tuple[Answer, ...]:
        return tuple(
            replace(
                answer,
                scores=scores[answer.response_id],
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
"""Responses, each with its instruction: by language, these are several."""


def _by_model(
    session: Session, view: View, instruction: Instruction
) -> tuple[AskedResponses, dict[int, str], dict[int, int]]:
    """The responses with their instruction in the order of the columns, their labels, and new columns.

    Blind, the columns are those in which the reviewer first saw the responses, counted over all sources,
    so that leaving out models moves no label. With the names shown, the order is that of the view.
    """
    answered = compare.responses_to(session, instruction.id or 0)
    sources = {response.id or 0: source for response, source in answered}
    new: dict[int, int] = {}
    if view.names_shown:
        column_of = {source.key: column for column, source in enumerate(view.sources)}
        names = labels_by_key(view.sources)
        columns = {
            response: column_of[source.key] for response, source in sources.items() if source.key in column_of
        }
        labels = {response: names[sources[response].key] for response in columns}
    else:
        known = reviewers.presented(session, view.rater_id, list(sources))
        seed = blind.seed_of(view.reviewer, view.suite.label, instruction.key, view.language)
        columns = blind.columns_of(seed, sources, known)
        labels = {response: blind.letter(column) for response, column in columns.items()}
        new = {response: column for response, column in columns.items() if response not in known}
    keys = {source.key for source in view.sources}
    ordered = [(response, instruction) for response, source in answered if source.key in keys]
    ordered.sort(key=lambda pair: columns[pair[0].id or 0])
    return ordered, labels, new


def _by_language(
    session: Session, view: View, instruction: Instruction
) -> tuple[AskedResponses, dict[int, str], dict[int, int]]:
    """The same for one model's responses to an instruction in every language; the view's own comes first."""
    keys = {source.key for source in view.sources}
    ordered: AskedResponses = []
    for language in view.languages:
        asked = compare.instruction_in(session, instruction, language)
        if asked is not None:
            answered = compare.responses_to(session, asked.id or 0)
            ordered += [(response, asked) for response, source in answered if source.key in keys]
    return ordered, {response.id or 0: asked.language for response, asked in ordered}, {}


def answers_of(
    session: Session, view: View, responses: AskedResponses, labels: dict[int, str]
) -> tuple[Answer, ...]:
    """A column for each of these responses; `labels` are theirs, by response."""
    ids = [response.id or 0 for response, _ in responses]
    scores = scores_of(session, view, view.rater_id, ids)
    judge = scores_of(session, view, view.judge.id, ids) if view.judge else {}
    committed = journal.committed_responses(session, view.rater_id, ids)
    surface = compare.surface_of(session, ids)
    comments = notes.comments_of(session, view.rater_id, ids)
    spans = notes.spans_of(session, view.rater_id, ids)
    nothing: Scores = (None,) * len(view.criteria)
    return tuple(
        Answer(
            response_ids=(id,),
            label=labels[id],
            language=asked.language,
            expected=expected_language(asked.language, asked.modifier),
            text=response.text,
            scores=scores[id],
            committed=id in committed,
            revealed=view.open or (view.reveal and id in committed),
            judge=judge.get(id, nothing),
            surface=surface.get(id, {}),
            comment=comments.get(id, ""),
            spans=tuple(spans.get(id, ())),
        )
        for id, (response, asked) in zip(ids, responses, strict=True)
    )


def _collapsed(answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """Columns that read the same and are in the same state become one, which stands where the first stood."""
    groups: dict[tuple[object, ...], list[Answer]] = {}
    for answer in answers:
        judge = answer.judge if answer.revealed else None
        state = (answer.text, answer.scores, answer.committed, judge, answer.comment, answer.spans)
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
    """The scores that a rater gave to each of these responses, in the rubric's order."""
    given = {
        (score.response_id, score.criterion_id): CriterionScore(None if score.skipped else score.score)
        for score in journal.current_ratings(session, rater_id, ids)
    }
    return {
        response: tuple(given.get((response, criterion)) for criterion in view.criterion_ids)
        for response in ids
    }
