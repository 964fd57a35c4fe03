"""Making and removing triggers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from personalization.server import plans, sealing
from personalization.server.triggers import recipients
from personalization.server.triggers.models import Trigger, TriggerMessage, TriggerRecipient

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MOST_ITEMS = 50
LONGEST_HOURS = 24 * 365
MOST_REPETITIONS = 10
# Hours after which there is a reason to write.
DELAYS = {
    Trigger.Kind.BASKET: 3.0,
    Trigger.Kind.REACTIVATION: 30 * 24.0,
    Trigger.Kind.PRICE_DROP: 0.0,
    Trigger.Kind.POST_VISIT: 24.0,
}


class WrongTrigger(ValueError):
    """A trigger that cannot be; the message names what is wrong."""


def create(  # noqa: PLR0913
    customer_id: str,
    name: str,
    *,
    kind: Trigger.Kind,
    endpoint: str,
    scenario: str,
    basic: tuple[str, str] | None = None,
    bearer: str = "",
    output_types: Sequence[int] = (),
    attributes: Sequence[str] = (),
    items: int = 10,
    delay_hours: float | None = None,
    repetitions: int = 1,
    frequency_days: float = 7.0,
) -> Trigger:
    """Store a trigger. Raises :class:`WrongTrigger`; nothing is stored then."""
    delay = DELAYS[kind] if delay_hours is None else delay_hours
    check(name, endpoint)
    check_numbers(items=items, delay=delay, repetitions=repetitions, frequency=frequency_days)
    try:
        plans.plan_of(customer_id, scenario)
    except plans.UnknownScenario as fault:
        raise WrongTrigger(str(fault)) from None
    access = {"basic": list(basic)} if basic else {"bearer": bearer} if bearer else {}
    row, made = Trigger.objects.get_or_create(
        customer_id=customer_id,
        name=name,
        defaults={
            "kind": kind,
            "endpoint": endpoint,
            "access": sealing.seal(access) if access else "",
            "scenario": scenario,
            "output_types": list(output_types),
            "attributes": list(attributes),
            "items": items,
            "delay_hours": delay,
            "repetitions": repetitions,
            "frequency_days": frequency_days,
            "evaluated_on": timezone.localdate(),  # so that the coming night is the first
        },
    )
    if not made:
        raise WrongTrigger(f"The customer {customer_id} has a trigger {name} already; remove it first.")
    return row


def check(name: str, endpoint: str) -> None:
    if not NAME.fullmatch(name):
        raise WrongTrigger(f"A name has 1 to 64 letters, digits, _ and -; got {name[:80]!r}.")
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise WrongTrigger(
            f"The endpoint must be an address such as https://shop.example/triggers, without a user; "
            f"got {endpoint[:80]!r}."
        )


def check_numbers(*, items: int, delay: float, repetitions: int, frequency: float) -> None:
    for what, value, least, most in (
        ("The number of items", items, 1, MOST_ITEMS),
        ("The delay in hours", delay, 0, LONGEST_HOURS),
        ("The number of repetitions", repetitions, 1, MOST_REPETITIONS),
        ("The days between two messages", frequency, 0, LONGEST_HOURS / 24),
    ):
        if not least <= value <= most:
            raise WrongTrigger(f"{what} must be from {least:g} to {most:g}; got {value:g}.")


def remove(customer_id: str, name: str) -> bool:
    """Remove a trigger; whom a customer without triggers could address is forgotten."""
    with transaction.atomic():
        recipients.withdraw(
            TriggerMessage.objects.filter(trigger__customer_id=customer_id, trigger__name=name)
        )
        found, _ = Trigger.objects.filter(customer_id=customer_id, name=name).delete()
        if not Trigger.objects.filter(customer_id=customer_id).exists():
            TriggerRecipient.objects.filter(customer_id=customer_id).delete()
    return bool(found)


def access_of(trigger: Trigger) -> dict[str, Any]:
    """``basic`` or ``bearer`` for the call. Raises :class:`sealing.Unsealable`."""
    known = sealing.unseal(trigger.access) if trigger.access else {}
    return {"basic": tuple(known["basic"])} if "basic" in known else known
