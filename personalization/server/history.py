"""A user's events: the starting points of recommendations, and what must not be recommended again."""

from __future__ import annotations

import time
from collections.abc import Iterable

from personalization.server import page_memory, people
from personalization.server.candidates import Seed
from personalization.server.items import transfers
from personalization.server.items.revisions import Key
from tracking import identity, queries
from tracking.queries import PastEvent
from tracking.rotation import keys

# History code of the recommendation API -> event codes and the name the answer gives as the source.
CODES: dict[str, tuple[tuple[str, ...], str]] = {
    "CLICKED": (("click",), "CLICK"),
    "CONSUMED": (("consume",), "CONSUME"),
    "OWNS": (("buy", "owns"), "BUY"),
    "RATED": (("rate",), "RATE"),
    "BASKET": (("basket",), "BASKET"),
}
BLACKLIST, RENDERED, REMOVED = "blacklist", "rendered", "deletefrombasket"
EVENTS_READ = 100
ITEMS_USED = 50
# Looked at for what must not come again.
EXCLUSIONS_READ = 2_000
# What was looked at ten items ago says half as much about the next one.
HALF_LIFE_ITEMS = 10
ANONYMOUS = "not_defined"
YEAR_SECONDS = 365 * 86_400
SECOND = 1_000_000
# A pause that ends a visit.
SESSION_SECONDS = 30 * 60
# A rating between that of somebody who likes everything and of somebody who likes nothing; it weighs as much
# as three ratings of the user.
MIDDLE, PRIOR = 50.0, 3.0


class History:
    """Reads a user's events once per code, and only when a model or a filter asks.

    ``pseudonym``: in place of the raw id, which the back office does not know.
    """

    def __init__(self, customer_id: str, raw_user: str, *, pseudonym: str = "") -> None:
        self.customer_id = customer_id
        if pseudonym:
            self.users = identity.onward(customer_id, pseudonym)[::-1]  # that of today first
        else:
            self.users = () if raw_user in ("", ANONYMOUS) else keys.living(customer_id, raw_user)
        self._known: dict[str, list[Seed]] = {}
        self._past = page_memory.of_user(customer_id, tuple(self.users))
        self._expected: list[queries.Read] = []
        self._traits: list[str] | None = None
        self._moved = transfers.sources(customer_id)

    def seeds(self, code: str) -> list[Seed]:
        """The user's last distinct items under a history code, newest first, weighted by how recent.

        What somebody rated below the own mean weighs less than nothing: it leads away.
        """
        if code not in self._known:
            self._known[code] = self._read(code) if self.users else []
        return self._known[code]

    def _read(self, code: str) -> list[Seed]:
        events, source = CODES[code]
        found = self.past(*events, *([REMOVED] if code == "BASKET" else []), most=EVENTS_READ)
        newest: dict[Key, PastEvent] = {}
        for one in found:
            if (key := self.key_of(one)) is not None:
                newest.setdefault(key, one)
        likings = liked(newest) if code == "RATED" else {}
        kept = [key for key, one in newest.items() if one.event != REMOVED][:ITEMS_USED]
        return [
            Seed(key=key, source=source, weight=0.5 ** (place / HALF_LIFE_ITEMS) * likings.get(key, 1.0))
            for place, key in enumerate(kept)
        ]

    def past(self, *codes: str, most: int = EXCLUSIONS_READ) -> list[PastEvent]:
        """The user's newest events of some codes, newest first."""
        read = codes, most
        if not self.users:
            return []
        if read not in self._past:
            reads = [read, *(one for one in self._expected if one not in self._past and one != read)]
            found = queries.histories(self.customer_id, *self.users, reads=reads)
            self._past.update(zip(reads, found, strict=True))
        return self._past[read]

    def expect(self, *codes: str, most: int = EXCLUSIONS_READ) -> None:
        """Read these together with what is read first: they will be asked for."""
        self._expected.append((codes, most))

    def key_of(self, one: PastEvent) -> Key | None:
        """Which item an event is about today."""
        if not one.item_type or not one.item_id:
            return None
        key = one.item_type, one.item_id
        return transfers.today(self.customer_id, key, one.ts) if key in self._moved else key

    def had(self, codes: Iterable[str], *, of: Iterable[str], seconds: float = 0) -> set[Key]:
        """Items with an event of ``codes``, at most ``seconds`` old (0: however old).

        ``of``: all codes that this request will ask for, which are read together.
        """
        since = (time.time() - seconds) * SECOND if seconds else 0
        wanted = set(codes)
        found = (
            self.key_of(one) for one in self.past(*sorted(of)) if one.event in wanted and one.ts >= since
        )
        return {key for key in found if key is not None}

    def shown_in_session(self) -> dict[Key, int]:
        """How often each item was rendered in the visit that still goes on."""
        counts: dict[Key, int] = {}
        last = time.time() * SECOND
        for one in self.past(RENDERED):
            if last - one.ts > SESSION_SECONDS * SECOND:
                break
            last = min(last, one.ts)
            if (key := self.key_of(one)) is not None:
                counts[key] = counts.get(key, 0) + 1
        return counts

    def traits(self) -> list[str]:
        """What is told of the user, as "key=value"."""
        if self._traits is None:
            self._traits = people.traits_of(self.customer_id, self.users) if self.users else []
        return self._traits

    def visit(self) -> list[Seed]:
        """What the user looked at in the visit that goes on, the newest first; in it nothing has faded."""
        found: list[Seed] = []
        last = time.time() * SECOND
        for one in self.past("click", most=EVENTS_READ):
            if last - one.ts > SESSION_SECONDS * SECOND:
                break
            last = min(last, one.ts)
            if (key := self.key_of(one)) is not None:
                found.append(Seed(key=key, source="CLICK"))
        return found


def liked(newest: dict[Key, PastEvent]) -> dict[Key, float]:
    """How much each rated item is liked, -1 to 1, measured by the user's own mean."""
    points = {key: float(one.rating) for key, one in newest.items() if one.rating is not None}
    mean = (sum(points.values()) + PRIOR * MIDDLE) / (len(points) + PRIOR)
    return {key: max(-1.0, min(1.0, (value - mean) / MIDDLE)) for key, value in points.items()}
