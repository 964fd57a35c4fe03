"""Counting recommendation calls: in memory, written every few seconds as hourly rows."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from django.db import DatabaseError, connections, transaction
from django.db.models import F

from config import web
from personalization.server.models import CallCount

logger = logging.getLogger("personalization")

EVERY_SECONDS = 5.0
HOUR = 3600
Place = tuple[str, str, str, int]  # customer, scenario, model, hour since 1970
ALL_MODELS = ""  # the row of the scenario itself


class Board:
    """The counts of this process that are not written yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[Place] = Counter()
        self._items: Counter[Place] = Counter()
        self._written = time.monotonic()
        # Whether a thread writes, so that no request waits for the database's lock.
        self.in_background = False

    def count(self, customer_id: str, scenario: str, models: Iterable[str]) -> None:
        """One call, with the model of each item that it answered."""
        hour = int(time.time()) // HOUR
        delivered = Counter(models)
        with self._lock:
            for model, items in ((ALL_MODELS, sum(delivered.values())), *delivered.items()):
                self._calls[customer_id, scenario, model, hour] += 1
                self._items[customer_id, scenario, model, hour] += items
        if not self.in_background and time.monotonic() - self._written >= EVERY_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what was counted; after a fault of the database it is kept and written the next time."""
        with self._lock:
            calls, items = self._calls, self._items
            self._calls, self._items, self._written = Counter(), Counter(), time.monotonic()
        if not calls:
            return
        try:
            store(calls, items)
        except DatabaseError as fault:
            logger.warning("Calls of recommendations are counted later: %s", fault)
            with self._lock:
                self._calls.update(calls)
                self._items.update(items)

    def forget(self) -> None:
        with self._lock:
            self._calls, self._items = Counter(), Counter()


def store(calls: Counter[Place], items: Counter[Place]) -> None:
    # In one order, so that two processes never wait for each other.
    with transaction.atomic():
        for place in sorted(calls):
            customer_id, scenario, model, hour = place
            key = {
                "customer_id": customer_id,
                "scenario": scenario,
                "model": model,
                "hour": datetime.fromtimestamp(hour * HOUR, UTC),
            }
            row = CallCount(**key)
            CallCount.objects.bulk_create([row], ignore_conflicts=True)
            CallCount.objects.filter(**key).update(
                calls=F("calls") + calls[place], delivered=F("delivered") + items[place]
            )


board = Board()


def flush_at_exit() -> None:
    try:
        board.flush()
        connections.close_all()
    except Exception as fault:  # noqa: BLE001 - the process ends; there is nobody to tell but the log
        logger.warning("The last calls of recommendations were not counted: %s", fault)


@web.warmer
def write_regularly() -> None:
    """In a web process: write counts also when no further request comes, and at its end."""
    atexit.register(flush_at_exit)
    board.in_background = True
    threading.Thread(target=keep_writing, name="calls", daemon=True).start()


def keep_writing() -> None:
    while True:
        time.sleep(EVERY_SECONDS)
        board.flush()
        connections.close_all()
