"""What is tracked becomes what people did: events of the customers that feed an account.

Each turn reads the rows that came since, as far as no earlier one can still appear, and notes how far it was
in the transaction that stores what they say. Their ids make telling twice harmless.

A login hands the source's events until that moment to the target; what the same device does later stays its
own (decisions, "Tracking meets CDP"). Hence no two profiles are joined by a login.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.db import InterfaceError, OperationalError

from cdp.profiles import accounts, attributes, identifiers, insights, merging, pseudonyms
from cdp.profiles.interactions import BadInteraction, Did, record, units
from cdp.profiles.models import Feed, Interaction, ProfileIdentifier
from cdp.profiles.names import FOLLOWED, Named
from cdp.profiles.people import identify
from config.jobs.schedule import periodic
from config.sealing import Unsealable
from tracking import horizon, queries
from tracking.identity import newest
from tracking.queries import Login, StoredEvent

logger = logging.getLogger("cdp")

PAGE = 5_000
LONGEST_SECONDS = 20.0  # of a turn; the worker's other periodic functions wait meanwhile
LOGINS = "tracking_identityedge"
EVERY_NAME = 2**62
FAILED = "feed_failed"  # the insight
# A code of tracking -> event; others keep their name.
NAMES = {
    "click": "visit",
    "consume": "visit",
    "wishlist": "favorite",
    "clickrecommended": "itemclick",
}
# A login is told by its edge, and what was only shown was done by nobody.
LEFT_OUT = frozenset({"login", "rendered"})


@periodic("cdp.feed", every=2)
def feed_all() -> int:
    """Read on for every account; return how many rows were new."""
    deadline = time.monotonic() + LONGEST_SECONDS
    feeds = [feed for account in accounts.all_accounts() for feed in account.feeds.order_by("pk")]
    if not feeds:
        return 0
    events, logins = horizon.settled_id(), horizon.settled_id(table=LOGINS)
    failing = set(insights.still_open().filter(code=FAILED).values_list("account", "subject"))
    new = 0
    for feed in feeds:
        is_failing = (feed.account_id, feed.customer_id) in failing
        new += read_alone(feed, events=events, logins=logins, deadline=deadline, is_failing=is_failing)
    return new


def read_alone(feed: Feed, *, events: int, logins: int, deadline: float, is_failing: bool) -> int:
    """As :func:`read`; what goes wrong with one feed stops no other, and is tried again at the next turn.

    ``is_failing``: it was reported, so a turn that goes well closes that, and one that fails is not counted:
    turns are two seconds apart.
    """
    try:
        new = read(feed, events=events, logins=logins, deadline=deadline)
    except (OperationalError, InterfaceError):  # the database is away, for all of them
        raise
    except Exception as fault:
        logger.exception("The feed of customer %s cannot be read", feed.customer_id)
        if not is_failing:
            complain(feed, fault)
        return 0
    if is_failing:
        insights.close(feed.account, code=FAILED, subject=feed.customer_id)
    return new


def complain(feed: Feed, fault: Exception) -> None:
    """The fault's own words may hold what people are called; the log has them."""
    insights.report(
        feed.account,
        code=FAILED,
        subject=feed.customer_id,
        message=f"What customer {feed.customer_id} tracked cannot be read ({type(fault).__name__}); it is"
        " tried again every two seconds. The log of the worker says where it fails.",
    )


def read(feed: Feed, *, events: int, logins: int, deadline: float) -> int:
    """Events up to an id, then logins up to an id, as far as the time goes."""
    pseudonyms.renew(feed.account)
    if not name_people(feed, deadline=deadline):
        return 0
    new = 0
    while time.monotonic() < deadline:
        page = queries.stored_after(feed.customer_id, feed.last_id, until=events, limit=PAGE)
        new += take(feed, page, last_id=page[-1].id if len(page) == PAGE else max(events, feed.last_id))
        if len(page) < PAGE:
            hand_over_all(feed, until=logins)
            break
    return new


def name_people(feed: Feed, *, deadline: float) -> bool:
    """Give those who were known before the feed their pseudonyms of its customer; whether all have them."""
    while feed.last_name < EVERY_NAME:
        if time.monotonic() > deadline:
            return False
        names = ProfileIdentifier.objects.filter(
            account=feed.account, kind__in=FOLLOWED, active=True, pk__gt=feed.last_name
        ).order_by("pk")[:PAGE]
        found = [[Named(one.kind, text)] for one in names if (text := text_of(one))]
        identify(feed.account, found, reason=identifiers.tracked(feed.customer_id))
        feed.last_name = names[len(names) - 1].pk if names else EVERY_NAME
        Feed.objects.filter(pk=feed.pk).update(last_name=feed.last_name)
    return True


def text_of(name: ProfileIdentifier) -> str:
    try:
        return identifiers.unseal(name.sealed)
    except Unsealable:
        return ""


