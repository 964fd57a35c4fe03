"""For people with a history: the linear weights of `linear.py`, learnt from a customer's events."""

from __future__ import annotations

from typing import ClassVar

from personalization.server.learning.base import Kind, Learned, Parameters, Serves, register
from personalization.server.learning.events import History

# The last `cap` distinct items of each user, users numbered from 0.
MEMBERS = """
SELECT (dense_rank() OVER (ORDER BY who) - 1)::INT AS reader, item AS had FROM (
  SELECT who, item, row_number() OVER (PARTITION BY who ORDER BY max(ts) DESC, item) AS place
  FROM history WHERE who <> '' GROUP BY who, item
) WHERE place <= {cap}
"""


@register
class ForYou(Kind):
    """What follows from everything that somebody had, not from each item by itself.

    ``candidates``, ``penalty``, ``damping``, ``reach``, ``filter``: see :class:`linear.Settings`; `manage.py
    evaluate customer` says which suit a customer's own events.
    """

    name: ClassVar[str] = "for_you"
    serves: ClassVar[Serves] = Serves.WEIGHTS
    defaults: ClassVar[Parameters] = {
        "window_days": 365.0,
        "history_cap": 500,
        "candidates": 100,
        "penalty": 3.0,
        "damping": 0.0,
        "reach": 1000,
        "filter": 1.0,
    }

    def learn(self, history: History, *, parameters: Parameters) -> Learned:
        """Weights from each item to those that follow from it."""
        import numpy as np

        from personalization.server.learning import linear  # compiles its loops
        from personalization.server.learning.interactions import interactions

        found = history.columns(MEMBERS.format(cap=int(parameters["history_cap"])))
        readers, had = found["reader"], found["had"]
        if not len(readers) or len(history.keys) < 2:
            return Learned(keys=history.keys, events=history.events)
        shape = (int(readers.max()) + 1, len(history.keys))
        data = interactions(readers, had, shape=shape)
        weights = linear.fit(
            data,
            spread=history.spread if history.is_remote else None,
            settings=linear.Settings(
                candidates=int(parameters["candidates"]),
                penalty=parameters["penalty"],
                damping=parameters["damping"],
                reach=int(parameters["reach"]),
                filter=parameters["filter"],
            ),
        )
        near, scores = weights.near, weights.scores
        known = near >= 0
        both = np.minimum(data.popularity()[np.maximum(near, 0)], data.popularity()[:, None])
        return Learned(
            keys=history.keys,
            neighbours=near,
            scores=scores,
            support=np.where(known, both, 0).astype(np.int32),
            events=history.events,
        )
