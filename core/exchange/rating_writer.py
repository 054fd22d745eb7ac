"""The writer of imported scores and notes: it appends them to the journal once, in the order of time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session

from core.exchange.annotator import comment_as_read, criterion_named
from core.exchange.lookup import FoundResponses, ResponseLookup
from core.exchange.records import ImportCounts, RaterName, RatingAction, ReadText, ResponseName
from core.text.files import BadRow
from store.queries import journal, raters, rubrics
from store.queries.importing import EarlierState, criteria_by_rubric, earlier_states
from store.queries.journal import APP_VERSION, append_entries
from store.row_checks import score_problem
from store.storable import unstorable
from store.tables import Comment, Criterion, ErrorSpan, Rating
from store.tables.columns import utc_now

KINDS = ("human", "llm", "rule")
LANGUAGE = "language"


@dataclass
class RatingWriter:
    """Writes batches of actions in the caller's session. The caller decides whether they stay."""

    session: Session
    run_id: int | None = None
    counts: ImportCounts = field(default_factory=ImportCounts)
    now: datetime = field(default_factory=utc_now)
    _raters: dict[RaterName, int] = field(default_factory=dict)
    _rubrics: dict[str, list[Criterion]] = field(default_factory=dict)
    _stated: dict[tuple[Any, ...], tuple[Any, Any]] = field(default_factory=dict)
    _lookup: ResponseLookup = field(init=False)

    def __post_init__(self) -> None:
        self._lookup = ResponseLookup(self.session)

    @property
    def raters(self) -> list[str]:
        """The names of who scored or noted."""
        return [rater.name for rater in self._raters]

    def write(self, actions: Sequence[RatingAction]) -> list[BadRow]:
        """Write a batch. Returns the actions that could not be written, in no particular order."""
        if not actions:
            return []
        bad = {id(action): reason for action in actions if (reason := _problem(action))}
        resolved = self._resolve([action for action in actions if id(action) not in bad], bad)
        histories = earlier_states(
            self.session,
            {rater for _, rater, _ in resolved},
            {response for _, _, responses in resolved for response in responses},
        )
        entries = _Entries(self.now, self.run_id)
        complete: dict[int, list[int]] = defaultdict(list)
        for action, rater, responses in resolved:
            try:
                criteria = self._criteria(action)
                self._state_once(action, criteria, rater, responses)
                for response in responses:
                    changes = _changes(
                        action, criteria, _History(histories, rater, response, self.counts, self.now)
                    )
                    entries.add(action, rater, response, changes)
                    if action.whole and _complete(criteria, histories, rater, response):
                        complete[rater].append(response)
            except ValueError as error:
                bad[id(action)] = str(error)
        entries.write(self.session)
        self._commit(complete)
        return [BadRow(action.location, bad[id(action)]) for action in actions if id(action) in bad]

    def _resolve(
        self, actions: Sequence[RatingAction], bad: dict[int, str]
    ) -> list[tuple[RatingAction, int, tuple[int, ...]]]:
        names = [action.response for action in actions if isinstance(action.response, ResponseName)]
        by_name = iter(self._lookup.named(names))
        resolved = []
        for action in actions:
            rater = self._rater(action.rater)
            if isinstance(action.response, ReadText):
                resolution: FoundResponses | str = self._lookup.read(action.response, rater)
            else:
                resolution = next(by_name)
            if isinstance(resolution, str):
                bad[id(action)] = resolution
            else:
                resolved.append((action, resolution.rater_id or rater, resolution.response_ids))
        return resolved

    def _state_once(
        self, action: RatingAction, criteria: Sequence[Criterion], rater: int, responses: tuple[int, ...]
    ) -> None:
        """Raises `ValueError` for a second score without a time that differs from one of the same file, for
        nothing tells which of them is the later."""
        if action.created_at is not None or action.whole:
            return
        for scored in action.scores:
            name = criterion_named(scored.criterion, [criterion.name for criterion in criteria])
            if any(
                score_problem(scored.score, criterion) for criterion in criteria if criterion.name == name
            ):
                continue
            about = action.location.file, rater, responses, action.rubric, name
            state = scored.score, scored.skipped
            first, location = self._stated.setdefault(about, (state, action.location))
            if first != state:
                raise ValueError(
                    f"{scored.criterion} has another score in line {location.line}: "
                    "keep one of them, or give both their times (created_at)"
                )

    def _rater(self, name: RaterName) -> int:
        if name not in self._raters:
            self._raters[name] = raters.rater_id(self.session, name.kind, name.name, name.version)
        return self._raters[name]

    def _criteria(self, action: RatingAction) -> list[Criterion]:
        if not self._rubrics:
            rubrics.default_rubric_id(self.session)
            self._rubrics = criteria_by_rubric(self.session)
        label = action.rubric
        if label is None and isinstance(action.response, ReadText) and action.response.campaign is not None:
            label = rubrics.label_of(self.session, self._lookup.campaign(action.response.campaign).rubric_id)
        if label is None:
            default = rubrics.read_rubric()
            label = f"{default['name']}/{default['version']}"
        if label not in self._rubrics:
            raise ValueError(f"the store holds no rubric {label}")
        return self._rubrics[label]

    def _commit(self, complete: Mapping[int, Sequence[int]]) -> None:
        for rater, responses in complete.items():
            committed = journal.committed_responses(self.session, rater, responses)
            for response in dict.fromkeys(responses):
                if response not in committed:
                    journal.append(
                        self.session, rater, [], kind="commit", response_id=response, run_id=self.run_id
                    )


