"""Who was told of a person: the ledger, for who asks what is known of them.

The ledger is not emptied with the profile. Its rows say who still has to be told that the person is gone, and
each goes once its receiver has answered (:mod:`cdp.activations.news`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Count, QuerySet

from cdp.activations.models import LedgerEntry
from cdp.profiles import places
from cdp.profiles.models import Account
from cdp.profiles.places import Whom


class Sent:
    name = "sent"

    def find(self, whom: Whom) -> Iterator[dict[str, Any]]:
        rows = entries_of(whom.account, [digest for _kind, digest in whom.keys])
        for row in rows.select_related("activation", "audience").order_by("delivered_at", "pk"):
            yield {
                "activation": row.activation.name,
                "kind": row.activation.kind,
                "named_by": row.activation.person_identifier,
                "audience": row.audience.name,
                "delivered_at": row.delivered_at,
            }

    def erase(self, whom: Whom) -> int:  # noqa: ARG002 - see above
        return 0


def entries_of(account: Account, digests: Sequence[str]) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(activation__account=account, digest__in=set(digests))


def still_there(account: Account, digests: Sequence[str]) -> list[dict[str, Any]]:
    """Receivers that have not answered yet: ``activation``, ``name``, ``state`` and ``count`` of entries."""
    rows = entries_of(account, digests).order_by()
    grouped = rows.values("activation", "activation__name", "activation__state").annotate(count=Count("pk"))
    return [
        {
            "activation": row["activation"],
            "name": row["activation__name"],
            "state": row["activation__state"],
            "count": row["count"],
        }
        for row in grouped.order_by("activation__name")
    ]


places.register(Sent())