def take(feed: Feed, page: Sequence[StoredEvent], *, last_id: int) -> int:
    """Store a page of events, and that it was read; return how many were new."""
    told = [one for one in page if one.user and one.event not in LEFT_OUT]
    owners = Owners(feed.customer_id, {one.user for one in told})
    whose = [owners.owner(newest(feed.customer_id, one.user), one.ts) for one in told]
    with accounts.locked(feed.account):
        known = identities(feed, whose)
        said = [did_of(one, who) for one, user in zip(told, whose, strict=True) if (who := known.get(user))]
        did = [one for one in said if fits(one)]
        new = record(feed.account, identifiers.tracked(feed.customer_id), did) if did else 0
        if last_id != feed.last_id:
            Feed.objects.filter(pk=feed.pk).update(last_id=last_id)
    feed.last_id = last_id
    return new


def identities(feed: Feed, users: Iterable[str]) -> dict[str, ProfileIdentifier]:
    """Pseudonym -> identity; who was erased is left out."""
    kind = identifiers.tracked(feed.customer_id)
    distinct = list(dict.fromkeys(users))
    if not distinct:
        return {}
    found = identify(feed.account, [[Named(kind, user)] for user in distinct], reason=kind)
    return {user: one for user, one in zip(distinct, found, strict=True) if one}


def did_of(event: StoredEvent, identity: ProfileIdentifier) -> Did:
    """As reference `cdp.md` 6.1 names it; a price is of one unit, a subtotal of all."""
    price = None if event.price is None else Decimal(str(event.price))
    quantity = event.quantity or 1
    said = {"scenario": event.scenario, "trigger": event.trigger_name}
    return Did(
        identity=identity,
        event=NAMES.get(event.event, event.event),
        ts=event.ts,
        event_id=str(event.id),
        item_type="" if event.item_type is None else str(event.item_type),
        product_id=event.item_id,
        category_path=tuple(part for part in event.category_path.split("/") if part),
        order_id=event.order_id,
        quantity=quantity if event.event == "buy" else event.quantity,
        price=price,
        subtotal=price * quantity if price is not None and event.event == "buy" else None,
        currency=event.currency,
        percentage=event.percentage,
        rating=event.rating,
        props={name: text for name, text in said.items() if text},
    )


def fits(did: Did) -> bool:
    """Whether a row can hold the amounts. One that none can is left out; nothing is read twice."""
    try:
        units(did.price), units(did.subtotal)
    except BadInteraction as reason:
        logger.warning("Event %s is left out of what people did: %s", did.event_id, reason)
        return False
    return True


class Owners:
    """Whose an event is today: the target's of the first login at or after it, and so on."""

    def __init__(self, customer_id: str, users: Iterable[str]) -> None:
        """``users``: as they are stored; while keys are rotated a login may stand there in two forms."""
        self._out: dict[str, list[tuple[int, str]]] = defaultdict(list)
        asked: set[str] = set()
        wave = {form for user in users for form in (user, newest(customer_id, user))}
        for _depth in range(queries.DEEPEST_CHAIN):
            if not wave:
                break
            asked |= wave
            logins = queries.logins_of(customer_id, wave)
            for login in logins:
                target = newest(customer_id, login.target)
                self._out[newest(customer_id, login.source)].append((login.ts, target))
            wave = {form for one in logins for form in (one.target, newest(customer_id, one.target))} - asked

    def owner(self, user: str, ts: int) -> str:
        for _depth in range(queries.DEEPEST_CHAIN):
            following = next(((at, target) for at, target in self._out.get(user, ()) if at >= ts), None)
            if following is None:
                break
            ts, user = following[0] + 1, following[1]
        return user


def hand_over_all(feed: Feed, *, until: int) -> None:
    while page := queries.logins_after(feed.customer_id, feed.last_edge, until=until, limit=PAGE):
        owners = Owners(feed.customer_id, {one.source for one in page})
        with accounts.locked(feed.account):
            for login in sorted(page, key=lambda one: one.ts):
                hand_over(feed, login, owners)
            Feed.objects.filter(pk=feed.pk).update(last_edge=page[-1].id)
        feed.last_edge = page[-1].id


def hand_over(feed: Feed, login: Login, owners: Owners) -> None:
    """What the source did until the login moves to whom it belongs to now."""
    source = newest(feed.customer_id, login.source)
    kind = identifiers.tracked(feed.customer_id)
    left = ProfileIdentifier.objects.filter(account=feed.account, kind=kind, digest=source).first()
    if left is None:
        return
    did = Interaction.objects.filter(identity=left, ts__lte=login.ts)
    target = owners.owner(source, login.ts)
    if target == source or not did.exists():
        return
    who = identities(feed, [target]).get(target)
    if who is None:  # erased: what is theirs is not kept
        did.delete()
    else:
        did.update(identity=who, profile_id=who.profile_id)
    merging.see_again({left.profile_id} | ({who.profile_id} if who else set()))
    drop_anonymous(left.profile_id)


def drop_anonymous(profile: int) -> None:
    """A device of which nothing is left that it did is nobody."""
    if not pseudonyms.named(profile):
        attributes.drop_empty([profile])
