"""The sixteen tasks of the miniature: their items, their sentences, and the check of an answer.

An *item* is what a task asks about, independent of language: ``("FR",)`` for a currency, ``(7, 5)`` for
a sum. The same item gives the same instruction in every language, so translations align. The sentences are in
``wordings/``, one TOML file a language, with the same keys in all of them.
"""

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product
from pathlib import Path
from random import Random
from typing import Any

from tools.miniature import facts

Item = tuple[Any, ...]
Slots = dict[str, str]
Group = dict[str, Any]

WORDINGS = Path(__file__).parent / "wordings"
EVENTS = ("concert", "party", "dinner", "lunch", "picnic", "match", "exhibition", "play")
PERSONS, OBJECTS, PLACES = range(12), range(10), range(6)

# The items of the suite. Pretraining never asks them in the suite's wording, which is the first of a task.
# The instruction data never asks them at all.
HELD_OUT: dict[str, tuple[Item, ...]] = {
    "currency": (("FR",), ("JP",), ("BR",)),
    "language": (("DE",), ("EG",), ("MX",)),
    "continent": (("IT",), ("CN",), ("CL",)),
    "describe": (("ES",), ("TH",), ("AR",)),
    "countries": ((3, "europe"), (2, "asia"), (4, "south_america")),
    "number": ((21,), (47,), (83,)),
    "sum": ((4, 7), (6, 8), (9, 3)),
    "greater": ((5, 12), (16, 9), (3, 8)),
    "month_after": ((2,), (7,), (10,)),
    "month_before": ((4,), (8,), (11,)),
    "day_after": ((0,), (4,), (2,)),
    "day_before": ((1,), (3,), (6,)),
    "sequence": (("month", 4, 3), ("day", 0, 4), ("month", 8, 4)),
    "rewrite_number": ((12, 0, 0), (7, 4, 2), (15, 2, 4)),
    "rewrite_day": ((0, "concert", 4), (2, "party", 5), (3, "match", 6)),
    "invitation": ((0, "dinner", 4), (4, "concert", 5), (7, "picnic", 6)),
}


