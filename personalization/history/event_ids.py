"""The ids of imported events: the same row gives the same id in every run."""

from __future__ import annotations

from hashlib import blake2b

from django.conf import settings

from tracking import identity

BYTES = 8


class EventIds:
    """Ids for the rows of one customer.

    The digest is keyed, for it is stored beside item and time, and a user's number would be found by
    counting. The row stands in front, so that the index grows at one end.
    """

    def __init__(self, customer_id: str) -> None:
        # The oldest key of the chain: it stays, so a file that comes again after a rotation is still known.
        key = identity.customer_key(settings.PSEUDONYM_KEYS[0], customer_id)
        self.digest = blake2b(key=key, digest_size=BYTES, person=b"import_events")

    def event_id(self, *, row: int, event: str, user: str, item: str, ts: int) -> str:
        """Two equal lines of a file are two events: the row counts. Prices may be mapped later: not they."""
        digest = self.digest.copy()
        digest.update(f"{event}\0{item}\0{ts}\0{user}".encode())
        return f"{row:08x}-{digest.hexdigest()}"
