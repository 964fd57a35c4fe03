"""Frequently bought together: sets that were bought in one order several times (engine-protocol.md 5.4).

Frequent item sets by growing them (Agrawal and Srikant 1994, "Fast algorithms for mining association
rules"): every set of three consists of pairs that are frequent themselves.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import ClassVar

import numpy as np

from personalization.server.learning.base import Learned, Parameters, Serves, register
from personalization.server.learning.events import History
from personalization.server.learning.pairs import BASKETS, Neighbours, gap_of

# The distinct items of each order, which later texts of this page count.
ORDERS = "SELECT DISTINCT buyer, basket, bought FROM ({baskets})"
SIZES = """
SELECT buyer, basket, bought FROM (
  SELECT buyer, basket, bought, count(*) OVER (PARTITION BY buyer, basket) AS size FROM ordered
) WHERE size BETWEEN 2 AND {most}
"""
PAIRED = """
SELECT one.bought AS a, two.bought AS b, count(*) AS support
FROM sized one JOIN sized two
  ON one.buyer = two.buyer AND one.basket = two.basket AND one.bought < two.bought
GROUP BY one.bought, two.bought HAVING count(*) >= {least}
"""
# Orders that hold a frequent pair, of which larger sets can be made.
HOLDING = """
SELECT s.buyer AS buyer, s.basket AS basket, s.bought AS bought
FROM sized s JOIN (SELECT a AS kept FROM paired UNION SELECT b AS kept FROM paired) ON s.bought = kept
ORDER BY buyer, basket, bought
"""
LARGEST_ORDER = 40
Set = tuple[int, ...]


@register
class Bundles(Neighbours):
    """For each item the set that it is bought in most: with all its members, the item itself first.

    ``least_orders``: how many orders must hold a set. ``most_items``: of a set. Of the sets with an item that
    one is chosen whose orders times its further items are the most, so that a third item counts where most
    orders have it.
    """

    name: ClassVar[str] = "bundle"
    serves: ClassVar[Serves] = Serves.BUNDLE
    divides: ClassVar[bool] = False
    defaults: ClassVar[Parameters] = {
        "window_days": 365.0,
        "basket_minutes": 30,
        "least_orders": 5,
        "most_items": 4,
    }

    def learn(self, history: History, *, parameters: Parameters) -> Learned:
        """The members of each item's set; nothing for items that are in none."""
        least, most = int(parameters["least_orders"]), int(parameters["most_items"])
        history.table("ordered", ORDERS.format(baskets=BASKETS.format(gap=gap_of(parameters))))
        history.table("sized", SIZES.format(most=LARGEST_ORDER))
        history.table("paired", PAIRED.format(least=least))
        found = history.columns("SELECT a, b, support FROM paired")
        sets: dict[Set, int] = {
            (int(a), int(b)): int(n) for a, b, n in zip(found["a"], found["b"], found["support"], strict=True)
        }
        sets |= grown(orders(history), sets, least=least, most=most)
        return members(history, sets, most=most)


def orders(history: History) -> list[Set]:
    """The items of each order that may hold a larger set, ascending."""
    found = history.columns(HOLDING)
    names = list(zip(found["buyer"].tolist(), found["basket"].tolist(), strict=True))
    held: dict[tuple[str, int], list[int]] = {}
    for name, item in zip(names, found["bought"].tolist(), strict=True):
        held.setdefault(name, []).append(item)
    return [tuple(items) for items in held.values() if len(items) > 2]


def grown(held: list[Set], frequent: dict[Set, int], *, least: int, most: int) -> dict[Set, int]:
    """The frequent sets of three items and more."""
    found: dict[Set, int] = {}
    level = set(frequent)
    for size in range(3, most + 1):
        counts: Counter[Set] = Counter()
        for order in held:
            able = (
                [one for one in order if any(one in known for known in level)] if len(order) > 12 else order
            )
            counts.update(
                one
                for one in combinations(able, size)
                if all(part in level for part in combinations(one, size - 1))
            )
        level = {one for one, n in counts.items() if n >= least}
        found |= {one: counts[one] for one in level}
        if not level:
            break
    return found


def members(history: History, sets: dict[Set, int], *, most: int) -> Learned:
    n = len(history.keys)
    near = np.full((n, most), -1, np.int32)
    support = np.zeros((n, most), np.int32)
    best: dict[int, tuple[int, Set]] = {}
    for one, orders_with in sorted(sets.items()):
        worth = orders_with * (len(one) - 1)
        for item in one:
            if item not in best or worth > best[item][0]:
                best[item] = (worth, one)
    for item, (_worth, one) in best.items():
        row = [item, *(other for other in one if other != item)]
        near[item, : len(row)] = row
        support[item, : len(row)] = sets[one]
    # All members belong to the set alike; the item of the row stands first.
    scores = np.where(near >= 0, support * (1 - np.arange(most) * 1e-6), 0).astype(np.float32)
    return Learned(keys=history.keys, neighbours=near, scores=scores, support=support, events=history.events)
