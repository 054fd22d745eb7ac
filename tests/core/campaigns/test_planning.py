"""Which responses a campaign has scored, by whom and in which order, from plain values."""

from collections import Counter
from itertools import combinations

import pytest

from core.campaigns.assignment import assign_queues
from core.campaigns.plan import CampaignPlan, Reviewer, check_plan, read_reviewers
from core.campaigns.sampling import group_into_units, proportional_counts, sample_units
from store import UsageError
from store.queries.campaigns import Candidate


def candidate(number: int, key: int, model: str, language: str = "ru", text: str = "") -> Candidate:
    digest = text or f"{model} {key} {language}"
    return Candidate(number, "s/1", f"k{key:03}", language, f"task {key % 5}", model, "d", 0, digest)


def grid(keys: int, models: int, languages: tuple[str, ...] = ("ru",)) -> list[Candidate]:
    return [
        candidate(number, key, f"model {model}", language)
        for number, (language, key, model) in enumerate(
            (language, key, model) for language in languages for key in range(keys) for model in range(models)
        )
    ]


def plan(*reviewers: str, languages: tuple[str, ...] = ("ru",), **options) -> CampaignPlan:
    named = read_reviewers(reviewers, languages)
    found = CampaignPlan(("s/1",), languages, tuple(f"model {n}" for n in range(9)), named, **options)
    check_plan(found)
    return found


def test_the_papers_plan_is_a_sample_of_all_models_and_all_answers_of_the_main_one():
    units = sample_units(grid(113, 7), plan("anna", sample=30, main="model 3"))
    by_model = Counter(unit.responses[0].model for unit in units)
    assert by_model == {**dict.fromkeys([f"model {n}" for n in range(7)], 30), "model 3": 113}
    assert len(units) == 30 * 7 + 83


def test_a_sample_takes_of_every_task_in_proportion():
    units = sample_units(grid(50, 1), plan("anna", sample=10))
    assert Counter(unit.responses[0].task for unit in units) == dict.fromkeys(
        [f"task {n}" for n in range(5)], 2
    )


def test_places_that_proportion_leaves_open_go_to_the_largest_remainders():
    assert proportional_counts({"a": 50, "b": 30, "c": 20}, 5, seed=1) == {
        "a": 3,
        "b": 1,
        "c": 1,
    } or proportional_counts({"a": 50, "b": 30, "c": 20}, 5, seed=1) == {"a": 2, "b": 2, "c": 1}
    assert proportional_counts({"a": 70, "b": 20, "c": 10}, 4, seed=1) == {"a": 3, "b": 1, "c": 0}


def test_languages_with_the_same_instructions_share_the_sample():
    units = sample_units(grid(40, 1, ("ru", "fr")), plan("anna", languages=("ru", "fr"), sample=8))
    keys = [{it.responses[0].key for it in units if it.language == language} for language in ("ru", "fr")]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 8


def test_another_seed_draws_another_sample():
    one, other = (sample_units(grid(40, 1), plan("anna", sample=8, seed=seed)) for seed in (1, 2))
    assert one != other


def test_a_number_for_each_task_and_keys_by_name():
    each = sample_units(grid(50, 1), plan("anna", per_task=3))
    assert Counter(Counter(unit.responses[0].task for unit in each).values()) == {3: 5}
    named = sample_units(grid(50, 2), plan("anna", keys=("k007", "k001")))
    assert sorted(unit.responses[0].key for unit in named) == ["k001", "k001", "k007", "k007"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sample": 41}, "ru has 40 instructions with responses, --sample wants 41"),
        ({"per_task": 9}, "has 8 instructions with responses, --per-task wants 9"),
        ({"keys": ("nope",)}, "no responses to the instruction 'nope'"),
    ],
)
def test_what_is_not_there_is_named(options, said):
    with pytest.raises(UsageError, match=said):
        sample_units(grid(40, 1), plan("anna", **options))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sample": 1, "keys": ("a",)}, "--sample and --keys are two ways"),
        ({"main": "nobody"}, "No model 'nobody'"),
        ({"overlap": 0}, "--overlap 0: it is at least 1"),
        ({"repeats": -1}, "--repeats -1"),
    ],
)
def test_a_plan_that_cant_be_meant_is_refused(options, said):
    with pytest.raises(UsageError, match=said):
        plan("anna", **options)


@pytest.mark.parametrize(
    ("reviewers", "said"),
    [((), "Nobody is named"), (("anna", "anna:ru"), "named twice"), ((":ru",), "has no name"),
     (("anna:de",), "no responses in 'de'")],
)  # fmt: skip
def test_reviewers_who_cant_be_meant_are_refused(reviewers, said):
    with pytest.raises(UsageError, match=said):
        plan(*reviewers)


def test_responses_that_read_the_same_are_read_once():
    units = group_into_units([candidate(1, 1, "a", text="same"), candidate(2, 1, "b", text="same"),
                      candidate(3, 2, "a", text="same")])  # fmt: skip
    assert [[it.response_id for it in unit.responses] for unit in units] == [[1, 2], [3]]


