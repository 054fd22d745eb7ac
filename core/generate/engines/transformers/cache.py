"""Keys and values of rows that come and go: the cells behind continuous batching.

All rows end at the same column, so that the next token of each goes into one column, and what stands left of
a row is masked, as in a batch that is padded on the left:

    row 0   . . a a a a a a |
    row 1   . . . . . b b b |      the next tokens go into column `end`
    row 2   . . . c c c c c |

A newcomer's prompt is written so that it ends there too. A row that goes is replaced by the last one, so the
rows in use are always the first ones. When the columns are used up, what is in use moves to the left, or to
larger cells. Since this is what models meet in a padded batch, the masks that they make themselves (causal,
sliding windows, chunks, ALiBi) hold for it, in whichever attention they use (SDPA where they have it).
"""

from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

SPARE_COLUMNS = 64
"""Columns that are made beyond those needed at once, or a quarter of those needed if that is more."""


@dataclass
class View:
    """The part of the cells that the next forward pass reads; it writes the last `written` columns of it.

    `cells`: how many rows and columns there are.
    """

    cells: tuple[int, int] = (0, 0)
    rows: slice = field(default_factory=lambda: slice(0))
    columns: slice = field(default_factory=lambda: slice(0))
    written: int = 0

    @property
    def width(self) -> int:
        return int(self.columns.stop - self.columns.start)


class SlotCache:
    """The cells and what stands in them.

    `cache`: the `transformers.Cache` to hand to the model. `lengths`: the tokens in each row in use. `mask`:
    (all rows, all columns) on `device`, 1 where a token stands. Keys and values, (all rows, heads, all
    columns, head size) a layer, are made where the model first computes them.
    """

    def __init__(self, device: "torch.device") -> None:
        import torch
        from transformers.cache_utils import Cache

        self.lengths: list[int] = []
        self.mask = torch.zeros((0, 0), dtype=torch.long, device=device)
        self._end = 0
        self._view = View()
        self.cache: Any = Cache(layer_class_to_replicate=partial(_layer_class(), self._view))

    def bytes_per_token(self) -> int:
        """What the keys and values of one token take; 0 before the first pass."""
        return sum(cells[0, :, 0].nbytes for cells in self._cells())

    def admit(self, lengths: list[int]) -> None:
        """Add rows with room for so many tokens each, which are yet to be written (see `see_rows`)."""
        first = len(self.lengths)
        self.lengths += lengths
        self._make_room()
        self.mask[first : len(self.lengths)] = 0
        for row, length in enumerate(lengths, start=first):
            self.mask[row, self._end - length : self._end] = 1

    def see_rows(self, rows: slice, done: int, count: int) -> "torch.Tensor":
        """Let the next pass write `count` columns of these rows, after `done` columns of the longest of them.
        Returns the attention mask (rows, done + count)."""
        begin = self._end - max(self.lengths[rows])
        return self._see(rows, slice(begin, begin + done + count), count)

    def see_next(self) -> "torch.Tensor":
        """Let the next pass write one more token of every row. Returns the attention mask (rows, columns)."""
        self._make_room()
        rows = slice(len(self.lengths))
        self.mask[rows, self._end] = 1
        return self._see(rows, slice(self._end - max(self.lengths), self._end + 1), 1)

    def _see(self, rows: slice, columns: slice, written: int) -> "torch.Tensor":
        self._view.rows, self._view.columns, self._view.written = rows, columns, written
        return self.mask[rows, columns]

    def advance(self) -> None:
        """Keep the tokens that the pass after `see_next` has written."""
        self._end += 1
        self.lengths = [length + 1 for length in self.lengths]

    def drop(self, row: int) -> None:
        """Take a row away; the last row takes its place."""
        last = len(self.lengths) - 1
        if row != last:
            self.mask[row] = self.mask[last]
            columns = slice(self._end - self.lengths[last], self._end)
            for cells in self._cells():
                cells[row, :, columns] = cells[last, :, columns]
        self.lengths[row] = self.lengths[last]
        self.lengths.pop()

    def _cells(self) -> list["torch.Tensor"]:
        return [cells for layer in self.cache.layers for cells in (layer.keys, layer.values)]

    def _make_room(self) -> None:
        """See to it that every row has its place, left of `_end`, and that column `_end` is there."""
        rows, columns = self._view.cells
        needed = max(self.lengths)
        if len(self.lengths) <= rows and needed <= self._end < columns:
            return
        # No more rows than are in use: those of earlier short prompts are not made as long as a long one.
        new = (len(self.lengths), needed + max(SPARE_COLUMNS, needed // 4))
        stay, kept = min(rows, new[0]), min(self._end, needed)

        def moved(cells: "torch.Tensor", dim: int) -> "torch.Tensor":
            # Zeros, for what is masked is still multiplied by nought, and nought times NaN is NaN.
            shape = (new[0], *cells.shape[1:dim], new[1], *cells.shape[dim + 1 :])
            made = cells.new_zeros(shape)
            old = cells[:stay].narrow(dim, self._end - kept, kept)
            made[:stay].narrow(dim, needed - kept, kept).copy_(old)
            return made

        self.mask = moved(self.mask, 1)
        for layer in self.cache.layers:
            layer.keys = moved(layer.keys, 2)
            layer.values = moved(layer.values, 2)
        self._end, self._view.cells = needed, new


@cache
def _layer_class() -> Any:
    import torch
    from transformers.cache_utils import CacheLayerMixin

    class SlotLayer(CacheLayerMixin):
        """One layer's cells; see `CacheLayerMixin` for what its methods promise to models."""

        def __init__(self, view: View) -> None:
            super().__init__()
            self.view = view

        def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
            rows, columns = self.view.cells
            self.keys, self.values = (
                states.new_zeros((rows, states.shape[1], columns, states.shape[3]))
                for states in (key_states, value_states)
            )
            self.is_initialized = True

        def update(
            self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
        ) -> tuple[torch.Tensor, torch.Tensor]:
            if not self.is_initialized:
                self.lazy_initialization(key_states, value_states)
            assert self.keys is not None
            assert self.values is not None
            rows, columns = self.view.rows, self.view.columns
            written = slice(columns.stop - self.view.written, columns.stop)
            self.keys[rows, :, written] = key_states
            self.values[rows, :, written] = value_states
            return self.keys[rows, :, columns], self.values[rows, :, columns]

        def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
            return self.view.width, 0

        def get_seq_length(self) -> int:
            return self.view.width - self.view.written

        def get_max_length(self) -> int:
            return -1

    return SlotLayer
