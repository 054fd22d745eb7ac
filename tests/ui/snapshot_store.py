"""A store for pictures: one instruction in five languages, four models, a judge, marks; nothing is random."""

from pathlib import Path

from sqlalchemy import Engine

from store import open_store
from store.queries import journal, models, raters, responses, rubrics, suites, surface
from store.queries.journal import Score
from store.session import writing

QUESTIONS = {
    "ru": "Как играть в бадминтон?",
    "fr": "Comment joue-t-on au badminton ?",
    "ja": "バドミントンの遊び方を教えてください。",
    "ar": "كيف ألعب كرة الريشة؟",
    "en": "How do I play badminton?",
}
ANSWERS = {
    "ru": "Бадминтон — это игра с ракеткой и воланом. Побеждает тот, кто первым наберёт 21 очко. "
    "Возмите ракетку и начните с подачи.",
    "fr": "Le badminton se joue avec une raquette et un volant. Le premier à 21 points gagne. "
    "Prenez une raquete et commencez par un service.",
    "ja": "バドミントンは、ラケットでシャトルを打ち合うスポーツです。先に21点を取った方が勝ちます。",
    "ar": "كرة الريشة (Badminton) رياضة تُلعب بالمضرب والريشة. يفوز من يسجل 21 نقطة أولاً.",
    "en": "Badminton is a racquet sport. The first to reach 21 points wins. Take a racquet and serve.",
}
MISSPELT = {"ru": "Возмите", "fr": "raquete"}
MODELS = ("LLaMA-2-7B / Dolly / FT", "LLaMA-2-7B / Dolly / LoRA", "TowerBase-7B / Dolly / FT", "gpt-3.5")


def make(path: Path) -> Engine:
    """Write the store and open it. The second model counts to 15, the third one answers in English."""
    engine = open_store(path, create=True)
    with writing(engine) as session:
        new = [
            suites.NewInstruction("badminton", language, text, task="explain a game")
            for language, text in QUESTIONS.items()
        ]
        suite, _ = suites.add_suite(session, "games", "1", new)
        decoding = models.decoding_id(session, "imported", None, {})
        judge = raters.rater_id(session, "llm", "gpt-3.5-turbo-0125", "1")
        criteria = rubrics.criteria_of(session, rubrics.default_rubric_id(session))
        number = 0
        for language in QUESTIONS:
            (instruction,) = suites.instructions_of(session, suite, language)
            for place, model in enumerate(MODELS):
                text = ANSWERS["en" if place == 2 else language]
                text = text.replace("21", "15") if place == 1 else text
                row = {
                    "instruction_id": instruction.id,
                    "model_id": models.model_id(session, model),
                    "decoding_id": decoding,
                    "text": text + (" ✓" if place == 3 else ""),
                }
                responses.add_responses(session, [row])
                number += 1
                _measure(session, number, language, "en" if place == 2 else language, text)
                scores = [
                    Score(number, criterion.id or 0, (place + at) % 3)
                    for at, criterion in enumerate(criteria)
                ]
                journal.append(session, judge, scores)
    return engine


def _measure(session, response: int, language: str, answered: str, text: str) -> None:
    word = MISSPELT.get(language, "")
    spans = [[text.index(word), text.index(word) + len(word)]] if word and word in text else []
    foreign = [[0, len(text), answered]] if answered != language else []
    metrics = [
        ("language", 0.98, answered, {"foreign": foreign}),
        ("spelling", 1 - len(spans) / 14, None, {"misspelt": spans, "words": 14}),
        ("relevance", 1.0, None, {}),
    ]
    rows = [
        {
            "response_id": response,
            "metric": name,
            "tool": "t",
            "value": value,
            "label": label,
            "detail": detail,
        }
        for name, value, label, detail in metrics
    ]
    surface.add_metrics(session, rows)
