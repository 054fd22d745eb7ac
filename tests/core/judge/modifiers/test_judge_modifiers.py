"""Rating a store by the rules, and the table of fulfilment, on SQLite."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from core.analysis.modifiers import fulfilment
from core.judge.modifiers import rater as modifiers_run
from core.judge.modifiers.rater import RATER, RUBRIC_FILE, fulfilment_criterion, judge_modifiers
from store import open_store
from store.queries import journal, models, raters, responses, rubrics, suites
from store.queries.journal import Score
from store.queries.modifiers import responses_by_modifier
from store.session import reading, writing

pytestmark = pytest.mark.parts


@pytest.fixture
def filled(store):
    """Fill the store with rows (language, modifier, response); gives the engine. Ids go from 1."""

    def fill(*rows, model="m"):
        with writing(store) as session:
            new = [
                suites.NewInstruction(f"k{place}", language, f"question {place}", modifier=modifier)
                for place, (language, modifier, _) in enumerate(rows)
            ]
            suite, _ = suites.add_suite(session, "s", "1", new)
            ids = {
                (row.language, row.key): row.id
                for language in {row[0] for row in rows}
                for row in suites.instructions_of(session, suite, language)
            }
            identity = {
                "model_id": models.model_id(session, model),
                "decoding_id": models.decoding_id(session, "imported", None, {}),
            }
            responses.add_responses(
                session,
                [
                    {**identity, "instruction_id": ids[language, f"k{place}"], "text": answer}
                    for place, (language, _, answer) in enumerate(rows)
                ],
            )
        return store

    return fill


def ratings(engine):
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT current_rating.response_id, score, skipped, criterion.name, rater.kind, rater.name, "
                "rater.version FROM current_rating JOIN criterion ON criterion.id = criterion_id "
                "JOIN rater ON rater.id = current_rating.rater_id"
            )
        ).all()
    assert {(row[3], *row[4:7]) for row in rows} <= {("fulfilment", "rule", "modifiers", RATER[2])}
    return {row[0]: "skipped" if row[2] else row[1] for row in rows}


def test_every_modifier_that_a_rule_decides_is_rated_and_no_other(filled, capsys):
    engine = filled(
        ("en", "short", "Salt it."),
        ("fr", "long", "Salez."),
        ("pt", "num_items_2", "1. sal\n2. ovo"),
        ("ru", "lang_fr", "Bonjour à tous, je suis très content de vous voir ici."),
        ("ru", "lang_fr", "Всем привет, я очень рад вас здесь видеть сегодня."),
        ("de", "markdown_template", "**Salz**"),
        ("de", "html_template", "<p>Salz</p>"),
        ("en", "arrow_template", "--> salt\n--> eggs"),
        ("en", "cap_template", "salt and eggs"),
        ("en", "cap_template", "盐和鸡蛋"),
        ("en", "scientific_style", "Salt."),
        ("en", "complex_inst", "Salt."),
        ("en", "scientific_style", "Eggs."),
        ("en", None, "Salt."),
        ("en", "", "Salt."),
        ("en", "short", ""),
    )
    run = judge_modifiers(engine)
    assert ratings(engine) == {1: 1, 2: 0, 3: 1, 4: 1, 5: 0, 6: 1, 7: 1, 8: 1, 9: 0, 10: "skipped", 16: 0}
    assert (run.counts, run.failures, run.exit_code) == ({"rated": 10, "undecided": 1}, [], 0)
    said = capsys.readouterr().err
    assert "2 to scientific_style" in said
    assert "1 to complex_inst" in said


def test_what_is_rated_is_not_rated_again_and_nothing_is_kept_of_an_idle_run(filled):
    engine = filled(("en", "short", "Salt it."), ("en", "cap", "盐"), ("en", "simple", "Salt."))
    first = judge_modifiers(engine)
    again = judge_modifiers(engine)
    assert (again.counts, again.idle) == ({}, True)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id FROM run")).scalars().all() == [first.id]
        assert connection.execute(text("SELECT count(*) FROM entry")).scalar() == 2


def test_an_unknown_modifier_fails_once_with_the_names_there_are(filled):
    engine = filled(
        ("en", "rhyme", "a"),
        ("fr", "rhyme", "b"),
        ("en", "lang_xx", "c"),
        ("en", "short", "d"),
        ("en", "num_items", "e"),
    )
    run = judge_modifiers(engine)
    assert [unit for unit, _ in run.failures] == [
        "modifier 'lang_xx'",
        "modifier 'num_items'",
        "modifier 'rhyme'",
    ]
    assert all("num_items_N" in reason and "html_template" in reason for _, reason in run.failures)
    assert run.exit_code == 3
    assert ratings(engine) == {4: 1}


def test_only_the_chosen_languages_are_rated_and_reported(filled, capsys):
    engine = filled(
        ("en", "rhyme", "a"), ("fr", "short", "Salez."), ("ru", "short", "Соль."), ("en", "simple", "a")
    )
    run = judge_modifiers(engine, languages=["fr"])
    assert (run.failures, ratings(engine)) == ([], {2: 1})
    assert "simple" not in capsys.readouterr().err


def test_many_chunks_are_rated_like_one(filled, monkeypatch):
    monkeypatch.setattr(modifiers_run, "CHUNK", 3)
    engine = filled(
        *[("en", "num_items_2", "1. a\n2. b\n3. c" if n % 2 else "1. a\n2. b") for n in range(10)]
    )
    assert judge_modifiers(engine).counts == {"rated": 10}
    assert ratings(engine) == {n + 1: 1 - n % 2 for n in range(10)}


def test_two_at_once_never_rate_a_response_twice(filled, monkeypatch):
    monkeypatch.setattr(modifiers_run, "CHUNK", 2)
    engine = filled(*[("en", "short", f"Answer {n}.") for n in range(60)])
    others = [open_store(engine.url.database) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(judge_modifiers, others))
    for other in others:
        other.dispose()
    assert sum(run.counts.get("rated", 0) for run in runs) == 60
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*), count(DISTINCT response_id) FROM rating")).one() == (
            60,
            60,
        )


def test_the_rubric_has_one_criterion_from_0_to_1_with_both_described(store):
    with writing(store) as session:
        assert fulfilment_criterion(session) == fulfilment_criterion(session)
        read = rubrics.read_rubric(RUBRIC_FILE)
        rubric = rubrics.rubric_id(session, read["name"], read["version"], read["criteria"])
        (criterion,) = rubrics.criteria_of(session, rubric)
        assert rubrics.label_of(session, rubric) == "modifiers/1"
        assert (criterion.name, criterion.minimum, criterion.maximum) == ("fulfilment", 0, 1)
        assert set(criterion.descriptions) == {"0", "1"}


def test_the_table_groups_numbers_and_languages_and_leaves_undecided_out(filled):
    engine = filled(
        ("en", "num_items_2", "1. a\n2. b"),
        ("en", "items_3", "1. a\n2. b"),
        ("en", "num_items_4", "1. a\n2. b"),
        ("fr", "num_items_2", "1. a\n2. b"),
        ("en", "lang_fr", "Bonjour à tous, je suis très content."),
        ("en", "lang_ru", "Hello everybody, I am very glad to be here."),
        ("en", "lang_ru", "42"),
        ("en", "short", "Salt it."),
        ("en", "simple_style", "Salt it."),
        ("en", None, "Salt it."),
    )
    judge_modifiers(engine)
    with writing(engine) as session:
        human = raters.rater_id(session, "human", "nv")
        criterion = fulfilment_criterion(session)
        journal.append(session, human, [Score(9, criterion, 0)])
        journal.append(session, human, [Score(9, criterion, 1)])
        journal.append(session, human, [Score(8, criterion, 0)])
        helpfulness = rubrics.criteria_of(session, rubrics.default_rubric_id(session))[0].id
        journal.append(session, human, [Score(7, helpfulness, 2)])
        rows = fulfilment(session, 1)
        assert fulfilment(session, 2) == []
    assert {row.source.model for row in rows} == {"m"}
    rule = "rule:modifiers@" + RATER[2]
    assert [(row.group, row.language, row.rater, row.n) for row in rows] == [
        ("short", "en", "human:nv", 1),
        ("short", "en", rule, 1),
        ("num_items", "en", rule, 3),
        ("num_items", "fr", rule, 1),
        ("lang", "en", rule, 2),
        ("simple", "en", "human:nv", 1),
    ]
    assert [row.percent for row in rows] == pytest.approx([0, 100, 100 / 3, 100, 50, 100])


def test_responses_are_counted_by_modifier(filled):
    engine = filled(("en", "short", "a"), ("fr", "short", "b"), ("fr", "simple", "c"), ("en", None, "d"))
    with reading(engine) as session:
        assert responses_by_modifier(session) == {"short": 2, "simple": 1}
        assert responses_by_modifier(session, ["en"]) == {"short": 1}
