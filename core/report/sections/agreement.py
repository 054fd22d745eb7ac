"""The report's part on agreement: tables of coefficients, and the tables of percent as heat maps."""

import re
from collections.abc import Iterable, Sequence

from core.analysis.agreement import ALL, Agreements, Estimate, PairAgreement
from core.analysis.means import RaterGroup
from core.report.document import Cell, Column, HeatMap, Section, Table

TITLE = "Agreement"
FIGURE_5 = "figure 5"
DOMINATED = "†"

# Every two of four people are six pairs, with two figures each.
MOST_PAIRS_DRAWN = 3

_COLUMNS = (
    Column("rows"),
    Column("columns"),
    Column("languages"),
    Column("criterion"),
    Column("pairs", "count"),
    Column("same score", "percent"),
    Column("kappa", "number"),
    Column("alpha", "number"),
    Column("AC2", "number"),
    Column("bias", "number", signed=True),
    Column("score", "count", "most given"),
    Column("share", "percent", "most given"),
)

_NOTES = (
    "Pairs: responses that both have scored, also those in the wrong language. People together give a pair "
    "for every score of every person.",
    "Kappa: Cohen's, with quadratic weights. Alpha: Krippendorff's, ordinal. AC2: Gwet's, with quadratic "
    "weights. Each is 1 at best and 0 as by chance. Bias: mean of the columns' rater minus mean of the "
    "rows', in points of the scale.",
    "Intervals: bootstrap over instructions. A resample in which a figure is undefined is left out; there is "
    "no interval where that is more than half of them, or where all pairs are about one instruction.",
    "Most given: the score that the two gave most often, and its share of all their scores.",
)
_DOMINATED_NOTE = (
    f"{DOMINATED} One score dominates: kappa and alpha can be low although the raters hardly differ. AC2 "
    "suffers less from it."
)


def agreement_section(agreements: Agreements) -> Section:
    """Every two people, and people against every judge. Sentences name what is missing."""
    silent = _without_pairs(agreements)
    kept = [pair for pair in agreements.pairs if (pair.first, pair.second) not in silent]
    people, judges = ([pair for pair in kept if pair.kind == kind] for kind in ("people", "judge"))
    tables = []
    if people:
        tables.append(_coefficients("agreement-people", "Agreement of every two people", people))
    if agreements.people:
        tables.append(_alpha_of_people(agreements))
    if judges:
        tables.append(_coefficients("agreement-judges", "Agreement of people and judges", judges))
    tables += _percents(kept)
    drawn = [
        pair for pair in kept if pair.kind == "judge" or len(agreements.between("people")) <= MOST_PAIRS_DRAWN
    ]
    return Section(
        TITLE,
        text=tuple(_text(agreements, silent)),
        tables=tuple(tables),
        figures=tuple(_heat_maps(drawn, agreements.language_groups)),
    )


def estimate_cell(figure: Estimate, why: str = "", mark: str = "") -> Cell:
    """A figure with its interval; `why` is the reason where there is no value, `mark` stands behind one."""
    if figure.value is None:
        return Cell(None, why=why)
    return Cell(figure.value, low=figure.low, high=figure.high, mark=mark)


def _text(agreements: Agreements, silent: Iterable[tuple[RaterGroup, RaterGroup]]) -> list[str]:
    people = [
        rater_group
        for rater_group in agreements.rater_groups
        if rater_group.kind == "human" and not rater_group.together
    ]
    judges = [rater_group for rater_group in agreements.rater_groups if rater_group.kind != "human"]
    if not agreements.rater_groups:
        return ["Nobody has scored a response yet, so there is no agreement to tell of."]
    text = []
    if not people:
        text.append("No person has scored a response, so there is nobody whom a judge could agree with.")
    elif len(people) == 1:
        text.append(f"{people[0].name} is the only person with scores: agreement of people needs two.")
    if people and not judges:
        text.append("No judge has scored a response, so there is no agreement of people and judges.")
    if len(agreements.language_groups) == 1 and agreements.pairs:
        text.append(f"All instructions are {agreements.language_groups[0]}.")
    text += [f"No response was scored by both {first.name} and {second.name}." for first, second in silent]
    outside = sum(
        pair.outside
        for pair in agreements.pairs
        if pair.language_group == ALL or len(agreements.language_groups) == 1
    )
    if outside:
        text.append(f"Left out: {outside} pairs with a score that is not on the criterion's scale.")
    pairs = agreements.between("people")
    if len(pairs) > MOST_PAIRS_DRAWN:
        text.append(
            f"There are {len(pairs)} pairs of people: their percent are in a table, and not drawn as figures."
        )
    return text


def _without_pairs(agreements: Agreements) -> list[tuple[RaterGroup, RaterGroup]]:
    numbers: dict[tuple[RaterGroup, RaterGroup], int] = {}
    for pair in agreements.pairs:
        numbers[pair.first, pair.second] = numbers.get((pair.first, pair.second), 0) + pair.n
    return [rater_groups for rater_groups, n in numbers.items() if not n]


def _coefficients(key: str, title: str, pairs: Sequence[PairAgreement]) -> Table:
    dominated = any(pair.dominated for pair in pairs)
    return Table(
        key,
        title,
        _COLUMNS,
        tuple(_row(pair) for pair in pairs),
        notes=(*_NOTES, _DOMINATED_NOTE) if dominated else _NOTES,
    )


