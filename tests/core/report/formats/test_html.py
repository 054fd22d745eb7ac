import re
import shutil
import subprocess
from collections import Counter
from importlib.resources import files

import html5lib
import pytest

from core.report.figures import draw
from core.report.formats.html import page_environment, report_html
from core.text.visible import visible
from tests.core.report.sample_report import HOSTILE, hostile_report, sample_report

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)


def page_of(report):
    drawings = {figure.key: draw(figure) for section in report.sections for figure in section.figures}
    return report_html(report, drawings)


@pytest.fixture(scope="module")
def sample():
    return page_of(sample_report())


@pytest.fixture(scope="module")
def hostile():
    return page_of(hostile_report())


@pytest.fixture(params=["sample", "hostile"])
def page(request):
    return request.getfixturevalue(request.param)


def tree(page):
    parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
    parsed = parser.parse(page)
    return parsed, [code for _, code, _ in parser.errors]


def elements(page, *names):
    def tag(element):
        return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""

    return [element for element in tree(page)[0].iter() if tag(element) in names]


def test_the_page_parses_without_errors(page):
    assert tree(page)[1] == []


def test_nothing_is_asked_for_from_anywhere(page):
    for element in tree(page)[0].iter():
        for name, value in element.attrib.items():
            local = name.rpartition("}")[2]
            if local in ("src", "href", "srcset", "action", "data", "poster"):
                assert value.startswith("#"), (element.tag, name, value)
            for address in re.findall(r"url\(([^)]*)\)", value):
                assert address.startswith("#"), (element.tag, name, value)
    [style] = elements(page, "style")[:1]
    assert "url(" not in style.text
    assert "@import" not in style.text
    assert not elements(page, "script", "link", "iframe", "img", "object", "embed", "base", "form")
    assert "default-src 'none'" in page


def test_ids_are_unlike_and_every_reference_has_its_place(page):
    ids = Counter(
        value for element in tree(page)[0].iter() for name, value in element.attrib.items() if name == "id"
    )
    assert max(ids.values()) == 1
    references = set(re.findall(r'(?:href="#|url\(#)([^")]+)', page))
    assert len(references) > 20
    assert references <= set(ids)


def test_figures_have_a_text_for_those_who_cannot_see_them(sample):
    [chart] = [svg for svg in elements(sample, "svg") if "Surface metrics" in svg.attrib["aria-label"]]
    assert chart.attrib["role"] == "img"
    assert chart.attrib["aria-label"] == "Surface metrics by learning rate Ringed: the chosen learning rate."


def test_rows_have_headings_and_groups_span_their_columns(sample):
    [table] = [t for t in elements(sample, "table") if t.attrib["aria-labelledby"] == "table-scores-title"]
    head, body = table.find("thead"), table.find("tbody")
    groups = [(th.text, th.attrib["colspan"]) for th in head[0] if th.tag == "th"]
    assert groups == [("English", "6"), ("Non-English", "6")]
    assert [th.attrib["scope"] for th in head[1]] == ["col"] * 14
    for row in body:
        assert row[0].tag == "th"
        assert row[0].attrib["scope"] == "row"
        assert "stays" in row[0].attrib["class"]
        assert len(row) == 14


def test_the_contents_lead_to_every_section(sample):
    links = [a for a in elements(sample, "a") if a.attrib["href"].startswith("#section-")]
    sections = [section.attrib["id"] for section in elements(sample, "section")]
    assert [a.attrib["href"][1:] for a in links] == sections
    assert [a.text for a in links] == [section.title for section in sample_report().sections]


def test_hostile_names_are_shown_and_nothing_else(hostile):
    shown = "".join(elements(hostile, "body")[0].itertext())
    for name in HOSTILE:
        assert visible(name) in shown
    assert "alert(1)" in shown
    assert all(c.isprintable() or c == "\n" for c in hostile)


def test_the_page_has_a_language_and_adapts():
    template, style = (
        files("core.report.formats").joinpath(name).read_text("utf-8") for name in ("page.html", "page.css")
    )
    assert '<html lang="en">' in template
    assert 'name="viewport"' in template
    for rule in ("prefers-color-scheme: dark", "@media print", "position: sticky", "break-inside: avoid"):
        assert rule in style


def contrast(one, other):
    def luminance(colour):
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return light / dark


def test_texts_are_readable_on_their_ground_in_light_dark_and_print():
    style = files("core.report.formats").joinpath("page.css").read_text("utf-8")
    themes = [
        dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in re.findall(r":root \{(.*?)\}", style, re.S)
    ]
    assert len(themes) == 3
    for theme in themes:
        for ink in ("ink", "soft", "link"):
            for ground in ("paper", "band"):
                assert contrast(theme[ink], theme[ground]) >= 4.5, (theme, ink, ground)


PROBE = """
<script>
addEventListener("load", () => {
  const wide = document.documentElement.scrollWidth;
  const scroll = document.querySelector(".scroll");
  scroll.scrollLeft = 300;
  const left = (element) => element.getBoundingClientRect().left;
  const stays = left(scroll.querySelector("tbody th")) - left(scroll);
  document.title = JSON.stringify([innerWidth, wide, scroll.scrollLeft, Math.round(stays)]);
});
</script>
"""


@pytest.mark.whole
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize("width", [500, 1280])
def test_in_a_browser_the_page_fits_and_the_first_column_stays_while_the_table_scrolls(
    tmp_path, sample, width
):
    # A copy with a script that measures, which the page's own policy would keep from running.
    file = tmp_path / "report.html"
    file.write_text(
        re.sub(r"<meta http-equiv[^>]*>", "", sample).replace("</body>", PROBE + "</body>"), "utf-8"
    )
    dom = browse(tmp_path, f"--window-size={width},900", "--dump-dom", file.as_uri())
    inner, wide, scrolled, stays = map(int, re.search(r"<title>\[(.*?)\]</title>", dom)[1].split(","))
    assert wide <= inner
    assert scrolled > 50
    assert stays in (0, 1)


@pytest.mark.whole
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_browser_prints_the_page(tmp_path, sample):
    file = tmp_path / "report.html"
    file.write_text(sample, "utf-8")
    browse(tmp_path, f"--print-to-pdf={tmp_path / 'report.pdf'}", file.as_uri())
    printed = (tmp_path / "report.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 12


def browse(folder, *options):
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--virtual-time-budget=5000",
        f"--user-data-dir={folder / 'profile'}",
        *options,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def test_the_template_escapes_also_what_it_is_not_told_to():
    template = page_environment().from_string("<p>{{ title }}{{ title | text }}</p>")
    assert template.render(title="<b>&\x1b") == "<p>&lt;b&gt;&amp;\x1b&lt;b&gt;&amp;␛</p>"
