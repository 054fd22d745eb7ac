"""The comparison of models in one language as text, for where there is no terminal to review in."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from sqlmodel import Session

from core.text.terminal import TerminalConsole
from core.text.visible import visible, visible_text
from store.labels import model_label
from store.queries.compare import first_texts
from store.queries.scores import MeanScore, ModelDecoding, SurfaceShares, mean_scores, surface_shares
from store.queries.suites import SuiteSummary, instructions_of
from store.tables import Instruction


def comparison(session: Session, suite: SuiteSummary, language: str, *, examples: int = 3) -> RenderableType:
    """Surface metrics, mean scores and the first responses of every model in `language`.

    `examples` instructions are shown with all responses, spread evenly over the suite.
    """
    shares = surface_shares(session, suite.id)
    sources = list(dict.fromkeys(share.source for share in shares))
    parts: list[RenderableType] = [
        _shares_table(shares, sources),
        _scores_table(
            [score for score in mean_scores(session, suite.id) if score.language == language], sources
        ),
    ]
    instructions = instructions_of(session, suite.id, language)
    stride = max(1, len(instructions) // max(1, examples))
    chosen = instructions[::stride][:examples] if examples else []
    parts += [_responses_panel(session, instruction, sources) for instruction in chosen]
    return Group(*parts)


def plain_text(renderable: RenderableType, width: int = 110) -> str:
    """What `renderable` looks like without colours, `width` columns wide."""
    console = TerminalConsole(width=width, no_color=True, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(renderable)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def _shares_table(shares: Sequence[SurfaceShares], sources: Sequence[ModelDecoding]) -> Table:
    languages = sorted({share.language for share in shares})
    table = Table(
        title="Share of responses in the instruction's language · words spelt right (number whose language "
        "can't be told)",
        title_justify="left",
    )
    table.add_column("model", overflow="fold")
    for language in languages:
        table.add_column(language, justify="right")
    for source in sources:
        share_in = {share.language: share for share in shares if share.source == source}
        cells = [
            _percent(share_in[x].right_language, share_in[x].spelling) + _not_measured(share_in[x])
            if x in share_in
            else ""
            for x in languages
        ]
        table.add_row(model_label(source, sources), *cells)
    return table


def _scores_table(scores: Sequence[MeanScore], sources: Sequence[ModelDecoding]) -> Table:
    language = scores[0].language if scores else "?"
    table = Table(title=f"Mean scores in {language}, 0 to 2 (n)", title_justify="left")
    criteria = list(dict.fromkeys(score.criterion for score in scores))
    table.add_column("model", overflow="fold")
    table.add_column("rater", overflow="fold")
    for criterion in criteria:
        table.add_column(criterion, justify="right")
    for source in sources:
        for rater in dict.fromkeys(score.rater for score in scores if score.source == source):
            score_on = {s.criterion: s for s in scores if s.source == source and s.rater == rater}
            cells = [f"{score_on[x].mean:.2f} ({score_on[x].n})" if x in score_on else "–" for x in criteria]
            table.add_row(model_label(source, sources), rater, *cells)
    return table


def _responses_panel(session: Session, instruction: Instruction, sources: Sequence[ModelDecoding]) -> Panel:
    answers = first_texts(session, instruction.id or 0)
    body = Table.grid(padding=(0, 2))
    body.add_column(max_width=34, overflow="fold")
    body.add_column(overflow="fold")
    for source in sources:
        text = answers.get((source.model_id, source.decoding_id))
        if text is not None:
            body.add_row(model_label(source, sources), text)
    return Panel(
        Group(Text(visible_text(instruction.text), style="bold"), body),
        title=Text(visible(instruction.task or ""), style="dim"),
    )


def _not_measured(shares: SurfaceShares) -> str:
    return f" ({shares.not_measured} not told)" if shares.not_measured else ""


def _percent(*shares: float | None) -> str:
    return " · ".join("–" if share is None else f"{100 * share:.0f}%" for share in shares)
