"""The catalogues of a process: opened once, kept up while requests are answered.

At most once a second a request asks for the store's revision, which is one row. A few changes it takes in
itself; many, such as a full import, a thread of their own reads while requests are answered from before.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from django.db import DatabaseError, connections

from personalization.server.catalogue import Catalogue
from personalization.server.items import revisions

logger = logging.getLogger("personalization")

CHECK_SECONDS = 1.0
# What a request reads itself; takes about 10 ms.
INLINE_ROWS = 500


@dataclass(kw_only=True, eq=False)
class Held:
    """One customer's catalogue. Whoever has the lock ``reading`` may change it."""

    customer_id: str
    catalogue: Catalogue | None = None
    checked: float = -CHECK_SECONDS
    reading: threading.Lock = field(default_factory=threading.Lock)

    def is_fresh(self) -> bool:
        return self.catalogue is not None and time.monotonic() - self.checked < CHECK_SECONDS

    def look(self) -> None:
        """Take in what is new. Comes with ``reading`` and gives it back, now or when a thread is done."""
        handed_over = False
        try:
            if not self.is_fresh():
                self.read(most=INLINE_ROWS if self.catalogue is not None else None)
        except revisions.TooMany:
            threading.Thread(target=self.read_on, name="catalogue", daemon=True).start()
            handed_over = True
        finally:
            if not handed_over:
                self.reading.release()

    def read_on(self) -> None:
        try:
            self.read(most=None)
        except DatabaseError as fault:
            # The catalogue at hand keeps serving; the next look tries again.
            logger.error("The items of customer %s could not be read: %s", self.customer_id, fault)
        finally:
            connections.close_all()
            self.checked = time.monotonic()
            self.reading.release()

    def read(self, *, most: int | None) -> None:
        known = self.catalogue
        if known is None or known.is_wasteful():
            known = Catalogue(customer_id=self.customer_id)
        changes = revisions.since(self.customer_id, known.revision, most=most)
        if not changes.continues:
            known = Catalogue(customer_id=self.customer_id)
        known.take(changes)
        self.catalogue, self.checked = known, time.monotonic()


class Catalogues:
    """One catalogue per customer, shared by the threads of this process."""

    def __init__(self) -> None:
        self._held: dict[str, Held] = {}

    def of(self, customer_id: str) -> Catalogue:
        """The catalogue, at most a second old, or older while many changes are being read."""
        held = self._held.get(customer_id) or self._held.setdefault(
            customer_id, Held(customer_id=customer_id)
        )
        # Whoever comes while another thread reads is answered from what is there.
        if not held.is_fresh() and held.reading.acquire(blocking=held.catalogue is None):
            held.look()
        if held.catalogue is None:
            raise LookupError(f"The items of customer {customer_id} could not be read.")
        return held.catalogue

    def forget(self, customer_id: str = "") -> None:
        """Read a customer's items, or everybody's, afresh at the next call."""
        for one in [customer_id] if customer_id else list(self._held):
            self._held.pop(one, None)


catalogues = Catalogues()
