"""The item store in memory: what the scoring loop needs to filter by, for one customer per process.

Built once and then kept up by reading the rows that changed, at most once a second. It may lag behind by that
second, and by removals; the chosen items are therefore read from the store again before they are answered.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personalization.server.models import StoredItem

Key = tuple[int, str]
Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]

CHECK_SECONDS = 1.0
# Rows of a transaction that began before our last look and ended after it.
OVERLAP = timedelta(seconds=5)
# Removals show up as rows that are gone; now and then everything is read again.
RELOAD_SECONDS = 600.0
COLUMNS = (
    "item_type",
    "item_id",
    "type_identifier",
    "valid_from",
    "valid_to",
    "added_at",
    "updated_at",
    "category_paths",
)


@dataclass(kw_only=True, eq=False)
class Catalogue:
    """Columns over items; an item's number is its position in all of them and never changes."""

    customer_id: str
    numbers: dict[Key, int] = field(default_factory=dict)
    keys: list[Key] = field(default_factory=list)
    paths: list[tuple[str, ...]] = field(default_factory=list)
    by_id: dict[str, list[Key]] = field(default_factory=dict)
    # Every path and all its ancestors -> numbers of the items below.
    below: dict[str, set[int]] = field(default_factory=dict)
    types: Numbers = field(default_factory=lambda: np.zeros(0, np.int64))
    valid_from: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    valid_to: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    added: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    seen_until: datetime = datetime.min.replace(tzinfo=UTC)
    version: int = 0
    _masks: dict[str, tuple[int, Mask]] = field(default_factory=dict)
    _newest: tuple[int, Numbers] | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def refresh(self) -> None:
        """Take in the rows written since the last call."""
        rows = StoredItem.objects.filter(customer_id=self.customer_id)
        if self.keys:
            rows = rows.filter(updated_at__gt=self.seen_until - OVERLAP)
        found = list(rows.order_by("updated_at").values_list(*COLUMNS))
        if found:
            self.take(found)

    def take(self, rows: list[tuple[Any, ...]]) -> None:
        fresh = [number_key for row in rows if (number_key := (row[0], row[1])) not in self.numbers]
        self.add(dict.fromkeys(fresh))
        types, valid_from = self.types.copy(), self.valid_from.copy()
        valid_to, added = self.valid_to.copy(), self.added.copy()
        for item_type, item_id, _name, start, end, added_at, updated_at, paths in rows:
            number = self.numbers[item_type, item_id]
            types[number] = item_type
            valid_from[number] = start.timestamp() if start else -np.inf
            valid_to[number] = end.timestamp() if end else np.inf
            added[number] = added_at.timestamp()
            self.move(number, tuple(paths))
            self.seen_until = max(self.seen_until, updated_at)
        # Readers in other threads hold the old arrays, which stay as they are.
        self.types, self.valid_from, self.valid_to, self.added = types, valid_from, valid_to, added
        self.version += 1

    def add(self, fresh: Iterable[Key]) -> None:
        for key in fresh:
            self.numbers[key] = len(self.keys)
            self.keys.append(key)
            self.paths.append(())
            self.by_id.setdefault(key[1], []).append(key)
        missing = len(self.keys) - len(self.types)
        self.types = np.append(self.types, np.zeros(missing, np.int64))
        self.valid_from = np.append(self.valid_from, np.full(missing, np.inf))
        self.valid_to = np.append(self.valid_to, np.full(missing, -np.inf))
        self.added = np.append(self.added, np.zeros(missing))

    def move(self, number: int, paths: tuple[str, ...]) -> None:
        """Register the item's category paths, and forget those it had."""
        if self.paths[number] == paths:
            return
        for path in ancestors(self.paths[number]):
            self.below[path].discard(number)
        for path in ancestors(paths):
            self.below.setdefault(path, set()).add(number)
        self.paths[number] = paths

    def under(self, path: str) -> Mask:
        """Which items are in the category ``path`` or below it."""
        known = self._masks.get(path)
        if known and known[0] == self.version:
            return known[1]
        mask = np.zeros(len(self.types), np.bool_)
        mask[[n for n in self.below.get(path, ()) if n < len(mask)]] = True
        if len(self._masks) > 1000:  # paths come from requests; memory must not
            self._masks.clear()
        self._masks[path] = (self.version, mask)
        return mask

    def newest(self) -> Numbers:
        """Numbers of all items, the latest received first, equal ones by publication."""
        if self._newest is None or self._newest[0] != self.version:
            order = np.lexsort((np.arange(len(self.types)), -self.valid_from, -self.added))
            self._newest = (self.version, order)
        return self._newest[1]


def ancestors(paths: Iterable[str]) -> set[str]:
    """Every path and all paths above it: "1/2/95" -> {"1", "1/2", "1/2/95"}."""
    found: set[str] = set()
    for path in paths:
        parts = path.split("/")
        found.update("/".join(parts[: length + 1]) for length in range(len(parts)))
    return found


class Catalogues:
    """One catalogue per customer, shared by the threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, Catalogue] = {}
        self._checked: dict[str, float] = {}
        self._loaded: dict[str, float] = {}

    def of(self, customer_id: str) -> Catalogue:
        """The catalogue, at most a second old."""
        now = time.monotonic()
        known = self._open.get(customer_id)
        if known is not None and now - self._checked[customer_id] < CHECK_SECONDS:
            return known
        # Whoever comes while another thread reads is answered from what is there.
        if known is not None and not self._lock.acquire(blocking=False):
            return known
        if known is None:
            self._lock.acquire()
        try:
            return self._refreshed(customer_id, now)
        finally:
            self._lock.release()

    def _refreshed(self, customer_id: str, now: float) -> Catalogue:
        known = self._open.get(customer_id)
        if known is None or now - self._loaded[customer_id] >= RELOAD_SECONDS:
            known = Catalogue(customer_id=customer_id)
            self._loaded[customer_id] = now
        elif now - self._checked[customer_id] < CHECK_SECONDS:
            return known
        known.refresh()
        self._open[customer_id] = known
        self._checked[customer_id] = now
        return known

    def forget(self, customer_id: str = "") -> None:
        """Read a customer's items, or everybody's, afresh at the next call."""
        with self._lock:
            for one in [customer_id] if customer_id else list(self._open):
                self._open.pop(one, None)


catalogues = Catalogues()
