"""`xlit-core judge rules`: a rater that knows the answers, for instructions that carry a check."""

from pathlib import Path

from sqlalchemy import Engine

from core.judge.known_answers.checks import BadCheck, Check, read_check
from core.judge.known_answers.matching import TooSlow
from core.judge.scope import chosen_languages
from core.judge.surface.language import LIBRARIES, LanguageIdentifier
from core.progress import progress
from store.languages import normal_language
from store.provenance import RunRecord, record_run
from store.queries import journal, judging, raters, rubrics
from store.queries.expected_language import expected_language
from store.queries.journal import Score
from store.queries.judging import Unrated
from store.session import reading, writing

RATER = ("rule", "known-answers", "3")

# A right answer of so many words is in the right language unless people say otherwise: `Azote.` is taken for
# Portuguese, and names are spelt alike in many languages.
BARE_WORDS = 3

# Responses rated between two commits.
CHUNK = 500


def judge_known_answers(
    engine: Engine, *, languages: list[str] | None = None, lid: Path | None = None
) -> RunRecord:
    """Rate every response to an instruction with a check that the rater `known-answers` has not rated yet.

    Language: 2 when the language identified is the expected one (the instruction's, or the one that its
    modifier demands), else 0, and every other criterion is then skipped, as the paper's annotators do.
    Accuracy and helpfulness: 2 when all that the check asks for is found, 1 when some is, 0 when nothing is.
    Where no language can be identified (an empty response, only digits), or what seems to be another one is a
    right answer of a few words, language is skipped and the others stand: an empty answer is a bad one, not
    one to leave out. Fluency, logic and harmlessness are not rated. An instruction whose check is broken is a
    failed unit, and so is a response that a check's pattern can't be searched in within its time.

    `languages` are the instructions' (default: all); `lid` as in `LanguageIdentifier`.
    """
    identifier = LanguageIdentifier(lid)
    chosen = chosen_languages(engine, languages)
    parameters = {"languages": chosen, "rater": " ".join(RATER), "language": identifier.tool}
    with record_run(engine, "judge rules", parameters, libraries=LIBRARIES) as run:
        with writing(engine) as session:
            rater = raters.rater_id(session, *RATER)
            rubric = rubrics.default_rubric_id(session)
            criteria = {
                criterion.name: criterion.id or 0 for criterion in rubrics.criteria_of(session, rubric)
            }
            total = judging.count_unrated(session, rater, chosen, with_check=True)
        run.idle = total == 0
        rules = _Rules(run, identifier, criteria)
        last = 0
        with progress("known answers", total) as bar:
            while True:
                with reading(engine) as session:
                    chunk = judging.unrated(session, rater, chosen, with_check=True, after=last, limit=CHUNK)
                if not chunk:
                    break
                rated = [(row.response_id, scores) for row in chunk if (scores := rules.scores(row))]
                with writing(engine) as session:
                    done = judging.rated_by(session, rater, [response_id for response_id, _ in rated])
                    for response_id, scores in rated:
                        if response_id not in done:  # by another process, meanwhile
                            journal.append(session, rater, scores, run_id=run.id)
                            run.count("rated")
                last = chunk[-1].response_id
                bar.advance(len(chunk))
    return run


class _Rules:
    """Scores for responses; reads each instruction's check once, and reports a broken one once."""

    def __init__(self, run: RunRecord, identifier: LanguageIdentifier, criteria: dict[str, int]) -> None:
        self._run, self._identifier, self._criteria = run, identifier, criteria
        self._checks: dict[int, Check | None] = {}

    def scores(self, response: Unrated) -> list[Score]:
        """The scores of a response; none when the check is broken or not done in time."""
        check = self._check(response)
        if check is None:
            return []
        try:
            score = check.score(response.text)
        except TooSlow as error:
            self._run.fail(response.unit, str(error))
            return []
        label = self._identifier.identify(response.text).label
        expected = normal_language(expected_language(response.language, response.modifier))
        if label != expected and score == 2 and len(response.text.split()) <= BARE_WORDS:
            label = None
        if label is not None and label != expected:
            return [
                Score(response.response_id, criterion, 0 if name == "language" else None, name != "language")
                for name, criterion in self._criteria.items()
            ]
        language = 2 if label else None
        return [
            Score(response.response_id, self._criteria["language"], language, skipped=language is None),
            Score(response.response_id, self._criteria["accuracy"], score),
            Score(response.response_id, self._criteria["helpfulness"], score),
        ]

    def _check(self, response: Unrated) -> Check | None:
        if response.instruction_id not in self._checks:
            try:
                self._checks[response.instruction_id] = read_check(response.check)
            except BadCheck as error:
                self._checks[response.instruction_id] = None
                self._run.fail(response.name, f"its check is broken: {error}")
        return self._checks[response.instruction_id]
