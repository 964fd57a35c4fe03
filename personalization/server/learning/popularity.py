"""Top clicked, purchased, consumed, rated: counts that fade with age, and counts that will be
(engine-protocol.md 5.3)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from personalization.server.learning.base import DAY_SECONDS, Kind, Learned, Parameters, Serves, register
from personalization.server.learning.events import SECOND, History

# score(item) = sum of amount * 0.5 ^ (age / half-life)
FADING = """
SELECT item AS scored_item, sum(amount * pow(0.5, ({until} - ts) / {half_life})) AS score
FROM history GROUP BY item
"""
STEADY = "SELECT item AS scored_item, sum(amount) AS score FROM history GROUP BY item"
# A line through fewer periods than that says nothing.
OLD_ENOUGH = 3
# Period 0 is the oldest.
PERIODS = """
SELECT item AS counted_item, period, sum(amount) AS n FROM (
  SELECT item, amount, least({last}, greatest(0, {last} - floor(({until} - ts) / {length})))::INT AS period
  FROM history
) GROUP BY item, period
"""


class Ranks(Kind):
    """Shared by the kinds that give every item a score."""

    serves: ClassVar[Serves] = Serves.RANKING
    divides: ClassVar[bool] = True


def ranking(history: History, items: NDArray[Any], scores: NDArray[Any]) -> Learned:
    """What was learnt where each of ``items``, row numbers, has one of ``scores``."""
    found = np.zeros(len(history.keys), np.float32)
    found[items] = scores
    return Learned(keys=history.keys, ranking=found, events=history.events)


@register
class Popularity(Ranks):
    """Ranks items by events, where an event counts half as much after each half-life.

    Without a half-life (0) all events of the window count alike.
    """

    name: ClassVar[str] = "popularity"
    # A quarter of the window, as 5.3 proposes.
    defaults: ClassVar[Parameters] = {"window_days": 30.0, "half_life_days": 7.5}

    def learn(self, history: History, *, parameters: Parameters) -> Learned:
        """Ranking of all items of the history. No context."""
        half_life = parameters["half_life_days"] * DAY_SECONDS * SECOND
        select = FADING.format(until=history.until, half_life=half_life) if half_life > 0 else STEADY
        found = history.columns(select)
        return ranking(history, found["scored_item"], found["score"])


@register
class PredictivePopularity(Ranks):
    """Ranks items by how many events they are expected to get in the period that begins.

    The window is cut into periods. Of an item that was there for three of them or more, a straight line
    through its counts (least squares) tells the next one; a younger item is expected to change like all items
    did at that age.
    """

    name: ClassVar[str] = "predictive_popularity"
    defaults: ClassVar[Parameters] = {"window_days": 30.0, "periods": 6}

    def learn(self, history: History, *, parameters: Parameters) -> Learned:
        """Ranking of the items that are expected to get any. No context."""
        periods = max(3, int(parameters["periods"]))
        length = parameters["window_days"] * DAY_SECONDS * SECOND / periods
        found = history.columns(PERIODS.format(until=history.until, length=length, last=periods - 1))
        items, places = np.unique(found["counted_item"], return_inverse=True)
        counts = np.zeros((len(items), periods))
        counts[places, found["period"]] = found["n"]
        return ranking(history, items, forecast(counts))


def forecast(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """The expected count after the last of the periods, shape (items,), from counts (items, periods)."""
    if not len(counts):
        return np.zeros(0)
    periods = counts.shape[1]
    first = np.argmax(counts > 0, axis=1)
    there = periods - first
    growth = growth_by_age(counts, first)
    young = there < OLD_ENOUGH
    expected = line(counts, first)
    expected[young] = counts[young, -1] * growth[there[young] - 1]
    return np.maximum(expected, 0)


def line(counts: NDArray[np.float64], first: NDArray[np.intp]) -> NDArray[np.float64]:
    """Where a least-squares line through the counts from period ``first`` on is one period after the last."""
    periods = np.arange(counts.shape[1], dtype=float)
    there = periods[None, :] >= first[:, None]
    n = there.sum(axis=1)
    middle = (there * periods).sum(axis=1) / n
    apart = np.where(there, periods[None, :] - middle[:, None], 0.0)
    slope = (apart * counts).sum(axis=1) / np.maximum((apart**2).sum(axis=1), 1e-9)
    mean: NDArray[np.float64] = counts.sum(axis=1) / n
    expected: NDArray[np.float64] = mean + slope * (counts.shape[1] - middle)
    return expected


def growth_by_age(counts: NDArray[np.float64], first: NDArray[np.intp]) -> NDArray[np.float64]:
    """By age in periods, from 0: how many times as many events all items together had one period later."""
    growth = np.ones(OLD_ENOUGH)
    rows = np.arange(len(counts))
    for age in range(OLD_ENOUGH):
        known = first + age + 1 < counts.shape[1]
        now, next_one = counts[rows[known], first[known] + age], counts[rows[known], first[known] + age + 1]
        if now.sum() > 0:
            growth[age] = next_one.sum() / now.sum()
    return growth
