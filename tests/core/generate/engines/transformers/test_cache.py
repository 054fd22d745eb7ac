"""The cells: what stands in them stays when rows come and go, and they are no more than are needed."""

import pytest
import torch

from core.generate.engines.transformers import cache
from core.generate.engines.transformers.cache import SlotCache


class Told:
    """Rows of numbered tokens in a slot cache of one layer, and what should be read of them."""

    def __init__(self) -> None:
        self.slots = SlotCache(torch.device("cpu"))
        self.rows: list[list[float]] = []
        self.next = 1.0

    def write(self, rows: int, columns: int) -> torch.Tensor:
        """One pass; returns what the model would read (rows, columns)."""
        new = torch.arange(self.next, self.next + rows * columns).reshape(rows, 1, columns, 1)
        self.next += rows * columns
        keys, values = self.slots.cache.update(new, -new, 0)
        assert torch.equal(keys, -values)
        return keys[:, 0, :, 0]

    def admit(self, *lengths: int) -> None:
        first = len(self.rows)
        self.slots.admit(list(lengths))
        mask = self.slots.see_rows(slice(first, first + len(lengths)), 0, max(lengths))
        told = self.write(len(lengths), max(lengths))
        self.rows += [row[seen.bool()].tolist() for row, seen in zip(told, mask, strict=True)]

    def step(self) -> None:
        mask = self.slots.see_next()
        told = self.write(len(self.rows), 1)
        self.slots.advance()
        for place, (row, seen) in enumerate(zip(told, mask, strict=True)):
            self.rows[place].append(row[-1].item())
            assert row[seen.bool()].tolist() == self.rows[place]

    def drop(self, place: int) -> None:
        self.slots.drop(place)
        self.rows[place] = self.rows[-1]
        self.rows.pop()


@pytest.mark.parametrize("spare", [1, 3, 64])
def test_rows_keep_their_tokens_whoever_comes_and_goes(monkeypatch, spare):
    monkeypatch.setattr(cache, "SPARE_COLUMNS", spare)
    told = Told()
    told.admit(7, 3, 1)
    for _ in range(5):
        told.step()
    told.drop(0)
    told.admit(30, 2)
    told.step()
    told.drop(2)
    for _ in range(40):
        told.step()
    told.drop(1)
    told.admit(5)
    told.step()
    assert [len(row) for row in told.rows] == [48, 44, 6]


def test_a_long_prompt_after_many_short_ones_takes_the_cells_of_the_rows_that_are_left():
    told = Told()
    told.admit(*[4] * 20)
    for _ in range(19):
        told.drop(0)
    told.admit(400)
    told.step()
    assert told.slots.mask.shape == (2, 500)
    assert told.slots.bytes_per_token() == 2 * 4