def _row(pair: PairAgreement) -> tuple[Cell, ...]:
    why = pair.undefined or ""
    mark = DOMINATED if pair.dominated else ""
    return (
        Cell(pair.first.name),
        Cell(pair.second.name),
        Cell(pair.language_group),
        Cell(pair.criterion.name),
        Cell(pair.n),
        estimate_cell(pair.figures["exact"], why),
        estimate_cell(pair.figures["kappa"], why, mark),
        estimate_cell(pair.figures["alpha"], why, mark),
        estimate_cell(pair.figures["ac2"], why or "the scale has one score only"),
        estimate_cell(pair.figures["bias"], why),
        *_most_given(pair),
    )


def _most_given(pair: PairAgreement) -> tuple[Cell, Cell]:
    if not pair.n:
        return Cell(None, why=pair.undefined or ""), Cell(None, why=pair.undefined or "")
    given = pair.counts.sum(axis=0) + pair.counts.sum(axis=1)
    most = int(given.argmax())
    return Cell(pair.criterion.minimum + most), Cell(100 * int(given[most]) / int(given.sum()))


def _alpha_of_people(agreements: Agreements) -> Table:
    number = sum(
        rater_group.kind == "human" and not rater_group.together for rater_group in agreements.rater_groups
    )
    return Table(
        "agreement-all-people",
        f"Agreement of all {number} people together",
        (Column("languages"), Column("criterion"), Column("responses", "count"), Column("alpha", "number")),
        tuple(
            (
                Cell(people.language_group),
                Cell(people.criterion.name),
                Cell(people.n),
                estimate_cell(
                    people.alpha,
                    "all their scores are the same" if people.n else "no response was scored by two people",
                ),
            )
            for people in agreements.people
        ),
        notes=(
            "Krippendorff's ordinal alpha over all responses that two people or more have scored.",
            "Intervals: bootstrap over instructions, by the same formula.",
        ),
    )


def _percents(pairs: Sequence[PairAgreement]) -> list[Table]:
    """The tables of all pairs in percent, one table for each scale."""
    tables = []
    scales = _scales(pairs)
    for minimum, maximum in scales:
        rows = [
            (
                Cell(pair.first.name),
                Cell(pair.second.name),
                Cell(pair.language_group),
                Cell(pair.criterion.name),
                Cell(pair.n),
                Cell(str(minimum + index)),
                *(Cell(float(value)) for value in line),
            )
            for pair in pairs
            if pair.n and (pair.criterion.minimum, pair.criterion.maximum) == (minimum, maximum)
            for index, line in enumerate(pair.percent)
        ]
        if rows:
            scores = (
                Column(str(score), "percent", "the columns' score") for score in range(minimum, maximum + 1)
            )
            tables.append(
                Table(
                    "agreement-percent" + _suffix((minimum, maximum), scales),
                    "Which score met which, in percent of all pairs",
                    (*_COLUMNS[:5], Column("the rows' score"), *scores),
                    tuple(rows),
                    source=FIGURE_5,
                )
            )
    return tables


def _heat_maps(pairs: Sequence[PairAgreement], language_groups: Sequence[str]) -> list[HeatMap]:
    """A figure for every two rater groups in English and in non-English, whose panels are the criteria."""
    figures = []
    scales = _scales(pairs)
    for first, second in dict.fromkeys((pair.first, pair.second) for pair in pairs):
        for language_group in language_groups:
            if language_group == ALL:
                continue
            for scale in scales:
                panels = [
                    pair
                    for pair in pairs
                    if (pair.first, pair.second, pair.language_group) == (first, second, language_group)
                    and (pair.criterion.minimum, pair.criterion.maximum) == scale
                ]
                if any(pair.n for pair in panels):
                    key = f"agreement-{first.key}-{second.key}-{language_group.lower()}" + _suffix(
                        scale, scales
                    )
                    figures.append(_heat_map(key, first, second, language_group, panels))
    return figures


def _heat_map(
    key: str, first: RaterGroup, second: RaterGroup, language_group: str, panels: Sequence[PairAgreement]
) -> HeatMap:
    scores = tuple(
        str(score) for score in range(panels[0].criterion.minimum, panels[0].criterion.maximum + 1)
    )
    empty = tuple(tuple(None for _ in scores) for _ in scores)
    return HeatMap(
        key=key,
        title=f"{first.name} and {second.name}, {language_group}: percent of all pairs",
        panels=tuple(f"{pair.criterion.name} (n\u00a0=\u00a0{pair.n})" for pair in panels),
        rows=scores,
        columns=scores,
        values=tuple(
            tuple(tuple(float(value) for value in line) for line in pair.percent) if pair.n else empty
            for pair in panels
        ),
        minimum=0,
        maximum=100,
        decimals=0,
        row_label=_short(first),
        column_label=_short(second),
        note="Rows: scores of the first; columns: scores of the second; where both are the same, they agree.",
    )


def _short(rater_group: RaterGroup) -> str:
    """The name alone: kind and version stand in the title."""
    return re.sub(r"^(?:human|llm|rule):|@[^@]*$", "", rater_group.name)


def _scales(pairs: Sequence[PairAgreement]) -> list[tuple[int, int]]:
    return list(dict.fromkeys((pair.criterion.minimum, pair.criterion.maximum) for pair in pairs))


def _suffix(scale: tuple[int, int], scales: Sequence[tuple[int, int]]) -> str:
    """What sets files of several scales apart."""
    return f"-scale-{scales.index(scale) + 1}" if len(scales) > 1 else ""
