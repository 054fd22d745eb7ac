"""What the suite asks, in the first wording of every task."""

from typing import Any

Item = tuple[Any, ...]

# Pretraining never asks these in the suite's wording; the instruction data never asks them at all.
HELD_OUT: dict[str, tuple[Item, ...]] = {
    "currency": (("FR",), ("JP",), ("BR",)),
    "language": (("DE",), ("EG",), ("MX",)),
    "continent": (("IT",), ("CN",), ("CL",)),
    "describe": (("ES",), ("TH",), ("AR",)),
    "countries": ((3, "europe"), (2, "asia"), (4, "south_america")),
    "number": ((21,), (47,), (83,)),
    "sum": ((4, 7), (6, 8), (9, 3)),
    "greater": ((5, 12), (16, 9), (3, 8)),
    "month_after": ((2,), (7,), (10,)),
    "month_before": ((4,), (8,), (11,)),
    "day_after": ((0,), (4,), (2,)),
    "day_before": ((1,), (3,), (6,)),
    "sequence": (("month", 4, 3), ("day", 0, 4), ("month", 8, 4)),
    "rewrite_number": ((12, 0, 0), (7, 4, 2), (15, 2, 4)),
    "rewrite_day": ((0, "concert", 4), (2, "party", 5), (3, "match", 6)),
    "invitation": ((0, "dinner", 4), (4, "concert", 5), (7, "picnic", 6)),
}
