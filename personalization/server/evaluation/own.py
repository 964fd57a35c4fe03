"""A customer's own history, divided by time: what came first is learnt, what came later is looked for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from personalization.server.evaluation.tables import Table, WrongTable
from personalization.server.learning.events import History

# Each item once for each person, when it was first; in order of time.
FIRST = """
SELECT who, item, min(ts) AS first_ts FROM history WHERE who <> '' GROUP BY who, item
ORDER BY first_ts, who, item
"""


def divided(history: History, *, share: float) -> tuple[Table, Table]:
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
    return known, later
