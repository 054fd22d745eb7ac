"""Making the report of a suite: load once, compute each part, put them in order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Engine

from core.analysis.agreement import agreements
from core.analysis.anchoring import anchoring
from core.analysis.bootstrap import RESAMPLES, SEED, draw_resamples
from core.analysis.means import mean_scores
from core.analysis.modifiers import load_verdicts
from core.analysis.published import beside, read_same_as
from core.analysis.scores import Scores, load_scores
from core.analysis.selection import selection_of
from core.exchange.paper_set import SOURCE as PAPERS_SUITES
from core.report.document import Report, Section
from core.report.sections.agreement import agreement_section
from core.report.sections.anchoring import anchoring_section
from core.report.sections.models import models_section
from core.report.sections.modifiers import modifiers_section
from core.report.sections.published import published_section
from core.report.sections.scores import scores_section
from core.report.sections.surface import surface_section
from store import UsageError
from store.queries import ledger
from store.queries.rubrics import default_rubric_id
from store.queries.suites import find_suite
from store.queries.surface import surface_measures
from store.session import reading, writing


def make_report(
    engine: Engine,
    suite: str | None = None,
    *,
    same_as: Iterable[str] = (),
    number: int = RESAMPLES,
    seed: int = SEED,
) -> Report:
    """The report of a suite (`name` or `name/version`; default: the last that came) on the default rubric.

    `same_as`: `OURS=PUBLISHED` for models that the paper calls by another name; `number` and `seed` of the
    resamples that intervals come from. The same store and seed give the same report.

    Raises `UsageError` for an unknown suite or model, or a number of resamples that makes no interval.
    """
    if number < 100:
        raise UsageError(f"{number} resamples make no interval: give at least 100.")
    named = read_same_as(same_as)
    with writing(engine) as session:
        rubric = default_rubric_id(session)
    with reading(engine) as session:
        suite_found = find_suite(session, suite)
        scored = load_scores(session, suite_found.id, suite_found.label, rubric)
        judged = load_verdicts(session, suite_found.id, suite_found.label)
        measured = surface_measures(session, suite_found.id)
        selection = selection_of(session, suite_found.id, suite_found.label)
        left_out = ledger.reasons(session, suite_found.id, rubric)
        resamples = draw_resamples(len(scored.keys), number=number, seed=seed)
        moved = anchoring(session, suite_found.id, rubric, scored, resamples)
    parts = (
        scores_section(scored, number=number, seed=seed),
        models_section(scored, number=number, seed=seed),
        surface_section(scored, measured, selection, number=number, seed=seed),
        modifiers_section(scored, judged, number=number, seed=seed),
        agreement_section(agreements(scored, resamples)),
        anchoring_section(moved),
        published_section(
            beside(
                mean_scores(scored, resamples),
                judged,
                resamples,
                named,
                papers_suite=suite_found.source == PAPERS_SUITES,
            )
        ),
    )
    sections = [part for part in parts if part is not None]
    printed = tuple(section for section in sections if section.tables or section.figures)
    about = (*_about(scored, number, seed), *_left_out(left_out), *_not_printed(sections))
    return Report(f"Report on {suite_found.label}", about, printed)


def _left_out(reasons: Mapping[str, int]) -> Iterator[str]:
    """A line on the ratings that are in no mean of people together, of a judge or of a rule."""
    if reasons:
        told = "; ".join(
            f"{number:,} {reason} ({ledger.REASONS[reason]})" for reason, number in reasons.items()
        )
        yield f"Ratings left out of the means of people together, judges and rules: {told}."


def _not_printed(sections: Sequence[Section]) -> Iterator[str]:
    """A line on every section that has nothing to print, with its reason."""
    for section in sections:
        if not section.tables and not section.figures:
            yield f"No section on {section.title.lower()}. {' '.join(section.text)}"


def _about(scored: Scores, number: int, seed: int) -> tuple[str, ...]:
    raters = ", ".join(rater.label for rater in scored.raters) or "nobody"
    return (
        f"{len(scored.responses):,} responses of {len(scored.sources)} models to {len(scored.keys):,} "
        f"instructions in {', '.join(scored.languages) or 'no language'}.",
        f"{len(scored.score):,} scores by {raters}.",
        f"95% intervals from {number:,} bootstrap resamples of instructions, seed {seed}.",
    )