@dataclass
class _History:
    """What a rater has given to a response so far, in the store and in this batch."""

    histories: dict[tuple[Any, ...], list[EarlierState]]
    rater: int
    response: int
    counts: ImportCounts
    now: datetime

    def last(self, table: Any, *about: Any) -> tuple[Any, ...] | None:
        history = self.histories.get((table, self.rater, self.response, *about))
        return history[-1][1] if history else None

    def is_new(
        self, table: Any, about: tuple[Any, ...], state: tuple[Any, ...], created_at: datetime | None
    ) -> bool:
        """Whether the rater had not given this before.

        Raises `ValueError` when the store holds something of this rater that is later.
        """
        history = self.histories.setdefault((table, self.rater, self.response, *about), [])
        known = (
            (bool(history) and history[-1][1] == state)
            if created_at is None
            else any(time == created_at and earlier == state for time, earlier in history)
        )
        self.counts.add(table, new=not known)
        if known:
            return False
        if created_at is not None and history and history[-1][0] > created_at:
            raise ValueError(
                f"the store holds a later one of this rater (of {history[-1][0]:%Y-%m-%d %H:%M:%S})"
            )
        history.append((created_at or self.now, state))
        return True


@dataclass
class _Entries:
    """The journal entries of a batch. Rows that a rater set on one response at one time make one entry."""

    now: datetime
    run_id: int | None
    heads: list[dict[str, Any]] = field(default_factory=list)
    rows: list[list[tuple[Any, dict[str, Any]]]] = field(default_factory=list)
    _indexes: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def add(
        self, action: RatingAction, rater: int, response: int, changes: Sequence[tuple[Any, dict[str, Any]]]
    ) -> None:
        for table, columns in changes:
            kind = {Rating: "score", Comment: "comment", ErrorSpan: "span"}[table]
            created_at, shown = action.created_at or self.now, action.shown
            identity = (rater, response, kind, created_at, shown)
            # A score that is set twice at the same time belongs to two entries.
            set_twice = identity in self._indexes and any(
                table is Rating and earlier_row.get("criterion_id") == columns["criterion_id"]
                for earlier_table, earlier_row in self.rows[self._indexes[identity]]
                if earlier_table is table
            )
            if identity not in self._indexes or set_twice:
                self._indexes[identity] = len(self.heads)
                self.heads.append(
                    {
                        "rater_id": rater, "kind": kind, "response_id": response, "created_at": created_at,
                        "looked_ms": shown.looked_ms, "judge_shown": shown.judge, "names_shown": shown.names,
                        "app_version": APP_VERSION, "run_id": self.run_id,
                    }
                )  # fmt: skip
                self.rows.append([])
            self.rows[self._indexes[identity]].append((table, {"response_id": response, **columns}))

    def write(self, session: Session) -> None:
        """Append the entries in the order of time, which is the order in which they can be undone."""
        order = sorted(range(len(self.heads)), key=lambda index: self.heads[index]["created_at"])
        append_entries(session, [self.heads[index] for index in order], [self.rows[index] for index in order])


