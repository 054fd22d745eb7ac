import math
import re
from dataclasses import replace
from itertools import combinations, pairwise

import matplotlib
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.text import Text

from core.report.charts.heat_map import luminance
from core.report.charts.style import COLOURS, DASHES, FONT, MARKERS, PAGE, families_for
from core.report.document import BarChart, HeatMap, LineChart, Series
from core.report.figures import PICTURES, draw
from tests.core.report.sample_report import CRITERIA, MODELS, TASKS, hostile_report, sample_report

FIGURES = {
    f"{name}-{figure.key}": figure
    for name, report in (("sample", sample_report()), ("hostile", hostile_report()))
    for section in report.sections
    for figure in section.figures
}
MANY = HeatMap(
    "many",
    "Many columns",
    ("a panel with a name that is far too long for the width of two columns of numbers, and more", "b"),
    TASKS,
    TASKS,
    tuple(tuple(tuple(0.5 for _ in TASKS) for _ in TASKS) for _ in range(2)),
    0,
    1,
)
LINES = LineChart(
    "lines",
    "Eight lines, seven panels",
    tuple(
        (
            f"{MODELS[5]}, {panel}",
            tuple(
                Series(f"{model}, {MODELS[5]}", tuple((x, x + 0.1, None, None) for x in range(20)))
                for model in (*MODELS, "another")
            ),
        )
        for panel in CRITERIA
    ),
    "a very long name of the x axis " * 5,
    "a very long name of the y axis " * 5,
)
DOTS = BarChart(
    "dots",
    "Seven series",
    TASKS,
    {model: tuple((0.1 * place, None, None) for place in range(len(TASKS))) for model in MODELS},
    "difference",
)
EVERY = {**FIGURES, "many": MANY, "lines": LINES, "dots": DOTS}
NOTHING = [
    HeatMap("none", "None", (), (), (), (), 0, 1),
    HeatMap("empty", "Empty", ("a",), ("b",), ("c",), (((None,),),), 0, 0),
    HeatMap("no-columns", "No columns", ("a",), ("b",), (), (((),),), 0, 1),
    LineChart("none", "None", (), "x", "y"),
    LineChart("empty", "Empty", (("a", ()), ("b", (Series("s", ()),))), "x", "y", logarithmic=True),
    LineChart(
        "one", "One", (("a", (Series("s", ((1e-5, None, None, None),)),)),), "x", "y", logarithmic=True
    ),
    LineChart(
        "zero",
        "Zero",
        (("a", (Series("s", ((0.0, math.nan, 1.0, 2.0), (1.0, 1.0, None, None))),)),),
        "x",
        "y",
        True,
    ),
    BarChart("none", "None", (), {}, "x"),
    BarChart("empty", "Empty", ("a", "b"), {"s": (None, (math.nan, None, None))}, "x"),
]


def texts_of(drawing):
    """Each text that is drawn, with its box in points from the lower left corner."""
    FigureCanvasAgg(drawing.canvas).draw()
    renderer = drawing.canvas.canvas.get_renderer()
    scale = 72 / drawing.canvas.dpi
    found = []
    for text in drawing.canvas.findobj(Text):
        if text.get_visible() and text.get_text().strip():
            box = text.get_window_extent(renderer)
            found.append((text, [side * scale for side in box.extents]))
    # matplotlib keeps labels of ticks that lie outside of the axes and aren't drawn.
    return [(text, box) for text, box in found if not is_undrawn_tick(drawing, text, box)]


def is_undrawn_tick(drawing, text, box):
    for axes in drawing.canvas.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if text is tick.label1 and not low - 1e-9 <= tick.get_loc() <= high * (1 + 1e-9) + 1e-9:
                    return True
    return False


def overlap(one, other):
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across > 0.5 and down > 1.5  # points; boxes of lines have air above and below


@pytest.mark.parametrize("name", EVERY)
def test_no_texts_overlap_or_are_cut_and_all_can_be_read(name):
    drawing = draw(EVERY[name])
    width, height = (72 * inches for inches in drawing.canvas.get_size_inches())
    texts = texts_of(drawing)
    assert texts
    assert width <= 72 * PAGE + 0.01
    for text, box in texts:
        assert text.get_fontsize() >= 7, text
        if name != "hostile-hostile" or "⟨+" not in text.get_text():  # marks stacked up
            assert min(box[0], box[1] + 0.5) >= -0.5, (text, box)
            assert max(box[2] - width, box[3] - height - 1) <= 0.5, (text, box)
    upright = [(text, box) for text, box in texts if not text.get_rotation() % 90]
    for (one, first), (other, second) in combinations(upright, 2):
        assert not overlap(first, second), (one, other)