def test_reviewers_get_the_same_number_and_the_same_mix_of_models():
    queues = assign_queues(group_into_units(grid(60, 4)), [], plan("a", "b", "c", overlap=2))
    assert {len(queue) for queue in queues.values()} == {160}
    for queue in queues.values():
        mix = Counter(place.unit.responses[0].model for place in queue)
        assert max(mix.values()) - min(mix.values()) <= 2
    shared = [
        len({p.unit.identity for p in queues[one]} & {p.unit.identity for p in queues[two]})
        for one, two in combinations(queues, 2)
    ]
    assert min(shared) > 50


def test_every_response_has_as_many_reviewers_as_asked_and_none_reads_a_text_twice():
    queues = assign_queues(group_into_units(grid(20, 3)), [], plan("a", "b", "c", "d", overlap=3))
    read = Counter(place.unit.identity for queue in queues.values() for place in queue)
    assert set(read.values()) == {3}
    for queue in queues.values():
        assert len({place.unit.identity for place in queue}) == len(queue)


def test_who_reads_more_languages_takes_less_of_what_others_can_read():
    found = group_into_units(grid(30, 1, ("de", "fr")))
    queues = assign_queues(found, [], plan("anna:fr,de", "boris:fr", languages=("de", "fr")))
    assert Counter(place.unit.language for place in queues["anna"]) == {"de": 30}
    assert Counter(place.unit.language for place in queues["boris"]) == {"fr": 30}


def test_a_queue_is_shuffled_within_a_language_and_languages_follow_as_named():
    queues = assign_queues(
        group_into_units(grid(30, 1, ("de", "fr"))), [], plan("anna:fr,de", languages=("de", "fr"))
    )
    languages = [place.unit.language for place in queues["anna"]]
    assert languages == ["fr"] * 30 + ["de"] * 30
    keys = [place.unit.responses[0].key for place in queues["anna"][:30]]
    assert keys != sorted(keys)
    assert keys != [place.unit.responses[0].key for place in queues["anna"][30:]]


@pytest.mark.parametrize("seed", range(8))
def test_repeats_come_at_least_so_many_places_after_the_first_time_in_the_same_language(seed):
    found = group_into_units(grid(30, 1, ("de", "fr")))
    asked = plan("anna", languages=("de", "fr"), repeats=15, min_gap=12, seed=seed)
    queue = assign_queues(found, [], asked)["anna"]
    assert Counter(place.kind for place in queue) == {"normal": 60, "repeat": 15}
    first = {place.unit.identity: at for at, place in enumerate(queue) if place.kind == "normal"}
    apart = [at - first[place.unit.identity] for at, place in enumerate(queue) if place.kind == "repeat"]
    assert min(apart) >= 12
    assert [place.unit.language for place in queue] == sorted(place.unit.language for place in queue)


def test_checks_are_the_same_for_all_and_not_in_the_own_queue_anyway():
    everything = group_into_units(grid(20, 3))
    units = [unit for unit in everything if unit.responses[0].model == "model 0"]
    others = [unit for unit in everything if unit not in units]
    for known in (others, everything):
        queues = assign_queues(units, known, plan("a", "b", checks=4))
        checks = [{p.unit.identity for p in queue if p.kind == "check"} for queue in queues.values()]
        assert [len(found) for found in checks] == [4, 4]
        assert known is everything or checks[0] == checks[1]
        for queue in queues.values():
            assert len({place.unit.identity for place in queue}) == len(queue)


@pytest.mark.parametrize(
    ("reviewers", "options", "said"),
    [
        (("anna", "boris:fr"), {"overlap": 2, "languages": ("ru", "fr")}, "ru is read by anna, and 2 shall"),
        (("boris:fr",), {"languages": ("ru", "fr")}, "ru is read by nobody, and 1 shall"),
        (
            ("anna",),
            {"repeats": 3, "min_gap": 19},
            "anna reads 20 responses; 2 of them come at",
        ),
        (("anna",), {"checks": 1}, "anna can be given 0 responses whose scores are known"),
    ],
)
def test_a_plan_that_cant_be_met_is_refused(reviewers, options, said):
    languages = options.pop("languages", ("ru",))
    with pytest.raises(UsageError, match=said):
        assign_queues(
            group_into_units(grid(20, 1, languages)), [], plan(*reviewers, languages=languages, **options)
        )


def test_row_numbers_and_their_order_decide_nothing():
    found = grid(20, 3, ("ru", "fr"))
    renumbered = [
        Candidate(1000 - it.response_id, *(getattr(it, name) for name in list(it.__dict__)[1:]))
        for it in reversed(found)
    ]
    asked = plan("a", "b", languages=("ru", "fr"), sample=7, repeats=2, min_gap=3, overlap=2)

    def dealt(some: list[Candidate]) -> list[tuple]:
        chosen = sample_units(sorted(some, key=lambda it: it.identity), asked)
        return [
            (name, place.kind, [it.identity for it in place.unit.responses])
            for name, queue in assign_queues(chosen, [], asked).items()
            for place in queue
        ]

    assert dealt(found) == dealt(renumbered)


def test_a_reviewer_is_a_name_and_languages_in_order():
    assert read_reviewers(["anna: fr, de ,fr", "boris"], ["de", "fr"]) == (
        Reviewer("anna", ("fr", "de")),
        Reviewer("boris"),
    )
