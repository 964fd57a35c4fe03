"""From the queue to where it belongs: tracking's events, interactions, attributes (reference `cdp.md` 6).

A message goes once all of it is committed elsewhere. A crash in between delivers it again, which changes
nothing: events and interactions are known by their event ids, attributes say the same again.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from django.db import DataError, IntegrityError, transaction

from cdp.profiles import accounts, contributions, insights, interactions, kinds, people
from cdp.profiles.contributions import Said
from cdp.profiles.interactions import BadInteraction, Did
from cdp.profiles.models import Account, ProfileIdentifier
from cdp.tracking import consents, joining, message, requests, vocabulary
from cdp.tracking.forget import REFUSED
from cdp.tracking.message import Call
from cdp.tracking.models import Message
from cdp.tracking.vocabulary import Tracked
from config.customers.directory import CustomerAccount, directory
from config.jobs.schedule import periodic
from config.sealing import Unsealable
from tracking.collector.rows import EdgeRow, EventRow
from tracking.collector.sinks import sink_for
from tracking.fields import BadEvent
from tracking.people import tombstones

logger = logging.getLogger("cdp")

AT_ONCE = 500
LONGEST_SECONDS = 30.0  # of one turn; the worker's other functions wait meanwhile
SOURCE, IDENTIFIED = "tracking", "identify"
# Of what a message says, and not of the database being away: it would come again at each turn.
UNDELIVERABLE = (IntegrityError, DataError, BadInteraction, TypeError, OverflowError)


@dataclass(frozen=True)
class Opened:
    """A message that can be read. ``said``: of an event."""

    row: Message
    call: Call
    said: Tracked | None = None


@periodic("cdp.tracking", every=1.0)
def deliver() -> int:
    """Deliver what waits, the oldest first; return how many messages."""
    deadline, done = time.monotonic() + LONGEST_SECONDS, 0
    while time.monotonic() < deadline:
        rows = list(Message.objects.filter(refused="").order_by("pk")[:AT_ONCE])
        if not rows:
            break
        deliver_all(rows)
        done += len(rows)
    return done


def deliver_all(rows: Sequence[Message]) -> None:
    by_place: dict[tuple[int, str], list[Opened]] = defaultdict(list)
    for row in rows:
        if (one := opened(row)) is not None:
            by_place[row.account, row.customer_id].append(one)
    known = {one.number: one for one in accounts.all_accounts()}
    for (number, customer_id), found in by_place.items():
        if number in known:
            deliver_each(known[number], directory.find(customer_id) if customer_id else None, found)
    Message.objects.filter(pk__in=[row.pk for row in rows], refused="").delete()


def opened(row: Message) -> Opened | None:
    """The message, None when it is put aside."""
    try:
        call = message.opened(row)
        said = vocabulary.read(call.event, call.params) if call.kind == message.EVENT else None
    except (Unsealable, BadEvent) as reason:
        refuse(row, reason)
        return None
    return Opened(row, call, said)


def refuse(row: Message, reason: Exception) -> None:
    """Keep a message that can never be delivered, for somebody to look at."""
    said = why(reason)
    logger.error("A message of account %d cannot be delivered: %s", row.account, type(reason).__name__)
    Message.objects.filter(pk=row.pk).update(refused=said[:255])
    if (account := accounts.find(row.account)) is not None:
        insights.report(
            account,
            code=REFUSED,
            subject=row.customer_id,
            message=f"A tracked event cannot be delivered: {said} `manage.py cdp_tracking` lists all of them;"
            " each is kept for seven days.",
        )


def why(reason: Exception) -> str:
    """A sentence for whoever looks; errors of the database repeat values, which nobody may read here."""
    if isinstance(reason, BadEvent):
        return reason.message
    if isinstance(reason, Unsealable | BadInteraction):
        return str(reason)
    return f"It says what no row can hold ({type(reason).__name__})."


def deliver_each(account: Account, customer: CustomerAccount | None, found: Sequence[Opened]) -> None:
    """All at once; one at a time where that fails, so that a message that cannot go costs no other."""
    try:
        deliver_of(account, customer, found)
    except UNDELIVERABLE as reason:
        if len(found) == 1:
            refuse(found[0].row, reason)
            return
        for one in found:
            deliver_each(account, customer, [one])


def deliver_of(account: Account, customer: CustomerAccount | None, found: Sequence[Opened]) -> None:
    """The messages of one account and customer: first who is who, then what each said and did."""
    tracked = [one for one in found if customer and one.said and requests.code_of(one.said)]
    if customer is not None:
        to_tracking(customer, tracked)
    known = {id(one) for one in tracked}
    own = [one for one in found if not one.call.nobody and (id(one) not in known or has_basket(one))]
    with transaction.atomic():
        identities = identified(account, own)
        tell(account, [(one, who) for one, who in identities if one.call.kind == message.IDENTIFY])
        keep_baskets(account, [(one, who) for one, who in identities if has_basket(one)])
        did = [(one, who) for one, who in identities if one.said and id(one) not in known]
        note(account, did)
        for one, who in identities:
            if one.call.kind == message.CONSENT:
                consents.note(who.profile_id, one.call)


def to_tracking(customer: CustomerAccount, found: Iterable[Opened]) -> None:
    events: list[EventRow] = []
    edges: list[EdgeRow] = []
    for one in found:
        assert one.said is not None  # noqa: S101 - narrows the type
        try:
            more, joined = requests.rows(customer, one.call, one.said, received=time.time_ns() // 1000)
        except BadEvent as reason:  # the customer is another since it was accepted
            refuse(one.row, reason)
            continue
        events += more
        edges += joined
    if events:
        with closing(sink_for()) as sink:
            sink.store(*tombstones.apply(events, edges))


def identified(account: Account, found: Sequence[Opened]) -> list[tuple[Opened, ProfileIdentifier]]:
    """Those who are somebody."""
    but = kinds.deactivated(account)
    named = [(one, names) for one in found if (names := joining.names_of(one.call, but=but))]
    kept = joining.joined(account, [names for _one, names in named], reason=SOURCE)
    identities = people.identify(account, kept, reason=SOURCE)
    return [(one, who) for (one, _names), who in zip(named, identities, strict=True) if who is not None]


def tell(account: Account, found: Sequence[tuple[Opened, ProfileIdentifier]]) -> None:
    """Attributes of identify and group calls."""
    said = [Said(who, one.call.traits) for one, who in found if one.call.traits]
    if said:
        contributions.append(contributions.source(account, IDENTIFIED), said)


def has_basket(one: Opened) -> bool:
    return one.said is not None and one.said.basket is not None


def keep_baskets(account: Account, found: Sequence[tuple[Opened, ProfileIdentifier]]) -> None:
    """The whole basket is an attribute: tracking has no place for it, and only the newest counts."""
    said = [Said(who, {"basket": list(one.said.basket or ())}) for one, who in found if one.said]
    if said:
        contributions.append(contributions.source(account, SOURCE), said)


def note(account: Account, found: Sequence[tuple[Opened, ProfileIdentifier]]) -> None:
    """What tracking has no code for."""
    did = [did_of(one.call, one.said, who) for one, who in found if one.said]
    interactions.record(account, SOURCE, did)


def did_of(call: Call, said: Tracked, who: ProfileIdentifier) -> Did:
    quantity = said.quantity if said.event != "buy" else said.quantity or 1
    price = said.unit_price
    values: dict[str, Any] = {
        "subtotal": said.subtotal if price is None or said.subtotal is not None else price * (quantity or 1),
        "currency": requests.currency_of(said) if price is not None else "",
        "item_type": str(said.item_type or ""),
    }
    return Did(
        identity=who,
        event=said.event,
        ts=call.ts,
        event_id=call.event_id,
        session=call.sid,
        product_id=said.product_id,
        product_name=said.product_name,
        category_path=tuple(number for number, _name in said.category),
        brand=said.brand,
        order_id=said.order_id,
        quantity=quantity,
        price=price,
        props=said.props,
        **values,
    )
