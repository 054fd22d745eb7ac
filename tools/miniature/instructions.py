"""Generate the miniature's instruction-tuning data: English only, the suite's tasks, other items.

``python -m tools.miniature.instructions`` rewrites ``instructions.en.jsonl``: one dialogue a line, as a
JSON array of messages.
"""

import json
from pathlib import Path
from random import Random

from tools.miniature.tasks import Item, Task, tasks, trained_items

PATH = Path(__file__).parents[2] / "core" / "miniature" / "instructions.en.jsonl"
EXAMPLES = 1500


def examples(count: int = EXAMPLES, seed: int = 7) -> list[list[dict[str, str]]]:
    """``count`` different dialogues in random order; tasks take turns until their questions are used up."""
    rng = Random(seed)
    pools = []
    for task in tasks().values():
        pool = [(task, item, variant) for item in trained_items(task) for variant in (0, 1)]
        rng.shuffle(pool)
        pools.append(pool)
    chosen: list[tuple[Task, Item, int]] = []
    while len(chosen) < count and any(pools):
        chosen += [pool.pop() for pool in pools if pool]
    chosen = chosen[:count]
    rng.shuffle(chosen)
    return [
        [
            {"role": "user", "content": task.ask(item, "en", variant)},
            {"role": "assistant", "content": task.answer(item, "en", rng)},
        ]
        for task, item, variant in chosen
    ]


def jsonl() -> str:
    """The data file."""
    return "".join(json.dumps(example, ensure_ascii=False) + "\n" for example in examples())


if __name__ == "__main__":
    PATH.write_text(jsonl(), encoding="utf-8")
