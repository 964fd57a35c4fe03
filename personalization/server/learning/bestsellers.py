"""How many places of a list of neighbours bestsellers may take.

What sells most stands on front and category pages anyway; a list that follows from a product is there for
the rest of the range. The limit is a quota in a re-ranking, the plainest of the family in Abdollahpouri,
Burke and Mobasher 2019, "Managing popularity bias in recommender systems with personalized re-ranking".
Scores alone do not reach it: what takes a product's bestselling siblings out of its list takes its other
siblings too (figures: docs/real-data.md).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from personalization.server.learning.base import Float32, Learned
from personalization.server.learning.events import History

Flags = NDArray[np.bool_]
TEN = 10
# Just below the neighbour that goes before, so that sums over several lists keep the order too.
JUST_BELOW = np.float32(1 - 1e-6)

# By purchases or by units: a thing that few buy by the thousand sells like one that many buy once.
MOST_SOLD = """
SELECT sold FROM (
  SELECT item AS sold, row_number() OVER (ORDER BY count(*) DESC, item) AS by_purchases,
         row_number() OVER (ORDER BY sum(amount) DESC, item) AS by_units
  FROM history GROUP BY item
) WHERE by_purchases <= {most} OR by_units <= {most}
"""


def bestsellers(history: History, *, share: float) -> Flags:
    """Which items are among the first ``share`` (0 to 1) of all, by purchases or by units. Shape (n,)."""
    most = int(len(history.keys) * share)
    found = history.columns(MOST_SOLD.format(most=most))
    flags = np.zeros(len(history.keys), np.bool_)
    flags[found["sold"]] = True
    return flags


def give_way(learned: Learned, *, bestseller: Flags, of_ten: int) -> Learned:
    """The lists with at most ``of_ten`` bestsellers in the first ten places, twice that in twenty and so on.

    One too many moves behind as many ordinary neighbours as it needs before it, and takes the score of the
    last of them; it is left out where the list has too few. From ``of_ten`` = 10 on nothing changes.
    """
    width = learned.neighbours.shape[1]
    if of_ten >= TEN or not width:
        return learned
    ordinary, before = waits(learned, bestseller=bestseller, of_ten=of_ten)
    scores = np.where(
        before > 0, np.minimum(learned.scores, lowest(learned, ordinary, before)), learned.scores
    )
    order = np.argsort(-scores, axis=1, kind="stable")
    scores = np.take_along_axis(scores, order, axis=1)
    left = scores > 0
    return replace(
        learned,
        neighbours=np.where(left, np.take_along_axis(learned.neighbours, order, axis=1), np.int32(-1)),
        scores=scores,
        support=np.where(left, np.take_along_axis(learned.support, order, axis=1), np.int32(0)),
    )


def waits(learned: Learned, *, bestseller: Flags, of_ten: int) -> tuple[Flags, NDArray[np.intp]]:
    """Which neighbours are ordinary, and how many of those must go before each bestseller (0: none)."""
    present = learned.neighbours >= 0
    sells = present & bestseller[learned.neighbours]
    nth = np.cumsum(sells, axis=1) - 1
    whole_tens = nth // of_ten if of_ten else np.full_like(nth, sells.shape[1])
    return present & ~sells, np.where(sells, (TEN - of_ten) * whole_tens, 0)


def lowest(learned: Learned, ordinary: Flags, before: NDArray[np.intp]) -> Float32:
    """The highest score that leaves ``before`` ordinary neighbours in front; 0 where there are too few."""
    together = np.argsort(~ordinary, axis=1, kind="stable")
    scores = np.take_along_axis(learned.scores, together, axis=1)
    enough = before <= ordinary.sum(axis=1, keepdims=True)
    last = np.take_along_axis(scores, np.where(enough, np.maximum(before - 1, 0), 0), axis=1)
    return np.where(enough, last * JUST_BELOW, np.float32(0))
