"""The report's part on anchoring: people's scores before and after they saw the judge's."""

from collections.abc import Iterable

from core.analysis.anchoring import Anchoring, Shift
from core.analysis.means import RaterGroup
from core.report.document import Cell, Column, Section, Table
from core.report.sections.agreement import estimate_cell

TITLE = "Before and after the reveal"

_COLUMNS = (
    Column("judge"),
    Column("people"),
    Column("criterion"),
    Column("scores", "count"),
    Column("all", "count", "changed after the reveal"),
    Column("towards", "count", "changed after the reveal"),
    Column("away", "count", "changed after the reveal"),
    Column("before", "number", "distance to the judge"),
    Column("after", "number", "distance to the judge"),
    Column("after minus before", "number", "distance to the judge", signed=True),
    Column("before", "percent", "same score as the judge"),
    Column("after", "percent", "same score as the judge"),
    Column("before", "number", "kappa"),
    Column("after", "number", "kappa"),
)

_NOTES = (
    "Only scores that were given blind, on responses that were revealed to the person later. Before: the "
    "last score given blind; after: what stood at the end.",
    "Distance: mean absolute difference to the judge's score, in points of the scale. Kappa: Cohen's, with "
    "quadratic weights.",
    "The journal says that a judge was on show, not which: the scores stand beside each judge that had "
    "scored the response by then.",
    "Intervals: bootstrap over instructions; none where all scores are about one instruction.",
)


def anchoring_section(anchoring: Anchoring) -> Section:
    """How people changed their scores after the reveal. Where there is nothing, a sentence says so."""
    table = Table(
        "anchoring",
        TITLE,
        _COLUMNS,
        tuple(_row(shift) for shift in anchoring.shifts if shift.n),
        notes=_NOTES,
    )
    return Section(TITLE, text=tuple(_text(anchoring)), tables=(table,) if table.rows else ())


def _text(anchoring: Anchoring) -> list[str]:
    counts = anchoring.counts
    if not counts.revealed and not counts.blind and not counts.open:
        return ["No person has scored a response, so there is nothing to tell of anchoring."]
    text = []
    if not counts.revealed:
        text.append(
            "No score that was given blind was revealed later, so there is nothing to tell of anchoring."
        )
    elif not anchoring.judges:
        text.append("No judge has scored a response, so the reveal had nothing to show.")
    elif not anchoring.shifts:
        text.append("No judge had scored the responses by the time that they were revealed.")
    text += [_of_judge(judge, shifts) for judge, shifts in _by_judge(anchoring.shifts)]
    text.append(
        f"Scores of people: {counts.revealed} given blind and revealed later, {counts.blind} given blind and "
        f"not revealed, {counts.open} given with a judge on show from the start. Only the first are compared."
    )
    return text


def _of_judge(judge: RaterGroup, shifts: list[Shift]) -> str:
    n, changed, towards, away, taken_back = (
        sum(getattr(shift, name) for shift in shifts)
        for name in ("n", "changed", "towards", "away", "taken_back")
    )
    back = f" Taken back after the reveal: {taken_back} more." if taken_back else ""
    if not changed:
        return f"Beside {judge.name}: none of {n} scores was changed after the reveal." + back
    return (
        f"Beside {judge.name}: {changed} of {n} scores ({100 * changed / n:.0f}%) were changed after the "
        f"reveal, {towards} towards the judge, {away} away from it, {changed - towards - away} to one as far "
        f"from it.{back}"
    )


def _by_judge(shifts: Iterable[Shift]) -> Iterable[tuple[RaterGroup, list[Shift]]]:
    """The shifts of each judge with everybody: those of people together, or of the only person."""
    shifts_of: dict[RaterGroup, list[Shift]] = {}
    for shift in shifts:
        shifts_of.setdefault(shift.judge, []).append(shift)
    for judge, own in shifts_of.items():
        yield judge, [shift for shift in own if shift.who == own[0].who]


def _row(shift: Shift) -> tuple[Cell, ...]:
    one_score = "every score of both is the same: kappa compares with chance, and chance agrees as well"
    return (
        Cell(shift.judge.name),
        Cell(shift.who.name),
        Cell(shift.criterion.name),
        Cell(shift.n),
        Cell(shift.changed),
        Cell(shift.towards),
        Cell(shift.away),
        *(estimate_cell(figure) for figure in shift.distance),
        estimate_cell(shift.moved),
        *(estimate_cell(figure) for figure in shift.exact),
        *(estimate_cell(figure, one_score) for figure in shift.kappa),
    )
