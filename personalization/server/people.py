"""What sites told of their users, and having a user forgotten. Reference `engine-protocol.md` 4.

A user is stored by the pseudonym that tracking uses, never by the id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from personalization.server.models import UserAttributes
from personalization.server.rekeying import Rekeyed
from personalization.server.triggers import recipients
from tracking import identity
from tracking.people import erase, places, whom
from tracking.people.spans import Span

BATCH = 500
NOMINAL = "NOMINAL"
# Key, type, value; a key may stand several times.
Attributes = Sequence[tuple[str, str, str]]


def replace(customer_id: str, *, source: str, users: Mapping[str, Attributes]) -> int:
    """Make these the attributes of these users (raw ids) under a source, all or none; return how many."""
    rows = [
        UserAttributes(
            customer_id=customer_id,
            user=identity.pseudonym(customer_id, raw),
            source=source,
            attributes=[list(one) for one in attributes],
            updated_at=timezone.now(),
        )
        for raw, attributes in users.items()
    ]
    with transaction.atomic():
        recipients.keep(customer_id, users)
        UserAttributes.objects.bulk_create(
            rows,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["customer_id", "user", "source"],
            update_fields=["attributes", "updated_at"],
        )
    return len(rows)


def known(customer_id: str, raw_user_id: str, *, source: str = "") -> list[UserAttributes]:
    """What is stored of a user, of one source or of all ("")."""
    forms = identity.pseudonyms(customer_id, raw_user_id)
    rows = UserAttributes.objects.filter(customer_id=customer_id, user__in=forms)
    return list((rows.filter(source=source) if source else rows).order_by("source"))


def traits_of(customer_id: str, users: Sequence[str]) -> list[str]:
    """What is told of the user of these pseudonyms, as "key=value"; nominal attributes of all sources."""
    rows = UserAttributes.objects.filter(customer_id=customer_id, user__in=users).order_by("source")
    told = (one for row in rows for one in row.attributes)
    return list(dict.fromkeys(f"{key}={value}" for key, kind, value in told if kind == NOMINAL))


def forget(customer_id: str, raw_user_id: str) -> None:
    """Begin to erase a user everywhere; from this moment nothing is stored for it, the worker does the rest.

    Raises :class:`~tracking.people.whom.NoSuchPerson` for an id that nobody can have.
    """
    spans = whom.own(customer_id, raw_user_id)
    erase.begin(spans, linked=False)
    Told().erase(spans, at=0)


class Told(Rekeyed):
    """User attributes as one of the places where something of a person stands."""

    name = "attributes"
    model = UserAttributes

    def find(self, spans: Sequence[Span]) -> Iterator[dict[str, Any]]:
        for row in self._of(spans):
            yield {"source": row.source, "attributes": row.attributes, "updated_at": row.updated_at}

    def erase(self, spans: Sequence[Span], *, at: int) -> int:  # noqa: ARG002 - told of a person, not at a time
        return sum(row.delete()[0] for row in self._of(spans))

    def _of(self, spans: Sequence[Span]) -> list[UserAttributes]:
        found = {
            row.pk: row
            for span in spans
            for row in UserAttributes.objects.filter(customer_id=span.customer_id, user=span.user)
        }
        return list(found.values())

    def move(self, row: UserAttributes, form: str) -> None:
        """What was told since then under the form of today is newer and stays."""
        newer = UserAttributes.objects.filter(customer_id=row.customer_id, user=form, source=row.source)
        if newer.exists():
            row.delete()
        else:
            UserAttributes.objects.filter(pk=row.pk).update(user=form)


places.register(Told())
