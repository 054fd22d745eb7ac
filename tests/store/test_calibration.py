"""The scores that a judge is calibrated by: current ones, of the responses in question, each once."""

import pytest
from sqlalchemy import event

from store import open_store
from store.queries import calibration, journal, models, raters, responses, rubrics, suites
from store.queries.calibration import Judge, Length, Scale, Subset
from store.queries.journal import Score
from store.session import reading, writing

pytestmark = pytest.mark.parts


class Study:
    """Suites `s` (ru, fr) and `other` (ru), one response to each: 1 ru, 2 fr, 3 ru of the other suite."""

    def __init__(self, where: str) -> None:
        self.engine = open_store(where, create=True)
        self.raters: dict[str, int] = {}
        with writing(self.engine) as session:
            source = {
                "model_id": models.model_id(session, "m"),
                "decoding_id": models.decoding_id(session, "imported", None, {}),
            }
            self.suites = []
            for name, languages in (("s", ("ru", "fr")), ("other", ("ru",))):
                new = [suites.NewInstruction("k", language, "?") for language in languages]
                self.suites.append(suites.add_suite(session, name, "1", new)[0])
                for language in languages:
                    [asked] = suites.instructions_of(session, self.suites[-1], language)
                    row = {**source, "instruction_id": asked.id, "text": f"жё{language}" * len(languages)}
                    responses.add_responses(session, [row])
            rubric = rubrics.rubric_id(
                session, "r", "1", [{"name": "logic"}, {"name": "style", "minimum": 1, "maximum": 5}]
            )
            self.criteria = [row.id or 0 for row in rubrics.criteria_of(session, rubric)]
            self.rubric = rubric

    def rate(self, kind: str, name: str, version: str, response: int, *scores: int | None, skipped=False):
        with writing(self.engine) as session:
            rater = self.raters[f"{name}{version}"] = raters.rater_id(session, kind, name, version)
            given = zip(self.criteria, scores, strict=False)
            rows = [Score(response, criterion, score, skipped) for criterion, score in given]
            journal.append(session, rater, rows)


@pytest.fixture
def study(new_store):
    made = Study(new_store)
    yield made
    made.engine.dispose()


def test_a_judge_and_its_repeats_are_one_judge_by_the_order_in_which_it_was_asked(study):
    for version in ("v1#10", "v1", "v1#2", "v2"):
        study.rate("llm", "gpt", version, 1, 2)
    study.rate("rule", "known", "", 1, 2)
    study.rate("human", "ann", "", 1, 2)
    study.rate("human", "Bob", "", 1, 2)
    ids = study.raters
    with reading(study.engine) as session:
        assert calibration.judges(session) == [
            Judge("llm", "gpt", "v1", {1: ids["gptv1"], 2: ids["gptv1#2"], 10: ids["gptv1#10"]}),
            Judge("llm", "gpt", "v2", {1: ids["gptv2"]}),
            Judge("rule", "known", "", {1: ids["known"]}),
        ]
        assert [judge.label for judge in calibration.judges(session)] == ["gpt@v1", "gpt@v2", "known"]
        assert set(calibration.humans(session).items()) == {(ids["ann"], "ann"), (ids["Bob"], "Bob")}


def test_only_current_scores_count(study):
    study.rate("human", "ann", "", 1, 0, 4)
    study.rate("human", "ann", "", 1, 2)
    study.rate("human", "ann", "", 2, 1, 1)
    study.rate("human", "ann", "", 2, None)
    study.rate("human", "bob", "", 1, None, skipped=True)
    study.rate("human", "cyd", "", 1, 1)
    ann, bob = study.raters["ann"], study.raters["bob"]
    logic, style = study.criteria
    with reading(study.engine) as session:
        found = calibration.scores(session, [ann, bob], Subset())
    assert found == {logic: {ann: {1: 2}}, style: {ann: {1: 4, 2: 1}}}


def test_scores_and_answers_are_those_of_the_suite_and_the_languages(study):
    for response in (1, 2, 3):
        study.rate("llm", "gpt", "v1", response, 1)
    gpt, logic = study.raters["gptv1"], study.criteria[0]
    s, other = study.suites
    asked = {
        (1, 2, 3): Subset(), (1, 2): Subset(s), (3,): Subset(other), (1, 3): Subset(None, ("ru",)),
        (2,): Subset(s, ("fr",)), (): Subset(other, ("fr",)),
    }  # fmt: skip
    with reading(study.engine) as session:
        for expected, within in asked.items():
            found = calibration.scores(session, [gpt], within)
            assert found == ({logic: {gpt: dict.fromkeys(expected, 1)}} if expected else {})
            assert tuple(sorted(calibration.lengths(session, [gpt], within))) == expected
        assert calibration.scores(session, [gpt], Subset(None, ())) == {}
        assert calibration.scores(session, [], Subset()) == {}


def test_an_answer_has_its_length_in_characters_and_is_there_once(study):
    study.rate("llm", "gpt", "v1", 1, 1, 2)
    study.rate("llm", "gpt", "v1", 1, 2, 2)
    study.rate("llm", "gpt", "v1#2", 3, 2)
    study.rate("human", "ann", "", 2, 2)
    with reading(study.engine) as session:
        found = calibration.lengths(session, [study.raters["gptv1"], study.raters["gptv1#2"]], Subset())
    assert found == {1: Length("ru", 8), 3: Length("ru", 4)}


def test_a_scale_has_its_rubric_and_its_ends(study):
    logic, style = study.criteria
    with reading(study.engine) as session:
        assert calibration.scales(session, [style, logic]) == [
            Scale(logic, study.rubric, "r/1", "logic", 0, 2),
            Scale(style, study.rubric, "r/1", "style", 1, 5),
        ]
        assert calibration.scales(session, []) == []


def test_ratings_are_found_by_indexes(study):
    if study.engine.dialect.name != "sqlite":
        pytest.skip("only SQLite tells its plan in these words")
    study.rate("llm", "gpt", "v1", 1, 1, 2)
    seen: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(study.engine, "before_cursor_execute", note)
    with reading(study.engine) as session:
        for within in (Subset(), Subset(study.suites[0], ("ru",))):
            calibration.scores(session, [study.raters["gptv1"]], within)
            calibration.lengths(session, [study.raters["gptv1"]], within)
    event.remove(study.engine, "before_cursor_execute", note)
    assert len(seen) == 4
    with study.engine.connect() as connection:
        for statement, parameters in seen:
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters):
                assert not row[3].startswith(("SCAN rating", "SCAN later")), row[3]
