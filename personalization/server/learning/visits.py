"""For visitors of whom nothing else is known: the nearest visits of others (`sessions.py`), as a model."""

from __future__ import annotations

from dataclasses import asdict
from typing import ClassVar

import numpy as np

from personalization.server.learning import sessions
from personalization.server.learning.base import Float32, Kind, Learned, Parameters, Serves, register
from personalization.server.learning.events import SECOND, History
from personalization.server.learning.sessions import Index, Int32, Moves, Sessions, Settings

# A pause longer than `gap` ends a visit.
ROWS = """
SELECT who AS visitor, item AS looked_at, ts AS at_time,
       sum(starts) OVER (PARTITION BY who ORDER BY ts, item ROWS UNBOUNDED PRECEDING) AS nth
FROM (
  SELECT who, item, ts,
         CASE WHEN ts - lag(ts) OVER (PARTITION BY who ORDER BY ts, item) <= {gap} THEN 0 ELSE 1 END AS starts
  FROM history WHERE who <> ''
)
"""
# Visits in the order of their ends, of one look each nothing follows.
ORDERED = """
SELECT dense_rank() OVER (ORDER BY ended, visitor, nth) AS visit, looked_at FROM (
  SELECT visitor, nth, looked_at, at_time, max(at_time) OVER (PARTITION BY visitor, nth) AS ended,
         count(*) OVER (PARTITION BY visitor, nth) AS looks
  FROM looked
) WHERE looks > 1 ORDER BY visit, at_time, looked_at
"""
PARTS = ("by_item", "holders", "positions", "often")


@register
class Visits(Kind):
    """What came next in visits like this one. ``pause_minutes`` ends a visit; rest: `sessions.Settings`."""

    name: ClassVar[str] = "visits"
    serves: ClassVar[Serves] = Serves.VISIT
    defaults: ClassVar[Parameters] = {"window_days": 60.0, "pause_minutes": 30.0, **asdict(Settings())}

    def learn(self, history: History, *, parameters: Parameters) -> Learned:
        """The index of all visits with more than one look, as ``extra`` arrays."""
        visits = visited(history, parameters)
        index = sessions.index(visits, count=len(history.keys))
        extra = {name: getattr(index, name) for name in PARTS}
        extra |= {"begins": visits.begins, "visited": visits.items}
        extra |= {
            "moves_at": index.moves.at,
            "moves_to": index.moves.to,
            "moves_how": index.moves.how,
        }
        return Learned(keys=history.keys, events=history.events, extra=extra)


def visited(history: History, parameters: Parameters) -> Sessions:
    """The visits of everybody with more than one look, in the order of their ends."""
    history.table("looked", ROWS.format(gap=int(parameters["pause_minutes"] * 60 * SECOND)))
    found = history.columns(ORDERED)
    return sessions.sessions_of(found["visit"], found["looked_at"])


def index_of(extra: dict[str, np.ndarray]) -> Index:
    """The index from the arrays of an artefact."""
    moves = Moves(at=extra["moves_at"], to=extra["moves_to"], how=extra["moves_how"])
    return Index(
        sessions=Sessions(begins=extra["begins"], items=extra["visited"]),
        moves=moves,
        **{name: extra[name] for name in PARTS},
    )


def settings_of(parameters: Parameters) -> Settings:
    return Settings(**{name: parameters[name] for name in asdict(Settings())})


def next_items(index: Index, visit: Int32, settings: Settings) -> tuple[Int32, Float32]:
    """Items and their scores for one visit (item numbers, the newest last), in no order.

    The arithmetic of `session_kernels.answer` in numpy: one visit does not pay for compiling a loop.
    """
    newest_first, first = np.unique(visit[::-1], return_index=True)
    back = first[newest_first >= 0]
    seen = newest_first[newest_first >= 0]
    if not len(seen):
        return np.zeros(0, np.int32), np.zeros(0, np.float32)
    rare = np.log1p(len(index.sessions) / np.maximum(index.often[seen], 1)) ** settings.rarity
    holders, weights, places = [], [], []
    order = np.argsort(back)
    for item, steps, rarity in zip(seen[order], back[order], rare[order], strict=True):
        end = int(index.by_item[item + 1])
        start = max(int(index.by_item[item]), end - int(settings.recent))
        holders.append(index.holders[start:end])
        places.append(index.positions[start:end])
        weights.append(np.full(end - start, settings.position**steps * rarity))
    near, matched, values = nearest(
        index, np.concatenate(holders), np.concatenate(places), np.concatenate(weights), settings
    )
    return followed(index, seen, int(visit[-1]), near, matched, values, settings)


def nearest(
    index: Index,
    holders: Int32,
    places: Int32,
    weights: np.ndarray,
    settings: Settings,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The visits that are most like this one, where they match it, and how much."""
    found, first, inverse = np.unique(holders, return_index=True, return_inverse=True)
    likeness = np.bincount(inverse, weights=weights)
    begins = index.sessions.begins
    sizes = begins[found + 1] - begins[found]
    total = len(index.sessions)
    step = 0.5 ** (1 / (settings.half_life * total)) if settings.half_life > 0 else 1.0
    values = likeness / np.sqrt(sizes) * step ** (total - found)
    most = int(settings.nearest)
    kept = np.argpartition(-values, most)[:most] if len(values) > most else np.arange(len(values))
    return found[kept], places[first[kept]], values[kept]


def followed(
    index: Index,
    seen: np.ndarray,
    newest: int,
    near: np.ndarray,
    matched: np.ndarray,
    values: np.ndarray,
    settings: Settings,
) -> tuple[Int32, Float32]:
    """What stands in the nearest visits, and what usually follows the newest item."""
    begins = index.sessions.begins
    sizes = (begins[near + 1] - begins[near]).astype(np.int64)
    offsets = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    items = index.sessions.items[np.repeat(begins[near], sizes) + offsets]
    steps = offsets - np.repeat(matched, sizes)
    gains = np.repeat(values, sizes) * settings.distance ** np.abs(steps)
    gains = np.where(steps < 0, gains * settings.before, gains)
    gains = np.where(np.isin(items, seen), gains * settings.repeat, gains)
    found, inverse = np.unique(items, return_inverse=True)
    sums = np.bincount(inverse, weights=gains)
    if settings.follow > 0 and newest >= 0:
        start, end = index.moves.at[newest], index.moves.at[newest + 1]
        scale = settings.follow * (sums.max() if len(sums) and sums.max() > 0 else 1.0)
        found, inverse = np.unique(np.append(found, index.moves.to[start:end]), return_inverse=True)
        sums = np.bincount(inverse, weights=np.append(sums, scale * index.moves.how[start:end]))
    return found.astype(np.int32), sums.astype(np.float32)
