"""A page of lines: where its cursor goes, what stays in sight, and which keys move it."""

import pytest

from tests.ui.pilot import played, press, settle, shown
from tui.app import ReviewApp
from tui.screens.choice import ChoiceScreen
from tui.screens.page import PageScreen
from tui.theme import Look
from tui.widgets.page import Cell, Page

pytestmark = pytest.mark.parts


# A table of 3x3 cells on the lines 2, 3, 5; and a lonely one far below.
PLACES = [(line, column) for line in (2, 3, 5) for column in (0, 10, 20)]
TABLE = [Cell(line, column, column + 4, (line, column)) for line, column in PLACES] + [
    Cell(40, 10, 14, "last")
]


class Table(PageScreen[None]):
    """Fifty lines, of which some have cells."""

    def __init__(self, cells=()) -> None:
        super().__init__("title", "hint")
        self._cells = cells

    def on_mount(self) -> None:
        lines = [[(f"line {number:<4} cell cell cell", Look.PLAIN)] for number in range(50)]
        self.page.put(lines, self._cells)


def values(page: Page, moves) -> list:
    found = []
    for across, lines in moves:
        page.move(across, lines)
        found.append(page.cell.value)
    return found


@pytest.fixture
async def table():
    screen = Table(TABLE)
    async with ReviewApp(screen).run_test(size=(80, 12)) as pilot:
        await settle(pilot)
        yield pilot, screen.page


async def test_left_and_right_stay_on_the_line_and_stop_at_its_ends(table):
    _, page = table
    assert values(page, [(1, 0), (1, 0), (1, 0), (-1, 0)]) == [(2, 10), (2, 20), (2, 20), (2, 10)]


async def test_up_and_down_keep_to_the_column_and_jump_over_lines_without_cells(table):
    _, page = table
    assert values(page, [(1, 0), (0, 1), (0, 1), (0, -1)]) == [(2, 10), (3, 10), (5, 10), (3, 10)]


async def test_a_cell_far_below_comes_into_sight(table):
    pilot, page = table
    values(page, [(0, 1)] * 3)
    await settle(pilot)
    assert page.cell.value == "last"
    assert "line 40" in shown(pilot)
    assert played(pilot, Look.CURRENT) == ["cell"]
    assert shown(pilot).splitlines()[0].endswith("↑↓")


async def test_the_way_back_up_shows_the_heading_above_the_first_cell(table):
    pilot, page = table
    values(page, [(0, 1)] * 3 + [(-1, 0)] + [(0, -1)] * 3)
    page.move(-1, 0)
    await settle(pilot)
    assert page.cell.value == (2, 0)
    assert "line 0" in shown(pilot)


async def test_a_smaller_terminal_keeps_the_cursor_in_sight(table):
    pilot, page = table
    values(page, [(0, 1), (0, 1)])
    await pilot.resize_terminal(80, 4)
    await settle(pilot)
    assert "line 5" in shown(pilot)


async def test_paging_reaches_the_end_and_comes_back(table):
    pilot, page = table
    for _ in range(9):
        page.page_by(1)
    await settle(pilot)
    assert "line 49" in shown(pilot)
    assert "↓" not in shown(pilot).splitlines()[0]
    for _ in range(9):
        page.page_by(-1)
    await settle(pilot)
    assert "line 0" in shown(pilot)
    assert page.cell.value[0] == 2


async def test_a_page_without_cells_scrolls_by_lines():
    screen = Table()
    async with ReviewApp(screen).run_test(size=(80, 12)) as pilot:
        await settle(pilot)
        screen.page.move(0, 1)
        await settle(pilot)
        assert screen.page.cell is None
        assert shown(pilot).splitlines()[1].startswith("line 1 ")
        screen.page.move(0, -5)
        await settle(pilot)
        assert shown(pilot).splitlines()[1].startswith("line 0 ")


CHOICES = [(f"name {number}", f"meaning {number}") for number in range(1, 12)]


async def choose(*keys: str) -> list:
    chosen: list = []
    app = ReviewApp(Table())
    async with app.run_test(size=(80, 12)) as pilot:
        await settle(pilot)
        app.push_screen(ChoiceScreen("choose", CHOICES), chosen.append)
        await settle(pilot)
        await press(pilot, *keys)
    return chosen


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        (["3"], ["name 3"]),
        (["'"], ["name 4"]),  # the unshifted 4 of AZERTY
        (["enter"], ["name 1"]),
        (["j", "down", "space"], ["name 3"]),
        (["о", "enter"], ["name 2"]),
        (["pagedown", "enter"], ["name 1"]),  # no key of this screen
        ([*["j"] * 20, "enter"], ["name 11"]),
        (["escape"], [None]),
        (["q"], [None]),
    ],
)
async def test_a_line_is_chosen_by_its_number_or_by_the_cursor(keys, chosen):
    assert await choose(*keys) == chosen


async def test_a_number_without_a_line_chooses_nothing():
    app = ReviewApp(Table())
    chosen: list = []
    async with app.run_test(size=(80, 12)) as pilot:
        await settle(pilot)
        app.push_screen(ChoiceScreen("choose", CHOICES[:3]), chosen.append)
        await settle(pilot)
        await press(pilot, "9", "0", "z")
        assert chosen == []
        assert isinstance(app.screen, ChoiceScreen)
