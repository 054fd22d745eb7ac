"""A store of the size in which people review: four models, 1,500 characters a response, judge and surface."""

import random
from pathlib import Path

from store import open_store
from store.queries import journal, models, raters, responses, rubrics, suites, surface
from store.queries.journal import Score
from store.session import writing
from tests.ui.conftest import JUDGE, MODELS

LENGTH = 1_500
_SUBJECTS = (
    "опытный тренер", "хороший учебник", "ваш напарник", "любой начинающий", "спокойный голос",
    "короткий список", "простое правило", "каждый участник", "первый шаг", "старый друг", "местный клуб",
    "небольшой перерыв", "внимательный читатель", "ежедневная привычка", "тёплая погода", "чёткий план",
)  # fmt: skip
_VERBS = (
    "помогает", "позволяет", "обычно мешает", "учит", "заставляет", "редко требует", "даёт возможность",
    "почти всегда просит", "советует", "со временем приучает",
)  # fmt: skip
_OBJECTS = (
    "держать ракетку свободнее", "не спешить с выводами", "заранее подготовить продукты",
    "следить за дыханием", "записывать вопросы на бумаге", "проверять каждую цифру дважды",
    "выбирать удобную обувь", "смотреть на волан, а не на соперника", "отдыхать не меньше восьми часов",
    "говорить короче и яснее", "просеять муку через мелкое сито", "разогреть духовку до ста восьмидесяти",
    "сравнивать цены в нескольких магазинах", "откладывать понемногу каждый месяц",
    "называть вещи своими именами", "начинать с самого простого упражнения",
)  # fmt: skip
_LINKS = ("Кроме того,", "Поэтому", "Например,", "Впрочем,", "Как правило,", "Наконец,", "Однако", "")
_TASKS = ("give advice", "write an email", "explain", "plan")


def long_text(seed: str) -> str:
    """A Russian answer of `LENGTH` characters in paragraphs and points, another one for each seed."""
    chance = random.Random(seed)
    parts: list[str] = []
    point = 0
    while sum(len(part) for part in parts) < LENGTH + 2:
        link = chance.choice(_LINKS)
        said = f"{chance.choice(_SUBJECTS)} {chance.choice(_VERBS)} {chance.choice(_OBJECTS)}"
        sentence = f"{link} {said}." if link else f"{said[0].upper()}{said[1:]}."
        if chance.random() < 0.2:
            point += 1
            sentence = f"\n{point}. {sentence}"
        parts.append(sentence + (chance.choice(("\n\n", " ", " ")) if parts else " "))
    return "".join(parts).lstrip()[: LENGTH - 1] + "."


def write_elsewhere(path: Path) -> None:
    """What others write that nobody sees who is blind on the first Russian instruction: responses to other
    instructions and in another language, and scores and metrics of its uncommitted responses."""
    engine = open_store(path)
    with writing(engine) as session:
        suite = suites.list_suites(session)[0].id
        decoding = models.decoding_id(session, "imported", None, {})
        russian = suites.instructions_of(session, suite, "ru")[1:3]
        english = suites.instructions_of(session, suite, "en")[:3]
        new = [
            {
                "instruction_id": instruction.id,
                "model_id": models.model_id(session, "a newer model"),
                "decoding_id": decoding,
                "text": long_text(f"newer {instruction.id}"),
            }
            for instruction in (*russian, *english)
        ]
        assert responses.add_responses(session, new) == len(new)
        criteria = [
            criterion.id or 0
            for criterion in rubrics.criteria_of(session, rubrics.default_rubric_id(session))
        ]
        for rater in (raters.rater_id(session, "llm", JUDGE, "1"), raters.rater_id(session, "human", "else")):
            for response in range(1, len(MODELS) + 1):
                journal.append(session, rater, [Score(response, criterion, 2) for criterion in criteria])
        metric = {"metric": "spelling", "tool": "another", "value": 0.5, "label": None}
        surface.add_metrics(session, [{"response_id": 1, **metric}])
    engine.dispose()


def fill(path: Path, instructions: int, *, judged: bool = True) -> None:
    """Write the store; no two responses read the same."""
    engine = open_store(path, create=True)
    with writing(engine) as session:
        new = [
            suites.NewInstruction(f"q{number:02}", language, text, task=_TASKS[number % len(_TASKS)])
            for number in range(instructions)
            for language, text in (
                ("ru", f"Вопрос {number + 1}: как мне лучше всего начать и чего стоит избегать?"),
                ("en", f"Question {number + 1}: how do I best begin, and what should I avoid?"),
            )
        ]
        suite, _ = suites.add_suite(session, "paper", "1", new)
        decoding = models.decoding_id(session, "imported", None, {})
        rows = [
            {
                "instruction_id": instruction.id,
                "model_id": models.model_id(session, model),
                "decoding_id": decoding,
                "text": long_text(f"{instruction.key} {model}"),
            }
            for instruction in suites.instructions_of(session, suite, "ru")
            for model in MODELS
        ]
        responses.add_responses(session, rows)
        judge = raters.rater_id(session, "llm", JUDGE, "1")
        criteria = [
            criterion.id or 0
            for criterion in rubrics.criteria_of(session, rubrics.default_rubric_id(session))
        ]
        for response in range(1, len(rows) + 1):
            scores = [
                Score(response, criterion, (response + index) % 3) for index, criterion in enumerate(criteria)
            ]
            if judged:
                journal.append(session, judge, scores)
            metrics = {"language": (0.99, "ru"), "spelling": (0.9 + response % 9 / 100, None)}
            surface.add_metrics(
                session,
                [
                    {"response_id": response, "metric": name, "tool": "t", "value": value, "label": label}
                    for name, (value, label) in {**metrics, "relevance": (1.0, None)}.items()
                ],
            )
    engine.dispose()
