"""Categories of items that nobody ever described, learnt from the paths of clicks (engine-protocol.md 1.4).

Only for customers without a catalogue; the first import takes their place. A path that no click carried for
:data:`WINDOW_DAYS` ages out. They are stored like a model: rows of items, whose neighbours are paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from config.customers import directory
from config.jobs import queue, schedule
from personalization.server import artefacts
from personalization.server.building import NoEvents, history_of
from personalization.server.items.revisions import Key
from personalization.server.learning.base import Learned
from personalization.server.learning.events import History
from personalization.server.models import StoredItem

NAME = "learnt_categories"
JOB = "engine.learn_categories"
EVERY = 600.0
WINDOW_DAYS = 90.0
MOST = 20  # paths of an item, the newest
PATHS = """
SELECT item, path, place FROM (
  SELECT item, path, row_number() OVER (PARTITION BY item ORDER BY newest DESC, path) - 1 AS place FROM (
    SELECT item, trim(category_path, '/') AS path, max(ts) AS newest FROM history
    WHERE category_path <> '' GROUP BY item, path
  ) WHERE path <> ''
) WHERE place < {most} ORDER BY item, place
"""


def learn(customer_id: str) -> int:
    """Learn the paths of a customer's clicks; returns the number of items that have one."""
    try:
        with history_of(customer_id, codes=["click"], window_days=WINDOW_DAYS, with_paths=True) as history:
            learned = paths_of(history)
    except NoEvents:
        return 0
    artefacts.write(customer_id, NAME, learned, about={"customer": customer_id, "algorithm": NAME})
    return int(np.count_nonzero((learned.neighbours >= 0).any(axis=1))) if learned.neighbours.size else 0


def paths_of(history: History) -> Learned:
    found = history.columns(PATHS.format(most=MOST))
    names = sorted(set(found["path"].tolist()))
    numbers = {name: place for place, name in enumerate(names)}
    near = np.full((len(history.keys), MOST if names else 0), -1, np.int32)
    near[found["item"], found["place"]] = [numbers[path] for path in found["path"].tolist()]
    return Learned(keys=history.keys, neighbours=near, sources=names, events=history.events)


class LearntPaths:
    """The categories of one customer's items; empty where nothing was learnt."""

    def __init__(self, customer_id: str) -> None:
        self._artefact = artefacts.shelf.current(customer_id, NAME)

    def of(self, key: Key) -> tuple[str, ...]:
        """The paths of an item, the newest first, without surrounding slashes."""
        row = self._artefact.rows.get(key) if self._artefact else None
        if self._artefact is None or row is None:
            return ()
        return tuple(
            self._artefact.sources[one] for one in self._artefact.neighbours[row].tolist() if one >= 0
        )


def is_below(paths: Sequence[str], prefixes: Sequence[str]) -> bool:
    """Whether one of the paths is one of the prefixes or lies below it."""
    return any(path == one or path.startswith(f"{one}/") for path in paths for one in prefixes)


def without_catalogue() -> Iterator[str]:
    """Customers whose items nobody described."""
    for account in directory.directory.all():
        if not StoredItem.objects.filter(customer_id=account.customer_id).exists():
            yield account.customer_id


@queue.job(JOB)
def run(job: queue.Run) -> dict[str, Any]:
    """Learn one customer's categories."""
    return {"items": learn(job.payload["customer"])}


@schedule.periodic("engine.learn_categories", every=EVERY)
def learn_all() -> None:
    for customer_id in without_catalogue():
        queue.enqueue(JOB, {"customer": customer_id}, key=customer_id, customer_id=customer_id)
