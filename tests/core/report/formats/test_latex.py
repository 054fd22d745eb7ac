import re
import shutil
import subprocess

import pytest

from core.report.document import Cell, Column, Table
from core.report.formats.latex import PREAMBLE, escape, table_latex
from tests.core.report.sample_report import HOSTILE, TASKS, hostile_report, sample_report


def test_headings_are_grouped_under_rules_of_booktabs():
    columns = (
        Column("model"),
        Column("a", "score", "English"),
        Column("b", "score", "English"),
        Column("c", "score", "Non-English"),
        Column("all", "score"),
    )
    row = (Cell("x"), Cell(1.0), Cell(-0.5), Cell(None, why="none"), Cell(2.0, 1.5, 2.0, best=True))
    text = table_latex(Table("scores", "Scores", columns, (row,)))
    assert r"\multicolumn{1}{c}{} & \multicolumn{2}{c}{English} & \multicolumn{1}{c}{Non-English} & " in text
    assert r"\cmidrule(lr){2-3}\cmidrule(lr){4-4}" in text
    assert (
        r"x & 1.00 & \ensuremath{-}0.50 & \textendash{}\textsuperscript{a} & \textbf{2.00} {\scriptsize"
        in text
    )
    assert r"\caption{Scores}" in text
    assert r"\label{tab:scores}" in text
    assert r"\textsuperscript{a} none." in text
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert text.count(rule) == 1
    for line in PREAMBLE:
        assert f"% In the preamble: {line}" in text


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("a_b & 50% #1 $x^2$ {y} ~", r"a\_b \& 50\% \#1 \$x\textasciicircum{}2\$ \{y\} \textasciitilde{}"),
        (r"\input{x}", r"\textbackslash{}input\{x\}"),
        ("[x] *", "{[}x] {*}"),
        ("--", "-{}-"),
        ("не обучена, да", r"\textcyrillic{не} \textcyrillic{обучена}, \textcyrillic{да}"),
        ("Übersetzung é ß", "Übersetzung é ß"),
        ("中文", r"\otherscript{中文}{[U+4E2D U+6587]}"),
        ("−0.5 κ", r"\ensuremath{-}0.5 \ensuremath{\kappa}"),
    ],
)
def test_texts_are_escaped_and_scripts_marked(text, latex):
    assert escape(text) == latex


def test_a_file_defines_the_macros_that_it_needs():
    def of(name):
        return table_latex(Table("t", name, (Column("m"),), ((Cell("x"),),)))

    assert r"\providecommand{\textcyrillic}" in of("да")
    assert r"\providecommand{\otherscript}" in of("中")
    assert "providecommand" not in of("plain")


def test_a_table_wider_than_a_page_has_its_groups_below_each_other():
    text = table_latex(sample_report().sections[0].tables[0])
    assert text.count(r"\begin{tabular}{") == 2
    assert text.count(r"\begin{table*}") == 1
    assert r"\withinterval{\textbf{1.42}}{[1.29, 1.55]}" in text


def test_a_table_longer_than_a_page_goes_on_in_another_with_the_same_number():
    rows = tuple((Cell(f"row {place}"), Cell(1.0)) for place in range(130))
    text = table_latex(Table("long", "Long", (Column("m"), Column("s", "score")), rows, ("A note.",)))
    assert text.count(r"\begin{table}") == 3
    assert text.count(r"\addtocounter{table}{-1}") == text.count("(continued)") == 2
    assert text.count(r"\label{") == text.count("A note.") == 1
    assert len(re.findall(r"^row \d+ &", text, re.MULTILINE)) == 130


@pytest.mark.whole
def test_the_tables_compile(tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    tables = [table for s in (*sample_report().sections, *hostile_report().sections) for table in s.tables]
    names = Table("names", "Names: " + TASKS[4], (Column("task"),), tuple((Cell(task),) for task in TASKS))
    empty = Table("empty", "Nothing", (Column("m"), Column("s", "score", "g")), ())
    every = "".join(map(chr, (*range(0xA0, 0x250), *range(0x370, 0x530), *range(0x2010, 0x2300))))
    odd = Table(
        "odd",
        "Odd",
        (Column("t"),),
        (
            (Cell(every),),
            *(
                (
                    Cell(
                        f"{name}",
                    ),
                )
                for name in HOSTILE
            ),
        ),
    )
    long = Table(
        "long",
        "Long",
        (Column("m"), Column("s", "score")),
        tuple((Cell(f"[{i}"), Cell(1)) for i in range(130)),
    )
    body = []
    for table in (*tables, names, empty, odd, long):
        (tmp_path / f"{table.key}.tex").write_text(table_latex(table), "utf-8")
        body.append(rf"\input{{{table.key}}}\clearpage")
    document = [
        r"\documentclass{article}",
        *PREAMBLE,
        r"\begin{document}\listoftables",
        *body,
        r"\end{document}",
    ]
    (tmp_path / "all.tex").write_text("\n".join(document), "utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "all.tex"]
    for _ in range(2):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-3000:]
    log = (tmp_path / "all.log").read_text("latin-1")
    assert "Missing character" not in log
