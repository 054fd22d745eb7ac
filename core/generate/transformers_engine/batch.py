"""Continuous batching: rows that are answered together, join as there is room and leave as they end."""

import inspect
from typing import TYPE_CHECKING, Any

from core.generate.decoding import Decoding
from core.generate.sampling import Draws
from core.generate.transformers_engine.cache import SlotCache
from core.generate.transformers_engine.choosing import draw, likeliest, punish
from core.generate.transformers_engine.row import Row

if TYPE_CHECKING:
    import torch

PREFILL_TOKENS = 4096
"""The most tokens, padding included, of one pass over prompts; a longer prompt takes several."""

BUSY_TOKENS = 512
"""With so many tokens a pass is worth its while: rows that are much shorter, mostly padding, have another."""


class Batch:
    """Rows that are answered together, one token each a step: `logits`, `choose`, `feed`.

    A row joins with its prompt (and what it has of an answer) but for the last token, which the next step
    feeds beside the last tokens of the others.
    """

    def __init__(self, model: Any, decoding: Decoding) -> None:
        """`model`: a causal LM in evaluation mode that takes a `transformers.Cache`."""
        import torch

        self.rows: list[Row] = []
        self.slots = SlotCache(model.device)
        self._model, self._decoding = model, decoding
        # transformers before 5.24 calls it by another name.
        named = inspect.signature(model.forward).parameters
        self._cache = {"cache" if "cache" in named else "past_key_values": self.slots.cache}
        self._draws: list[Draws] = []
        self._last = torch.zeros(0, dtype=torch.long, device=model.device)  # (rows,) ids to feed next
        self._seen: torch.Tensor | None = None  # (rows, vocabulary), True for ids in prompt or answer

    def admit(self, rows: list[Row]) -> None:
        """Let rows join and read what they have, those of alike length together; no pass takes more than
        `PREFILL_TOKENS`."""
        import torch

        rows = sorted(rows, key=lambda row: len(row.ids), reverse=True)
        first = len(self.rows)
        self.rows += rows
        self._draws += [_draws(row) for row in rows]
        with torch.inference_mode():
            self.slots.admit([len(row.ids) - 1 for row in rows])
            self._last = torch.cat([self._last, self._on_device([row.ids[-1] for row in rows])])
            while first < len(self.rows):
                length = self.slots.lengths[first]
                count = _read_together(self.slots.lengths[first:])
                self._read(slice(first, first + count), length)
                first += count

    def _read(self, places: slice, length: int) -> None:
        """Prefill these rows, the longest of which has `length` tokens to read."""
        import torch

        ids = torch.zeros((places.stop - places.start, length), dtype=torch.long)
        for row, into in zip(self.rows[places], ids, strict=True):
            told = row.ids[:-1]
            into[length - len(told) :] = torch.tensor(told)
        for done in range(0, length, PREFILL_TOKENS):
            part = ids[:, done : done + PREFILL_TOKENS].to(self._model.device)
            mask = self.slots.see_rows(places, done, part.shape[1])
            self._pass(part, mask, (mask.cumsum(-1) - 1).clamp(min=0)[:, done:])

    def logits(self) -> "torch.Tensor":
        """The logits (rows, vocabulary), in float32, of the token after the last one of every row."""
        import torch

        with torch.inference_mode():
            mask = self.slots.see_next()
            positions = self._on_device(self.slots.lengths)[:, None]
            return self._pass(self._last[:, None], mask, positions)[:, -1].float()

    def _pass(self, ids: "torch.Tensor", mask: "torch.Tensor", positions: "torch.Tensor") -> "torch.Tensor":
        output = self._model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            use_cache=True,
            logits_to_keep=1,
            **self._cache,
        )
        return output.logits

    def choose(self, logits: "torch.Tensor") -> "torch.Tensor":
        """The next token (rows,) of every row by the rule of the decoding."""
        import torch

        with torch.inference_mode():
            if self._decoding.repetition_penalty != 1:
                self._mark_newcomers(logits.shape[1])
                assert self._seen is not None
                logits = punish(logits, self._seen, self._decoding.repetition_penalty)
            if self._decoding.greedy:
                return likeliest(logits)
            return draw(logits, [draws.next() for draws in self._draws], self._decoding)

    def _mark_newcomers(self, vocabulary: int) -> None:
        import torch

        if self._seen is None:
            self._seen = torch.zeros((0, vocabulary), dtype=torch.bool, device=self._model.device)
        newcomers = self.rows[len(self._seen) :]
        if not newcomers:
            return
        new = torch.zeros((len(newcomers), vocabulary), dtype=torch.bool)
        for row, marks in zip(newcomers, new, strict=True):
            marks[torch.tensor(row.ids)] = True
        self._seen = torch.cat([self._seen, new.to(self._seen.device)])

    def feed(self, tokens: "torch.Tensor") -> None:
        """Append a token to each row (rows,): after `logits`, once."""
        import torch

        with torch.inference_mode():
            self._last = tokens
            if self._seen is not None:
                self._seen.scatter_(1, tokens[:, None], True)
        self.slots.advance()

    def drop(self, gone: list[Row]) -> None:
        """Let rows leave."""
        import torch

        order = list(range(len(self.rows)))
        with torch.inference_mode():
            for place in sorted((self.rows.index(row) for row in gone), reverse=True):
                self.slots.drop(place)
                order[place] = order[-1]
                order.pop()
            self.rows = [self.rows[place] for place in order]
            self._draws = [self._draws[place] for place in order]
            kept = self._on_device(order)
            self._last = self._last[kept]
            if self._seen is not None:
                self._seen = self._seen[kept]

    def _on_device(self, numbers: list[int]) -> "torch.Tensor":
        import torch

        return torch.tensor(numbers, dtype=torch.long, device=self._model.device)


def _read_together(lengths: list[int]) -> int:
    """How many rows, the longest of which is the first, are read in one pass."""
    longest = lengths[0]
    for count, length in enumerate(lengths):
        much = count * longest
        if count and (much + longest > PREFILL_TOKENS or (much >= BUSY_TOKENS and length < longest * 3 / 4)):
            return count
    return len(lengths)


def _draws(row: Row) -> Draws:
    """The numbers of a row, those that its answer has used already left out."""
    draws = Draws(row.seed)
    for _ in row.answer:
        draws.next()
    return draws
