"""Also clicked, also bought: items that the same people, or the same baskets, hold together.

User-damped cosine (reference `recommender-anchors.md` 3c): a group of items, such as one user's last 50,
adds 1/size to each of its pairs; the sum is divided by count(i)^(1-d) * count(j)^d. With d = 1/2 that is the
cosine; a larger d takes more from what is bought with everything. Within one list this is RP3beta with
beta = d (Paudel, Christoffel, Newell and Bernstein 2017, "Updatable, accurate, diverse, and scalable
recommendations for interactive applications").

Shrinkage b takes from pairs seen a few times: support / (support + b), as in Bell and Koren 2007, "Scalable
collaborative filtering with jointly derived neighborhood interpolation weights". Figures for the settings:
docs/real-data.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from personalization.server.learning.base import Learned, register
from personalization.server.learning.bestsellers import bestsellers, give_way
from personalization.server.learning.events import SECOND, History

TOP = 100
# Below this many memberships every coincidence counts, or a new shop would have no lists at all.
TINY = 5_000

# The last `cap` distinct items of each user.
USER_GROUPS = """
SELECT grouped AS grp, member, weight FROM (
  SELECT who AS grouped, item AS member, {weight}::DOUBLE AS weight,
         row_number() OVER (PARTITION BY who ORDER BY max(ts) DESC, item) AS place
  FROM history WHERE who <> '' GROUP BY who, item
) WHERE place <= {cap}
"""
# A pause longer than `gap` ends a basket.
BASKET_GROUPS = """
SELECT grouped AS grp, member, {weight}::DOUBLE AS weight FROM (
  SELECT basket || '-' || buyer AS grouped, bought AS member,
         row_number() OVER (PARTITION BY buyer, basket ORDER BY max(at_time) DESC, bought) AS place
  FROM (
    SELECT who AS buyer, item AS bought, ts AS at_time,
           sum(starts) OVER (PARTITION BY who ORDER BY ts, item ROWS UNBOUNDED PRECEDING) AS basket
    FROM (
      SELECT who, item, ts,
             CASE WHEN ts - lag(ts) OVER (PARTITION BY who ORDER BY ts, item) <= {gap}
                  THEN 0 ELSE 1 END AS starts
      FROM history WHERE who <> ''
    )
  ) GROUP BY buyer, basket, bought
) WHERE place <= {cap}
"""
DAMPED = """
CREATE TABLE damped AS
SELECT grp, member, weight / sqrt(count(*) OVER (PARTITION BY grp)) AS share FROM member_of
"""
PAIRS = """
CREATE TABLE pair AS
SELECT one.member AS a, two.member AS b, sum(one.share) AS together, count(*) AS support
FROM damped one JOIN damped two ON one.grp = two.grp AND one.member < two.member
GROUP BY one.member, two.member HAVING count(*) >= {least}
"""
COUNTS = "CREATE TABLE often AS SELECT member AS counted, sum(weight) AS n FROM member_of GROUP BY member"
NEIGHBOURS = """
SELECT i, j, s, sup, place FROM (
  SELECT i, j, s, sup, (row_number() OVER (PARTITION BY i ORDER BY s DESC, j) - 1)::INTEGER AS place FROM (
    SELECT way.i AS i, way.j AS j, way.sup AS sup,
           way.together / (pow(ni.n, {mine}) * pow(nj.n + {shrink}, {theirs}))
             * (way.sup / (way.sup + {shrink})) AS s
    FROM (
      SELECT a AS i, b AS j, together, support AS sup FROM pair
      UNION ALL
      SELECT b AS i, a AS j, together, support AS sup FROM pair
    ) way JOIN often ni ON way.i = ni.counted JOIN often nj ON way.j = nj.counted
  )
) WHERE place < {top}
"""


class Pairs:
    """Shared by the kinds of this page, which differ in their groups and settings."""

    needs_context: ClassVar[bool] = True
    trained: ClassVar[bool] = True

    def groups(self, parameters: Mapping[str, float]) -> str:
        raise NotImplementedError

    def learn(self, history: History, *, parameters: Mapping[str, float]) -> Learned:
        """Neighbours of all items of the history, at most 100 each. Needs a context to recommend from."""
        run = history.connection.execute
        run(f"CREATE TABLE member_of AS {self.groups(parameters)}")
        memberships = run("SELECT count(*) FROM member_of").fetchone()
        least = 1 if memberships is None or memberships[0] < TINY else int(parameters["least_support"])
        for statement in (DAMPED, PAIRS.format(least=least), COUNTS):
            run(statement)
        found = run(
            NEIGHBOURS.format(
                mine=1 - parameters["damping"],
                theirs=parameters["damping"],
                shrink=parameters["shrinkage"] if least > 1 else 0,
                top=TOP,
            )
        ).fetchnumpy()
        return give_way(
            filled(history, found),
            bestseller=bestsellers(history, share=parameters["bestseller_share"]),
            of_ten=int(parameters["bestsellers_of_ten"]),
        )


def filled(history: History, found: dict[str, Any]) -> Learned:
    """Rectangular arrays from rows (i, j, s, sup, place)."""
    n = len(history.keys)
    width = int(found["place"].max()) + 1 if len(found["place"]) else 0
    neighbours = np.full((n, width), -1, np.int32)
    scores = np.zeros((n, width), np.float32)
    support = np.zeros((n, width), np.int32)
    where = (found["i"], found["place"])
    neighbours[where], scores[where], support[where] = found["j"], found["s"], found["sup"]
    return Learned(
        keys=history.keys, neighbours=neighbours, scores=scores, support=support, events=history.events
    )


@register
class CoOccurrence(Pairs):
    """Also clicked: pairs within the last items of each user."""

    name: ClassVar[str] = "co_occurrence"
    defaults: ClassVar[Mapping[str, float]] = {
        "window_days": 90.0,
        "history_cap": 50,
        "least_support": 2,
        "damping": 0.5,
        "shrinkage": 0.0,
        "bestseller_share": 0.025,
        "bestsellers_of_ten": 10,
    }

    def groups(self, parameters: Mapping[str, float]) -> str:
        return USER_GROUPS.format(cap=int(parameters["history_cap"]), weight=1)


@register
class CoPurchase(Pairs):
    """Also bought: pairs within baskets, and with less weight within everything a user bought."""

    name: ClassVar[str] = "co_purchase"
    defaults: ClassVar[Mapping[str, float]] = {
        "window_days": 365.0,
        "history_cap": 100,
        "basket_minutes": 30,
        "user_weight": 0.2,
        "least_support": 2,
        "damping": 1.0,
        "shrinkage": 30.0,
        "bestseller_share": 0.025,
        "bestsellers_of_ten": 2,
    }

    def groups(self, parameters: Mapping[str, float]) -> str:
        cap = int(parameters["history_cap"])
        gap = int(parameters["basket_minutes"] * 60 * SECOND)
        baskets = BASKET_GROUPS.format(cap=cap, gap=gap, weight=1)
        users = USER_GROUPS.format(cap=cap, weight=parameters["user_weight"])
        return f"{baskets} UNION ALL {users}"
