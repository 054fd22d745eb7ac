"""How often modifiers are fulfilled: the percentages of the paper's table 1 (arXiv 2402.14778)."""

from dataclasses import dataclass

from sqlmodel import Session

from core.analysis.modifier_names import NAMES, group_of
from store.queries.fulfilment import modifier_tallies
from store.queries.scores import Source


@dataclass(frozen=True)
class Fulfilment:
    """Of `n` responses of a source to instructions in `language` with a modifier of `group`, `percent` (0 to
    100) fulfil it, says the rater."""

    group: str
    language: str
    source: Source
    rater: str
    n: int
    percent: float


def fulfilment(session: Session, suite_id: int) -> list[Fulfilment]:
    """The rows of a suite: groups in the order of table 1 (`num_items_N` is one group for all N, `lang_XX`
    one for all languages demanded; a modifier of no known name is a group of its own and comes last), then
    by language, source and rater. Nobody's verdict, no row."""
    tallies: dict[tuple[str, str, Source, str], tuple[int, int]] = {}
    for found in modifier_tallies(session, suite_id):
        key = (group_of(found.modifier), found.language, found.source, found.rater)
        n, fulfilled = tallies.get(key, (0, 0))
        tallies[key] = n + found.n, fulfilled + found.fulfilled
    order = {group: place for place, group in enumerate(NAMES)}
    rows = [
        Fulfilment(group, language, source, rater, n, 100 * fulfilled / n)
        for (group, language, source, rater), (n, fulfilled) in tallies.items()
    ]
    return sorted(
        rows,
        key=lambda row: (
            order.get(row.group, len(order)),
            row.group,
            row.language,
            row.source.model_id,
            row.source.decoding_id,
            row.rater,
        ),
    )
