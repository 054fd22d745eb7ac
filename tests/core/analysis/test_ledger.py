"""What counts is the same for every reader of the store: random stores, counted by hand."""

import json
import random
from fractions import Fraction
from statistics import fmean

import pytest

from core.analysis.agreement import agreements
from core.analysis.bootstrap import draw_resamples
from core.analysis.means import all_rater_groups, mean_scores
from core.analysis.scores import load_scores
from core.exchange.exporting import run_export
from core.exchange.preferences import final_score, scored_by_instruction
from core.judge.calibrate import calibrate
from core.report.build import make_report
from store.queries import overview, raters, scores
from store.queries.ledger import REASONS, reasons
from store.queries.overview import Scope
from store.queries.raters import repeat_version, split_version
from store.session import reading, writing
from store.tables import LEDGER
from tests.core.analysis.rated import Rated

pytestmark = pytest.mark.parts

PEOPLE, SETTLER, JUDGE = ("ann", "bob", "cid"), "dora", "gpt"
MODELS, LANGUAGES, KEYS = ("m", "n"), ("en", "ru"), ("a", "b", "c")
CRITERIA = ("language", "fluency", "helpfulness")
PLACES = [(model, language, key) for model in MODELS for language in LANGUAGES for key in KEYS]


def drawn(seed, *, once=False):
    """What raters did, in order: (name, kind, version, place, criterion, score); a score None is a skip and
    "clear" takes it back. `once`: nobody says anything twice."""
    rng = random.Random(seed)
    acts = [
        (name, kind, version, place, criterion, rng.choice((0, 0, 1, 2, 2, None)))
        for name, kind, version in (
            *((person, "human", "") for person in PEOPLE),
            ("ann", "human", "#2"),
            (JUDGE, "llm", "v1"),
            (JUDGE, "llm", "v1#2"),
        )
        for place in PLACES
        for criterion in CRITERIA
        if rng.random() < 0.7
    ]
    if not once:
        for name, kind, version, place, criterion, _ in rng.sample(acts, len(acts) // 5):
            acts.append((name, kind, version, place, criterion, rng.choice((0, 1, 2, "clear"))))
    return acts


def settled_places(seed):
    """The adjudicator's marks by place; committed only where the second is true."""
    rng = random.Random(f"settled {seed}")
    return {
        place: ({criterion: rng.choice((0, 1, 2, None)) for criterion in CRITERIA if rng.random() < 0.8},
                rng.random() < 0.7)
        for place in rng.sample(PLACES, 6)
    }  # fmt: skip


def made(path, acts, settled=()):
    study = Rated(path, keys=KEYS, languages=LANGUAGES, models_=MODELS)
    for name, kind, version, place, criterion, score in acts:
        study.give(name, place, kind=kind, version=version, **{criterion: score})
    settle(study, settled)
    return study


def settle(study, settled):
    for place in settled:
        marks, committed = settled[place]
        study.assign(SETTLER, place, kind="adjudication")
        if marks:
            study.give(SETTLER, place, **marks)
        if committed:
            study.commit(SETTLER, place)


def by_hand(acts, settled):
    """(whose, model, language, criterion) -> (n, mean); `whose` is a rater's label, or `people`."""
    current = {}
    for name, kind, version, place, criterion, score in acts:
        if "#" not in version:
            current[f"{kind}:{name}" + (f"@{version}" if version else ""), place, criterion] = score
    final = {}
    for place, (marks, committed) in settled.items():
        current |= {(f"human:{SETTLER}", place, criterion): score for criterion, score in marks.items()}
        if committed:
            final |= {(place, criterion): f"human:{SETTLER}" for criterion in marks}
    given = {}
    for (rater, place, criterion), score in current.items():
        wrong = criterion != "language" and current.get((rater, place, "language")) == 0
        if score in (None, "clear") or wrong:
            continue
        model, language, key = place
        given.setdefault((rater, model, language, criterion), {}).setdefault(key, []).append(score)
        if rater.startswith("human") and final.get((place, criterion), rater) == rater:
            given.setdefault(("people", model, language, criterion), {}).setdefault(key, []).append(score)
    return {cell: (len(own), pytest.approx(fmean(map(fmean, own.values())))) for cell, own in given.items()}


def of_report(study):
    scored = study.load()
    means = mean_scores(scored, draw_resamples(len(scored.keys), number=10))
    return {
        (group.key if group.together else group.name, source.model, language, criterion.name): (
            mean.n,
            mean.value,
        )
        for group in all_rater_groups(scored)
        for at, source in enumerate(scored.sources)
        for language in scored.languages
        for index, criterion in enumerate(scored.criteria)
        if (mean := means.at(group, at, index, language))
    }


def of_overview(study):
    cells = {}
    names = {number: name for name, number in study.criteria.items()}
    with reading(study.engine) as session:
        for language in LANGUAGES:
            scope = Scope(study.suite, language)
            models = {source.key: source.model for source in overview.sources_of(session, scope)}
            known = [
                *overview.reviewers_of(session, Scope(study.suite), study.rubric),
                *overview.judges_of(session, Scope(study.suite), study.rubric),
            ]
            groups = {
                f"{row.kind}:{row.name}" + (f"@{row.version}" if row.version else ""): [row.rater_id]
                for row in known
            }
            groups["people"] = [row.rater_id for row in known if row.kind == "human"]
            for label, ids in groups.items():
                for cell in overview.heat_map(session, scope, study.rubric, ids):
                    key = (label, models[cell.source], language, names[cell.criterion_id])
                    cells[key] = (cell.n, cell.mean)
                    behind = overview.responses_behind(
                        session, scope, cell.source, cell.criterion_id, ids
                    )  # fmt: skip
                    assert len(behind) == cell.n
    return cells


def of_demo_text(study):
    with reading(study.engine) as session:
        return {
            (
                "people" if row.rater.startswith("people") else row.rater,
                row.source.model,
                row.language,
                row.criterion,
            ): (row.n, row.mean)
            for row in scores.mean_scores(session, study.suite)
        }


def of_exports(study):
    """From what preference pairs and LLM Comparator are made of."""
    cells = {}
    labels = {"people": None, **{f"human:{name}": name for name in (*PEOPLE, SETTLER)}}
    with reading(study.engine) as session:
        labels = {label: name for label, name in labels.items() if not name or raters.is_known(session, name)}
        for label, rater in labels.items():
            for criterion in CRITERIA:
                given = {}
                for instruction, own in scored_by_instruction(
                    session, {"criterion": criterion, **({"rater": rater} if rater else {})}
                ):
                    for of_response in own.values():
                        mean = final_score(of_response)
                        if mean is not None:
                            key = (label, of_response[0].model, instruction.language, criterion)
                            given.setdefault(key, []).append(mean)
                cells |= {key: (len(means), float(sum(means) / len(means))) for key, means in given.items()}
    return cells


def numbers_of_agreement(study):
    """Every number of agreement there is, by names."""
    with reading(study.engine) as session:
        scored = load_scores(session, study.suite, "s/1", study.rubric)
        ids = {
            name: raters.rater_id(session, kind, name, version)
            for name, kind, version in (*((person, "human", "") for person in PEOPLE), (JUDGE, "llm", "v1"))
        }
        counted = overview.pair_counts(
            session, Scope(study.suite), study.rubric, [ids[name] for name in PEOPLE], ids[JUDGE]
        )
    told = agreements(scored, draw_resamples(len(scored.keys), number=100))
    return (
        {
            (pair.first.name, pair.second.name, pair.criterion.name, pair.language_group): (
                pair.counts.tolist(),
                pair.outside,
                pair.figures,
            )
            for pair in told.pairs
        },
        {(people.criterion.name, people.language_group): (people.alpha, people.n) for people in told.people},
        sorted((row.criterion_id, row.human, row.judge, row.n) for row in counted),
        calibrate(study.engine).as_dict(),
    )


@pytest.mark.parametrize("seed", range(4))
def test_every_reader_gives_the_same_means_and_numbers(tmp_path, seed):
    acts, settled = drawn(seed), settled_places(seed)
    study = made(tmp_path / "s.db", acts, settled)
    expected = by_hand(acts, settled)
    assert of_report(study) == expected
    assert of_overview(study) == expected
    assert of_demo_text(study) == expected
    people = {cell: value for cell, value in expected.items() if cell[0].startswith(("people", "human"))}
    assert of_exports(study) == people


@pytest.mark.parametrize("seed", range(4))
def test_an_adjudication_changes_no_number_of_agreement_and_no_persons_own_mean(tmp_path, seed):
    study = made(tmp_path / "s.db", drawn(seed))
    agreement, means = numbers_of_agreement(study), of_report(study)
    settle(study, settled_places(seed))
    assert numbers_of_agreement(study) == agreement
    after = of_report(study)
    own = {cell: value for cell, value in after.items() if cell[0] not in ("people", f"human:{SETTLER}")}
    assert own == {cell: value for cell, value in means.items() if cell[0] != "people"}
    assert {cell: after[cell] for cell in after if cell[0] == "people"} != {
        cell: means[cell] for cell in means if cell[0] == "people"
    }


@pytest.mark.parametrize("seed", range(3))
def test_the_order_in_which_ratings_come_changes_nothing(tmp_path, seed):
    acts, settled = drawn(seed, once=True), settled_places(seed)
    shuffled = random.Random(seed).sample(acts, len(acts))
    one, two = made(tmp_path / "a.db", acts, settled), made(tmp_path / "b.db", shuffled, settled)
    for numbers in (of_report, of_overview, of_demo_text, of_exports, numbers_of_agreement):
        assert numbers(one) == numbers(two)
    for path, study in ((tmp_path / "a.jsonl", one), (tmp_path / "b.jsonl", two)):
        run_export(study.engine, "llm-comparator", path, {"models": list(MODELS)})
    examples = json.loads((tmp_path / "a.jsonl").read_text())["examples"]
    assert examples
    assert examples == json.loads((tmp_path / "b.jsonl").read_text())["examples"]


def test_two_people_of_whom_a_third_settles_keep_their_agreement_and_their_means(tmp_path):
    study = Rated(tmp_path / "s.db", keys=("a", "b", "c", "d"), languages=("en",))
    for key, ann, bob in (("a", 2, 2), ("b", 0, 2), ("c", 1, 1), ("d", 2, 0)):
        study.give("ann", ("m", "en", key), helpfulness=ann)
        study.give("bob", ("m", "en", key), helpfulness=bob)
    for key in ("b", "d"):
        settle(study, {("m", "en", key): ({"helpfulness": 1}, True)})
    scored = study.load()
    (pair,) = (
        it
        for it in agreements(scored, draw_resamples(4, number=100)).pairs
        if it.criterion.name == "helpfulness"
    )
    assert (pair.first.name, pair.second.name, pair.n) == ("human:ann", "human:bob", 4)
    assert pair.figures["exact"].value == 50
    assert of_report(study) == {
        ("people", "m", "en", "helpfulness"): (4, pytest.approx((2 + 1 + 1 + 1) / 4)),
        ("human:ann", "m", "en", "helpfulness"): (4, 5 / 4),
        ("human:bob", "m", "en", "helpfulness"): (4, 5 / 4),
        ("human:dora", "m", "en", "helpfulness"): (2, 1.0),
    }


def test_the_reasons_are_counted(tmp_path):
    study = Rated(tmp_path / "s.db", keys=("a", "b"), languages=("en",))
    place, other = ("m", "en", "a"), ("m", "en", "b")
    for score in (0, 1, 2):
        study.give("ann", place, helpfulness=score)
    study.give("ann", place, logic=1)
    study.give("ann", place, logic="clear")
    study.give("ann", place, accuracy=None)
    study.give("ann", place, version="#2", helpfulness=0)
    study.give("bob", other, language=0, helpfulness=2, fluency=1)
    study.give("bob", place, helpfulness=0)
    settle(study, {place: ({"helpfulness": 1}, True)})
    with reading(study.engine) as session:
        found = reasons(session, study.suite, study.rubric)
    assert found == {
        "superseded": 3, "cleared": 1, "skipped": 1, "repeat": 1, "language 0": 2, "replaced": 2,
    }  # fmt: skip
    assert list(found) == list(REASONS)
    (line,) = (line for line in make_report(study.engine, number=100).about if "left out" in line)
    assert "3 superseded (" in line
    assert "2 replaced (another reviewer adjudicated the response)." in line
    with reading(study.engine) as session:
        rows = session.connection().execute(LEDGER.select()).all()
    assert all((row.left_out is None) == (row.stands and not row.wrong_language) for row in rows)


def test_the_ledger_knows_repeats_by_the_rule_for_raters(tmp_path):
    study = Rated(tmp_path / "s.db", keys=("a",), languages=("en",))
    versions = ["", "v1", "v1#1", "v1#2", "v1#10", "v1#02", "#2", "#", "2", "a#2b", "a##3", "v#199", "v#9 "]
    for version in versions:
        study.give("gpt", ("m", "en", "a"), kind="llm", version=version, logic=1)
    with writing(study.engine) as session:
        ids = {raters.rater_id(session, "llm", "gpt", version): version for version in versions}
        rows = session.connection().execute(LEDGER.select())
        repeats = {ids[row.rater_id] for row in rows if row.left_out == "repeat"}
    assert repeats == {version for version in versions if split_version(version)[1] > 1}
    assert repeat_version("v1", 10) in repeats


def test_a_final_score_is_exact():
    class Given:
        settled = True

        def __init__(self, score):
            self.score = score

    assert final_score([Given(0), Given(0), Given(1)]) == Fraction(1, 3)
