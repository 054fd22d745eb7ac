"""`xlit-core judge calibrate`: what the scores in the store tell about a judge."""

from sqlalchemy import Engine

from core.analysis.judge_quality import Calibration, calibrate_judge
from core.extras import needs_extra
from core.judge.scope import chosen_languages
from store import UsageError
from store.queries import calibration as queries
from store.queries.calibration import Judge, Subset
from store.queries.suites import find_suite
from store.session import reading


def calibrate(
    engine: Engine, *, judge: str | None = None, suite: str | None = None, languages: list[str] | None = None
) -> Calibration:
    """Compare judges with humans, and with themselves, on the current scores of the same responses.

    `judge`: NAME, or NAME@VERSION for one of several (default: every judge that scored a response in
    question); `suite`: name or name/version (default: the responses to all suites); `languages`: those of the
    instructions (default: all). Raises `UsageError` when there is no such judge or suite, and `XlitError`
    when the extra `report` is missing.
    """
    chosen = chosen_languages(engine, languages)
    with reading(engine) as session:
        held = find_suite(session, suite) if suite is not None else None
        if held is not None:
            chosen = [language for language in chosen if language in held.languages]
        within = Subset(held.id if held else None, None if languages is None else tuple(chosen))
        named = _named(queries.judges(session), judge)
        humans = queries.humans(session)
        by_humans = queries.scores(session, humans, within)
        calibrated = []
        for chosen_judge in named:
            raters = chosen_judge.rater_ids.values()
            given = queries.scores(session, raters, within)
            if given or judge is not None:
                answers = queries.lengths(session, raters, within)
                scales = queries.scales(session, given)
                wrong = queries.in_wrong_language(session, [*humans, *raters], within)
                with needs_extra("report", "Calibration"):
                    calibrated.append(
                        calibrate_judge(chosen_judge, given, by_humans, humans, answers, scales, wrong)
                    )
    return Calibration(
        suite=held.label if held else None,
        languages=chosen,
        judges=calibrated,
        missing=[] if calibrated else [_NO_JUDGE],
    )


_NO_JUDGE = (
    "No judge has scored a response in question, so there is nothing to calibrate: run `xlit-core judge "
    "rubric`, or import a judge's scores."
)


def _named(judges: list[Judge], name: str | None) -> list[Judge]:
    named = [judge for judge in judges if name is None or name in (judge.name, judge.label)]
    if name is not None and not named:
        known = ", ".join(judge.label for judge in judges) or "none yet"
        raise UsageError(f"No judge {name!r} in the store. Judges there: {known}.")
    return named