@pytest.mark.parametrize("name", EVERY)
def test_a_name_that_is_shortened_stands_in_full_in_the_note(name):
    drawing = draw(EVERY[name])
    for text, _ in texts_of(drawing):
        if "…" in text.get_text():
            shown = text.get_text().replace("\n", " ")
            assert f"“{shown}” is " in drawing.caption


@pytest.mark.parametrize("figure", NOTHING, ids=lambda figure: f"{type(figure).__name__}-{figure.key}")
def test_a_figure_of_nothing_is_drawn_without_a_warning(figure, recwarn):
    drawing = draw(figure)
    for kind in PICTURES:
        assert drawing.file(kind)
    assert [str(warning.message) for warning in recwarn] == []
    assert "nan" not in "".join(text.get_text() for text, _ in texts_of(drawing))


@pytest.mark.parametrize("name", ["sample-scores", "sample-learning-rates", "sample-tasks"])
@pytest.mark.parametrize("kind", PICTURES)
def test_the_same_figure_gives_the_same_bytes_whatever_the_users_settings(name, kind):
    first = draw(FIGURES[name]).file(kind)
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "none", "axes.facecolor": "red"}):
        assert draw(FIGURES[name]).file(kind) == first
        assert matplotlib.rcParams["font.size"] == 30
    for trace in (b"CreationDate", b"dc:date", b"Matplotlib v", b"matplotlib.org"):
        assert trace not in first


def test_pictures_are_of_a_sane_size():
    for figure in FIGURES.values():
        drawing = draw(figure)
        assert len(drawing.file("svg")) < 300_000
        assert drawing.file("png").startswith(b"\x89PNG")
        assert drawing.file("pdf").startswith(b"%PDF")


def test_numbers_are_black_on_light_cells_and_white_on_dark_ones():
    values = tuple(place / 40 for place in range(41))
    chart = HeatMap(
        "t", "T", ("p",), tuple(f"{v}" for v in values), ("c",), (tuple((v,) for v in values),), 0, 1
    )
    for figure in (chart, replace(chart, diverging=True)):
        [axes] = draw(figure).canvas.axes
        [cells] = [collection for collection in axes.collections if isinstance(collection, QuadMesh)]
        colours = cells.to_rgba(cells.get_array().ravel())
        for colour, number in zip(colours, axes.texts, strict=True):
            ground = luminance(colour) + 0.05
            contrast = ground / 0.05 if number.get_color() == "black" else 1.05 / ground
            assert contrast >= 4.5, number


def test_a_missing_cell_is_hatched_and_says_nothing():
    chart = HeatMap("t", "T", ("p",), ("r",), ("a", "b", "c"), (((1.0, None, math.nan),),), 0, 2)
    drawing = draw(chart)
    [axes] = drawing.canvas.axes
    assert [text.get_text() for text in axes.texts] == ["1.00"]
    [ground] = [patch for patch in axes.patches if patch.get_hatch()]
    [cells] = [collection for collection in axes.collections if isinstance(collection, QuadMesh)]
    assert ground.get_bbox().bounds == (0, 0, 3, 1)
    assert ground.get_zorder() < cells.get_zorder()
    assert cells.get_array().mask.tolist() == [[False, True, True]]
    assert "Hatched: no value." in drawing.notes


def test_panels_stand_beside_each_other_as_far_as_they_fit():
    def panels(number, columns):
        rows = tuple(tuple(0.5 for _ in range(columns)) for _ in MODELS)
        names = tuple(f"p{place}" for place in range(number))
        chart = HeatMap("t", "T", names, MODELS, tuple("abcdefghij"[:columns]), (rows,) * number, 0, 1)
        tops = [round(axes.get_position().y1, 6) for axes in draw(chart).canvas.axes]
        return [tops.count(top) for top in dict.fromkeys(tops)]

    assert panels(2, 6) == [2]
    assert panels(4, 6) == [2, 2]
    assert panels(6, 3) == [3, 3]
    assert panels(1, 10) == [1]


