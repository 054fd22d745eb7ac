"""The overview's questions, on an example small enough to work out by hand.

Suite `s` in Russian, in the suite's order k2, k1, k0 (their ids run the other way), answered by m1 and m2.
Language and helpfulness by rater; `-` is skipped, `x` was scored and then cleared:

            ann       bob       gpt            ann committed
    k0 m1   2 2       2 1       2 1            yes
    k0 m2   0 2       1 0       0 1
    k1 m1   1 0       - 2       2 2
    k1 m2   0 -       . .       0 0            yes
    k2 m1   2 x       . .       2 2
    k2 m2   . .       . .       . .

In French only k0 m1: ann 2 2, gpt 2 2. Ann also rated k2 m2 by another rubric, and a response of another
suite.
"""

from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, event

from store import open_store
from store.queries import journal, models, overview, responses, rubrics
from store.queries import raters as rater_queries
from store.queries.journal import Score, Shown
from store.queries.overview import PairCount, Scope
from store.session import reading, writing
from store.tables import Entry, Instruction, Suite

pytestmark = pytest.mark.parts


LANGUAGE, HELPFULNESS = 0, 1


@dataclass
class Study:
    engine: Engine
    suite: int
    rubric: int
    criteria: list[int]
    raters: dict[str, int]
    sources: dict[str, tuple[int, int, int]]
    responses: dict[str, tuple[int, int]]
    last: dict[str, int]
    committed: int = 0

    def score(self, rater, name, language=None, helpfulness=None, looked=None):
        """Append one action that scores `name`; a score None is not touched, "-" skips, "x" clears."""
        given = zip(self.criteria, (language, helpfulness), strict=True)
        scores = [
            Score(self.responses[name][1], criterion, None if it in ("-", "x") else it, it == "-")
            for criterion, it in given
            if it is not None
        ]
        with writing(self.engine) as session:
            self.last[rater] = journal.append(session, self.raters[rater], scores, Shown(looked_ms=looked))

    def names(self, found):
        by_ids = {ids: name for name, ids in self.responses.items()}
        return [by_ids[ids] for ids in found]

    def cells(self, scope, *raters):
        """The heat map as {model: ((n, mean) of language, (n, mean) of helpfulness)}."""
        with reading(self.engine) as session:
            ids = [self.raters[rater] for rater in raters]
            found = {
                (cell.source, cell.criterion_id): (cell.n, pytest.approx(cell.mean))
                for cell in overview.heat_map(session, scope, self.rubric, ids)
            }
        table = {
            model: tuple(found.pop((source, criterion), None) for criterion in self.criteria)
            for model, source in self.sources.items()
        }
        assert not found
        return table


