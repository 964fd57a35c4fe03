"""A customer's own history, divided by time: what came first is learnt, what came later is looked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from personalization.server.evaluation.tables import Table, WrongTable
from personalization.server.learning.events import SECOND, History

# Each item once for each person, when it was first; in order of time.
FIRST = """
SELECT who, item, min(ts) AS first_ts FROM history WHERE who <> '' GROUP BY who, item
ORDER BY first_ts, who, item
"""


class Parts(NamedTuple):
    """What is learnt and what is looked for; the first lies from ``begins_at`` to ``cut_at``, the other up to
    ``ends_at``."""

    known: Table
    later: Table
    begins_at: datetime
    cut_at: datetime
    ends_at: datetime


def divided(history: History, *, share: float) -> Parts:
    """The earlier and the later part as arrays ``user`` (pseudonyms) and ``item`` (type/id).

    ``share`` (0 to 1) of all is later.
    Later are only people of whom something was known before, with items that were known before.

    Raises :class:`WrongTable` where too little is left to learn from or to compare with.
    """
    found: dict[str, NDArray[Any]] = history.columns(FIRST)
    names = np.array([f"{item_type}/{item_id}" for item_type, item_id in history.keys])
    users, items = np.asarray(found["who"]), names[np.asarray(found["item"])]
    cut = int(len(users) * (1 - share))
    known = {"user": users[:cut], "item": items[:cut]}
    inside = np.isin(users[cut:], known["user"]) & np.isin(items[cut:], known["item"])
    later = {"user": users[cut:][inside], "item": items[cut:][inside]}
    if not len(later["user"]):
        raise WrongTable(
            f"{len(users):,} events that were the first of somebody with an item are too few: nobody of the "
            "earlier part had an item later that was known by then."
        )
    times = np.asarray(found["first_ts"])
    first, middle, last = (
        datetime.fromtimestamp(int(times[n]) / SECOND, UTC) for n in (0, cut, len(times) - 1)
    )
    return Parts(known=known, later=later, begins_at=first, cut_at=middle, ends_at=last)