def test_lines_differ_by_marker_and_dash_as_well_as_by_colour():
    chart = FIGURES["sample-learning-rates"]
    first = draw(chart).canvas.axes[0]
    lines = [line for line in first.get_lines() if len(line.get_xdata()) == 3]
    assert len(lines) == 3
    assert len({line.get_color() for line in lines}) == 3
    assert len({line.get_marker() for line in lines}) == 3
    for signs in (COLOURS, MARKERS, DASHES):
        assert len(set(signs)) == len(signs)


def test_the_chosen_points_are_ringed_and_the_rates_are_the_ticks():
    chart = FIGURES["sample-learning-rates"]
    for axes, (_, lines) in zip(draw(chart).canvas.axes, chart.panels, strict=True):
        rings = [line for line in axes.get_lines() if line.get_markersize() > 9]
        ringed = {(float(x), float(y)) for ring in rings for x, y in ring.get_xydata()}
        assert ringed == {line.points[place][:2] for line in lines for place in line.chosen}
        assert [tick.get_text() for tick in axes.get_xticklabels()] == ["1e-6", "1e-5", "1e-4"]
        assert axes.get_xscale() == "log"


def test_dots_stand_in_the_row_that_their_name_labels():
    chart = BarChart("t", "T", ("a", "b", "c"), {"s": ((1.0, 0.5, 1.5), None, (3.0, 2.0, 4.0))}, "x")
    [axes] = draw(chart).canvas.axes
    [dots] = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert dots.get_xydata().tolist() == [[1.0, 0.5], [3.0, 2.5]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
    assert axes.yaxis_inverted()
    ends = [collection.get_segments()[0].tolist() for collection in axes.collections]
    assert ends == [[[0.5, 0.5], [1.5, 0.5]], [[2.0, 2.5], [4.0, 2.5]]]


def test_dots_of_a_row_stand_apart():
    [axes] = draw(DOTS).canvas.axes
    down = axes.get_window_extent().height / axes.get_figure().dpi * 72 / len(TASKS)
    heights = sorted(float(line.get_ydata()[0]) for line in axes.get_lines() if len(line.get_xdata()) > 2)
    assert len(heights) == 7
    assert min(b - a for a, b in pairwise(heights)) * down > 4  # points


def test_names_that_come_out_alike_are_numbered():
    names = tuple(f"{'same beginning ' * 8}{middle}{' same end' * 12}" for middle in "xyz")
    chart = BarChart("t", "T", names, {"s": ((1.0, None, None),) * 3}, "x")
    drawing = draw(chart)
    labels = [label.get_text() for label in drawing.canvas.axes[0].get_yticklabels()]
    assert len(set(labels)) == 3
    for name in names:
        assert name in drawing.caption


def test_cyrillic_is_drawn_from_the_font_that_comes_with_matplotlib():
    assert families_for(["не обучена", "Ёжик ґ", "αβγ"]) == ((FONT,), False)


def test_letters_that_no_font_has_are_boxes_and_the_note_has_the_name():
    name = "name \U0001e900\U0001e901"  # Adlam
    if not families_for([name])[1]:
        pytest.skip("a font for Adlam is installed")
    drawing = draw(BarChart("t", "T", (name, "b"), {"s": ((1.0, None, None),) * 2}, "x"))
    assert f"No font that is installed has all letters of: {name}." in drawing.notes
    assert drawing.file("png")


def test_dollars_are_no_formula():
    drawing = draw(BarChart("t", "$x_1$", ("$\\frac{1}{$",), {"$s$": ((1.0, None, None),)}, "$x$"))
    assert drawing.canvas.axes[0].get_yticklabels()[0].get_text() == "$\\frac{1}{$"
    assert drawing.file("svg")


def test_texts_are_outlines_so_that_they_look_the_same_everywhere():
    svg = draw(FIGURES["sample-tasks"]).file("svg").decode()
    assert "<text" not in svg
    assert not re.search(r"(?:href|src)=[\"']https?:", svg)


def test_controls_in_names_are_written_in_letters_that_the_font_has():
    drawing = draw(BarChart("t", "T", ("a\x1b[1m", "b\x7f\n"), {"s": ((1.0, None, None),) * 2}, "x"))
    labels = [label.get_text() for label in drawing.canvas.axes[0].get_yticklabels()]
    assert labels == ["a⟨U+001B⟩[1m", "b⟨U+007F⟩⟨U+000A⟩"]
    assert drawing.notes == ()