@cache
def wording(language: str) -> dict[str, Any]:
    """The tables of ``{language}.toml``: one for each task (two wordings of ``ask``, an ``answer``), events
    and words."""
    return tomllib.loads((WORDINGS / f"{language}.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Task:
    """``slots`` fills the wordings (at random where many answers are right); ``groups`` checks an answer."""

    name: str
    items: Callable[[], Iterable[Item]]
    slots: Callable[[Item, str, Random], Slots]
    groups: Callable[[Item, str], list[Group]]
    in_order: bool = False

    def ask(self, item: Item, language: str, variant: int = 0) -> str:
        """The instruction, in wording ``variant`` (0 or 1; 0 is the suite's)."""
        return wording(language)[self.name]["ask"][variant].format(**self.slots(item, language, Random(0)))

    def answer(self, item: Item, language: str, rng: Random) -> str:
        """A right answer in full sentences. It is also the plain statement of the fact."""
        return wording(language)[self.name]["answer"].format(**self.slots(item, language, rng))

    def check(self, item: Item, language: str) -> dict[str, Any]:
        """What the rule rater looks for."""
        return {"groups": self.groups(item, language), "in_order": self.in_order}


def _any(*forms: str, at_least: int = 1) -> Group:
    return {"any_of": list(dict.fromkeys(forms)), "at_least": at_least}


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _vocabulary(kind: str, index: int, language: str) -> str:
    return wording(language)["vocabulary"][kind][index]


# --- countries


def _country_items() -> list[Item]:
    return [(code,) for code in facts.country_codes()]


def _country_slots(item: Item, language: str, rng: Random) -> Slots:
    c = facts.country(item[0], language)
    return {
        "name": c.name,
        "the": c.the,
        "The": _capital(c.the),
        "of": c.of,
        "currency": c.currency,
        "the_currency": c.the_currency,
        "language": c.language,
        "the_language": c.the_language,
        "in_continent": facts.in_continent(c.continent, language),
    }


def _currency_group(item: Item, language: str) -> Group:
    return _any(*facts.currency_forms(item[0], language))


def _language_group(item: Item, language: str) -> Group:
    return _any(facts.country(item[0], language).language)


def _continent_group(item: Item, language: str) -> Group:
    key = facts.country(item[0], language).continent
    in_case = facts.CONTINENT_PREPOSITIONAL_RU[key] if language == "ru" else ""
    return _any(*filter(None, (facts.continent(key, language), in_case)))


def _listed_name(code: str, language: str) -> str:
    c = facts.country(code, language)
    return c.name if language == "ru" else c.the


def _countries_slots(item: Item, language: str, rng: Random) -> Slots:
    count, continent = item
    codes = rng.sample(facts.COUNTRIES_BY_CONTINENT[continent], count)
    return {
        "count": _vocabulary("counts", count - 2, language),
        "in_continent": facts.in_continent(continent, language),
        "list": facts.enumeration([_listed_name(code, language) for code in codes], language),
    }


def _countries_groups(item: Item, language: str) -> list[Group]:
    count, continent = item
    names = [facts.country(code, language).name for code in facts.COUNTRIES_BY_CONTINENT[continent]]
    return [_any(*names, at_least=count)]


# --- numbers


def _number_slots(item: Item, language: str, rng: Random) -> Slots:
    return {"digits": str(item[0]), "words": facts.words(item[0], language)}


def _pair_slots(item: Item, language: str, rng: Random) -> Slots:
    a, b = item
    names = {"a": a, "b": b, "c": a + b, "high": max(a, b), "low": min(a, b)}
    return {key: facts.words(value, language) for key, value in names.items()}


def _greater_groups(item: Item, language: str) -> list[Group]:
    return [_any(*facts.word_forms(n, language)) for n in (max(item), min(item))]


# --- calendar


def _neighbour(kind: str, offset: int) -> tuple[Callable[..., Slots], Callable[..., list[Group]]]:
    """Slots and groups of "what comes after/before": ``kind`` is month or day, ``offset`` +1 or -1."""
    name, genitive = getattr(facts, kind), getattr(facts, f"{kind}_genitive")

    def slots(item: Item, language: str, rng: Random) -> Slots:
        target = name(item[0] + offset, language)
        elided = f"d'{target}" if target[0] in "ao" else f"de {target}"
        return {kind: genitive(item[0], language), "target": target, "de_target": elided}

    def groups(item: Item, language: str) -> list[Group]:
        return [_any(name(item[0] + offset, language), genitive(item[0] + offset, language))]

    return slots, groups


def _sequence_names(item: Item, language: str) -> list[str]:
    kind, start, count = item
    return [getattr(facts, kind)(start + step, language) for step in range(count)]


def _sequence_slots(item: Item, language: str, rng: Random) -> Slots:
    kind, _, count = item
    names = _sequence_names(item, language)
    return {
        "count": _vocabulary("counts", count - 2, language),
        "units": wording(language)["vocabulary"][f"{kind}s"],
        "first": names[0],
        "list": facts.enumeration(names, language),
    }


# --- rewriting and writing


def _rewrite_number_slots(item: Item, language: str, rng: Random) -> Slots:
    number, thing, place = item
    where = _vocabulary("places", place, language)
    return {
        "digits": str(number),
        "words": facts.words(number, language),
        "objects": _vocabulary("objects", thing, language),
        "place": where,
        "Place": _capital(where),
    }


def _rewrite_number_groups(item: Item, language: str) -> list[Group]:
    return [_any(*facts.word_forms(item[0], language)), _any(_vocabulary("objects", item[1], language))]


def _event_slots(item: Item, language: str, rng: Random) -> Slots:
    who_or_old, event, day = item
    the, the_capital, to = wording(language)["events"][event]
    return {
        "the_event": the,
        "The_event": the_capital,
        "to_event": to,
        "day": facts.day_accusative(day, language),
        "on_day": facts.on_day(day, language),
        "on_old_day": facts.on_day(who_or_old, language),
        "person": _vocabulary("persons", who_or_old, language),
    }


def _event_groups(item: Item, language: str) -> list[Group]:
    nouns = {
        form.split()[-1].removeprefix("l'").removeprefix("L'").lower()
        for form in wording(language)["events"][item[1]]
    }
    return [_any(*sorted(nouns)), _any(facts.day_accusative(item[2], language))]


def _invitation_groups(item: Item, language: str) -> list[Group]:
    return [_any(_vocabulary("persons", item[0], language)), *_event_groups(item, language)]


def _rewrite_day_items() -> list[Item]:
    return [(old, event, new) for event in EVENTS for old, new in permutations(range(7), 2)]


def _tasks() -> list[Task]:
    month_after, month_before = _neighbour("month", 1), _neighbour("month", -1)
    day_after, day_before = _neighbour("day", 1), _neighbour("day", -1)

    def sequences() -> list[Item]:
        return [(k, s, n) for k, size in (("month", 12), ("day", 7)) for s in range(size) for n in (3, 4)]

    def one(group: Callable[[Item, str], Group]) -> Callable[[Item, str], list[Group]]:
        return lambda item, language: [group(item, language)]

    def described(item: Item, language: str) -> list[Group]:
        return [f(item, language) for f in (_continent_group, _language_group, _currency_group)]

    return [
        Task("currency", _country_items, _country_slots, one(_currency_group)),
        Task("language", _country_items, _country_slots, one(_language_group)),
        Task("continent", _country_items, _country_slots, one(_continent_group)),
        Task("describe", _country_items, _country_slots, described),
        Task(
            "countries",
            lambda: product((2, 3, 4), facts.COUNTRIES_BY_CONTINENT),
            _countries_slots,
            _countries_groups,
        ),
        Task(
            "number",
            lambda: ((n,) for n in range(1, 100)),
            _number_slots,
            lambda item, language: [_any(*facts.word_forms(item[0], language))],
        ),
        Task(
            "sum",
            lambda: product(range(1, 11), repeat=2),
            _pair_slots,
            lambda item, language: [_any(*facts.word_forms(sum(item), language))],
        ),
        Task("greater", lambda: permutations(range(1, 21), 2), _pair_slots, _greater_groups, in_order=True),
        Task("month_after", lambda: ((i,) for i in range(12)), *month_after),
        Task("month_before", lambda: ((i,) for i in range(12)), *month_before),
        Task("day_after", lambda: ((i,) for i in range(7)), *day_after),
        Task("day_before", lambda: ((i,) for i in range(7)), *day_before),
        Task(
            "sequence",
            sequences,
            _sequence_slots,
            lambda item, language: [_any(name) for name in _sequence_names(item, language)],
            in_order=True,
        ),
        Task(
            "rewrite_number",
            lambda: product(range(5, 21), OBJECTS, PLACES),
            _rewrite_number_slots,
            _rewrite_number_groups,
        ),
        Task("rewrite_day", _rewrite_day_items, _event_slots, _event_groups),
        Task("invitation", lambda: product(PERSONS, EVENTS, range(7)), _event_slots, _invitation_groups),
    ]


@cache
def tasks() -> dict[str, Task]:
    """All tasks by name."""
    return {task.name: task for task in _tasks()}


def trained_items(task: Task) -> list[Item]:
    """The items that the instruction data may ask about."""
    return [item for item in task.items() if item not in HELD_OUT[task.name]]