@pytest.fixture
def study(new_store):
    engine = open_store(new_store, create=True)
    places = {"k0 ru": 2, "k1 ru": 1, "k2 ru": 0, "k0 fr": 0}
    with writing(engine) as session:
        suites = [Suite(name=name, version="1") for name in ("s", "other")]
        session.add_all(suites)
        session.flush()
        suite, other = (found.id or 0 for found in suites)
        decoding = models.decoding_id(session, "imported", None, {})
        sources = {name: (models.model_id(session, name), decoding, 0) for name in ("m1", "m2")}
        raters = {name: rater_queries.rater_id(session, "human", name) for name in ("cyd", "bob", "ann")}
        raters["rule"] = rater_queries.rater_id(session, "rule", "answers", "1")
        raters["gpt"] = rater_queries.rater_id(session, "llm", "gpt", "v1")
        made: dict[str, tuple[int, int]] = {}
        for owner, name, place in [(suite, *it) for it in places.items()] + [(other, "k0 ru", 0)]:
            key, language = name.split()
            instruction = Instruction(
                suite_id=owner, key=key, language=language, position=place, text=f"{name}?"
            )
            session.add(instruction)
            session.flush()
            for model in ("m1",) if language == "fr" or owner == other else ("m1", "m2"):
                row = {"instruction_id": instruction.id, "model_id": sources[model][0], "text": "да"}
                responses.add_responses(session, [{**row, "decoding_id": decoding}])
                label = (
                    f"{key} {model}"
                    + (" fr" if language == "fr" else "")
                    + (" other" if owner == other else "")
                )
                made[label] = (instruction.id or 0, len(made) + 1)
        both = [{"name": "language"}, {"name": "helpfulness"}]
        rubric = rubrics.rubric_id(session, "r", "1", both)
        criteria = [row.id or 0 for row in rubrics.criteria_of(session, rubric)]
        foreign = rubrics.criteria_of(session, rubrics.rubric_id(session, "foreign", "1", both))
        journal.append(
            session, raters["ann"], [Score(made["k2 m2"][1], row.id or 0, 0) for row in foreign]
        )  # fmt: skip
    study = Study(engine, suite, rubric, criteria, raters, sources, made, {})
    study.score("ann", "k0 m1", language=2, looked=1000)
    study.score("ann", "k0 m1", helpfulness=2, looked=4000)
    study.score("ann", "k0 m2", 0, 2, looked=2000)
    study.score("ann", "k1 m1", 1, 0)
    study.score("ann", "k1 m2", 0, "-", looked=8000)
    study.score("ann", "k2 m1", 2, 1, looked=6000)
    study.score("ann", "k2 m1", helpfulness="x", looked=7000)
    study.score("bob", "k0 m1", 2, 1, looked=1000)
    study.score("bob", "k0 m2", 1, 0, looked=3000)
    study.score("bob", "k1 m1", helpfulness=1, looked=500)
    study.score("bob", "k1 m1", "-", 2, looked=2000)
    for name, scores in {
        "k0 m1": (2, 1),
        "k0 m2": (0, 1),
        "k1 m1": (2, 2),
        "k1 m2": (0, 0),
        "k2 m1": (2, 2),
    }.items():
        study.score("gpt", name, *scores)
    with writing(engine) as session:
        for name in ("k0 m1", "k1 m2"):
            response = study.responses[name][1]
            study.committed = journal.commit_response(
                session, raters["ann"], response, Shown(looked_ms=99_999)
            )
    for rater in ("ann", "gpt"):
        study.score(rater, "k0 m1 fr", 2, 2, looked=10)
        study.score(rater, "k0 m1 other", 0, 0, looked=10)
    yield study
    engine.dispose()


def test_a_mean_leaves_out_what_is_cleared_skipped_or_in_the_wrong_language(study):
    russian = Scope(study.suite, "ru")
    assert study.cells(russian, "ann") == {"m1": ((3, 5 / 3), (2, 1.0)), "m2": ((2, 0.0), None)}
    assert study.cells(russian, "gpt") == {"m1": ((3, 2.0), (3, 5 / 3)), "m2": ((2, 0.0), None)}


def test_the_language_is_wrong_only_for_the_rater_who_said_so(study):
    everyone = study.cells(Scope(study.suite, "ru"), "ann", "bob", "cyd")
    assert everyone == {"m1": ((3, 5 / 3), (2, 5 / 4)), "m2": ((2, 1 / 4), (1, 0.0))}


def test_without_a_language_all_languages_of_the_suite_count(study):
    assert study.cells(Scope(study.suite), "ann") == {"m1": ((4, 7 / 4), (3, 4 / 3)), "m2": ((2, 0.0), None)}
    assert study.cells(Scope(study.suite, "fr"), "ann") == {"m1": ((1, 2.0), (1, 2.0)), "m2": (None, None)}


def test_a_blind_reviewer_sees_numbers_of_committed_responses_only(study):
    committed = Scope(study.suite, "ru", committed_by=study.raters["ann"])
    assert study.cells(committed, "gpt") == {"m1": ((1, 2.0), (1, 1.0)), "m2": ((1, 0.0), None)}
    nothing = Scope(study.suite, "ru", committed_by=study.raters["bob"])
    assert study.cells(nothing, "gpt") == {"m1": (None, None), "m2": (None, None)}


