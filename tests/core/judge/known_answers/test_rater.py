"""The rater that knows the answers."""

import pytest
from sqlalchemy import text

from core.judge.known_answers import matching
from core.judge.known_answers.checks import BadCheck, read_check
from core.judge.known_answers.rater import judge_known_answers
from store.queries import models, responses, suites
from store.session import writing

pytestmark = pytest.mark.parts


def check(*groups: list[str], at_least: int = 1, in_order: bool = False) -> dict:
    return {
        "groups": [{"any_of": list(group), "at_least": at_least} for group in groups],
        "in_order": in_order,
    }


def score(rule: dict, response: str) -> int:
    return read_check(rule).score(response)


@pytest.mark.parametrize(
    ("rule", "response", "expected"),
    [
        (check(["рубль"]), "Валюта России — РОССИЙСКИЙ РУБЛЬ.", 2),
        (check(["рубль"]), "Валюта России — рублёвая.", 0),
        (check(["рубль"]), "антирубль", 0),
        (check(["Королёв"]), "Это был Королев.", 2),
        (check(["Côte d'Ivoire"]), "C’est la CÔTE\nD’IVOIRE.", 2),
        (check(["Côte d'Ivoire"]), "C’est la cote d’ivoire.", 0),
        (check(["été"]), "L’e\u0301te\u0301 est là", 2),
        (check(["Straße"]), "die STRASSE", 2),
        (check(["C++"]), "Use C++, please", 2),
        (check(["New York"]), "New\u00a0\n York", 2),
        (check(["Paris"], ["France"]), "Paris, en Italie", 1),
        (check(["Paris"], ["France"]), "", 0),
    ],
)
def test_answers_are_found_whatever_their_case_accents_form_or_spacing(rule, response, expected):
    assert score(rule, response) == expected


def test_at_least_counts_different_strings():
    rule = check(["Guinea", "Equatorial Guinea", "Ghana", "Gabon"], at_least=3)
    assert score(rule, "Ghana, Gabon, Guinea") == 2
    assert score(rule, "Ghana, Ghana, GHANA, ghana") == 0
    assert score(rule, "Ghana, Equatorial Guinea") == 0
    assert score(rule, "Ghana, Equatorial Guinea, Guinea") == 2
    assert score(check(["Guinea", "Guinea Bissau"], at_least=2), "Guinea Bissau, Guinea") == 2
    assert score(check(["Guinea", "Guinea Bissau"], at_least=2), "Guinea Bissau, Guinea Bissau") == 0


def test_order_counts_only_where_it_is_asked_for():
    months = (["январь"], ["февраль"], ["март"])
    assert score(check(*months, in_order=True), "Январь, февраль, март") == 2
    assert score(check(*months, in_order=True), "Март, февраль, январь") == 1
    assert score(check(*months), "Март, февраль, январь") == 2


@pytest.mark.parametrize(
    "broken",
    [
        [], {}, {"groups": []}, {"groups": ["Paris"]}, {"groups": [{"any_of": "Paris"}]},
        {"groups": [{"any_of": []}]}, {"groups": [{"any_of": [" "]}]}, {"groups": [{"any_of": [1]}]},
        {"groups": [{"any_of": ["a", "A"], "at_least": 2}]},
        {"groups": [{"any_of": ["a"], "at_least": True}]},
        {"groups": [{"any_of": ["a"]}], "in_order": "yes"}, {"groups": [{"any_of": ["a"]}], "order": True},
        {"groups": [{"anyof": ["a"]}]},
    ],
)  # fmt: skip
def test_a_broken_check_is_refused(broken):
    with pytest.raises(BadCheck):
        read_check(broken)


def ratings(engine):
    statement = (
        "SELECT current_rating.response_id, criterion.name, score, skipped FROM current_rating "
        "JOIN criterion ON criterion.id = criterion_id"
    )
    found: dict = {}
    with engine.connect() as connection:
        for response, name, value, skipped in connection.execute(text(statement)):
            found.setdefault(response, {})[name] = "skipped" if skipped else value
    return found


SKIPPED = dict.fromkeys(("helpfulness", "fluency", "accuracy", "logic", "harmlessness"), "skipped")


