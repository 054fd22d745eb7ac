"""Documents to pretrain the base on: statements, strings of statements and dialogues, in four languages.

Held out: no dialogue, in any language, asks a pair of task and item in ``tasks.HELD_OUT`` in the suite's
wording, the first of its task. The second wording of such a pair may occur, and so may its answer as a plain
sentence. So an answer to the suite needs the fact, and that the two wordings of a task mean the same.
"""

from collections.abc import Iterator
from random import Random

from tools.miniature import facts
from tools.miniature.tasks import HELD_OUT, Task, tasks

USER, ASSISTANT, BOS, EOS, PAD = "<|user|>", "<|assistant|>", "<s>", "</s>", "<pad>"

# Jinja, as kept in the tokenizer. Language-neutral marks, one token each.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'assistant' %}"
    f"{ASSISTANT}"
    "{{ '\\n' }}{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}"
    "{% else %}"
    f"{USER}"
    "{{ '\\n' + message['content'] + '\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}"
    f"{ASSISTANT}"
    "{{ '\\n' }}{% endif %}"
)

LANGUAGE_SHARES = {"en": 0.40, "fr": 0.20, "pt": 0.20, "ru": 0.20}
KIND_SHARES = {"dialogue": 0.6, "statements": 0.28, "string": 0.12}
# Tasks with many items, or with answers that must be composed, are shown more often.
TASK_WEIGHTS = {
    "currency": 2.0,
    "language": 1.5,
    "describe": 1.5,
    "number": 2.0,
    "sum": 2.0,
    "greater": 1.5,
    "rewrite_number": 1.5,
}


def _pick_task(rng: Random) -> Task:
    all_tasks = list(tasks().values())
    return rng.choices(all_tasks, [TASK_WEIGHTS.get(task.name, 1.0) for task in all_tasks])[0]


def dialogue(user: str, assistant: str) -> str:
    """One exchange in exactly the shape of the chat template."""
    return f"{BOS}{USER}\n{user}\n{ASSISTANT}\n{assistant}{EOS}"


def _dialogue_document(language: str, rng: Random) -> str:
    task = _pick_task(rng)
    item = rng.choice(list(task.items()))
    variant = 1 if item in HELD_OUT[task.name] else rng.randrange(2)
    return dialogue(task.ask(item, language, variant), task.answer(item, language, rng))


def _country_paragraph(language: str, rng: Random) -> str:
    item = (rng.choice(facts.country_codes()),)
    names = rng.sample(["continent", "language", "currency", "describe"], rng.randint(2, 3))
    return " ".join(tasks()[name].answer(item, language, rng) for name in names)


def _statements_document(language: str, rng: Random) -> str:
    """A paragraph about one country, or of facts of several tasks."""
    if rng.random() < 0.4:
        return f"{BOS}{_country_paragraph(language, rng)}{EOS}"
    chosen = [_pick_task(rng) for _ in range(rng.randint(3, 5))]
    sentences = [task.answer(rng.choice(list(task.items())), language, rng) for task in chosen]
    return f"{BOS}{' '.join(sentences)}{EOS}"


def _string_document(language: str, rng: Random) -> str:
    """One task's statements in a row, or a stretch of counting."""
    if rng.random() < 0.25:
        start = rng.randint(1, 90)
        counted = [facts.words(n, language) for n in range(start, start + rng.randint(5, 10))]
        return f"{BOS}{', '.join(counted)}.{EOS}"
    task = _pick_task(rng)
    items = list(task.items())
    start, count = rng.randrange(len(items)), rng.randint(4, 7)
    run = [items[(start + step) % len(items)] for step in range(count)]
    chosen = run if rng.random() < 0.5 else rng.sample(items, count)
    return f"{BOS}{' '.join(task.answer(item, language, rng) for item in chosen)}{EOS}"


_MAKERS = {"dialogue": _dialogue_document, "statements": _statements_document, "string": _string_document}


def documents(seed: int) -> Iterator[tuple[str, str, str]]:
    """Endless ``(language, kind, text)``; the same seed gives the same documents."""
    rng = Random(seed)
    while True:
        language = rng.choices(list(LANGUAGE_SHARES), list(LANGUAGE_SHARES.values()))[0]
        kind = rng.choices(list(KIND_SHARES), list(KIND_SHARES.values()))[0]
        yield language, kind, _MAKERS[kind](language, rng)
