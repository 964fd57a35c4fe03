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

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from personalization.server.learning.base import Kind, Learned, Parameters, Serves, register
from personalization.server.learning.bestsellers import bestsellers, give_way
from personalization.server.learning.events import SECOND, History

TOP = 100
# Below this many memberships every coincidence counts, or a new shop would have no lists at all.
TINY = 5_000

# The last `cap` distinct items of each user.
USER_GROUPS = """
SELECT grouped AS grp, member, {weight}::DOUBLE AS weight FROM (
  SELECT who AS grouped, item AS member,
         row_number() OVER (PARTITION BY who ORDER BY max(ts) DESC, item) AS place
  FROM history WHERE who <> '' GROUP BY who, item
) WHERE place <= {cap}
"""
# A pause longer than `gap` ends a basket.
BASKETS = """
SELECT who AS buyer, item AS bought, ts AS at_time,
       sum(starts) OVER (PARTITION BY who ORDER BY ts, item ROWS UNBOUNDED PRECEDING) AS basket
FROM (
  SELECT who, item, ts,
         CASE WHEN ts - lag(ts) OVER (PARTITION BY who ORDER BY ts, item) <= {gap} THEN 0 ELSE 1 END AS starts
  FROM history WHERE who <> ''
)
"""
BASKET_GROUPS = """
SELECT grouped AS grp, member, {weight}::DOUBLE AS weight FROM (
  SELECT basket || '-' || buyer AS grouped, bought AS member,
         row_number() OVER (PARTITION BY buyer, basket ORDER BY max(at_time) DESC, bought) AS place
  FROM ({baskets}) GROUP BY buyer, basket, bought
) WHERE place <= {cap}
"""
DAMPED = """
SELECT grp, member, weight / sqrt(count(*) OVER (PARTITION BY grp)) AS share FROM member_of
"""
PAIRS = """
SELECT one.member AS a, two.member AS b, sum(one.share) AS together, count(*) AS support
FROM damped one JOIN damped two ON one.grp = two.grp AND one.member < two.member
GROUP BY one.member, two.member HAVING count(*) >= {least}
"""
# The same for some items as the first of each pair: what their lists are made of.
PAIRS_OF_SOME = """
SELECT one.member AS i, two.member AS j, sum(one.share) AS together, count(*) AS sup
FROM damped one JOIN damped two ON one.grp = two.grp AND one.member <> two.member
WHERE one.member IN (SELECT wanted_item FROM wanted)
GROUP BY one.member, two.member HAVING count(*) >= {least}
"""
PARTNERS = """
SELECT DISTINCT two.member AS wanted_item FROM damped one JOIN damped two ON one.grp = two.grp
WHERE one.member IN (SELECT new_item FROM new_items)
"""
COUNTS = "SELECT member AS counted, sum(weight) AS n FROM member_of GROUP BY member"
BOTH_WAYS = """
SELECT a AS i, b AS j, together, support AS sup FROM pair
UNION ALL
SELECT b AS i, a AS j, together, support AS sup FROM pair
"""
SCORED = """
SELECT way.i AS i, way.j AS j, way.sup AS sup,
       way.together / (pow(ni.n, {mine}) * pow(nj.n + {shrink}, {theirs}))
         * (way.sup / (way.sup + {shrink})) AS s
FROM ({ways}) way JOIN often ni ON way.i = ni.counted JOIN often nj ON way.j = nj.counted
"""
BEST = """
SELECT i, j, s, sup, place FROM (
  SELECT i, j, s, sup, (row_number() OVER (PARTITION BY i ORDER BY s DESC, j) - 1)::INT AS place FROM scored
) WHERE place < {top}
"""


# Of each submodel some, however far down they stand: a request for it must find them.
BEST_OF_GROUPS = """
SELECT i, j, s, sup, (row_number() OVER (PARTITION BY i ORDER BY s DESC, j) - 1)::INT AS place FROM (
  SELECT i, j, s, sup FROM (
    SELECT i, j, s, sup, row_number() OVER (PARTITION BY i ORDER BY s DESC, j) AS high FROM scored
  ) WHERE high <= {top}
  UNION
  SELECT i, j, s, sup FROM (
    SELECT i, j, s, sup, row_number() OVER (PARTITION BY i, grp ORDER BY s DESC, j) AS high
    FROM scored JOIN in_group ON j = member_item
  ) WHERE high <= {each}
)
"""
EACH_GROUP = 20


def best(history: History) -> dict[str, Any]:
    """The best of the table ``scored`` (i, j, s, sup) for each i, with their places from 0."""
    if not history.groups:
        return history.columns(BEST.format(top=TOP))
    rows = [(int(row), n) for n, members in enumerate(history.groups.values()) for row in members]
    history.rows("in_group", "member_item INTEGER, grp INTEGER", rows)
    return history.columns(BEST_OF_GROUPS.format(top=TOP, each=EACH_GROUP))


class Neighbours(Kind):
    """Shared by the kinds whose outcome is a list of items for each item."""

    serves: ClassVar[Serves] = Serves.NEIGHBOURS
    divides: ClassVar[bool] = True


