"""How many users look at an item now: the clicks of the last hour, counted in memory, each customer alone.

An index only for this figure would cost every click a third of its writing time, and a look through the last
hour takes a busy installation seconds. So each process keeps count and reads what came since it last looked.
It knows users by a number of its own, which says nothing outside of the process.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from tracking.queries import fetch, quoted_user

WINDOW_MICROSECONDS = 60 * 60_000_000
SECONDS_BETWEEN_READS = 5.0
# Of one customer; the oldest go first.
MOST_LOOKS = 20_000
# Of all customers, some 60 MB; the busiest give way.
MOST_LOOKS_OF_ALL = 200_000
# Rows behind the newest that one read goes back to. A process that starts in an installation with more events
# an hour knows all of them after an hour.
MOST_ROWS = 200_000
PAGE = 5_000
# On PostgreSQL a transaction may commit after one that took higher ids. A click read twice counts once.
OVERLAP = 1_000

Pair = tuple[int, str]  # item type and item id

READ = (
    f"SELECT customer_id, item_type, item_id, {quoted_user()}, ts FROM tracking_event"  # noqa: S608
    f" WHERE id > %s AND id <= %s AND event = 'click' AND ts >= %s AND {quoted_user()} <> '' ORDER BY id"
)


@dataclass(kw_only=True)
class Looks:
    """The latest looks of one customer's users, in the order they were read; and users by item."""

    last: OrderedDict[tuple[Pair, int], int] = field(default_factory=OrderedDict)  # -> ts in microseconds
    users: Counter[Pair] = field(default_factory=Counter)

    def add(self, pair: Pair, user: int, ts: int) -> None:
        before = self.last.pop((pair, user), None)
        if before is None:
            self.users[pair] += 1
        self.last[pair, user] = ts if before is None else max(ts, before)
        if len(self.last) > MOST_LOOKS:
            self.drop_oldest()

    def drop_oldest(self) -> None:
        (pair, _user), _ts = self.last.popitem(last=False)
        self.users[pair] -= 1
        if not self.users[pair]:
            del self.users[pair]

    def forget_before(self, since: int) -> None:
        while self.last and next(iter(self.last.values())) < since:
            self.drop_oldest()


class Board:
    """The looks of all customers in this process. One thread reads, the others take what is there."""

    def __init__(self) -> None:
        self.customers: dict[str, Looks] = {}
        self.last_id = 0
        self.read_at = float("-inf")
        self.lock = threading.Lock()

    def forget(self) -> None:
        self.customers, self.last_id, self.read_at = {}, 0, float("-inf")

    def refresh(self) -> None:
        if time.monotonic() - self.read_at < SECONDS_BETWEEN_READS or not self.lock.acquire(blocking=False):
            return
        try:
            self.read()
        finally:
            self.lock.release()

    def read(self) -> None:
        """Count what came since the last time, and forget what is over."""
        self.read_at = time.monotonic()
        since = time.time_ns() // 1000 - WINDOW_MICROSECONDS
        newest = fetch("SELECT coalesce(max(id), 0) FROM tracking_event", [])[0][0]
        if newest < self.last_id:  # the database was restored or made anew
            self.customers = {}
            self.last_id = 0
        low = max(self.last_id - OVERLAP, newest - MOST_ROWS, 0)
        for start in range(low, newest, PAGE):
            for customer, kind, item, user, ts in fetch(READ, [start, min(start + PAGE, newest), since]):
                self.customers.setdefault(customer, Looks()).add((kind, item), hash(user), ts)
            self.trim()
        self.last_id = newest
        self.forget_before(since)

    def trim(self) -> None:
        """Keep within the bound over all customers."""
        sizes = sorted(len(looks.last) for looks in self.customers.values())
        if sum(sizes) <= MOST_LOOKS_OF_ALL:
            return
        share = fair_share(sizes, MOST_LOOKS_OF_ALL)
        for looks in self.customers.values():
            while len(looks.last) > share:
                looks.drop_oldest()

    def forget_before(self, since: int) -> None:
        for looks in self.customers.values():
            looks.forget_before(since)
        self.customers = {customer: looks for customer, looks in self.customers.items() if looks.last}


def fair_share(sizes: Sequence[int], room: int) -> int:
    """The most that each may have so that all have room; ``sizes``: what they have, the smallest first."""
    for place, size in enumerate(sizes):
        share = room // (len(sizes) - place)
        if size > share:
            return share
        room -= size
    return max(sizes, default=0)


board = Board()


def count(customer_id: str, pairs: Sequence[Pair]) -> dict[Pair, int]:
    """How many users clicked each (item type, item id) within the last hour. Zero is left out.

    At most five seconds old. Of a customer's looks the newest 20,000 count, fewer where all customers have
    more than 200,000 together; a user's repeated ones as one, and those of nobody not at all.
    """
    board.refresh()
    looks = board.customers.get(customer_id)
    if looks is None:
        return {}
    return {pair: number for pair in pairs if (number := looks.users.get(pair, 0))}
