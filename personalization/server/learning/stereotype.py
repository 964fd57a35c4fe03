"""What people with the same attribute like: country, age group, profession (engine-protocol.md 5.1)."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from personalization.server.learning.base import Kind, Learned, Parameters, Serves, register
from personalization.server.learning.events import History
from personalization.server.learning.pairs import BEST, TINY, TOP, filled

# A cosine, in which what everybody likes counts less; shrinkage as in pairs.py.
SCORED = """
SELECT told.trait AS i, had.thing AS j, count(*) AS sup,
       count(*) / (sqrt(nv.n) * sqrt(nj.n)) * (count(*) / (count(*) + {shrink})) AS s
FROM told JOIN (SELECT DISTINCT who AS owner, item AS thing FROM history WHERE who <> '') had
  ON told.person = had.owner
JOIN (SELECT trait AS counted_v, count(*) AS n FROM told
      WHERE person IN (SELECT who FROM history) GROUP BY trait) nv ON told.trait = nv.counted_v
JOIN (SELECT item AS counted_j, count(DISTINCT who) AS n FROM history WHERE who <> '' GROUP BY item) nj
  ON had.thing = nj.counted_j
GROUP BY told.trait, had.thing, nv.n, nj.n HAVING count(*) >= {least}
"""


LEAST_PEOPLE = 2


@register
class Stereotype(Kind):
    """Lists for each value of a user attribute: what people who have it take more than others do."""

    name: ClassVar[str] = "stereotype"
    serves: ClassVar[Serves] = Serves.STEREOTYPE
    reads_people: ClassVar[bool] = True
    defaults: ClassVar[Parameters] = {"window_days": 90.0, "least_support": 2, "shrinkage": 1.0}

    def learn(self, history: History, *, parameters: Parameters) -> Learned:
        """A row of items for each "key=value" in ``Learned.sources``."""
        # What is told of one person alone, an address for example, makes no type and tells too much.
        often = Counter(one for values in history.people.values() for one in set(values))
        traits = sorted(one for one, people in often.items() if people >= LEAST_PEOPLE)
        numbers = {trait: place for place, trait in enumerate(traits)}
        rows = [
            (person, numbers[one])
            for person, values in history.people.items()
            for one in set(values)
            if one in numbers
        ]
        history.rows("told", "person VARCHAR, trait INTEGER", rows)
        small = history.number("SELECT count(*) FROM history") < TINY
        least = 1 if small else int(parameters["least_support"])
        history.table("scored", SCORED.format(shrink=parameters["shrinkage"], least=least))
        found = filled(history, history.columns(BEST.format(top=TOP)), sources=len(traits))
        return Learned(**{**vars(found), "sources": traits})
