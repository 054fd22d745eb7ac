"""Choosing in torch follows the rule that all engines share."""

import numpy as np
import pytest
import torch

from core.generate import sampling
from core.generate.decoding import Decoding
from core.generate.sampling import apply_repetition_penalty, draw_tokens, most_likely

DECODINGS = [
    Decoding(temperature=1.0),
    Decoding(temperature=0.7, top_k=5),
    Decoding(temperature=1.3, top_p=0.8),
    Decoding(temperature=1.0, top_p=0.5, top_k=20),
    Decoding(temperature=0.01, top_p=0.01),
]


@pytest.mark.parametrize("decoding", DECODINGS)
def test_the_same_number_draws_the_same_token_as_in_the_other_engines(decoding):
    random = np.random.default_rng(1)
    # Rounded, so that many logits are equal.
    logits = (random.normal(size=(200, 300)) * 2).round(1).astype(np.float32)
    uniforms = [*random.random(196), 0.0, 0.5, 1 - 2**-53, 1e-300]
    expected = [
        sampling.draw_token(row, number, decoding) for row, number in zip(logits, uniforms, strict=True)
    ]
    assert draw_tokens(torch.from_numpy(logits), uniforms, decoding).tolist() == expected


def test_of_equal_ones_the_lowest_id_is_taken():
    logits = torch.zeros((3, 1000))
    logits[1, 500:] = 1
    assert most_likely(logits).tolist() == [0, 500, 0]


def test_the_penalty_divides_what_is_positive_and_multiplies_what_is_not():
    logits = torch.tensor([[2.0, -2.0, 0.0, 2.0, -2.0]])
    seen = torch.tensor([[True, True, True, False, False]])
    assert apply_repetition_penalty(logits, seen, 2.0).tolist() == [[1.0, -4.0, 0.0, 2.0, -2.0]]
