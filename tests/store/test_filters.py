"""What the review room asks of a view, on an example small enough to work out by hand.

Suite `s` in Russian: a, b, c, e, f in this order, in French: d, c, a, e, in German: f. The rows were written
in another order. Language and helpfulness by rater; `-` is skipped, `x` was scored and then cleared:

              nv        gpt       nv besides
    a m2 ru   0 -       1 1       committed, an error span
    a m1 ru   2 0       0 2       committed
    b m1 ru   1 x       2 1       a comment that was taken away
    c m1 ru   2 1       1 1       a comment
    c m2 ru   . .       2 2       an error span that was taken away
    a m1 fr   1 1       1 2       committed
    c m1 fr   2 2       . .
    c m2 fr   . .       . .
    d m1 fr   0 0       2 2       committed
    e m1 fr   . .       . .
    f m1 de   . .       . .

Out of view are m3, another suite, another rubric, and bob, another reviewer.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from store import open_store
from store.queries import filters, journal, models, notes, responses, rubrics, surface
from store.queries import raters as rater_queries
from store.queries.compare import SourceKey
from store.queries.filters import STATUSES, Filter, ViewScope
from store.queries.journal import Score
from store.session import reading, writing
from store.tables import Instruction, Suite

pytestmark = pytest.mark.parts


LANGUAGE, HELPFULNESS = 0, 1
PLACES = {
    "c ru": 2, "a ru": 0, "f ru": 4, "e ru": 3, "b ru": 1,
    "a fr": 2, "e fr": 3, "d fr": 0, "c fr": 1, "f de": 0,
}  # fmt: skip
KINDS = {
    "a": ("email", "brief"),
    "b": ("advice", None),
    "c": ("email", None),
    "e": (None, None),
    "d": ("sums", "list"),
    "f": ("email", "brief"),
}
WRITTEN = [
    "c m1 ru", "c m2 ru", "a m3 ru", "b m1 ru", "a m2 ru", "a m1 ru",
    "e m1 fr", "d m1 fr", "c m2 fr", "c m1 fr", "a m1 fr", "f m1 de",
]  # fmt: skip
RUSSIAN = ["a m2 ru", "a m1 ru", "b m1 ru", "c m1 ru", "c m2 ru"]


@dataclass
class Room:
    """The store, and its rows by name. While `writer` is there, everything is written in its transaction."""

    engine: Engine
    suite: int
    instructions: dict[str, int] = field(default_factory=dict)
    responses: dict[str, int] = field(default_factory=dict)
    keys: dict[str, SourceKey] = field(default_factory=dict)
    criteria: list[int] = field(default_factory=list)
    raters: dict[str, int] = field(default_factory=dict)
    writer: Session | None = None

    def scope(self, *sources: str, languages: Iterable[str] = ("ru",), **changes: Any) -> ViewScope:
        """By default the view of nv beside gpt, of m1 and m2 in Russian."""
        scope = ViewScope(
            suite_id=self.suite,
            lead="ru",
            languages=tuple(languages),
            keys=tuple(self.keys[name] for name in sources or ("m1", "m2")),
            rater_id=self.raters["nv"],
            criterion_ids=tuple(self.criteria),
            judge_id=self.raters["gpt"],
        )
        return replace(scope, **changes)

    def do(self, action, *args):
        if self.writer is not None:
            return action(self.writer, *args)
        with writing(self.engine) as session:
            return action(session, *args)

    def ask(self, question, *args):
        with reading(self.engine) as session:
            return question(session, *args)

    def score(self, rater: str, name: str, *given: int | str | None) -> None:
        """Append one action: language and helpfulness; None is not touched, "-" skipped, "x" cleared."""
        scores = [
            Score(self.responses[name], criterion, it if isinstance(it, int) else None, it == "-")
            for criterion, it in zip(self.criteria, given, strict=True)
            if it is not None
        ]
        self.do(journal.append, self.raters[rater], scores)

    def commit(self, rater: str, *names: str) -> None:
        for name in names:
            self.do(journal.commit_response, self.raters[rater], self.responses[name])

    def names(self, found: Iterable[tuple[int, int]]) -> list[str]:
        """The responses by name; each must be beside the Russian instruction of the same key."""
        by_id = {response: name for name, response in self.responses.items()}
        pairs = [(instruction, by_id[response]) for instruction, response in found]
        assert [instruction for instruction, _ in pairs] == [
            self.instructions[f"{name[0]} ru"] for _, name in pairs
        ]
        return [name for _, name in pairs]

    def matching(self, wanted: Filter, scope: ViewScope | None = None) -> list[str]:
        return self.names(self.ask(filters.responses_matching, scope or self.scope(), wanted))


@pytest.fixture
def room(new_store):
    engine = open_store(new_store, create=True)
    with writing(engine) as session:
        suites = [Suite(name=name, version="1") for name in ("other", "s")]
        session.add_all(suites)
        session.flush()
        other, suite = (found.id or 0 for found in suites)
        room = Room(engine, suite, writer=session)
        for name, position in [*PLACES.items(), ("a other", 0)]:
            key, language = name.split()
            task, modifier = KINDS[key]
            instruction = Instruction(
                suite_id=suite if language != "other" else other,
                key=key,
                language=language if language != "other" else "ru",
                position=position,
                text=f"{name}?",
                task=task,
                modifier=modifier,
            )
            session.add(instruction)
            session.flush()
            room.instructions[name] = instruction.id or 0
        decoding = models.decoding_id(session, "imported", None, {})
        room.keys = {name: (models.model_id(session, name), decoding, 0) for name in ("m3", "m2", "m1")}
        for name in [*WRITTEN, "a m1 other"]:
            key, model, language = name.split()
            row = {
                "instruction_id": room.instructions[f"{key} {language}"],
                "model_id": room.keys[model][0],
                "decoding_id": decoding,
                "text": f"{name}!",
            }
            responses.add_responses(session, [row])
            room.responses[name] = len(room.responses) + 1
        both = [{"name": "language"}, {"name": "helpfulness"}]
        room.criteria = [
            row.id or 0 for row in rubrics.criteria_of(session, rubrics.rubric_id(session, "r", "1", both))
        ]
        foreign = rubrics.criteria_of(session, rubrics.rubric_id(session, "foreign", "1", both))
        kinds = {"bob": "human", "nv": "human", "rule": "rule", "gpt": "llm", "idle": "llm"}
        room.raters = {name: rater_queries.rater_id(session, kind, name) for name, kind in kinds.items()}
        for rater, score in (("nv", 0), ("gpt", 2)):
            scores = [Score(room.responses["c m2 ru"], row.id or 0, score) for row in foreign]
            journal.append(session, room.raters[rater], scores)
        room.score("nv", "a m2 ru", 0, "-")
        room.score("nv", "a m1 ru", 1, None)
        room.score("nv", "a m1 ru", 2, 0)
        room.score("nv", "b m1 ru", 1, 2)
        room.score("nv", "b m1 ru", None, "x")
        room.score("nv", "c m1 ru", 2, 1)
        room.score("nv", "a m1 fr", 1, 1)
        room.score("nv", "c m1 fr", 2, 2)
        room.score("nv", "d m1 fr", 0, 0)
        room.commit("nv", "a m2 ru", "a m1 ru", "a m1 fr", "d m1 fr")
        for name, language, helpfulness in [
            ("a m2 ru", 1, 1), ("a m1 ru", 2, 0), ("a m1 ru", 0, 2), ("b m1 ru", 2, 1), ("c m1 ru", 1, 1),
            ("c m2 ru", 2, 2), ("a m1 fr", 1, 2), ("c m1 fr", 0, 0), ("c m1 fr", "x", "x"), ("d m1 fr", 2, 2),
        ]:  # fmt: skip
            room.score("gpt", name, language, helpfulness)
        room.score("bob", "c m2 ru", 0, 0)
        room.commit("bob", "c m2 ru")
        for name in ("a m3 ru", "a m1 other"):
            room.score("nv", name, 0, 1)
            room.commit("nv", name)
            room.score("gpt", name, 2, 2)
        comments = [
            ("nv", "c m1 ru", "hm"),
            ("nv", "b m1 ru", "hm"),
            ("nv", "b m1 ru", ""),
            ("bob", "c m2 ru", "hm"),
        ]
        for rater, name, text in [*comments, ("nv", "a m3 ru", "hm"), ("nv", "a m1 other", "hm")]:
            room.do(notes.set_comment, room.raters[rater], [room.responses[name]], text)
        for name in ("a m2 ru", "c m2 ru"):
            room.do(notes.mark_span, room.raters["nv"], [room.responses[name]], 0, 1, "fluency", "minor")
        room.do(notes.remove_span, room.raters["nv"], [room.responses["c m2 ru"]], 0, 1, "fluency")
        for name, tool, label in [
            ("a m2 ru", "one", "ru"), ("a m1 ru", "one", "ru"), ("a m1 ru", "two", "en"),
            ("c m1 ru", "one", "en"), ("a m1 fr", "one", "fr"), ("d m1 fr", "one", "de"),
            ("a m3 ru", "one", "en"), ("a m1 other", "one", "en"),
        ]:  # fmt: skip
            found = {"response_id": room.responses[name], "tool": tool, "label": label, "value": 0.9}
            room.do(surface.add_metrics, [{**found, "metric": "language"}])
        spelt = {"response_id": room.responses["a m2 ru"], "metric": "spelling", "tool": "two", "value": 0.5}
        room.do(surface.add_metrics, [spelt])
    room.writer = None
    yield room
    engine.dispose()


BOTH = ("ru", "fr")


@pytest.mark.whole
@pytest.mark.parametrize(
    ("sources", "languages", "expected"),
    [
        (("m1", "m2"), ("ru",), "a b c"),
        (("m2",), ("ru",), "a c"),
        (("m3",), ("ru",), "a"),
        (("m1",), BOTH, "a b c e"),
        (("m1",), ("ru", "de", "fi"), "a b c f"),
        (("m2",), BOTH, "a c"),
    ],
)
def test_the_answered_instructions_come_in_the_order_of_the_lead_language(room, sources, languages, expected):
    found = room.ask(filters.instructions_with_responses, room.scope(*sources, languages=languages))
    assert found == [room.instructions[f"{key} ru"] for key in expected.split()]


def test_without_a_filter_every_response_in_scope_matches_in_the_suites_order(room):
    assert room.matching(Filter()) == RUSSIAN
    assert not Filter()
    assert Filter(responses=frozenset())


def test_by_language_a_response_stands_beside_the_instruction_in_the_lead_language(room):
    """A key that the lead language lacks (d) is not in the view."""
    by_language = room.scope("m1", languages=BOTH)
    assert room.matching(Filter(), by_language) == [
        "a m1 ru",
        "a m1 fr",
        "b m1 ru",
        "c m1 ru",
        "c m1 fr",
        "e m1 fr",
    ]


def wanted(**groups: Any) -> Filter:
    return Filter(**{name: frozenset(members) for name, members in groups.items()})


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (wanted(tasks=["email"]), "a m2, a m1, c m1, c m2"),
        (wanted(tasks=["advice", "email"]), "a m2, a m1, b m1, c m1, c m2"),
        (wanted(tasks=["sums"]), ""),
        (wanted(modifiers=["brief", "list"]), "a m2, a m1"),
        (wanted(tasks=["email", "advice"], modifiers=["brief"]), "a m2, a m1"),
        (wanted(tasks=["advice"], modifiers=["brief"]), ""),
        (wanted(identified=["en"]), "a m1"),
        (wanted(identified=["ru"]), "a m2"),
        (wanted(identified=["ru", "en", "de"]), "a m2, a m1"),
        (wanted(statuses=["unscored"]), "b m1, c m2"),
        (wanted(statuses=["scored"]), "a m2, a m1, c m1"),
        (wanted(statuses=["committed"]), "a m2, a m1"),
        (wanted(statuses=["commented"]), "a m2, c m1"),
        (wanted(statuses=["disagreement"]), "a m2, a m1"),
        (wanted(statuses=["committed", "unscored"]), "a m2, a m1, b m1, c m2"),
        (wanted(statuses=["commented"], tasks=["email"], identified=["ru"]), "a m2"),
        (wanted(statuses=["scored"], modifiers=["brief"], identified=["en"]), "a m1"),
        (wanted(statuses=["unscored"], identified=["en"]), ""),
        (wanted(responses=[]), ""),
    ],
)
def test_a_response_fits_one_member_of_every_group_that_is_chosen(room, chosen, expected):
    assert room.matching(chosen) == [f"{name} ru" for name in expected.split(", ") if name]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([(LANGUAGE, 2)], "a m1, c m1"),
        ([(LANGUAGE, 0)], "a m2"),
        ([(LANGUAGE, 1)], "b m1"),
        ([(HELPFULNESS, 2)], ""),
        ([(HELPFULNESS, 0), (LANGUAGE, 1)], "a m1, b m1"),
    ],
)
def test_only_the_reviewers_current_scores_are_filtered_by(room, scores, expected):
    chosen = Filter(scores=frozenset((room.criteria[criterion], score) for criterion, score in scores))
    assert room.matching(chosen) == [f"{name} ru" for name in expected.split(", ") if name]


def test_with_nothing_hidden_the_filters_need_no_commit(room):
    shown = room.scope(revealed_only=False)
    assert room.matching(wanted(identified=["en"]), shown) == ["a m1 ru", "c m1 ru"]
    assert room.matching(wanted(statuses=["disagreement"]), shown) == RUSSIAN[:4]


def test_without_a_judge_nothing_disagrees(room):
    alone = room.scope(judge_id=None, revealed_only=False)
    assert room.matching(wanted(statuses=["disagreement"]), alone) == []
    assert room.ask(filters.disagreements, alone) == []


def test_the_very_responses_are_left_in_the_suites_order_and_to_the_other_groups(room):
    chosen = frozenset(room.responses[name] for name in ("c m1 ru", "a m1 ru", "a m3 ru", "a m1 fr"))
    assert room.matching(Filter(responses=chosen)) == ["a m1 ru", "c m1 ru"]
    assert room.matching(Filter(responses=chosen, modifiers=frozenset({"brief"}))) == ["a m1 ru"]


def test_more_responses_may_be_named_than_a_database_takes_as_parameters(room):
    assert room.matching(Filter(responses=frozenset(range(300_000)))) == RUSSIAN


def test_by_language_the_filters_hold_for_each_response_and_its_lead_instruction(room):
    def found(**groups: Any) -> list[str]:
        return room.matching(wanted(**groups), room.scope("m1", languages=BOTH))

    assert found(tasks=["email"]) == ["a m1 ru", "a m1 fr", "c m1 ru", "c m1 fr"]
    assert found(identified=["fr", "de"]) == ["a m1 fr"]
    assert found(statuses=["unscored"]) == ["b m1 ru", "e m1 fr"]
    assert found(statuses=["disagreement"]) == ["a m1 ru", "a m1 fr"]
    assert found(scores=[(room.criteria[LANGUAGE], 0)]) == []


def test_another_reviewer_has_other_scores_commits_and_comments(room):
    bob = room.scope(rater_id=room.raters["bob"])
    for status in ("scored", "committed", "commented", "disagreement"):
        assert room.matching(wanted(statuses=[status]), bob) == ["c m2 ru"]
    assert room.matching(wanted(statuses=["unscored"]), bob) == RUSSIAN[:4]


def test_the_counts_of_every_group_are_those_of_the_responses_in_scope(room):
    language, helpfulness = room.criteria
    assert room.ask(filters.group_counts, room.scope()) == {
        "tasks": {"email": 4, "advice": 1},
        "modifiers": {"brief": 2},
        "identified": {"ru": 1, "en": 1},
        "scores": {
            (language, 0): 1,
            (language, 1): 1,
            (language, 2): 2,
            (helpfulness, 0): 1,
            (helpfulness, 1): 1,
        },
        "statuses": {"unscored": 2, "scored": 3, "committed": 2, "commented": 2, "disagreement": 2},
    }
    shown = room.ask(filters.group_counts, room.scope(revealed_only=False))
    assert shown["identified"] == {"ru": 1, "en": 2}
    assert shown["statuses"]["disagreement"] == 4


@pytest.mark.parametrize("rater", ["nv", "bob"])
@pytest.mark.parametrize("revealed_only", [True, False])
@pytest.mark.parametrize("sources", [("m1", "m2"), ("m1",), ("m2",)])
@pytest.mark.parametrize("languages", [("ru",), BOTH])
def test_a_count_is_the_number_of_responses_that_the_filter_leaves(
    room, rater, revealed_only, sources, languages
):
    scope = room.scope(
        *sources, languages=languages, rater_id=room.raters[rater], revealed_only=revealed_only
    )
    counts = room.ask(filters.group_counts, scope)
    assert set(counts["statuses"]) == set(STATUSES)
    for group, members in counts.items():
        for member, count in members.items():
            assert count == len(room.matching(wanted(**{group: [member]}), scope)), (group, member)


CRITERIA = (1, 2)
DONE = {
    "scored": lambda session, rater, ids: journal.append(
        session, rater, [Score(response, criterion, 1) for response in ids for criterion in CRITERIA]
    ),
    "commented": lambda session, rater, ids: notes.set_comment(session, rater, ids, "hm"),
    "marked": lambda session, rater, ids: notes.mark_span(session, rater, ids, 0, 1, "fluency", "minor"),
    "committed": lambda session, rater, ids: [
        journal.commit_response(session, rater, found) for found in ids
    ],
}


@pytest.mark.parametrize("done", DONE)
def test_what_was_done_to_several_responses_at_once_counts_for_each_of_them(room, done):
    """An entry of the journal names only the first; and nothing else was done by this rater."""
    names = ["a m1 ru", "b m1 ru", "a m1 fr"]
    scope = room.scope("m1", languages=BOTH, rater_id=room.raters["idle"])
    room.do(DONE[done], scope.rater_id, [room.responses[name] for name in names])
    status = "commented" if done == "marked" else done
    assert sorted(room.matching(wanted(statuses=[status]), scope)) == sorted(names)
    assert room.ask(filters.group_counts, scope)["statuses"][status] == 3


def test_a_view_without_responses_has_nothing_to_count_or_find(room):
    nobody = room.scope(keys=((99, 99, 0),))
    counts = room.ask(filters.group_counts, nobody)
    assert counts == {
        "tasks": {}, "modifiers": {}, "identified": {}, "scores": {}, "statuses": dict.fromkeys(STATUSES, 0),
    }  # fmt: skip
    assert room.ask(filters.first_unscored, nobody, -1) is None
    assert room.ask(filters.instructions_with_responses, nobody) == []
    assert room.ask(rater_queries.judges_in, nobody) == []


def next_unscored(room: Room, scope: ViewScope, after: int) -> str | None:
    found = room.ask(filters.first_unscored, scope, after)
    return None if found is None else room.names([found])[0]


def test_the_next_unscored_response_comes_after_the_place_and_then_from_the_start(room):
    def after(position: int) -> str | None:
        return next_unscored(room, room.scope(), position)

    assert [after(position) for position in (-1, 0, 1, 2, 3)] == [
        "b m1 ru", "b m1 ru", "c m2 ru", "b m1 ru", "b m1 ru",
    ]  # fmt: skip
    room.score("nv", "b m1 ru", None, 1)
    assert [after(position) for position in (-1, 2)] == ["c m2 ru", "c m2 ru"]
    room.score("nv", "c m2 ru", 0, None)
    assert after(0) == "c m2 ru"
    room.score("nv", "c m2 ru", None, "-")
    assert after(0) is None
    room.score("nv", "a m2 ru", None, "x")
    assert after(1) == "a m2 ru"


def test_by_language_the_next_unscored_response_is_told_by_the_lead_languages_places(room):
    by_language = room.scope("m1", languages=BOTH)
    assert [next_unscored(room, by_language, after) for after in (0, 1, 3)] == [
        "b m1 ru",
        "e m1 fr",
        "b m1 ru",
    ]


def differing(room: Room, scope: ViewScope) -> list[tuple[str, int, int]]:
    found = room.ask(filters.disagreements, scope)
    names = room.names((it.instruction_id, it.response_id) for it in found)
    criteria = [room.criteria.index(it.criterion_id) for it in found]
    return list(zip(names, criteria, (it.delta for it in found), strict=True))


def test_disagreements_come_from_the_largest_down_and_only_where_they_are_revealed(room):
    seen = [("a m1 ru", LANGUAGE, 2), ("a m1 ru", HELPFULNESS, -2), ("a m2 ru", LANGUAGE, -1)]
    assert differing(room, room.scope()) == seen
    hidden = [("b m1 ru", LANGUAGE, -1), ("c m1 ru", LANGUAGE, 1)]
    assert differing(room, room.scope(revealed_only=False)) == [*seen, *hidden]
    room.commit("nv", "c m1 ru")
    assert differing(room, room.scope()) == [*seen, hidden[1]]


def test_only_current_scores_on_both_sides_disagree(room):
    room.score("nv", "a m1 ru", 0, None)
    room.score("gpt", "a m1 ru", None, "x")
    room.score("gpt", "a m2 ru", 2, None)
    assert differing(room, room.scope()) == [("a m2 ru", LANGUAGE, -2)]


def test_by_language_disagreements_are_told_by_the_lead_instruction(room):
    assert differing(room, room.scope("m1", languages=BOTH)) == [
        ("a m1 ru", LANGUAGE, 2),
        ("a m1 ru", HELPFULNESS, -2),
        ("a m1 fr", HELPFULNESS, -1),
    ]


def read(room: Room, scope: ViewScope, after: int, upto: int | None) -> list[tuple[str, str]]:
    """The texts of instruction and response; the ids must be those of the response with this text."""
    with reading(room.engine) as session:
        rows = list(filters.texts_in_view(session, scope, after, upto))
    assert room.names((row[0], row[1]) for row in rows) == [row[3].removesuffix("!") for row in rows]
    return [(row[2], row[3]) for row in rows]


def test_texts_come_in_the_suites_order_within_their_bounds(room):
    every = [(f"{name[0]} ru?", f"{name}!") for name in RUSSIAN]
    assert read(room, room.scope(), -1, None) == every
    assert read(room, room.scope(), 0, None) == every[2:]
    assert read(room, room.scope(), 0, 1) == every[2:3]
    assert read(room, room.scope(), -1, 0) == every[:2]
    assert read(room, room.scope(), 2, None) == []


def test_by_language_texts_stand_beside_the_lead_instructions_text(room):
    assert read(room, room.scope("m1", languages=BOTH), 1, 2) == [
        ("c ru?", "c m1 ru!"),
        ("c ru?", "c m1 fr!"),
    ]


@pytest.mark.parametrize(
    ("response", "instruction"),
    [
        ("a m1 ru", "a ru"),
        ("a m1 fr", "a ru"),
        ("e m1 fr", "e ru"),
        ("d m1 fr", None),
        ("a m1 other", None),
    ],
)
def test_the_lead_instruction_of_a_response_is_in_the_same_suite_or_nowhere(room, response, instruction):
    found = room.ask(filters.lead_instruction, room.suite, "ru", room.responses[response])
    assert found == (instruction and room.instructions[instruction])


def test_an_unknown_response_has_no_lead_instruction(room):
    assert room.ask(filters.lead_instruction, room.suite, "ru", 999) is None


def test_the_languages_answered_are_those_of_the_sources(room):
    def answered(*names: str) -> list[str]:
        return room.ask(filters.languages_answered, room.suite, [room.keys[name] for name in names])

    assert answered("m1") == ["de", "fr", "ru"]
    assert answered("m3") == ["ru"]
    assert answered() == []
    assert room.ask(filters.languages_answered, room.suite + 1, [room.keys["m1"]]) == []


@pytest.mark.parametrize("few", [rater_queries._FEW_RATINGS, 1])
def test_the_judges_of_a_view_are_the_llms_and_rules_that_scored_something_in_it(room, few, monkeypatch):
    """Whether a judge's own ratings are looked through or the view is asked, the answer is the same."""
    monkeypatch.setattr(rater_queries, "_FEW_RATINGS", few)

    def known(scope: ViewScope) -> list[str]:
        return [rater.name for rater in room.ask(rater_queries.judges_in, scope)]

    assert known(room.scope()) == ["gpt"]
    room.score("rule", "d m1 fr", 2, None)
    room.score("idle", "a m1 other", 1, 1)
    assert known(room.scope()) == ["gpt"]
    assert known(room.scope("m1", languages=BOTH)) == ["gpt"]
    room.score("rule", "c m2 fr", 2, None)
    assert known(room.scope("m1", languages=BOTH)) == ["gpt"]
    assert known(room.scope("m2", languages=BOTH)) == ["rule", "gpt"]
    room.score("idle", "b m1 ru", None, 0)
    assert known(room.scope()) == ["gpt", "idle"]
    assert known(room.scope(criterion_ids=(room.criteria[LANGUAGE],))) == ["gpt"]
