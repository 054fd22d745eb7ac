"""The numbers of the overview: how far the reviewers are, mean scores, human against judge, what is behind.

Which ratings count is said by the ledger (`store.queries.ledger`): what was skipped or cleared is in no mean
and no pair. Every question goes from the suite's instructions to their responses (the unique
index that begins with `instruction_id`) and on to what raters said of each (`ix_rating_current`,
`ix_entry_response`). SQLite keeps to the order of a CROSS JOIN; left to itself it may walk a rater's whole
journal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, bindparam, column, text
from sqlmodel import Session, col, select

from store.queries import compare, ledger
from store.queries.compare import Source, SourceKey
from store.queries.raters import asked_first
from store.tables import Instruction, Rater, UtcDateTime


@dataclass(frozen=True)
class Scope:
    """The responses in question: those to a suite in one language (None: in all).

    `committed_by`: only those that this rater has committed (a blind reviewer may see no others);
    `sources`: only those that come from these.
    """

    suite_id: int
    language: str | None = None
    committed_by: int | None = None
    sources: tuple[SourceKey, ...] | None = None


@dataclass(frozen=True)
class RaterScores:
    """How many scores a rater gave (skipped criteria don't count), and to how many responses."""

    rater_id: int
    kind: str
    name: str
    version: str
    responses: int
    scores: int


@dataclass(frozen=True)
class ReviewerProgress:
    """How far a human rater is with `responses` responses.

    `started`: has a mark (a score, or skipped) on some criterion of the rubric; `complete`: on every one;
    `committed`: the reviewer said to be done. `last_active`: the last action of any kind. `looked_seconds`:
    how long a response was looked at, which is the longest time it had been on show when a score was set; the
    median over the responses that were ever scored; None where no time was kept (imported scores).
    """

    rater_id: int
    name: str
    version: str
    responses: int
    started: int
    complete: int
    committed: int
    last_active: datetime | None
    looked_seconds: float | None


@dataclass(frozen=True)
class MeanCell:
    """The mean over `n` responses on a criterion, on the criterion's scale: one cell of the heat map."""

    source: SourceKey
    criterion_id: int
    n: int
    mean: float


@dataclass(frozen=True)
class PairCount:
    """On `n` responses a human gave `human` and the judge gave `judge` for the criterion."""

    criterion_id: int
    human: int
    judge: int
    n: int


_RESPONSES = """
FROM instruction CROSS JOIN response {joined}
WHERE instruction.suite_id = :suite AND response.instruction_id = instruction.id {scope}
"""

_CRITERIA = "(SELECT id FROM criterion WHERE rubric_id = :rubric)"

_SCORED = """
  AND scored.response_id = response.id AND scored.rater_id IN :raters AND {counts}
"""

_PAIRED = f"""
  AND human.response_id = response.id AND human.rater_id IN :raters AND {ledger.PAIRED.format(name="human")}
  AND judge.response_id = response.id AND judge.rater_id = :judge AND judge.criterion_id = human.criterion_id
  AND judge.stands
"""

_COMMITTED = """
  AND EXISTS (SELECT 1 FROM entry WHERE entry.response_id = response.id
              AND entry.rater_id = :committed_by AND entry.kind = 'commit')
"""


def reviewers_of(session: Session, scope: Scope, rubric_id: int) -> list[RaterScores]:
    """The human raters with scores on this rubric for responses in the scope, by name."""
    return _raters_of(session, scope, rubric_id, ("human",))


def judges_of(session: Session, scope: Scope, rubric_id: int) -> list[RaterScores]:
    """The LLM judges, then the rules, with scores on this rubric for responses in the scope, by name."""
    return _raters_of(session, scope, rubric_id, ("llm", "rule"))


def sources_of(session: Session, scope: Scope) -> list[Source]:
    """The sources of the responses to the suite in the scope's language, or in any, by name."""
    spoken = select(Instruction.language).where(Instruction.suite_id == scope.suite_id).distinct()
    languages = list(session.exec(spoken)) if scope.language is None else [scope.language]
    sources = {
        source.key: source
        for language in languages
        for source in compare.sources_of(session, scope.suite_id, language)
        if scope.sources is None or source.key in scope.sources
    }
    return sorted(sources.values(), key=lambda source: source.order)


def progress(session: Session, scope: Scope, rubric_id: int) -> list[ReviewerProgress]:
    """How far every human rater of the store is, by name; who has done nothing has zeros."""
    raters = _raters(session, ("human",))
    ids = [rater.id for rater in raters]
    total = (
        session.connection()
        .execute(_statement("SELECT count(*) AS n {responses}", "", "", scope))
        .scalar_one()
    )
    marks = """
SELECT rater_id, count(*) AS started,
       count(CASE WHEN marks = (SELECT count(*) FROM criterion WHERE rubric_id = :rubric)
                  THEN 1 END) AS complete
FROM (SELECT marked.rater_id AS rater_id, count(*) AS marks {responses}
      GROUP BY response.id, marked.rater_id) AS each_response
GROUP BY rater_id
"""
    condition = f"""
  AND marked.response_id = response.id AND marked.rater_id IN :raters AND marked.criterion_id IN {_CRITERIA}
"""
    marked = _by_rater(
        session,
        _statement(
            marks, "CROSS JOIN current_rating AS marked", condition, scope, rubric=rubric_id, raters=ids
        ),
    )
    # The median of `measured` sorted times: the one or two places (from 1) between half and half plus one.
    acts = """
SELECT rater_id, max(last_active) AS last_active, sum(committed) AS committed,
       avg(CASE WHEN 2 * place BETWEEN measured AND measured + 2 THEN looked END) AS looked
FROM (SELECT acted.*, count(looked) OVER (PARTITION BY rater_id) AS measured,
             row_number() OVER (PARTITION BY rater_id ORDER BY looked IS NULL, looked) AS place
      FROM (SELECT entry.rater_id AS rater_id, max(entry.created_at) AS last_active,
                   max(CASE WHEN entry.kind = 'commit' THEN 1 ELSE 0 END) AS committed,
                   max(CASE WHEN entry.kind = 'score' THEN entry.looked_ms END) AS looked {responses}
            GROUP BY response.id, entry.rater_id) AS acted) AS ranked
GROUP BY rater_id
"""
    condition = "AND entry.response_id = response.id AND entry.rater_id IN :raters"
    acted = _by_rater(
        session,
        _statement(acts, "CROSS JOIN entry", condition, scope, raters=ids).columns(
            column("rater_id"), column("last_active", UtcDateTime), column("committed"), column("looked")
        ),
    )
    return [
        ReviewerProgress(
            rater_id=rater.id or 0,
            name=rater.name,
            version=rater.version,
            responses=total,
            started=marked[rater.id].started if rater.id in marked else 0,
            complete=marked[rater.id].complete if rater.id in marked else 0,
            committed=int(acted[rater.id].committed) if rater.id in acted else 0,
            last_active=acted[rater.id].last_active if rater.id in acted else None,
            looked_seconds=_seconds(acted[rater.id].looked) if rater.id in acted else None,
        )
        for rater in raters
    ]


def heat_map(session: Session, scope: Scope, rubric_id: int, rater_ids: Sequence[int]) -> list[MeanCell]:
    """The mean score of every source on every criterion of the rubric that has scores of these raters.

    Scores of several raters are taken together: a response counts once, with the mean of its scores that
    count for people together, as in `core.analysis.means`.
    """
    statement = _statement(
        """
SELECT model_id, decoding_id, sample, criterion_id, count(*) AS n, avg(score) AS mean
FROM (SELECT response.model_id AS model_id, response.decoding_id AS decoding_id, response.sample AS sample,
             scored.criterion_id AS criterion_id, avg(scored.score) AS score {responses}
      GROUP BY response.id, response.model_id, response.decoding_id, response.sample, scored.criterion_id
     ) AS each_response
GROUP BY model_id, decoding_id, sample, criterion_id
ORDER BY model_id, decoding_id, sample, criterion_id
""",
        "CROSS JOIN ledger AS scored",
        _scored(rater_ids) + f" AND scored.criterion_id IN {_CRITERIA}",
        scope,
        rubric=rubric_id,
        raters=list(rater_ids),
    )
    return [
        MeanCell((row.model_id, row.decoding_id, row.sample), row.criterion_id, row.n, float(row.mean))
        for row in session.connection().execute(statement)
    ]


def responses_behind(
    session: Session, scope: Scope, source: SourceKey, criterion_id: int, rater_ids: Sequence[int]
) -> list[tuple[int, int]]:
    """The responses whose scores a cell of the heat map is the mean of: (instruction id, response id).

    In the suite's order, language by language; once each, however many of the raters scored it.
    """
    return _listed(
        session,
        "CROSS JOIN ledger AS scored",
        _scored(rater_ids) + " AND scored.criterion_id = :criterion",
        replace(scope, sources=(source,)),
        criterion=criterion_id,
        raters=list(rater_ids),
    )


def pair_counts(
    session: Session, scope: Scope, rubric_id: int, human_ids: Sequence[int], judge_id: int
) -> list[PairCount]:
    """How often which score of these humans met which score of the judge, per criterion of the rubric.

    A response that two humans scored gives two pairs. The rules for means do not hold here: see
    `store.queries.ledger`.
    """
    statement = _statement(
        """
SELECT human.criterion_id, human.score AS human, judge.score AS judge, count(*) AS n {responses}
GROUP BY human.criterion_id, human.score, judge.score
ORDER BY human.criterion_id, human.score, judge.score
""",
        "CROSS JOIN ledger AS human CROSS JOIN ledger AS judge",
        _PAIRED + f" AND human.criterion_id IN {_CRITERIA}",
        scope,
        rubric=rubric_id,
        raters=list(human_ids),
        judge=judge_id,
    )
    return [PairCount(**row) for row in session.connection().execute(statement).mappings()]


def responses_behind_pair(
    session: Session,
    scope: Scope,
    criterion_id: int,
    human_ids: Sequence[int],
    human_score: int,
    judge_id: int,
    judge_score: int,
) -> list[tuple[int, int]]:
    """The responses on which one of these humans and the judge gave just these scores for the criterion.

    (instruction id, response id), ordered as `responses_behind` does.
    """
    return _listed(
        session,
        "CROSS JOIN ledger AS human CROSS JOIN ledger AS judge",
        _PAIRED + " AND human.criterion_id = :criterion AND human.score = :h AND judge.score = :j",
        scope,
        criterion=criterion_id,
        raters=list(human_ids),
        judge=judge_id,
        h=human_score,
        j=judge_score,
    )


def _scored(rater_ids: Sequence[int]) -> str:
    return _SCORED.format(counts=ledger.counts_for("scored", together=len(rater_ids) > 1))


def _raters(session: Session, kinds: Sequence[str]) -> list[Rater]:
    statement = select(Rater).where(col(Rater.kind).in_(list(kinds)), asked_first())
    return list(session.exec(statement.order_by(col(Rater.kind), col(Rater.name), col(Rater.version))))


def _raters_of(session: Session, scope: Scope, rubric_id: int, kinds: Sequence[str]) -> list[RaterScores]:
    raters = _raters(session, kinds)
    statement = _statement(
        """
SELECT rater_id, count(*) AS responses, sum(scores) AS scores
FROM (SELECT scored.rater_id AS rater_id, count(*) AS scores {responses}
      GROUP BY response.id, scored.rater_id) AS each_response
GROUP BY rater_id
""",
        "CROSS JOIN ledger AS scored",
        f"""
  AND scored.response_id = response.id AND scored.rater_id IN :raters AND scored.stands
  AND scored.criterion_id IN {_CRITERIA}
""",
        scope,
        rubric=rubric_id,
        raters=[rater.id for rater in raters],
    )
    counts = _by_rater(session, statement)
    return [
        RaterScores(
            rater.id or 0,
            rater.kind,
            rater.name,
            rater.version,
            counts[rater.id].responses,
            int(counts[rater.id].scores),
        )
        for rater in raters
        if rater.id in counts
    ]


def _listed(
    session: Session, joined: str, condition: str, scope: Scope, **values: Any
) -> list[tuple[int, int]]:
    statement = _statement(
        """
SELECT DISTINCT instruction.language, instruction.position, instruction.id AS instruction_id,
                response.id AS response_id {responses}
ORDER BY instruction.language, instruction.position, instruction.id, response.id
""",
        joined,
        condition,
        scope,
        **values,
    )
    return [(row.instruction_id, row.response_id) for row in session.connection().execute(statement)]


def _statement(question: str, joined: str, condition: str, scope: Scope, **values: Any) -> TextClause:
    """`question` with `{responses}` filled in: those in the scope, with what is `joined` on `condition`."""
    values["suite"] = scope.suite_id
    if scope.language is not None:
        condition += " AND instruction.language = :language"
        values["language"] = scope.language
    if scope.committed_by is not None:
        condition += _COMMITTED
        values["committed_by"] = scope.committed_by
    if scope.sources is not None:
        condition += " AND (response.model_id, response.decoding_id, response.sample) IN :sources"
        values["sources"] = list(scope.sources)
    responses = _RESPONSES.format(joined=joined, scope=condition)
    return text(question.format(responses=responses)).bindparams(
        *(bindparam(name, value, expanding=isinstance(value, list)) for name, value in values.items())
    )


def _by_rater(session: Session, statement: Any) -> dict[int | None, Any]:
    return {row.rater_id: row for row in session.connection().execute(statement)}


def _seconds(milliseconds: Any) -> float | None:
    return None if milliseconds is None else float(milliseconds) / 1000
