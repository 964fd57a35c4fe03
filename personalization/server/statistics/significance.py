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
# Of followed calls, and of others, that chance alone lets expect of each scenario: with fewer the normal
# distribution is no good likeness of what chance does.
LEAST = 5


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """``difference``: share of B less that of A, with the interval that holds it at 95 %. ``p``: how likely
    such a difference is where there is none. ``needed``: calls of each that would show it; None where the
    shares are equal. ``more``: further calls of both together, divided as they are, that would show it; None
    where nothing can be said of that. ``is_enough``: whether the test may be trusted at all."""

    share_a: float
    share_b: float
    difference: float
    low: float
    high: float
    p: float
    needed: int | None
    more: int | None
    is_enough: bool

    @property
    def is_significant(self) -> bool:
        return self.is_enough and self.p < 1 - LEVEL


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
    enough = min(calls_a, calls_b) * rarer(followed_a + followed_b, calls_a + calls_b) >= LEAST
    return Verdict(
        share_a=a,
        share_b=b,
        difference=b - a,
        low=low,
        high=high,
        p=p_value(a, calls_a, b, calls_b),
        needed=needed(a, b),
        more=more(a, calls_a, b, calls_b) if enough else None,
        is_enough=enough,
    )


def rarer(followed: int, calls: int) -> float:
    """The share of followed calls of both, or of the others where they are fewer."""
    return min(followed, calls - followed) / calls


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
    return math.ceil(showing() * (a * (1 - a) + b * (1 - b)) / (a - b) ** 2)


def more(a: float, calls_a: int, b: float, calls_b: int) -> int | None:
    """Calls of both that are still missing where B keeps its share of them and the difference stays."""
    if a == b:
        return None
    total = calls_a + calls_b
    variance = a * (1 - a) * total / calls_a + b * (1 - b) * total / calls_b
    missing = math.ceil(showing() * variance / (a - b) ** 2) - total
    return missing if missing > 0 else None


def showing() -> float:
    """The square of how many deviations a difference must have to be shown four times out of five."""
    return (NORMAL.inv_cdf((1 + LEVEL) / 2) + NORMAL.inv_cdf(POWER)) ** 2


def takes_b(user: str, test: str, *, share_b: int) -> bool:
    """Whether a user (pseudonym) sees scenario B; always the same for one user. ``share_b``: percent.

    :mod:`groups` draws the same in SQL.
    """
    drawn = int.from_bytes(sha256(f"{test}:{user}".encode()).digest()[:8], "big") / 2**64
    return drawn < share_b / 100
