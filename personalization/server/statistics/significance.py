"""Whether one scenario is better than another, or only had more luck (engine-protocol.md 6.9).

The z-test for two proportions with a pooled variance, and the interval of Newcombe 1998, "Interval estimation
for the difference between independent proportions", method 10 (Wilson scores), which keeps its level where
clicks are rare.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import sha256
from statistics import NormalDist

NORMAL = NormalDist()
LEVEL = 0.95
POWER = 0.8


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """``difference``: share of B less that of A, with the interval that holds it at 95 %. ``p``: how likely
    such a difference is where there is none. ``needed``: calls of each that would show it; None where the
    shares are equal."""

    share_a: float
    share_b: float
    difference: float
    low: float
    high: float
    p: float
    needed: int | None

    @property
    def is_significant(self) -> bool:
        return self.p < 1 - LEVEL


def verdict(*, followed_a: int, calls_a: int, followed_b: int, calls_b: int) -> Verdict | None:
    """Compare two scenarios by their calls that were followed; None while one of them has no call.

    Raises ValueError for more followed calls than calls: a call counts once, however often it is clicked.
    """
    for followed, calls in ((followed_a, calls_a), (followed_b, calls_b)):
        if followed < 0 or followed > calls:
            raise ValueError(f"Of {calls} calls {followed} cannot have been followed.")
    if not calls_a or not calls_b:
        return None
    a, b = followed_a / calls_a, followed_b / calls_b
    low, high = interval(a, calls_a, b, calls_b)
    p = p_value(a, calls_a, b, calls_b)
    return Verdict(share_a=a, share_b=b, difference=b - a, low=low, high=high, p=p, needed=needed(a, b))


def p_value(a: float, calls_a: int, b: float, calls_b: int) -> float:
    pooled = (a * calls_a + b * calls_b) / (calls_a + calls_b)
    deviation = math.sqrt(pooled * (1 - pooled) * (1 / calls_a + 1 / calls_b))
    if not deviation:
        return 1.0
    return 2 * (1 - NORMAL.cdf(abs(b - a) / deviation))


def interval(a: float, calls_a: int, b: float, calls_b: int) -> tuple[float, float]:
    low_a, high_a = wilson(a, calls_a)
    low_b, high_b = wilson(b, calls_b)
    difference = b - a
    return (
        difference - math.hypot(b - low_b, high_a - a),
        difference + math.hypot(high_b - b, a - low_a),
    )


def wilson(share: float, count: int) -> tuple[float, float]:
    z = NORMAL.inv_cdf((1 + LEVEL) / 2)
    middle = share + z * z / (2 * count)
    width = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (middle - width) / (1 + z * z / count), (middle + width) / (1 + z * z / count)


def needed(a: float, b: float) -> int | None:
    """Calls of each scenario that show this difference four times out of five."""
    if a == b:
        return None
    z = NORMAL.inv_cdf((1 + LEVEL) / 2) + NORMAL.inv_cdf(POWER)
    return math.ceil(z * z * (a * (1 - a) + b * (1 - b)) / (a - b) ** 2)


def takes_b(user: str, test: str, *, share_b: int) -> bool:
    """Whether a user (pseudonym) sees scenario B; always the same for one user. ``share_b``: percent."""
    drawn = int.from_bytes(sha256(f"{test}:{user}".encode()).digest()[:8], "big") / 2**64
    return drawn < share_b / 100
