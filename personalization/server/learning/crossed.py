"""From one kind of event to another: who looked at this bought that (engine-protocol.md 5.1, 5.4)."""

from __future__ import annotations

from typing import ClassVar

from personalization.server.learning.base import DAY_SECONDS, Learned, Parameters, register
from personalization.server.learning.events import SECOND, History
from personalization.server.learning.pairs import TINY, Neighbours, best, filled

FIRST_OF_EACH = """
SELECT visitor, source_item, began FROM (
  SELECT who AS visitor, item AS source_item, min(ts) AS began,
         row_number() OVER (PARTITION BY who ORDER BY max(ts) DESC, item) AS place
  FROM history WHERE event = '{code}' AND who <> '' GROUP BY who, item
) WHERE place <= {cap}
"""
LAST_OF_EACH = """
SELECT who AS follower, item AS target_item, max(ts) AS ended
FROM history WHERE event = '{code}' AND who <> '' GROUP BY who, item
"""
# What somebody got as well says nothing about which of the two was chosen in the end.
CHOSEN = """
SELECT source_item AS i, target_item AS j, visitor,
       1 / sqrt(count(*) OVER (PARTITION BY visitor, target_item)) AS share
FROM source JOIN target ON visitor = follower AND ended >= began AND ended - began <= {within}
WHERE source_item = target_item OR NOT {alternatives} OR NOT EXISTS (
  SELECT 1 FROM target also WHERE also.follower = visitor AND also.target_item = source_item
)
"""
SCORED = """
SELECT i, j, sum(share) / (sqrt(ni.n) * pow(nj.n, {damping})) AS s, count(*) AS sup
FROM chosen
JOIN (SELECT source_item AS counted_i, count(*) AS n FROM source GROUP BY source_item) ni ON i = ni.counted_i
JOIN (SELECT target_item AS counted_j, count(*) AS n FROM target GROUP BY target_item) nj ON j = nj.counted_j
GROUP BY i, j, ni.n, nj.n HAVING count(*) >= {least}
"""


class Crossed(Neighbours):
    """Shared by the kinds of this page.

    ``from_event``: the code of what comes first; what follows is the model's own code, by the same person and
    at most ``within_days`` later.
    """

    defaults: ClassVar[Parameters] = {
        "window_days": 90.0,
        "from_event": "click",
        "within_days": 30.0,
        "history_cap": 50,
        "least_support": 2,
        # What is chosen in the end may well be popular; a cosine (0.5) would hide that.
        "damping": 0.25,
    }
    # Whether a target says something about a source only if the person did not get the source, too.
    alternatives: ClassVar[bool] = False

    def codes(self, signal: str, parameters: Parameters) -> tuple[str, ...]:
        return tuple(dict.fromkeys((str(parameters["from_event"]), signal)))

    def learn(self, history: History, *, parameters: Parameters) -> Learned:
        """Neighbours of all items with a source event, at most 100 each; an item can be its own."""
        before, after = str(parameters["from_event"]), history.codes[-1]
        within = int(parameters["within_days"] * DAY_SECONDS * SECOND)
        history.table("source", FIRST_OF_EACH.format(code=before, cap=int(parameters["history_cap"])))
        history.table("target", LAST_OF_EACH.format(code=after))
        history.table("chosen", CHOSEN.format(within=within, alternatives=self.alternatives))
        small = history.number("SELECT count(*) FROM source") < TINY
        least = 1 if small else int(parameters["least_support"])
        history.table("scored", SCORED.format(damping=parameters["damping"], least=least))
        return filled(history, best(history))


@register
class UltimatelyBought(Crossed):
    """What people bought in the end who looked at this; the item itself where it was the best choice."""

    name: ClassVar[str] = "ultimately_bought"
    alternatives: ClassVar[bool] = True


@register
class Followed(Crossed):
    """What people went on to: clicked after a click, consumed after a click, bought after a click soon."""

    name: ClassVar[str] = "followed"
