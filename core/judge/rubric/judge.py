"""`xlit-core judge rubric`: an LLM rates responses on the criteria of a rubric."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from core.judge.llm_judge.estimate import Agree
from core.judge.llm_judge.runner import open_judge, run_judgements
from core.judge.llm_judge.settings import JudgeSettings
from core.judge.rubric.definition import DEFAULT_RUBRIC, criteria_in_store, load_rubric
from core.judge.rubric.prompt import RubricPrompt, answer_schema, load_prompt, parse_answer
from core.judge.scope import chosen_languages
from core.llm.answers import Reply
from core.llm.prompt_template import Prompt
from store import UsageError
from store.provenance import RunRecord, record_run
from store.queries import journal, judging, raters, rubrics
from store.queries.journal import Score
from store.queries.judging import Unrated
from store.queries.raters import repeat_version
from store.session import writing

MOST_REPEATS = 20


def judge_rubric(
    engine: Engine,
    settings: JudgeSettings,
    *,
    prompt: Path | None = None,
    rubric: Path | None = None,
    languages: list[str] | None = None,
    limit: int | None = None,
    repeats: int = 1,
    agree: Agree = None,
) -> RunRecord:
    """Have an LLM rate every response that it has not rated yet, on the default rubric or that of a file.

    Its stars (1 to 3 by default) are kept as scores (0 to 2), under the rater of kind `llm` with the model's
    name and the prompt's version. All scores are kept as the judge gave them, also where it says that the
    language is wrong: leaving those out is the analysis's rule. Identical responses to identical instructions
    are asked once, and answers are kept, so that nothing is paid for twice. Ratings are written as each
    answer comes. With `repeats`, every response is judged so often in all; each repeat is a rater of its own
    (`store.queries.raters`), for the judge's agreement with itself.

    `limit`: how many responses at most (the first ones); `agree`: see `run_judgements`. An answer that can't
    be used is asked for again, up to `settings.attempts` times in all; then the response stays unrated and
    is a failed unit of the run.

    Raises `UsageError` for what is wrong in the files, `XlitError` when the judge can't be asked (the key is
    refused, the server can't be reached or is out of order); what was rated until then stays.
    """
    if not 1 <= repeats <= MOST_REPEATS:
        raise UsageError(f"repeats must be from 1 to {MOST_REPEATS}, not {repeats}.")
    wording = load_prompt(load_rubric(rubric), prompt)
    judge = open_judge(settings)
    chosen = chosen_languages(engine, languages)
    first_version = settings.version(wording.version)
    parameters = {
        **settings.parameters(),
        "endpoint": judge.address,
        "prompt": wording.version,
        "rubric": wording.rubric.label,
        "languages": chosen,
        "limit": limit,
        "repeats": repeats,
    }
    with record_run(engine, "judge rubric", parameters, libraries=judge.libraries) as run:
        with writing(engine) as session:
            criteria = _criteria(session, wording)
            versions = [repeat_version(first_version, repeat) for repeat in range(1, repeats + 1)]
            judgements = [
                RubricJudgement(settings.model, version, rater, wording, criteria, chosen)
                for version in versions
                for rater in [raters.rater_id(session, "llm", settings.model, version)]
            ]
        run_judgements(run, judgements, judge, settings, limit=limit, agree=agree)
    return run


def _criteria(session: Session, wording: RubricPrompt) -> dict[str, int]:
    if wording.rubric.name != DEFAULT_RUBRIC:
        return criteria_in_store(session, wording.rubric)
    # Reviewers are told the default rubric in other words, which the store holds.
    return {row.name: row.id or 0 for row in rubrics.criteria_of(session, rubrics.default_rubric_id(session))}


class RubricJudgement:
    """Ratings of one rater on a rubric; see `core.judge.llm_judge.questions.Judgement`."""

    reminder = "\n\nAnswer with the JSON object of all criteria and nothing else."

    def __init__(
        self,
        model: str,
        version: str,
        rater: int,
        wording: RubricPrompt,
        criteria: dict[str, int],
        languages: list[str],
    ) -> None:
        self.name = f"rubric {model}" + (f" #{version.rpartition('#')[2]}" if "#" in version else "")
        self.rater = rater
        self.identity: tuple[str, ...] = (model, version)
        self._wording, self._criteria, self._languages = wording, criteria, languages
        self._schema = answer_schema(wording.rubric.criteria) if wording.ours else None

    def count(self, session: Session) -> int:
        return judging.count_unrated(session, self.rater, self._languages)

    def pending(
        self, session: Session, after: int, limit: int, among: Sequence[int] | None = None
    ) -> list[Unrated]:
        return judging.unrated(session, self.rater, self._languages, after=after, limit=limit, among=among)

    def about(self, response: Unrated) -> list[str]:
        return [response.instruction, response.text]

    def prompt(self, response: Unrated) -> Prompt:
        text = self._wording.render(response.instruction, response.text)
        return Prompt(text, json=True, schema=self._schema)

    def read(self, reply: Reply) -> dict[str, int]:
        return parse_answer(reply, self._wording.rubric)

    def write(self, session: Session, responses: Sequence[Unrated], value: Any, run_id: int) -> int:
        done = judging.rated_by(session, self.rater, [row.response_id for row in responses])
        new = [row for row in responses if row.response_id not in done]  # not by another process, meanwhile
        for row in new:
            scores = [Score(row.response_id, self._criteria[name], score) for name, score in value.items()]
            journal.append(session, self.rater, scores, run_id=run_id)
        return len(new)