def test_a_scope_can_be_kept_to_some_sources(study):
    only = Scope(study.suite, "ru", sources=(study.sources["m2"],))
    assert study.cells(only, "gpt") == {"m1": (None, None), "m2": ((2, 0.0), None)}


def test_samples_and_decodings_of_a_model_are_rows_of_their_own(study):
    instruction = study.responses["k0 m1"][0]
    model, decoding, _ = study.sources["m1"]
    row = {"instruction_id": instruction, "model_id": model, "text": "нет"}
    with writing(study.engine) as session:
        other = models.decoding_id(session, "llama.cpp", "q8_0", {})
        responses.add_responses(session, [{**row, "decoding_id": decoding, "sample": 1}])
        responses.add_responses(session, [{**row, "decoding_id": other}])
    study.sources |= {"m1 sample 1": (model, decoding, 1), "m1 q8_0": (model, other, 0)}
    study.responses |= {
        name: (instruction, len(study.responses) + place) for place, name in ((1, "sampled"), (2, "small"))
    }
    study.score("cyd", "sampled", 2, 1)
    study.score("cyd", "small", 1, 0)
    found = study.cells(Scope(study.suite, "ru"), "cyd")
    assert found["m1 sample 1"] == ((1, 2.0), (1, 1.0))
    assert found["m1 q8_0"] == ((1, 1.0), (1, 0.0))
    assert found["m1"] == (None, None)


def test_a_rubric_without_a_language_criterion_leaves_nothing_out(study):
    with writing(study.engine) as session:
        study.rubric = rubrics.rubric_id(session, "short", "1", [{"name": "helpfulness"}, {"name": "logic"}])
        study.criteria = [row.id or 0 for row in rubrics.criteria_of(session, study.rubric)]
    study.score("ann", "k0 m2", 0, 2)
    assert study.cells(Scope(study.suite, "ru"), "ann")["m2"] == ((1, 0.0), (1, 2.0))


@pytest.mark.parametrize("raters", [("ann",), ("bob",), ("ann", "bob"), ("gpt",)])
@pytest.mark.parametrize("by", [None, "ann"])
@pytest.mark.parametrize("language", [None, "ru"])
def test_behind_a_cell_are_as_many_responses_as_it_counts_in_the_suites_order(study, raters, by, language):
    order = [
        *(["k0 m1 fr"] if language is None else []),
        "k2 m1",
        "k2 m2",
        "k1 m1",
        "k1 m2",
        "k0 m1",
        "k0 m2",
    ]
    scope = Scope(study.suite, language, committed_by=by and study.raters[by])
    ids = [study.raters[rater] for rater in raters]
    with reading(study.engine) as session:
        cells = overview.heat_map(session, scope, study.rubric, ids)
        for cell in cells:
            behind = overview.responses_behind(session, scope, cell.source, cell.criterion_id, ids)
            names = study.names(behind)
            assert names == sorted(set(names), key=order.index)
            assert len(names) == cell.n
    assert cells or raters == ("bob",)


def test_behind_a_cell_are_the_responses_that_the_mean_is_of(study):
    russian, (language, helpfulness) = Scope(study.suite, "ru"), study.criteria
    ann, bob = study.raters["ann"], study.raters["bob"]
    with reading(study.engine) as session:

        def behind(model, criterion, *raters):
            source = study.sources[model]
            return study.names(overview.responses_behind(session, russian, source, criterion, raters))

        assert behind("m1", language, ann) == ["k2 m1", "k1 m1", "k0 m1"]
        assert behind("m1", helpfulness, ann) == ["k1 m1", "k0 m1"]
        assert behind("m2", helpfulness, ann) == []
        assert behind("m2", helpfulness, ann, bob) == ["k0 m2"]


def pairs(study, scope, *humans):
    """{(human, judge): n} of language and of helpfulness."""
    with reading(study.engine) as session:
        ids = [study.raters[rater] for rater in humans]
        found = overview.pair_counts(session, scope, study.rubric, ids, study.raters["gpt"])
    assert all(isinstance(it, PairCount) for it in found)
    return tuple(
        {(it.human, it.judge): it.n for it in found if it.criterion_id == criterion}
        for criterion in study.criteria
    )


