"""A user's events as the starting points of recommendations."""

from __future__ import annotations

from personalization.server.candidates import Seed
from tracking import queries
from tracking.rotation import keys

# History code of the recommendation API -> event codes and the name the answer gives as the source.
CODES: dict[str, tuple[tuple[str, ...], str]] = {
    "CLICKED": (("click",), "CLICK"),
    "CONSUMED": (("consume",), "CONSUME"),
    "OWNS": (("buy", "owns"), "BUY"),
    "RATED": (("rate",), "RATE"),
    "BASKET": (("basket",), "BASKET"),
}
EVENTS_READ = 100
ITEMS_USED = 50
# What was looked at ten items ago says half as much about the next one.
HALF_LIFE_ITEMS = 10
ANONYMOUS = "not_defined"


class History:
    """Reads a user's events once per code, and only when a model asks."""

    def __init__(self, customer_id: str, raw_user: str) -> None:
        self.customer_id = customer_id
        self.users = () if raw_user in ("", ANONYMOUS) else keys.living(customer_id, raw_user)
        self._known: dict[str, list[Seed]] = {}

    def seeds(self, code: str) -> list[Seed]:
        """The user's last distinct items under a history code, newest first, weighted by how recent."""
        if code not in self._known:
            self._known[code] = self._read(code) if self.users else []
        return self._known[code]

    def _read(self, code: str) -> list[Seed]:
        events, source = CODES[code]
        found = queries.history(self.customer_id, *self.users, events=events, limit=EVENTS_READ)
        keys = dict.fromkeys((one.item_type, one.item_id) for one in found if one.item_type and one.item_id)
        return [
            Seed(key=(kind, item), source=source, weight=0.5 ** (place / HALF_LIFE_ITEMS))
            for place, (kind, item) in enumerate(list(keys)[:ITEMS_USED])
            if kind is not None
        ]