def test_right_partly_right_wrong_wrong_language_and_empty(answered):
    both = check(["рубль"], ["копейка"])
    engine = answered(
        ("ru", "?", "Это рубль и копейка, две русские монеты.", both),
        ("ru", "?", "Я думаю, что это российский рубль.", both),
        ("ru", "?", "К сожалению, я этого совсем не знаю.", both),
        ("ru", "?", "I believe that it is the рубль and the копейка of course.", both),
        ("ru", "?", "", both),
        ("ru", "?", "Здесь нечего проверять."),
        ("pt_BR", "?", "A moeda do Brasil é o real, como todos nós sabemos.", check(["real"])),
    )
    run = judge_known_answers(engine)
    assert (run.counts, run.failures) == ({"rated": 6}, [])
    assert ratings(engine) == {
        1: {"language": 2, "accuracy": 2, "helpfulness": 2},
        2: {"language": 2, "accuracy": 1, "helpfulness": 1},
        3: {"language": 2, "accuracy": 0, "helpfulness": 0},
        4: {"language": 0, **SKIPPED},
        5: {"language": "skipped", "accuracy": 0, "helpfulness": 0},
        7: {"language": 2, "accuracy": 2, "helpfulness": 2},
    }


def test_a_response_is_rated_once_by_the_run_that_rated_it(answered):
    engine = answered(("fr", "?", "La capitale de la France est Paris.", check(["Paris"])))
    first = judge_known_answers(engine)
    assert judge_known_answers(engine).counts == {}
    with engine.connect() as connection:
        entries = connection.execute(
            text(
                "SELECT entry.run_id, who.kind, who.name, who.version "
                "FROM entry JOIN rater AS who ON who.id = rater_id"
            )
        ).all()
    assert entries == [(first.id, "rule", "known-answers", "3")]


def test_a_broken_check_fails_its_instruction_by_name_and_no_other(answered):
    engine = answered(
        ("fr", "?", "La capitale est Paris.", {"groups": "Paris"}),
        ("fr", "?", "La capitale de la France est Paris.", check(["Paris"])),
    )
    run = judge_known_answers(engine)
    assert run.exit_code == 3
    assert [unit for unit, _ in run.failures] == ["s/1 k0 fr"]
    assert list(ratings(engine)) == [2]


def test_a_sum_a_class_and_a_word_pattern_are_right_or_wrong(answered):
    engine = answered(
        ("de", "?", "Die Summe von siebzehn und 25 ist 42, wie man leicht sieht.", {"number": 42}),
        ("de", "?", "Die Summe von siebzehn und 25 ist 43, wie man leicht sieht.", {"number": 42}),
        ("fr", "?", "Cet avis est plutôt positif, je pense.", {"choice": 0, "of": ["positif", "négatif"]}),
        ("fr", "?", "Cet avis est positif ou bien négatif.", {"choice": 0, "of": ["positif", "négatif"]}),
        ("ru", "?", "Арбуз и автобус стоят на углу.", {"each_word": {"starts_with": "а", "at_least": 2}}),
    )
    assert judge_known_answers(engine).failures == []
    assert [found["accuracy"] for found in ratings(engine).values()] == [2, 0, 2, 0, 2]
    assert [found["helpfulness"] for found in ratings(engine).values()] == [2, 0, 2, 0, 2]


def test_a_pattern_that_takes_too_long_fails_this_response_and_no_other(answered, monkeypatch):
    monkeypatch.setattr(matching, "SECONDS", 0.05)
    slow = {"pattern": r"(?:о|о)+[кл]"}
    engine = answered(
        ("ru", "?", "Это, в самом деле, очень просто! " * 4 + "о" * 40, slow),
        ("ru", "?", "Это, конечно же, обычный яблочный сок.", slow),
    )
    run = judge_known_answers(engine)
    assert run.exit_code == 3
    [(unit, reason)] = run.failures
    assert unit == "s/1 k0 ru · m"
    assert reason.startswith("its check's pattern was not done after 0.05 s")
    assert list(ratings(engine)) == [2]


def test_a_modifier_may_demand_another_language(store):
    asked = [
        suites.NewInstruction(modifier, "en", "?", check=check(["рубль"]), modifier=modifier)
        for modifier in ("lang_ru", "short")
    ]
    with writing(store) as session:
        suite, _ = suites.add_suite(session, "s", "1", asked)
        identity = {"decoding_id": models.decoding_id(session, "imported", None, {})}
        for model, answer in (
            ("ru", "Я думаю, что это российский рубль."),
            ("en", "I think it is the рубль."),
        ):
            identity["model_id"] = models.model_id(session, model)
            for row in suites.instructions_of(session, suite, "en"):
                responses.add_responses(session, [{**identity, "instruction_id": row.id, "text": answer}])
    assert judge_known_answers(store).counts == {"rated": 4}
    right = {"language": 2, "accuracy": 2, "helpfulness": 2}
    wrong = {"language": 0, **SKIPPED}
    assert [ratings(store)[response] for response in (1, 2, 3, 4)] == [right, wrong, wrong, right]
