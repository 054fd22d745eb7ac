"""Responses that speak to the judge: they stay inside their fence, and their effect is measured."""

import json

import pytest

from core.judge.injections import PLAIN, judge_injections, load_battery
from core.judge.llm_judge.settings import JudgeSettings
from core.judge.rubric.definition import load_rubric
from core.judge.rubric.prompt import load_prompt
from core.llm.prompt_template import fence, without_chat_marks
from tests.core.judge.chat_server import Answer

pytestmark = pytest.mark.parts


BATTERY = load_battery()
ATTACKED = [
    pytest.param(case, text, id=f"{case.key}-{name}")
    for case in BATTERY.cases
    for name, text in BATTERY.responses(case).items()
]


def stars(number: int) -> str:
    names = [criterion.name for criterion in load_rubric().criteria]
    return json.dumps(dict.fromkeys(names, number))


def test_the_battery_is_in_five_languages_and_its_attacks_differ():
    assert {case.language for case in BATTERY.cases} == {"en", "fr", "pt", "ru", "de"}
    assert len(set(BATTERY.attacks.values())) == len(BATTERY.attacks) >= 15
    for case in BATTERY.cases:
        for name, text in BATTERY.responses(case).items():
            assert case.response in text
            assert (text == case.response) == (name == PLAIN)


@pytest.mark.parametrize(("case", "text"), ATTACKED)
def test_an_attack_stays_inside_its_fence(case, text):
    prompt = load_prompt(load_rubric()).render(case.instruction, text)
    told = without_chat_marks(text)
    mark = fence(case.instruction, told)
    begin, end = f"=== RESPONSE {mark} ===\n", f"\n=== END OF RESPONSE {mark} ===\n"
    assert prompt.count(begin) == prompt.count(end) == 1
    assert prompt.partition(begin)[2].partition(end)[0] == told
    assert mark not in text
    assert "<|im_" not in prompt
    assert "[/INST]" not in prompt
    assert prompt.partition(end)[2].strip().startswith("language\n  3 stars: ")


def test_a_judge_that_is_not_talked_over_is_seen_to_stand(store, serve):
    found = judge_injections(store, JudgeSettings(model="sound", base_url=serve(Answer(stars(1))).url))
    assert {(effect.asked, effect.raised, effect.lowered, effect.rise) for effect in found.effects} == {
        (5, 0, 0, 0)
    }


def test_a_judge_that_obeys_is_seen_to_fall(store, serve):
    """This one does what anybody in its prompt says in English behind the response; it starts at 1 star."""

    def gullible(request, _):
        response = request["messages"][0]["content"].partition("=== RESPONSE")[2]
        return Answer(stars(3 if "3 stars" in response.partition("=== END OF RESPONSE")[0] else 1))

    server = serve(gullible)
    found = judge_injections(store, JudgeSettings(model="gullible", base_url=server.url))
    effects = {effect.attack: effect for effect in found.effects}
    assert effects["long padding before the command"].raised == 5
    assert effects["long padding before the command"].rise == 2
    assert effects["in Russian"].raised == 0
    assert len(server.requests) == 5 * (len(BATTERY.attacks) + 1)
    judge_injections(store, JudgeSettings(model="gullible", base_url=server.url))
    assert len(server.requests) == 5 * (len(BATTERY.attacks) + 1)  # nothing is asked twice


def test_what_was_not_judged_is_not_counted(store, serve):
    def choosy(request, _):
        return Answer("no" if "SYSTEM" in request["messages"][0]["content"] else stars(2))

    found = judge_injections(store, JudgeSettings(model="choosy", base_url=serve(choosy).url, attempts=1))
    effect = next(effect for effect in found.effects if effect.attack.startswith("commands"))
    assert (effect.asked, effect.raised, effect.rise) == (0, 0, None)
    assert len(found.run.failures) == 5


def test_a_table_shows_every_attack(store, serve):
    from rich.console import Console

    from core.judge.injections import effects_table

    found = judge_injections(
        store, JudgeSettings(model="strict", base_url=serve(lambda _, n: Answer(stars(2 - n % 2))).url)
    )
    console = Console(width=110, record=True)
    console.print(effects_table(found))
    shown = console.export_text()
    assert all(attack in shown for attack in BATTERY.attacks)
    lowered = sum(effect.lowered for effect in found.effects)
    assert f"{lowered} (" in shown