def test_a_pair_is_a_response_that_human_and_judge_both_scored(study):
    russian = Scope(study.suite, "ru")
    language, helpfulness = pairs(study, russian, "ann")
    assert language == {(2, 2): 2, (0, 0): 2, (1, 2): 1}
    assert helpfulness == {(2, 1): 2, (0, 2): 1}
    language, helpfulness = pairs(study, russian, "ann", "bob", "cyd")
    assert language == {(2, 2): 3, (0, 0): 2, (1, 2): 1, (1, 0): 1}
    assert helpfulness == {(2, 1): 2, (0, 2): 1, (1, 1): 1, (0, 1): 1, (2, 2): 1}
    assert pairs(study, russian, "cyd") == ({}, {})


def test_what_the_judge_left_out_is_no_pair(study):
    study.score("gpt", "k1 m1", helpfulness="-")
    assert pairs(study, Scope(study.suite, "ru"), "ann")[1] == {(2, 1): 2}
    with reading(study.engine) as session:
        scope, human, judge = Scope(study.suite, "ru"), study.raters["ann"], study.raters["gpt"]
        assert not overview.responses_behind_pair(session, scope, study.criteria[1], [human], 0, judge, 2)


def test_pairs_follow_the_scope(study):
    assert pairs(study, Scope(study.suite), "ann") == (
        {(2, 2): 3, (0, 0): 2, (1, 2): 1},
        {(2, 1): 2, (0, 2): 1, (2, 2): 1},
    )
    committed = Scope(study.suite, "ru", committed_by=study.raters["ann"])
    assert pairs(study, committed, "ann") == ({(2, 2): 1, (0, 0): 1}, {(2, 1): 1})


def test_behind_a_pair_are_the_responses_with_just_these_scores(study):
    russian, (language, helpfulness) = Scope(study.suite, "ru"), study.criteria
    gpt = study.raters["gpt"]
    with reading(study.engine) as session:

        def behind(criterion, human, judge, *humans, scope=russian):
            ids = [study.raters[rater] for rater in humans]
            found = overview.responses_behind_pair(session, scope, criterion, ids, human, gpt, judge)
            return study.names(found)

        assert behind(helpfulness, 2, 1, "ann") == ["k0 m1", "k0 m2"]
        assert behind(helpfulness, 1, 2, "ann") == []
        assert behind(language, 2, 2, "ann") == ["k2 m1", "k0 m1"]
        assert behind(language, 2, 2, "ann", "bob") == ["k2 m1", "k0 m1"]
        assert behind(language, 2, 2, "ann", scope=Scope(study.suite)) == ["k0 m1 fr", "k2 m1", "k0 m1"]
        committed = Scope(study.suite, "ru", committed_by=study.raters["ann"])
        assert behind(helpfulness, 2, 1, "ann", scope=committed) == ["k0 m1"]


def test_progress_tells_started_complete_and_committed_responses_per_reviewer(study):
    with reading(study.engine) as session:
        found = overview.progress(session, Scope(study.suite, "ru"), study.rubric)
        told = [(it.name, it.responses, it.started, it.complete, it.committed) for it in found]
        assert told == [("ann", 6, 5, 4, 2), ("bob", 6, 3, 3, 0), ("cyd", 6, 0, 0, 0)]
        assert [it.looked_seconds for it in found] == [5.5, 2.0, None]
        acted = [study.committed, study.last["bob"]]
        expected = [session.get_one(Entry, entry).created_at for entry in acted]
        assert [it.last_active for it in found] == [*expected, None]
        everywhere = overview.progress(session, Scope(study.suite), study.rubric)[0]
        assert (everywhere.responses, everywhere.started, everywhere.complete) == (7, 6, 5)
        assert everywhere.looked_seconds == 4.0


def test_an_undone_score_is_no_longer_progress(study):
    with writing(study.engine) as session:
        for _ in range(3):
            journal.undo(session, study.raters["bob"])
        bob = overview.progress(session, Scope(study.suite, "ru"), study.rubric)[1]
    assert (bob.started, bob.complete) == (1, 1)