class Pairs(Neighbours):
    """Shared by the kinds that pair what stands in the same group; they differ in groups and settings."""

    relearns: ClassVar[bool] = True

    def groups(self, parameters: Parameters) -> str:
        """SQL for the columns grp, member, weight."""
        raise NotImplementedError

    def learn(self, history: History, *, parameters: Parameters) -> Learned:
        """Neighbours of all items of the history, at most 100 each. Needs a context to recommend from."""
        least = self.prepare(history, parameters)
        history.table("pair", PAIRS.format(least=least))
        return self.lists(history, parameters, ways=BOTH_WAYS, least=least)

    def relearn(
        self, history: History, *, parameters: Parameters, known: Learned, since: int, most: int
    ) -> Learned | None:
        """The lists of items that something happened to after ``since`` are those of :meth:`learn`.

        So are the lists that an item may stand in that ``known`` did not have; other items keep theirs.
        """
        least = self.prepare(history, parameters)
        wanted = touched(history, known, since=since)
        if len(wanted) > most:
            return None
        history.rows("wanted", "wanted_item INTEGER", [[one] for one in wanted])
        ways = PAIRS_OF_SOME.format(least=least)
        return spliced(known, self.lists(history, parameters, ways=ways, least=least), rows=wanted)

    def prepare(self, history: History, parameters: Parameters) -> int:
        """Make the tables ``damped`` and ``often``; how often a pair must be seen."""
        history.table("member_of", self.groups(parameters))
        history.table("damped", DAMPED)
        history.table("often", COUNTS)
        return least_support(history, parameters)

    def lists(self, history: History, parameters: Parameters, *, ways: str, least: int) -> Learned:
        """The best of the pairs (i, j, together, sup) that ``ways`` selects, for each i."""
        shrink = parameters["shrinkage"] if least > 1 else 0
        damping = parameters["damping"]
        history.table("scored", SCORED.format(ways=ways, mine=1 - damping, theirs=damping, shrink=shrink))
        return give_way(
            filled(history, best(history)),
            bestseller=bestsellers(history, share=parameters["bestseller_share"]),
            of_ten=int(parameters["bestsellers_of_ten"]),
        )


def least_support(history: History, parameters: Parameters) -> int:
    """How often a pair must be seen."""
    memberships = history.number("SELECT count(*) FROM member_of")
    return 1 if memberships < TINY else int(parameters["least_support"])


def touched(history: History, known: Learned, *, since: int) -> list[int]:
    """Items with events after ``since`` (µs), and what goes with those that ``known`` does not have."""
    after = history.columns(f"SELECT DISTINCT item FROM history WHERE ts > {since}")["item"].tolist()  # noqa: S608
    old = set(known.keys)
    new = [[item] for item, key in enumerate(history.keys) if key not in old]
    if not new:
        return sorted(after)
    history.rows("new_items", "new_item INTEGER", new)
    partners = history.columns(PARTNERS)["wanted_item"].tolist()
    return sorted({*after, *partners, *(item for [item] in new)})


def spliced(known: Learned, fresh: Learned, *, rows: Sequence[int]) -> Learned:
    """``known`` with the rows of ``fresh``, whose items it has in the end.

    A neighbour that is gone leaves its place empty.
    """
    place = {key: row for row, key in enumerate(fresh.keys)}
    to_new = np.array([place.get(key, -1) for key in known.keys], np.int32)
    stays = to_new >= 0
    width = max(known.neighbours.shape[1], fresh.neighbours.shape[1])

    def joined(old: Any, new: Any, *, empty: int) -> Any:
        out = np.full((len(fresh.keys), width), empty, new.dtype)
        out[to_new[stays], : old.shape[1]] = old[stays]
        out[rows] = empty
        out[rows, : new.shape[1]] = new[rows]
        return out

    old = np.where(known.neighbours >= 0, to_new[known.neighbours], -1) if len(to_new) else known.neighbours
    return replace(
        fresh,
        neighbours=joined(old, fresh.neighbours, empty=-1),
        scores=joined(known.scores, fresh.scores, empty=0),
        support=joined(known.support, fresh.support, empty=0),
    )


def filled(history: History, found: dict[str, Any], *, sources: int | None = None) -> Learned:
    """Rectangular arrays from rows (i, j, s, sup, place); as many rows as items, or ``sources``."""
    n = len(history.keys) if sources is None else sources
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
    """Also clicked, also consumed: pairs within the last items of each user."""

    name: ClassVar[str] = "co_occurrence"
    defaults: ClassVar[Parameters] = {
        "window_days": 90.0,
        "history_cap": 50,
        "least_support": 2,
        "damping": 0.5,
        "shrinkage": 0.0,
        "bestseller_share": 0.025,
        "bestsellers_of_ten": 10,
    }

    def groups(self, parameters: Parameters) -> str:
        return USER_GROUPS.format(cap=int(parameters["history_cap"]), weight=1)


@register
class CoPurchase(Pairs):
    """Also bought: pairs within baskets, and with less weight within everything a user bought."""

    name: ClassVar[str] = "co_purchase"
    defaults: ClassVar[Parameters] = {
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

    def groups(self, parameters: Parameters) -> str:
        cap = int(parameters["history_cap"])
        orders = BASKETS.format(gap=gap_of(parameters))
        baskets = BASKET_GROUPS.format(cap=cap, baskets=orders, weight=1)
        users = USER_GROUPS.format(cap=cap, weight=parameters["user_weight"])
        return f"{baskets} UNION ALL {users}"


def gap_of(parameters: Parameters) -> int:
    """Microseconds after which a purchase belongs to another basket."""
    return int(parameters["basket_minutes"] * 60 * SECOND)
