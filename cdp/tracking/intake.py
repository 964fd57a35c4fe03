"""Taking calls: what may not be stored is left out, the rest is a committed row each before the answer.

All endpoints and the tags of the server mode come through :func:`take`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F

from cdp.tracking import consents, message, people, requests
from cdp.tracking.destination import Destination
from cdp.tracking.limits import visitors
from cdp.tracking.message import Call
from cdp.tracking.models import Message, Tally
from tracking.collector import gate, intake
from tracking.fields import BadEvent


@dataclass(frozen=True, kw_only=True)
class Sender:
    """What is known of the request: its headers in lower case, and what was said of consent.

    ``consent``: "1", "0" or "" (nothing was said). ``address``: stands for visitors without an id.
    """

    headers: Mapping[str, str]
    consent: str = ""
    address: str = ""


def take(destinations: Sequence[Destination], calls: Sequence[Call], sender: Sender, *, now: int) -> int:
    """Store the calls for the worker; return how many. ``now``: microseconds since 1970.

    Raises :class:`BadEvent` 429. What is wrong with an event was found by :func:`examined`.
    """
    first = destinations[0]
    if is_unwanted_robot(first, sender):
        return left_out(first, len(calls), Tally.What.ROBOT)
    if intake.is_prefetch(sender.headers):
        return 0
    if withheld(first, sender.consent):
        return left_out(first, len(calls), Tally.What.WITHHELD)
    try:
        spend(first, calls, sender, now=now)
    except BadEvent:
        left_out(first, len(calls), Tally.What.LIMITED)
        raise
    nobody = opts_out(first, sender.headers)
    return sum(store(one, calls, nobody=nobody, now=now) for one in destinations)


def is_unwanted_robot(destination: Destination, sender: Sender) -> bool:
    customer = destination.customer
    wanted = customer is not None and customer.gate.stores_robots
    return not wanted and gate.is_robot(sender.headers.get("user-agent", ""))


def opts_out(destination: Destination, headers: Mapping[str, str]) -> bool:
    """Whether the browser asks not to be followed, and the customer honours how."""
    customer = destination.customer
    return customer is not None and intake.opts_out(customer, headers)


def withheld(destination: Destination, consent: str) -> bool:
    """Whether nothing may be stored: consent was refused, or is missing where the customer needs it."""
    customer = destination.customer
    return consent == "0" or (consent != "1" and customer is not None and customer.consent_required)


def spend(destination: Destination, calls: Sequence[Call], sender: Sender, *, now: int) -> None:
    """Charge the budgets of the visitors and of the customer."""
    whose = f"{destination.account.number}\0"
    visitors.spend(Counter(whose + (one.coid or one.ruid or sender.address) for one in calls), now=now)
    if destination.customer is not None:
        gate.budgets.spend(destination.customer, events=len(calls), now=now)


def store(destination: Destination, calls: Sequence[Call], *, nobody: bool, now: int) -> int:
    account = destination.account
    for call in calls:
        if call.coid and consents.is_grant(call.purposes):
            consents.give_again(account, call)
    gone = people.withdrawn(account, calls)
    kept = [one for one in calls if one.coid not in gone or not one.coid]
    if nobody:
        kept = [anonymous(one) for one in kept if one.kind in (message.EVENT, message.CONSENT)]
    rows = [
        message.sealed(one, account=account.number, customer_id=destination.customer_id, received=now)
        for one in kept
    ]
    with transaction.atomic(using=settings.EVENTS_DB):
        Message.objects.bulk_create(rows)
        count(account.number, {Tally.What.STORED: len(rows), Tally.What.WITHHELD: len(calls) - len(rows)})
    return len(rows)


def anonymous(call: Call) -> Call:
    """An event that counts and is linked to nobody; what somebody decided stays theirs."""
    return replace(call, nobody=True) if call.kind == message.EVENT else call


def left_out(destination: Destination, number: int, why: Tally.What) -> int:
    """Count what is not stored; none is."""
    with transaction.atomic(using=settings.EVENTS_DB):
        count(destination.account.number, {why: number})
    return 0


def count(account: int, numbers: Mapping[Tally.What, int]) -> None:
    today = datetime.now(UTC).date()
    for what, number in numbers.items():
        row: dict[str, Any] = {"account": account, "day": today, "what": what}
        if number and not Tally.objects.filter(**row).update(count=F("count") + number):
            Tally.objects.get_or_create(**row)
            Tally.objects.filter(**row).update(count=F("count") + number)


def examined(destinations: Sequence[Destination], call: Call) -> Call:
    """The call, once it is known that the worker can store it. Raises :class:`BadEvent` with a sentence."""
    if call.kind == message.EVENT:
        for one in destinations:
            requests.check(one.customer, call)
    return call