def test_raters_are_listed_with_what_they_scored_in_the_scope(study):
    study.score("rule", "k0 m1 other", helpfulness=1)
    study.score("rule", "k0 m1", "-", "-")
    with reading(study.engine) as session:

        def told(found):
            return [(it.kind, it.name, it.version, it.responses, it.scores) for it in found]

        russian = Scope(study.suite, "ru")
        humans = overview.reviewers_of(session, russian, study.rubric)
        assert told(humans) == [("human", "ann", "", 5, 8), ("human", "bob", "", 3, 5)]
        assert humans[0].rater_id == study.raters["ann"]
        assert told(overview.judges_of(session, russian, study.rubric)) == [("llm", "gpt", "v1", 5, 10)]
        french = Scope(study.suite, "fr")
        assert told(overview.reviewers_of(session, french, study.rubric)) == [("human", "ann", "", 1, 2)]
    study.score("rule", "k0 m1", helpfulness=1)
    with reading(study.engine) as session:
        kinds = [it.kind for it in overview.judges_of(session, Scope(study.suite), study.rubric)]
        assert kinds == ["llm", "rule"]


def test_sources_are_those_of_the_language_or_of_all(study):
    with reading(study.engine) as session:

        def names(**scope):
            return [it.model for it in overview.sources_of(session, Scope(study.suite, **scope))]

        assert names() == ["m1", "m2"]
        assert names(language="fr") == ["m1"]
        assert names(sources=(study.sources["m2"],)) == ["m2"]


def test_an_empty_store_has_no_numbers_and_no_error(new_store):
    engine = open_store(new_store, create=True)
    scope = Scope(1, "ru")
    with reading(engine) as session:
        assert overview.progress(session, scope, 1) == []
        assert overview.heat_map(session, scope, 1, []) == []
        assert overview.pair_counts(session, scope, 1, [], 1) == []
        assert overview.reviewers_of(session, scope, 1) == overview.judges_of(session, scope, 1) == []
        assert overview.responses_behind(session, scope, (1, 1, 0), 1, []) == []
    engine.dispose()


@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize("language", [None, "ru"])
def test_every_question_is_driven_by_the_suite_and_answered_by_indexes(study, language, analysed):
    if study.engine.dialect.name != "sqlite":
        pytest.skip("only SQLite tells its plan in these words")
    if analysed:
        with study.engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
    ann, bob, gpt = (study.raters[name] for name in ("ann", "bob", "gpt"))
    seen: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        if statement.lstrip().upper().startswith("SELECT"):
            seen.append((statement, parameters))

    event.listen(study.engine, "before_cursor_execute", note)
    with reading(study.engine) as session:
        for scope in (
            Scope(study.suite, language),
            Scope(study.suite, language, committed_by=ann, sources=tuple(study.sources.values())),
        ):
            overview.progress(session, scope, study.rubric)
            overview.reviewers_of(session, scope, study.rubric)
            overview.judges_of(session, scope, study.rubric)
            overview.sources_of(session, scope)
            overview.heat_map(session, scope, study.rubric, [ann, bob])
            overview.responses_behind(session, scope, study.sources["m1"], study.criteria[0], [ann, bob])
            overview.pair_counts(session, scope, study.rubric, [ann, bob], gpt)
            overview.responses_behind_pair(session, scope, study.criteria[0], [ann, bob], 2, gpt, 2)
    event.remove(study.engine, "before_cursor_execute", note)
    with study.engine.connect() as connection:
        for statement, parameters in seen:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            steps = [row[3] for row in plan]
            for table in ("instruction", "response", "rating", "entry"):
                for step in steps:
                    words = step.split()
                    assert words[:2] != ["SCAN", table], f"{step} in {statement}"
                    if words[:2] == ["SEARCH", table]:
                        index = {"rating": "ix_rating_current", "entry": "ix_entry_response"}.get(table, "")
                        assert index in step, f"{step} in {statement}"
