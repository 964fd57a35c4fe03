"""What people rate: the best rated items, and items that are rated alike (engine-protocol.md 5.1, 5.4)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from personalization.server.learning.base import Learned, Parameters, register
from personalization.server.learning.events import History
from personalization.server.learning.pairs import TOP, Neighbours, filled
from personalization.server.learning.popularity import Ranks, ranking

# The last rating of a user counts.
LATEST = """
SELECT who, item, amount AS points FROM (
  SELECT who, item, amount, row_number() OVER (PARTITION BY who, item ORDER BY ts DESC, amount) AS place
  FROM history WHERE event = 'rate' AND who <> ''
) WHERE place = 1
"""
AVERAGES = "SELECT item AS rated, sum(points) AS total, count(*) AS n FROM rating GROUP BY item"
# A user's mean, drawn towards everybody's while there are few ratings: who rates one thing 20 dislikes it.
CENTRED = """
SELECT one.who AS who, one.item AS item, one.points - own.mean AS liking
FROM rating one JOIN (
  SELECT who AS rater, (sum(points) + {prior} * {mean}) / (count(*) + {prior}) AS mean
  FROM rating GROUP BY who
) own ON one.who = own.rater
"""
ALIKE = """
SELECT one.item AS i, two.item AS j, count(*) AS sup,
       sum(one.liking * two.liking) / (sqrt(ni.size) * sqrt(nj.size))
         * (count(*) / (count(*) + {shrink})) AS s
FROM liked one JOIN liked two ON one.who = two.who AND one.item <> two.item
JOIN norm ni ON one.item = ni.normed JOIN norm nj ON two.item = nj.normed
GROUP BY one.item, two.item, ni.size, nj.size
"""
NORMS = """
SELECT item AS normed, sum(liking * liking) AS size FROM liked GROUP BY item HAVING sum(liking * liking) > 0
"""
# The most alike, and those that most say the contrary: what is near to something disliked.
ENDS = """
SELECT i, j, s, sup, (row_number() OVER (PARTITION BY i ORDER BY s DESC, j) - 1)::INT AS place FROM (
  SELECT i, j, s, sup, row_number() OVER (PARTITION BY i ORDER BY s DESC, j) AS high,
         row_number() OVER (PARTITION BY i ORDER BY s, j) AS low
  FROM scored
) WHERE (s > 0 AND high <= {best}) OR (s < 0 AND low <= {worst})
"""
WORST = TOP // 5


@register
class BestRated(Ranks):
    """Ranks items by their mean rating, drawn towards everybody's mean while there are few ratings.

    The Bayesian average: (prior * mean + sum of ratings) / (prior + number of ratings).
    """

    name: ClassVar[str] = "best_rated"
    divides: ClassVar[bool] = False
    defaults: ClassVar[Parameters] = {"window_days": 365.0, "prior": 5.0, "least_ratings": 1}

    def learn(self, history: History, *, parameters: Parameters) -> Learned:
        """Ranking of the items that have enough ratings of different people. No context."""
        history.table("rating", LATEST)
        mean, prior = history.number("SELECT avg(points) FROM rating"), parameters["prior"]
        found = history.columns(AVERAGES)
        enough = found["n"] >= parameters["least_ratings"]
        scores = (prior * mean + found["total"]) / (prior + found["n"])
        # An item that everybody gave nothing is still rated; only unrated ones score 0.
        return ranking(history, found["rated"][enough], np.maximum(scores[enough], 1e-6))


@register
class SimilarRated(Neighbours):
    """Items that the same people like and dislike: the adjusted cosine of Sarwar, Karypis, Konstan and Riedl
    2001, "Item-based collaborative filtering recommendation algorithms", with shrinkage."""

    name: ClassVar[str] = "similar_rated"
    defaults: ClassVar[Parameters] = {"window_days": 365.0, "shrinkage": 2.0, "prior": 2.0}

    def learn(self, history: History, *, parameters: Parameters) -> Learned:
        """Neighbours of all rated items; negative scores are of items that are liked by others."""
        history.table("rating", LATEST)
        mean = history.number("SELECT avg(points) FROM rating")
        history.table("liked", CENTRED.format(prior=parameters["prior"], mean=mean))
        history.table("norm", NORMS)
        history.table("scored", ALIKE.format(shrink=parameters["shrinkage"]))
        return filled(history, history.columns(ENDS.format(best=TOP, worst=WORST)))