def _changes(
    action: RatingAction, criteria: Sequence[Criterion], history: _History
) -> list[tuple[Any, dict[str, Any]]]:
    """The rows that an action brings and that are new."""
    changes: list[tuple[Any, dict[str, Any]]] = []
    for criterion, score, skipped in _scores(action, criteria, history):
        if history.is_new(Rating, (criterion,), (score, skipped), action.created_at):
            changes.append((Rating, {"criterion_id": criterion, "score": score, "skipped": skipped}))
    if action.comment is not None:
        last = history.last(Comment)
        untouched = action.whole and last is not None and comment_as_read(last[0]) == action.comment
        if untouched:
            history.counts.add(Comment, new=False)
        elif history.is_new(Comment, (), (action.comment,), action.created_at):
            changes.append((Comment, {"text": action.comment}))
    if (span := action.span) is not None:
        about, state = (span.start, span.end, span.category), (span.severity, span.note, True)
        if history.is_new(ErrorSpan, about, state, action.created_at):
            columns = {
                "start_offset": span.start, "end_offset": span.end, "category": span.category,
                "severity": span.severity, "note": span.note, "present": True,
            }  # fmt: skip
            changes.append((ErrorSpan, columns))
    return changes


def _scores(
    action: RatingAction, criteria: Sequence[Criterion], history: _History
) -> list[tuple[int, int | None, bool]]:
    """The scores of an action by criterion. Raises `ValueError` for a criterion that the rubric does not
    have."""
    by_name = {criterion.name: criterion for criterion in criteria}
    states: dict[int, tuple[int | None, bool]] = {}
    for scored in action.scores:
        name = criterion_named(scored.criterion, list(by_name))
        if name is None:
            raise ValueError(f"the rubric has no criterion {scored.criterion!r}; it has {', '.join(by_name)}")
        criterion = by_name[name]
        if (problem := score_problem(scored.score, criterion)) is not None:
            raise ValueError(problem)
        if criterion.id in states:
            raise ValueError(f"{criterion.name} has two marks")
        states[criterion.id or 0] = scored.score, scored.skipped
    language = by_name.get(LANGUAGE)
    if action.whole and language is not None and language.id in states:
        wrong = states[language.id][0] == 0
        for criterion in criteria:
            current = history.last(Rating, criterion.id) or (None, False)
            # As in the review room, a score stays, and the right language opens what was skipped.
            if criterion.id not in states and current == ((None, False) if wrong else (None, True)):
                states[criterion.id or 0] = None, wrong
    return [(criterion, *state) for criterion, state in states.items()]


def _complete(
    criteria: Sequence[Criterion],
    histories: dict[tuple[Any, ...], list[EarlierState]],
    rater: int,
    response: int,
) -> bool:
    return all(
        histories.get((Rating, rater, response, criterion.id), [(None, (None, False))])[-1][1]
        != (None, False)
        for criterion in criteria
    )


def _problem(action: RatingAction) -> str | None:
    if action.rater.kind not in KINDS:
        return f"the kind of the rater is {action.rater.kind!r}, which is none of {', '.join(KINDS)}"
    if not action.rater.name.strip():
        return "the name of the rater is empty"
    span = action.span
    if span is not None and not 0 <= span.start < span.end:
        return f"the span from {span.start} to {span.end} is none"
    texts = {"rater": action.rater.name, "rater's version": action.rater.version, "comment": action.comment}
    if span is not None:
        texts |= {"category": span.category, "severity": span.severity, "note": span.note}
    return next(
        (f"the {name} {problem}" for name, text in texts.items() if text and (problem := unstorable(text))),
        None,
    )
