"""Whom messages may be written to: users that the site told of while it had triggers.

Their ids are kept sealed, apart from everything that is known of them by pseudonym.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from config.jobs.models import Outbox
from personalization.server import sealing
from personalization.server.rekeying import Rekeyed
from personalization.server.triggers.models import (
    MESSAGE_KIND,
    Trigger,
    TriggerMessage,
    TriggerRecipient,
)
from tracking import identity
from tracking.people import places
from tracking.people.spans import Span

BATCH = 500


def keep(customer_id: str, raw_users: Iterable[str]) -> None:
    """Make these users addressable, where the customer has a trigger."""
    if not Trigger.objects.filter(customer_id=customer_id).exists():
        return
    rows = [
        TriggerRecipient(
            customer_id=customer_id,
            user=identity.pseudonym(customer_id, raw),
            sealed=sealing.seal({"user": raw}),
        )
        for raw in dict.fromkeys(raw_users)
    ]
    # Sealed anew: SECRET_KEY may be another than when they were told of first.
    TriggerRecipient.objects.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["customer_id", "user"],
        update_fields=["sealed"],
    )


def is_known(customer_id: str, raw_user: str) -> bool:
    """Whether somebody may be addressed still."""
    forms = identity.pseudonyms(customer_id, raw_user)
    return TriggerRecipient.objects.filter(customer_id=customer_id, user__in=forms).exists()


def by_form(customer_id: str) -> dict[str, str]:
    """Every pseudonym of those who may be addressed -> the id that the site knows."""
    found = {}
    for row in TriggerRecipient.objects.filter(customer_id=customer_id).order_by("pk").iterator():
        try:
            raw = str(sealing.unseal(row.sealed)["user"])
        except sealing.Unsealable:
            continue  # SECRET_KEY was changed; the site tells of its users again
        for form in identity.pseudonyms(customer_id, raw):
            found[form] = raw
    return found


class Addressed(Rekeyed):
    """Recipients and what was written to them, as a place where something of a person stands."""

    name = "triggers"
    model = TriggerRecipient

    def find(self, spans: Sequence[Span]) -> Iterator[dict[str, Any]]:
        for span in spans:
            for row in messages_of(span.customer_id, span.user):
                yield {"trigger": row.trigger.name, "kind": row.trigger.kind, "written_at": row.written_at}

    def erase(self, spans: Sequence[Span], *, at: int) -> int:  # noqa: ARG002 - of a person, not of a time
        return sum(
            withdraw(messages_of(span.customer_id, span.user))
            + TriggerRecipient.objects.filter(customer_id=span.customer_id, user=span.user).delete()[0]
            for span in spans
        )

    def move(self, row: TriggerRecipient, form: str) -> None:
        for message in messages_of(row.customer_id, row.user):
            known = TriggerMessage.objects.filter(
                trigger=message.trigger_id, user=form, occasion=message.occasion, nth=message.nth
            )
            if known.exists():
                message.delete()
            else:
                TriggerMessage.objects.filter(pk=message.pk).update(user=form)
        if TriggerRecipient.objects.filter(customer_id=row.customer_id, user=form).exists():
            row.delete()
        else:
            TriggerRecipient.objects.filter(pk=row.pk).update(user=form)


def withdraw(messages: Any) -> int:
    """Forget that messages were written, and those of them that wait; return how many there were.

    What waits names a person, sealed, and must not reach anybody any more.
    """
    keys = [str(pk) for pk in messages.values_list("pk", flat=True)]
    for start in range(0, len(keys), BATCH):
        Outbox.objects.filter(kind=MESSAGE_KIND, key__in=keys[start : start + BATCH]).delete()
    return int(messages.delete()[0])


def messages_of(customer_id: str, user: str) -> Any:
    return TriggerMessage.objects.filter(trigger__customer_id=customer_id, user=user)


places.register(Addressed())
