"""Preference pairs for DPO (Rafailov et al., arXiv 2305.18290) as TRL reads them: JSON Lines with `prompt`,
`chosen` and `rejected`, each a list of chat messages (huggingface.co/docs/trl/dataset_formats).

Two answers to the same instruction in the same language are a pair when the mean score of one, over the
raters, is at least `margin` above that of the other; ties and answers that read the same are left out. A
score does not count where the same rater found the answer in the wrong language (see
`core.exchange.comparing`); pairs about that come from `criterion` language.
"""

import json
from collections.abc import Mapping
from itertools import combinations
from statistics import mean
from typing import Any, ClassVar, TextIO

from sqlmodel import Session

from core.exchange.comparing import OPTIONS, compared
from store.errors import UsageError
from store.queries.preferring import response_texts

MARGIN = 1.0


class PreferencesExporter:
    """Writes a pair a line."""

    name = "preferences"
    summary = "preference pairs for DPO from scores, one JSON object a line"
    options: ClassVar[dict[str, str]] = {
        **OPTIONS,
        "margin": f"least difference of the mean scores (default: {MARGIN:g})",
    }

    def write(self, session: Session, file: TextIO, options: Mapping[str, Any]) -> int:
        margin = options.get("margin", MARGIN)
        if not margin > 0:
            raise UsageError(f"The margin is {margin:g}: it must be above 0, since ties are no preference.")
        count = 0
        for asked, scores in compared(session, options):
            means = {response: mean(it.score or 0 for it in given) for response, given in scores.items()}
            pairs = [
                (one, other) if means[one] > means[other] else (other, one)
                for one, other in combinations(sorted(means), 2)
                if abs(means[one] - means[other]) >= margin
            ]
            texts = response_texts(session, {found for pair in pairs for found in pair})
            for chosen, rejected in pairs:
                if texts[chosen] == texts[rejected]:
                    continue
                pair = {
                    "prompt": [{"role": "user", "content": asked.text}],
                    "chosen": [{"role": "assistant", "content": texts[chosen]}],
                    "rejected": [{"role": "assistant", "content": texts[rejected]}],
                }
                file.write(json.dumps(pair, ensure_ascii=False) + "\n")
                count += 1
        return count
