"""`xlit-core judge modifiers`: whether responses do what their modifiers demand, decided by rules."""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session

from core.analysis.modifier_names import known_names
from core.judge.modifiers.registry import RULES_VERSION, Modifier, read_modifier
from core.judge.scope import chosen_languages
from core.judge.surface.language import LIBRARIES, LanguageIdentifier
from core.progress import progress, say
from store.provenance import RunRecord, record_run
from store.queries import journal, judging, modifiers, raters, rubrics
from store.queries.journal import Score
from store.session import reading, writing

RATER = ("rule", "modifiers", RULES_VERSION)
RUBRIC_FILE = Path(__file__).parent / "rubric.toml"

# Responses rated between two commits.
CHUNK = 500


def judge_modifiers(
    engine: Engine, *, languages: list[str] | None = None, lid: Path | None = None
) -> RunRecord:
    """Rate every response to an instruction with a modifier that a rule can decide, and that the rater
    `modifiers` has not rated yet: `fulfilment` 1 or 0, or skipped where it can't be decided.

    Modifiers that need an LLM judge are said on stderr with the number of their responses. A modifier of no
    known name is a failed unit, once. `languages` are the instructions' (default: all); `lid` as in
    `LanguageIdentifier`.
    """
    identifier = LanguageIdentifier(lid)
    chosen = chosen_languages(engine, languages)
    parameters = {"languages": chosen, "rater": " ".join(RATER), "language": identifier.tool}
    libraries = (*LIBRARIES, "html5lib", "markdown-it-py")
    with record_run(engine, "judge modifiers", parameters, libraries=libraries) as run:
        with reading(engine) as session:
            held = modifiers.responses_by_modifier(session, chosen)
        by_rule = _read(run, held, identifier)
        with writing(engine) as session:
            rater = raters.rater_id(session, *RATER)
            criterion = fulfilment_criterion(session)
            total = judging.count_unrated(session, rater, chosen, modifiers=list(by_rule))
        run.idle = total == 0 and not run.failures
        last = 0
        with progress("modifiers", total) as bar:
            while True:
                with reading(engine) as session:
                    chunk = judging.unrated(
                        session, rater, chosen, modifiers=list(by_rule), after=last, limit=CHUNK
                    )
                if not chunk:
                    break
                verdicts = [
                    (row.response_id, by_rule[row.modifier or ""].judge(row.text).fulfilled) for row in chunk
                ]
                with writing(engine) as session:
                    done = judging.rated_by(session, rater, [response_id for response_id, _ in verdicts])
                    for response_id, fulfilled in verdicts:
                        if response_id not in done:  # by another process, meanwhile
                            score = None if fulfilled is None else int(fulfilled)
                            rating = Score(response_id, criterion, score, skipped=score is None)
                            journal.append(session, rater, [rating], run_id=run.id)
                            run.count("undecided" if score is None else "rated")
                last = chunk[-1].response_id
                bar.advance(len(chunk))
    return run


def fulfilment_criterion(session: Session) -> int:
    """The id of the criterion `fulfilment` of the rubric `modifiers`, written when it is not there yet."""
    rubric = rubrics.read_rubric(RUBRIC_FILE)
    rubric_id = rubrics.rubric_id(session, rubric["name"], rubric["version"], rubric["criteria"])
    (criterion,) = rubrics.criteria_of(session, rubric_id)
    return criterion.id or 0


def _read(run: RunRecord, held: Mapping[str, int], identifier: LanguageIdentifier) -> dict[str, Modifier]:
    """The modifiers that rules decide, by the names in the store."""
    by_rule: dict[str, Modifier] = {}
    for_judge: dict[str, int] = {}
    for name, responses in held.items():
        modifier = read_modifier(name, identifier)
        if modifier is None:
            run.fail(f"modifier {name!r}", f"no modifier is called so; there are {known_names()}")
        elif modifier.by == "judge":
            for_judge[modifier.name] = for_judge.get(modifier.name, 0) + responses
        else:
            by_rule[name] = modifier
    if for_judge:
        counts = ", ".join(f"{count} to {name}" for name, count in for_judge.items())
        say(f"Responses that need an LLM judge (--model) and not a rule: {counts}.")
    return by_rule
