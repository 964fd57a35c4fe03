"""Everything that is stored of a person, as one JSON document."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from tracking.models import Tombstone
from tracking.people import whom
from tracking.people.places import places
from tracking.people.spans import Span


class Document:
    """Hands the document out in parts, so that a person of a million events needs no memory.

    ``linked`` are the pseudonyms of devices that logged in as this person; their events up to the login are
    among the person's. ``is_empty`` is known when all parts were read: no rows and no living erasure.
    """

    def __init__(self, own: tuple[Span, ...]) -> None:
        self.own = own
        self.is_empty = True

    def __iter__(self) -> Iterator[bytes]:
        linked = whom.linked(self.own)
        head = head_of(self.own, linked)
        self.is_empty = not head["erasures"]
        yield orjson.dumps(head, option=orjson.OPT_INDENT_2).removesuffix(b"\n}")
        for place in places():
            yield b",\n  " + orjson.dumps(place.name) + b": ["
            separator = b"\n    "
            for row in place.find((*self.own, *linked)):
                self.is_empty = False
                yield separator + orjson.dumps(row, default=plain)
                separator = b",\n    "
            yield b"]" if separator == b"\n    " else b"\n  ]"
        yield b"\n}\n"


def head_of(own: tuple[Span, ...], linked: tuple[Span, ...]) -> dict[str, Any]:
    return {
        "format": "lodestar-person-1",
        "customer": own[0].customer_id,
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "pseudonyms": [span.user for span in own],
        "linked": sorted({span.user for span in linked}),
        "erasures": [receipt_of(one) for one in tombstones_of(own)],
    }


def tombstones_of(own: tuple[Span, ...]) -> list[Tombstone]:
    rows = Tombstone.objects.filter(customer_id=own[0].customer_id, user__in=[span.user for span in own])
    return list(rows.select_related("erasure"))


def receipt_of(tombstone: Tombstone) -> dict[str, Any]:
    at = datetime.fromtimestamp(tombstone.erasure.erased_at / 1_000_000, UTC)
    return {
        "receipt": tombstone.erasure.receipt,
        "erased_at": at.isoformat(timespec="seconds"),
        "remembered_until": tombstone.expires_at.isoformat(timespec="seconds"),
    }


def plain(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)
