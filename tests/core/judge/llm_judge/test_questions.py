"""Responses that are alike are one question, whenever they turn up."""

import pytest

from core.judge.llm_judge.questions import QuestionResult, Questions
from core.judge.rubric.definition import load_rubric
from core.judge.rubric.judge import RubricJudgement
from core.judge.rubric.prompt import load_prompt
from core.llm.answers import Reply
from core.progress import progress
from store.provenance import record_run
from store.queries import judging, raters, rubrics
from store.session import writing
from tests.core.judge.chat_server import GOOD, Answer
from tests.core.judge.judged import judge, ratings

pytestmark = pytest.mark.parts


ALIKE = ("ru", "Кто ты?", "Я программа.")


def test_identical_responses_in_several_looks_at_the_store_are_asked_once(answered, serve):
    engine = answered(*[ALIKE] * 450, ("ru", "Кто ты?", "Никто."))
    server = serve(Answer(delay=0.2))
    assert judge(engine, server).counts["rated"] == 451
    assert len(server.requests) == 2
    assert len(ratings(engine)) == 451


def test_a_response_that_turns_up_while_the_answer_is_written_gets_it_too(answered):
    engine = answered(ALIKE, ALIKE)
    wording = load_prompt(load_rubric())
    with record_run(engine, "test", {}) as run, progress("test", 2) as shown:
        with writing(engine) as session:
            rater = raters.rater_id(session, "llm", "judge", "v")
            rubric = rubrics.default_rubric_id(session)
            criteria = {row.name: row.id for row in rubrics.criteria_of(session, rubric)}
        judgement = RubricJudgement("judge", "v", rater, wording, criteria, ["ru"])
        questions = Questions(run, judgement, shown)
        [question] = next(questions.chunks())
        late = question.rows.pop()
        outcome = QuestionResult(question, judgement.read(Reply(GOOD)), Reply(GOOD))
        taken = questions.take([outcome])
        question.rows.append(late)
        written = questions.write(taken)
        assert written == [1]
        more = questions.close(taken, written)
        assert [one.reply for one in more] == [None]  # its answer is kept already
        again = questions.take(more)
        assert [one.rows for one in again] == [(late,)]
        assert questions.close(again, questions.write(again)) == []
    assert run.counts["rated"] == 2
    assert len(ratings(engine)) == 2


def test_what_could_not_be_written_is_written_the_next_time(answered):
    engine = answered(ALIKE)
    wording = load_prompt(load_rubric())
    with record_run(engine, "test", {}) as run, progress("test", 1) as shown:
        with writing(engine) as session:
            rater = raters.rater_id(session, "llm", "judge", "v")
        judgement = RubricJudgement("judge", "v", rater, wording, {}, ["ru"])
        questions = Questions(run, judgement, shown)
        [question] = next(questions.chunks())
        taken = questions.take([QuestionResult(question, reason="x")])
        assert questions.take([QuestionResult(question)])[0].rows == ()
        assert questions.take(questions.put_back(taken))[0].rows == tuple(question.rows)
        run.idle = True


def test_what_is_on_its_way_by_another_way_is_left_alone(answered):
    from core.judge.llm_judge.questions import question_digest
    from store.session import reading

    engine = answered(ALIKE, ("ru", "Кто ты?", "Никто."))
    wording = load_prompt(load_rubric())
    with record_run(engine, "test", {}) as run, progress("test", 2) as shown:
        with writing(engine) as session:
            rater = raters.rater_id(session, "llm", "judge", "v")
        judgement = RubricJudgement("judge", "v", rater, wording, {}, ["ru"])
        with reading(engine) as session:
            first = judging.unrated(session, rater)[0]
        skip = {question_digest(judgement, first)}
        [[question]] = list(Questions(run, judgement, shown, skip=skip).chunks())
        assert [row.text for row in question.rows] == ["Никто."]
        run.idle = True
