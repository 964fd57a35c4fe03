"""The loop of the session recommender, compiled. See :mod:`personalization.server.learning.sessions`."""

from __future__ import annotations

from typing import Any

import numpy as np

from personalization.server.learning.kernels import best, compiled

# A sum of zero says that an item was not met; what is too small to change one must not be added to it.
LEAST = 1e-30


@compiled
def answer(
    begins: Any,
    items: Any,
    by_item: Any,
    holders: Any,
    positions: Any,
    moves_at: Any,
    moves_to: Any,
    moves_how: Any,
    queries_at: Any,
    queries: Any,
    start: Any,
    stop: Any,
    recent: Any,
    nearest: Any,
    position_decay: Any,
    distance_decay: Any,
    before: Any,
    age_decay: Any,
    repeat: Any,
    follow: Any,
    rare: Any,
    found: Any,
    scores: Any,
) -> None:
    """Fill rows ``start`` to ``stop`` of ``found`` and ``scores``, shape (queries, k), with the best."""
    sessions, count, most = len(begins) - 1, len(by_item) - 1, found.shape[1]
    likeness = np.zeros(sessions, np.float32)
    matched = np.empty(sessions, np.int32)
    candidates = np.empty(sessions, np.int32)
    sums = np.zeros(count, np.float32)
    touched = np.empty(count, np.int32)
    used = np.full(count, -1, np.int32)
    for query in range(start, stop):
        first, last = queries_at[query], queries_at[query + 1]
        length = last - first
        met = 0
        for back in range(length):  # from the newest item on
            item = queries[last - 1 - back]
            if item < 0 or used[item] == query:
                continue
            used[item] = query
            weight = position_decay**back * rare[item]
            if weight < LEAST:
                continue
            end = by_item[item + 1]
            for p in range(max(by_item[item], end - recent), end):  # holders are in order of time
                session = holders[p]
                if likeness[session] == 0:
                    candidates[met] = session
                    met += 1
                    matched[session] = positions[p]
                likeness[session] += weight
        values = np.empty(met, np.float32)
        for place in range(met):
            session = candidates[place]
            size = begins[session + 1] - begins[session]
            values[place] = likeness[session] / np.sqrt(size) * age_decay ** (sessions - session)
            likeness[session] = 0
        order = best(values, met, nearest)
        seen = 0
        for rank in range(len(order)):
            session = candidates[order[rank]]
            value = values[order[rank]]
            for p in range(begins[session], begins[session + 1]):
                steps = p - begins[session] - matched[session]
                item = items[p]
                distance = abs(steps)
                gain = value * distance_decay**distance
                if steps < 0:
                    gain *= before
                if used[item] == query:
                    gain *= repeat
                if gain < LEAST:
                    continue
                if sums[item] == 0:
                    touched[seen] = item
                    seen += 1
                sums[item] += gain
        highest = np.float32(0)
        for place in range(seen):
            highest = max(highest, sums[touched[place]])
        newest = queries[last - 1] if length else -1
        if follow > 0 and newest >= 0:
            scale = follow * (highest if highest > 0 else np.float32(1))
            for p in range(moves_at[newest], moves_at[newest + 1]):
                item = moves_to[p]
                if scale * moves_how[p] < LEAST:
                    continue
                if sums[item] == 0:
                    touched[seen] = item
                    seen += 1
                sums[item] += scale * moves_how[p]
        result = np.empty(seen, np.float32)
        for place in range(seen):
            result[place] = sums[touched[place]]
            sums[touched[place]] = 0
        order = best(result, seen, most)
        for place in range(len(order)):
            found[query, place] = touched[order[place]]
            scores[query, place] = result[order[place]]
