"""From the command's words (language, suite, models, reviewer) to the view they name."""

from collections.abc import Sequence

from sqlalchemy import Engine

from store.errors import UsageError
from store.queries import compare, models, reviewers, rubrics
from store.queries.compare import Source
from store.session import writing
from tui.review.row import View

# A score waits this long for another program's write before the reviewer is told that it is not saved.
WAIT_FOR_WRITER_MS = 3_000


def open_view(
    engine: Engine,
    *,
    language: str,
    reviewer: str,
    suite: str | None = None,
    wanted: Sequence[str] = (),
    names_shown: bool = False,
) -> View:
    """The view that a reviewer asked for; writes the reviewer and the default rubric when they are new.

    `wanted` are names of models, none: all of them. Raises `UsageError` that lists what there is.
    """
    with writing(engine) as session:
        reviewers.wait_for_writer(session, WAIT_FOR_WRITER_MS)
        found = compare.suite_with_responses(session, language, suite)
        sources = _chosen(compare.sources_of(session, found.id, language), wanted)
        criteria = models.criteria_of(session, rubrics.default_rubric_id(session))
        return View(
            suite=found,
            language=language,
            sources=tuple(sources),
            reviewer=reviewer,
            rater_id=models.rater_id(session, "human", reviewer),
            criterion_ids=tuple(criterion.id or 0 for criterion in criteria),
            criteria=tuple(criterion.name for criterion in criteria),
            best=tuple(criterion.maximum for criterion in criteria),
            names_shown=names_shown,
        )


def _chosen(sources: Sequence[Source], wanted: Sequence[str]) -> list[Source]:
    known = sorted({source.model for source in sources})
    for name in wanted:
        if name not in known:
            raise UsageError(f"No model {name!r} among these responses. There are: {', '.join(known)}.")
    return [source for source in sources if not wanted or source.model in wanted]
