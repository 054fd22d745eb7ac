"""The paper's numbers as they ship, and ours beside them."""

import csv
from pathlib import Path

import pytest

from core.analysis.bootstrap import draw_resamples
from core.analysis.means import mean_scores
from core.analysis.modifier_names import NAMES
from core.analysis.published import (
    beside,
    published_models,
    published_modifiers,
    published_name,
    published_scores,
    read_same_as,
)
from store import UsageError
from store.queries import raters, rubrics
from store.queries.journal import Score, append
from store.queries.modifiers import CRITERION, RUBRIC
from store.session import reading, writing
from tests.core.analysis.rated import Rated

pytestmark = pytest.mark.parts


ROOT = Path(__file__).parents[3]
PAPER = ROOT.parent / "shared" / "data" / "paper"
DOLLY = "LLaMA-2-13B / Dolly-En / FT"


def rows_of(name):
    with (PAPER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.skipif(not PAPER.exists(), reason="the paper's numbers are not in ../shared/data")
def test_figure_2_is_that_of_the_source():
    assert [
        {"model": it.model, "rater": it.rater, "criterion": it.criterion, "languages": it.languages,
         "score": f"{it.score:.2f}"}
        for it in published_scores()
    ] == rows_of("published_figure2.csv")  # fmt: skip


@pytest.mark.skipif(not PAPER.exists(), reason="the paper's numbers are not in ../shared/data")
def test_table_1_is_that_of_the_source():
    assert [
        {
            "modifier": it.group,
            "description": it.description,
            "fulfilled_en_percent": f"{it.fulfilled['en']:.0f}",
            "fulfilled_ru_percent": f"{it.fulfilled['ru']:.0f}",
            "helpfulness_en": f"{it.helpfulness['en']:.2f}",
            "helpfulness_ru": f"{it.helpfulness['ru']:.2f}",
        }
        for it in published_modifiers()
    ] == rows_of("published_table1.csv")


def test_the_shipped_numbers_are_complete_and_name_their_source():
    scores = published_scores()
    assert len({(it.model, it.rater, it.criterion, it.languages) for it in scores}) == 7 * 2 * 6 * 2
    assert len(scores) == 168
    assert [it.group for it in published_modifiers()] == [*NAMES, "average"]
    for name, place in (("figure2.csv", "figure 2"), ("table1.csv", "table 1")):
        text = (ROOT / "core" / "analysis" / "published" / name).read_text(encoding="utf-8")
        assert text.startswith(f"# Chirkova & Nikoulina 2024, arXiv 2402.14778, {place}\n")


def test_the_published_average_is_that_over_the_modifiers():
    *rows, average = published_modifiers()
    for language in ("en", "ru"):
        percents = [row.fulfilled[language] for row in rows]
        assert average.fulfilled[language] == pytest.approx(sum(percents) / len(rows), abs=0.5)
        scores = [row.helpfulness[language] for row in rows]
        assert average.helpfulness[language] == pytest.approx(sum(scores) / len(rows), abs=0.01)


@pytest.mark.parametrize("ending", ["", " / 1e-5", " / 2.5e-6", " / 1e-10"])
def test_a_model_is_known_by_its_name_without_learning_rate(ending):
    assert published_name(DOLLY + ending, {}) in published_models()


@pytest.mark.parametrize("name", [DOLLY + " / 1e-5 / more", DOLLY + " / x", DOLLY.lower(), "LLaMA-2-13B"])
def test_other_names_are_no_published_model(name):
    assert published_name(name, {}) not in published_models()
    assert published_name(name, {name: DOLLY}) == DOLLY


def test_which_model_is_which_is_read_from_its_option():
    assert read_same_as([f"a=b={DOLLY}", f" mine / 1e-5 = {DOLLY}"]) == {"a=b": DOLLY, "mine / 1e-5": DOLLY}
    for option in ("mine", f"={DOLLY}", "mine="):
        with pytest.raises(UsageError, match="OURS=PUBLISHED"):
            read_same_as([option])
    with pytest.raises(UsageError, match=r"no model 'GPT-9'.*Tower-7B / Dolly-DT / FT"):
        read_same_as(["mine=GPT-9"])


def of(study, same_as=None, judged=None, papers_suite=False):
    scored = study.load()
    resamples = draw_resamples(len(scored.keys), number=200)
    means = mean_scores(scored, resamples)
    return beside(means, judged, resamples, same_as, papers_suite=papers_suite)


@pytest.fixture
def study(tmp_path):
    """Two learning rates of a published model, and one of no such name."""
    study = Rated(
        tmp_path / "s.db",
        keys=("a", "b"),
        languages=("en", "fr", "ru"),
        models_=(f"{DOLLY} / 1e-5", f"{DOLLY} / 1e-4", "mine"),
    )
    for language, scores in {"en": (2, 1), "fr": (1, 1), "ru": (0, 1)}.items():
        for key, score in zip("ab", scores, strict=True):
            for model in (f"{DOLLY} / 1e-5", "mine"):
                study.give("ann", (model, language, key), helpfulness=score)
    study.give("gpt", (f"{DOLLY} / 1e-4", "en", "a"), kind="llm", version="v1", helpfulness=2)
    study.give("answers", (f"{DOLLY} / 1e-5", "en", "a"), kind="rule", helpfulness=0)
    yield study
    study.engine.dispose()


def test_a_model_of_the_papers_name_has_ours_beside_the_published(study):
    found = of(study)
    assert found.models == (f"{DOLLY} / 1e-5", f"{DOLLY} / 1e-4", "mine")
    told = {
        (it.model, it.rater_group.name, it.published.languages): it
        for it in found.scores
        if it.published.criterion == "helpfulness"
    }
    # People only for the first rate, the judge only for the second; a rule stands beside nobody.
    assert sorted(told) == [
        (f"{DOLLY} / 1e-4", "llm:gpt@v1", "en"),
        (f"{DOLLY} / 1e-4", "llm:gpt@v1", "non-en"),
        (f"{DOLLY} / 1e-5", "human:ann", "en"),
        (f"{DOLLY} / 1e-5", "human:ann", "non-en"),
    ]
    english = told[f"{DOLLY} / 1e-5", "human:ann", "en"]
    assert (english.published.score, english.ours.value, english.ours.n) == (1.77, 1.5, 2)
    assert english.difference == pytest.approx(-0.27)
    others = told[f"{DOLLY} / 1e-5", "human:ann", "non-en"]
    assert (others.published.score, others.ours.value, others.ours.n) == (1.35, 0.75, 4)
    judge = told[f"{DOLLY} / 1e-4", "llm:gpt@v1", "non-en"]
    assert judge.published.rater == "gpt-3.5"
    assert judge.ours is judge.difference is None


def test_every_criterion_that_anybody_scored_is_set_beside_also_where_a_rater_has_no_score(study):
    study.give("gpt", ("mine", "en", "a"), kind="llm", version="v1", logic=2)
    rows = [it for it in of(study).scores if it.rater_group.name == "human:ann"]
    assert len(rows) == 4
    assert {it.published.criterion for it in rows if it.ours is None} == {"logic"}


def test_a_model_is_set_beside_another_when_told_so(study):
    found = of(study, {"mine": "Tower-7B / Dolly-En / FT"})
    assert {it.published.model for it in found.scores if it.model == "mine"} == {"Tower-7B / Dolly-En / FT"}


def test_an_unknown_model_of_ours_is_refused_with_those_there_are(study):
    with pytest.raises(UsageError, match=r"No model 'yours' has answered s/1.*mine"):
        of(study, {"yours": DOLLY})


def test_a_criterion_on_another_scale_is_not_the_papers(tmp_path):
    study = Rated(tmp_path / "s.db", models_=(DOLLY,), criteria=[{"name": "helpfulness", "maximum": 4}])
    study.give("ann", (DOLLY, "en", "a"), helpfulness=4)
    assert of(study).scores == ()
    study.engine.dispose()


def test_an_empty_store_has_nothing_beside(tmp_path):
    study = Rated(tmp_path / "s.db", models_=())
    found = of(study)
    assert (found.models, found.scores, found.fulfilment, found.helpfulness) == ((), (), (), ())
    study.engine.dispose()


def verdicts(study, given):
    """Fulfilment as a rule says it: place -> 0 or 1; returns the arrays of the rubric for modifiers."""
    from core.analysis.scores import load_scores

    with writing(study.engine) as session:
        rubric = rubrics.rubric_id(session, RUBRIC, "1", [{"name": CRITERION, "maximum": 1}])
        (criterion,) = rubrics.criteria_of(session, rubric)
        rater = raters.rater_id(session, "rule", "modifiers", "1")
        append(session, rater, [Score(study.ids[at], criterion.id, said) for at, said in given.items()])
    with reading(study.engine) as session:
        return load_scores(session, study.suite, "s/1", rubric)


def test_modifiers_stand_beside_table_1_by_their_groups(tmp_path):
    study = Rated(
        tmp_path / "s.db",
        keys=("a", "b", "c", "d"),
        languages=("en", "fr", "ru"),
        modifiers={"a": "num_items_3", "b": "num_items_5", "c": "mine"},
    )
    judged = verdicts(study, {("m", "ru", "a"): 1, ("m", "ru", "b"): 0, ("m", "fr", "a"): 1})
    study.give("ann", ("m", "en", "a"), helpfulness=2)
    study.give("ann", ("m", "en", "b"), helpfulness=1)
    study.give("ann", ("m", "en", "c"), helpfulness=0)
    assert of(study, judged=judged).of_paper is False
    assert of(study, judged=judged).fulfilment == of(study).helpfulness == ()
    found = of(study, judged=judged, papers_suite=True)
    (row,) = found.fulfilment
    assert (row.modifier.group, row.language, row.model) == ("num_items", "ru", "m")
    assert (row.published, row.ours.value, row.ours.n, row.difference) == (83, 50, 2, -33)
    assert "rule:modifiers@1 (3)" in row.rater
    (row,) = found.helpfulness
    assert (row.modifier.group, row.language, row.published, row.ours.value) == ("num_items", "en", 1.66, 1.5)
    study.engine.dispose()


def test_the_average_stands_only_over_the_papers_modifiers(tmp_path):
    names = {"num_items": "num_items_3", "lang": "lang_fr"}
    modifiers = {f"k{place}": names.get(group, group) for place, group in enumerate(NAMES)}
    study = Rated(tmp_path / "s.db", keys=tuple(modifiers), languages=("en",), modifiers=modifiers)
    for place, key in enumerate(list(modifiers)[:-1]):
        study.give("ann", ("m", "en", key), helpfulness=place % 3)
    assert "average" not in {it.modifier.group for it in of(study, papers_suite=True).helpfulness}
    study.give("ann", ("m", "en", list(modifiers)[-1]), helpfulness=1)
    average = next(it for it in of(study, papers_suite=True).helpfulness if it.modifier.group == "average")
    assert (average.published, average.ours.value) == (1.49, pytest.approx(10 / 11))
    study.engine.dispose()
