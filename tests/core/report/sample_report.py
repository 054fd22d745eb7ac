"""A report as large and with names as long as a study's: 7 models, 6 criteria, 2 raters, 25 tasks."""

import random

from core.report.document import BarChart, Cell, Column, HeatMap, LineChart, Report, Section, Series, Table

MODELS = (
    "LLaMA-2-13B / Dolly-En / FT / 1e-5",
    "LLaMA-2-13B / LIMA-En / FT / 1e-5",
    "LLaMA-2-13B / Dolly-Multi / LoRA / 1e-4",
    "LLaMA-2-7B / Dolly-En / FT / 1e-5",
    "LLaMA-2-7B / Dolly-En / LoRA / 1e-4",
    "TowerBase-7B / LIMA-Multi-with-translations / FT / 1e-5",
    "base_model (не обучена)",
)
CRITERIA = ("language", "fluency", "helpfulness", "accuracy", "logic", "harmlessness")
GROUPS = ("English", "Non-English")
RATERS = ("people", "judge gpt-3.5-turbo-0125")
TASKS = (
    "Brainstorming",
    "Классификация текстов по теме",
    "Closed question answering with a passage",
    "Creative writing: poems, stories, and song lyrics",
    "Объяснение сложного научного понятия простыми словами для ребёнка",
    "General question answering",
    "Information extraction",
    "写一篇关于人工智能与教育的短文并给出三个例子",
    "Resumo de textos jornalísticos em português do Brasil",
    "Übersetzung",
    "Summarization",
    "Travel planning with constraints on budget, dates and dietary needs",
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen",
    "Recipes",
    "Составление делового письма",
    "Coding: explain a snippet",
    "Mathematics (word problems)",
    "Réécriture d’un texte dans un registre plus formel",
    "Role play",
    "Advice on health",
    "Comparison of two products",
    "Ranking and ordering",
    "Grammar correction",
    "Email",
    "Opinion",
)
HOSTILE = (
    "\x1b[31mred\x1b[0m | **bold** <script>alert(1)</script> &amp; $x_1^2$ \\input{/etc/passwd} %",
    "\u202eevil\u202c\x00\ud800\u200b [link](http://evil.example) ![](https://evil.example/a.png)",
    "=cmd|'/c calc'!A1",
    "e" + "\u0301" * 500,
    "long-name/" * 30,
    "[[*]] \\\\ & # ~ ^ { } `code` \"q\" 'q' -- ,, ``",
    "1. a list\n# a heading\n\n- a list",
)


def score_table(random_: random.Random) -> Table:
    columns = (
        Column("model"),
        Column("rater"),
        *(Column(criterion, "score", group) for group in GROUPS for criterion in CRITERIA),
    )
    rows = []
    for model in MODELS:
        for rater in RATERS:
            cells = [score(random_, best=model == MODELS[0]) for _ in range(12)]
            if model == MODELS[6] and rater == RATERS[1]:
                cells[3] = Cell(None, why="the judge has scored no response of this model on accuracy")
            rows.append((Cell(model), Cell(rater), *cells))
    return Table(
        "scores",
        "Scores by model, criterion and language",
        columns,
        tuple(rows),
        notes=("Responses in the wrong language count for the criterion language alone.",),
        source="figure 2",
    )


def score(random_: random.Random, best: bool = False) -> Cell:
    value = random_.uniform(0.6, 1.95)
    half = random_.uniform(0.04, 0.15)
    return Cell(value, max(value - half, 0), min(value + half, 2), n=random_.choice((113, 339)), best=best)


def comparison_table(random_: random.Random) -> Table:
    columns = (
        Column("model"),
        Column("against"),
        Column("difference", "number", signed=True),
        Column("p (Holm)", "number"),
        Column("pairs", "count"),
        Column("wins", "percent"),
    )
    rows = tuple(
        (
            Cell(MODELS[0]),
            Cell(other),
            Cell(difference := random_.uniform(-0.5, 0.5), difference - 0.1, difference + 0.1, mark="*"),
            Cell(random_.random()),
            Cell(113),
            Cell(random_.uniform(0, 100)),
        )
        for other in MODELS[1:]
    )
    return Table("comparison", "Two models, paired", columns, rows, notes=("* p below 0.05.",))


