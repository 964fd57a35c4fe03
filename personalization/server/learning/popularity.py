"""Top clicked, top purchased: counts that fade with age (engine-protocol.md 5.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from personalization.server.learning.base import DAY_SECONDS, Learned, register
from personalization.server.learning.events import SECOND, History

# score(item) = sum of amount * 0.5 ^ (age / half-life)
SCORES = """
SELECT item AS scored_item, sum(amount * pow(0.5, (? - ts) / ?)) AS score
FROM history GROUP BY item
"""


@register
class Popularity:
    """Ranks items by events, where an event counts half as much after each half-life."""

    name: ClassVar[str] = "popularity"
    needs_context: ClassVar[bool] = False
    trained: ClassVar[bool] = True
    # A quarter of the window, as 5.3 proposes.
    defaults: ClassVar[Mapping[str, float]] = {"window_days": 30.0, "half_life_days": 7.5}

    def learn(self, history: History, *, parameters: Mapping[str, float]) -> Learned:
        """Ranking of all items of the history. No context."""
        half_life = parameters["half_life_days"] * DAY_SECONDS * SECOND
        found = history.connection.execute(SCORES, [history.until, half_life]).fetchnumpy()
        ranking = np.zeros(len(history.keys), np.float32)
        ranking[found["scored_item"]] = found["score"]
        return Learned(keys=history.keys, ranking=ranking, events=history.events)
