"""The overview as lines of a page, with the cells that can be opened."""

from datetime import UTC, datetime

from core.analysis.agreement_table import CriterionAgreement
from core.text.visible import visible
from core.text.wrapping import pad, shorten
from store.labels import short_rater_label
from tui.review.overview import HeatCell, Overview, PairCell, scorer_names
from tui.theme import Look
from tui.widgets.lines import Piece
from tui.widgets.page import Cell

Lines = list[list[Piece]]

BAR_CELLS = 12
MEAN_CELLS = 14
BLOCK_GAP = 4


def overview_lines(overview: Overview, width: int) -> tuple[Lines, list[Cell]]:
    """All lines for a page of this width, and the cells of means and of pairs."""
    lines: Lines = []
    cells: list[Cell] = []
    _progress(overview, width, lines)
    lines.append([])
    _heat_map(overview, width, lines, cells)
    lines.append([])
    _agreement(overview, width, lines, cells)
    return lines, cells


def _progress(overview: Overview, width: int, lines: Lines) -> None:
    lines.append([(" progress", Look.HEADING)])
    if not overview.progress:
        lines.append([(" nobody has scored anything here yet", Look.QUIET)])
    for row in overview.progress:
        share = row.complete / row.responses if row.responses else 0
        full = int(share * BAR_CELLS)
        time = "" if row.looked_seconds is None else f"  {row.looked_seconds:.0f} s a response (median)"
        last = "" if row.last_active is None else f"  last {_ago(row.last_active)}"
        text = (
            f" {pad(visible(row.name), 18)} {'█' * full}{'░' * (BAR_CELLS - full)} "
            f"{row.complete}/{row.responses} scored ({share:.0%}), {row.committed} committed{time}{last}"
        )
        lines.append([(shorten(text, width), Look.PLAIN)])


def _ago(moment: datetime) -> str:
    minutes = int((datetime.now(UTC) - moment).total_seconds() // 60)
    if minutes < 60:
        return f"{max(0, minutes)} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{moment:%Y-%m-%d}"


def _heat_map(overview: Overview, width: int, lines: Lines, cells: list[Cell]) -> None:
    best = max((maximum for _, _, maximum in overview.criteria), default=2)
    lines.append(
        [
            (
                f" mean scores of {visible(scorer_names(overview.scorers))}, 0 to {best}, and how many",
                Look.HEADING,
            )
        ]
    )
    names = {source.key: visible(overview.names[source.key]) for source in overview.sources}
    room = width - MEAN_CELLS * len(overview.criteria) - 2
    longest = max((len(name) for name in names.values()), default=5)
    stacked = room < min(longest, 16)
    across = max(1, (width - 2) // MEAN_CELLS) if stacked else len(overview.criteria)
    label = 0 if stacked else min(longest, room)
    heads = [pad(name, MEAN_CELLS - 1).rjust(MEAN_CELLS) for _, name, _ in overview.criteria]
    if not stacked:
        lines.append([(" " * (label + 1) + "".join(heads), Look.QUIET)])
    for source in overview.sources:
        if stacked:
            lines.append([(" " + shorten(names[source.key], width - 2), Look.STRONG)])
        for first in range(0, len(overview.criteria), across):
            criteria = overview.criteria[first : first + across]
            if stacked:
                lines.append([("  " + "".join(heads[first : first + across]), Look.QUIET)])
            pieces: list[Piece] = [
                (" " + pad(names[source.key], label), Look.PLAIN) if label else ("  ", Look.PLAIN)
            ]
            left = label + 1 if label else 2
            for criterion, _, maximum in criteria:
                cell = overview.means.get((source.key, criterion))
                if cell is None:
                    pieces.append((" –".ljust(MEAN_CELLS), Look.QUIET))
                else:
                    cells.append(Cell(len(lines), left + 1, left + 5, HeatCell(source.key, criterion)))
                    pieces.append((" ", Look.PLAIN))
                    pieces.append((f"{cell.mean:.2f}", _heat(cell.mean, maximum)))
                    pieces.append((f" {cell.n}".ljust(MEAN_CELLS - 5), Look.QUIET))
                left += MEAN_CELLS
            lines.append(pieces)


def _heat(mean: float, maximum: int) -> Look:
    share = mean / maximum if maximum else 0
    return Look.LOW if share < 0.5 else Look.MIDDLE if share < 0.8 else Look.HIGH


def _agreement(overview: Overview, width: int, lines: Lines, cells: list[Cell]) -> None:
    judge = overview.judge
    if judge is None:
        lines.append([(" no judge has scored these responses", Look.QUIET)])
        return
    name = visible(short_rater_label(judge.kind, judge.name))
    title = f" {visible(scorer_names(overview.people))} (rows) against {name} (columns), in % of pairs"
    lines.append([(title, Look.HEADING)])
    blocks = [_block(criterion) for criterion in overview.agreement]
    block_width = max((_width(block) for block in blocks), default=1) + BLOCK_GAP
    across = max(1, (width - 1) // block_width)
    for first in range(0, len(blocks), across):
        row = blocks[first : first + across]
        top = len(lines)
        for number in range(max(len(block) for block in row)):
            pieces: list[Piece] = [(" ", Look.PLAIN)]
            left = 1
            for block in row:
                used = 0
                for text, look, value in block[number] if number < len(block) else []:
                    if value is not None:
                        start = left + used
                        cells.append(Cell(top + number, start, start + len(text), value))
                    pieces.append((text, look))
                    used += len(text)
                pieces.append((" " * (block_width - used), Look.PLAIN))
                left += block_width
            lines.append(pieces)
        lines.append([])


BlockPiece = tuple[str, Look, PairCell | None]


def _width(block: list[list[BlockPiece]]) -> int:
    return max(sum(len(text) for text, _, _ in line) for line in block)


def _block(criterion: CriterionAgreement) -> list[list[BlockPiece]]:
    """A criterion's table: a head, a line for each score of the people, and the agreement."""
    agreement = criterion.agreement
    scores = agreement.scores
    head = "".join(f"{score:>6}" for score in scores)
    block: list[list[BlockPiece]] = [
        [(f"{criterion.criterion:<14}", Look.STRONG, None), (f"n {agreement.n}", Look.QUIET, None)],
        [(f"  {head}", Look.QUIET, None)],
    ]
    for human, counts, shares in zip(scores, agreement.counts, agreement.percent, strict=True):
        line: list[BlockPiece] = [(f"{human:>2}", Look.QUIET, None)]
        for judge, count, percent in zip(scores, counts, shares, strict=True):
            share = f"{percent:.0f}" if agreement.n else "–"
            look = Look.STRONG if human == judge else Look.PLAIN
            value = PairCell(criterion.criterion_id, human, judge) if count else None
            line += [(" " * (6 - len(share)), Look.PLAIN, None), (share, look, value)]
        block.append(line)
    if agreement.exact is not None and agreement.bias is not None:
        kappa = "κ undefined" if agreement.kappa is None else f"κ {agreement.kappa:.2f}"
        block.append(
            [(f"same {agreement.exact:.0f}%  {kappa}  bias {agreement.bias:+.2f}", Look.PLAIN, None)]
        )
    if agreement.undefined:
        block.append([(shorten(agreement.undefined, 40), Look.QUIET, None)])
    return block