def heat_maps(random_: random.Random) -> tuple[HeatMap, HeatMap, HeatMap]:
    panels = tuple(f"{rater}, {group}" for rater in RATERS for group in GROUPS)
    scores = HeatMap(
        "scores",
        "Scores by people and judge",
        panels,
        MODELS,
        CRITERIA,
        tuple(
            tuple(
                tuple(None if random_.random() < 0.04 else random_.uniform(0, 2) for _ in CRITERIA)
                for _ in MODELS
            )
            for _ in panels
        ),
        0,
        2,
        note="Means over responses, 0 to 2.",
    )
    agreement = HeatMap(
        "agreement",
        "People against the judge, in percent",
        tuple(f"{criterion}, {group}" for group in GROUPS for criterion in CRITERIA),
        ("2", "1", "0"),
        ("0", "1", "2"),
        tuple(tuple(tuple(random_.uniform(0, 100) for _ in range(3)) for _ in range(3)) for _ in range(12)),
        0,
        100,
        decimals=0,
        row_label="people",
        column_label="judge",
    )
    bias = HeatMap(
        "bias",
        "Judge minus people",
        ("judge gpt-3.5-turbo-0125",),
        MODELS,
        ("en", "ru", "pt", "fr", "zh-Hans"),
        (tuple(tuple(random_.uniform(-1, 1) for _ in range(5)) for _ in MODELS),),
        -1,
        1,
        diverging=True,
    )
    return scores, agreement, bias


def learning_rates(random_: random.Random) -> LineChart:
    rates = (1e-6, 1e-5, 1e-4)
    names = (MODELS[0][:-7], MODELS[2][:-7], MODELS[5][:-7])
    panels = []
    for title in ("language correctness", "spelling", "relevance"):
        lines = []
        for place, name in enumerate(names):
            points = []
            for rate in rates:
                value = random_.uniform(70, 98)
                points.append((rate, value, value - 2.5, value + 1.9))
            lines.append(Series(name, tuple(points), chosen=(2 if place == 1 else 1,)))
        panels.append((title, tuple(lines)))
    return LineChart(
        "learning-rates",
        "Surface metrics by learning rate",
        tuple(panels),
        "learning rate",
        "% of responses",
        logarithmic=True,
        y_range=(60, 100),
        note="Ringed: the chosen learning rate.",
    )


def task_chart(random_: random.Random) -> BarChart:
    def dots() -> tuple[tuple[float, float | None, float | None] | None, ...]:
        values = [random_.uniform(0.4, 1.9) for _ in TASKS]
        return tuple(
            None if random_.random() < 0.05 else (value, value - 0.15, min(value + 0.15, 2))
            for value in values
        )

    return BarChart(
        "tasks",
        "Helpfulness by task",
        TASKS,
        {"English": dots(), "Non-English": dots()},
        "helpfulness",
        x_range=(0, 2),
    )


def sample_report(seed: int = 1) -> Report:
    random_ = random.Random(seed)
    scores, agreement, bias = heat_maps(random_)
    return Report(
        "Suite alpaca-eval: scores, comparisons and agreement",
        ("suite alpaca-eval, 4 languages, 113 instructions", "3 raters, 57,000 ratings", "seed 1"),
        (
            Section("Scores", ("Means over responses.",), (score_table(random_),), (scores,)),
            Section("Tasks", (), (), (task_chart(random_),)),
            Section("Learning rates", ("The rule: the highest mean.",), (), (learning_rates(random_),)),
            Section("Comparison", (), (comparison_table(random_),)),
            Section("Agreement", ("People give the rows.",), (), (agreement, bias)),
            Section("Modifiers", ("There are no responses to instructions with modifiers.",)),
        ),
    )


def hostile_report() -> Report:
    """Every text of it tries to be something else."""
    table = Table(
        "hostile",
        HOSTILE[0],
        (Column(HOSTILE[1]), Column(HOSTILE[5], "score", HOSTILE[0]), Column("b", "score", HOSTILE[0])),
        tuple(
            (Cell(name), Cell(1.0, 0.5, 1.5, n=place, mark="*"), Cell(None, why=name))
            for place, name in enumerate(HOSTILE)
        ),
        notes=HOSTILE,
        source=HOSTILE[2],
    )
    grid = HeatMap(
        "hostile",
        HOSTILE[0],
        HOSTILE[:2],
        HOSTILE,
        HOSTILE[:3],
        tuple(tuple((0.1, None, float("nan")) for _ in HOSTILE) for _ in range(2)),
        0,
        1,
        row_label=HOSTILE[0],
        note=HOSTILE[1],
    )
    return Report(HOSTILE[0], HOSTILE, (Section(HOSTILE[1], HOSTILE, (table,), (grid,)),))
