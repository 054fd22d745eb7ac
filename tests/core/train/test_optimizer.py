"""Learning rates at the points that define each schedule."""

import pytest

from core.train.optimizer import learning_rate_factor


@pytest.mark.parametrize(
    ("schedule", "shares"),
    [
        ("constant", (1, 1, 1)),
        ("linear", (1, 0.5, 0)),
        ("linear_to_tenth", (1, 0.55, 0.1)),
        ("cosine", (1, 0.5, 0)),
        ("inverse_sqrt", (1, 0.5**0.5, (1 / 3) ** 0.5)),
    ],
)
def test_shares_at_the_beginning_the_middle_and_the_end(schedule, shares):
    factors = [learning_rate_factor(schedule, step, steps=200, timescale=100) for step in (0, 100, 200)]
    assert factors == pytest.approx(shares)


def test_the_rate_rises_from_nothing_and_falls_from_its_peak():
    shares = [learning_rate_factor("linear", step, steps=110, warmup=10) for step in range(110)]
    assert shares[:3] == [0, 0.1, 0.2]
    assert max(shares) == shares[10] == 1
    assert shares[60] == 0.5
