"""Examples as the model will see them, for a person to look at before a run."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from core.text.visible import visible
from core.train.data.fields import UNUSED
from core.train.data.loading import SourceCount
from core.train.examples import IGNORED, Example

if TYPE_CHECKING:
    from rich.console import RenderableType

# What is learned stands between these, so that it shows without colours too.
LEARNED = ("⟦", "⟧")


def render_fields(counts: Sequence[SourceCount]) -> "RenderableType":
    """A table of what became of each field of the data, and in how many rows; what is not used stands out."""
    from rich.table import Table
    from rich.text import Text

    table = Table("data", "field", "became", "rows", box=None, header_style="bold")
    for count in counts:
        for name, outcomes in count.fields.items():
            for outcome, rows in outcomes.most_common():
                style = "bold red" if outcome == UNUSED else ""
                source = f"{visible(count.source)} [{visible(count.language)}]"
                cells = (Text(text) for text in (source, visible(name), outcome, str(rows)))
                table.add_row(*cells, style=style)
    return table


def render_examples(tokenizer: Any, examples: Sequence[Example]) -> "RenderableType":
    """Each example with its location, language and token counts: what is masked dimmed, what is learned plain
    between `LEARNED`, special tokens in colour; characters that nobody sees are written out."""
    from rich.console import Group
    from rich.text import Text

    parts = []
    for number, example in enumerate(examples, start=1):
        head = (
            f"{number}  {visible(example.location)}  {visible(example.language)}  {len(example)} tokens, "
            f"{example.answer_tokens} learned"
        )
        parts.append(Text(head, style="bold"))
        parts.append(_body(tokenizer, example))
        parts.append(Text())
    return Group(*parts)


def _body(tokenizer: Any, example: Example) -> Any:
    from rich.text import Text

    special = set(tokenizer.all_special_ids)
    body = Text()
    opened = False
    for start, end, learned, is_special in _runs(example, special):
        if learned != opened:
            body.append(LEARNED[opened], style="bold")
            opened = learned
        style = "cyan" if is_special else ""
        body.append(
            _visible_lines(_text(tokenizer, example.input_ids, start, end)),
            style=style if learned else f"dim {style}",
        )
    if opened:
        body.append(LEARNED[1], style="bold")
    return body


def _runs(example: Example, special: set[int]) -> Iterator[tuple[int, int, bool, bool]]:
    """Stretches of tokens that are alike: [start, end), whether learned, whether special."""
    kinds = [
        (label != IGNORED, token in special)
        for token, label in zip(example.input_ids, example.labels, strict=True)
    ]
    start = 0
    for (learned, is_special), run in groupby(kinds):
        end = start + len(list(run))
        yield start, end, learned, is_special
        start = end


def _text(tokenizer: Any, ids: Sequence[int], start: int, end: int) -> str:
    """What the tokens [start, end) add to the text before them: decoded alone, some tokenizers leave out the
    space that they begin with."""

    def decode(tokens: Sequence[int]) -> str:
        return str(
            tokenizer.decode(list(tokens), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        )

    before, whole = decode(ids[:start]), decode(ids[:end])
    return whole[len(before) :] if whole.startswith(before) else decode(ids[start:end])


def _visible_lines(text: str) -> str:
    return "\n".join(visible(line) for line in text.split("\n"))
