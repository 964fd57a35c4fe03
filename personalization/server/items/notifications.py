"""Taking notifications in: each event becomes an import run and a job, in one transaction.

The 202 of the item API means that they are committed; :mod:`personalization.server.items.imports` carries
them out.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.db import transaction

from config.customers.directory import CustomerAccount
from config.jobs import queue
from personalization.contracts import Action, Notification, NotificationEvent
from personalization.server import sealing
from personalization.server.items import fetch, ids, store
from personalization.server.models import ImportRun

JOB = "engine.import"
# Of one item, which an editor or a shop waits for; never behind exports and builds.
ITEM_JOB = "engine.import_item"
MAX_URIS = 10_000


class BadNotification(ValueError):
    """An event that cannot be carried out; the message names the field, the rule and the value."""


def accept(account: CustomerAccount, notification: Notification) -> list[ImportRun]:
    """Store one run and one job per event, or nothing at all.

    Raises :class:`BadNotification`. Credentials are sealed before they touch a row.
    """
    events = [
        checked(event, f"events.{number}", alphanumeric=account.alphanumeric_items)
        for number, event in enumerate(notification.events)
    ]
    arrived = store.moment_now()
    with transaction.atomic():
        return [
            accept_event(account, event, given=notification.transaction, arrived=arrived) for event in events
        ]


def checked(event: NotificationEvent, place: str, *, alphanumeric: bool) -> NotificationEvent:
    """The event with its item's id in its one spelling. Raises :class:`BadNotification`."""
    check(event, place)
    if event.itemId is None:
        return event
    try:
        item_id = ids.checked(event.itemId, alphanumeric=alphanumeric, name=f"{place}.itemId")
    except ids.BadId as fault:
        raise BadNotification(f"{fault}.") from None
    return event.model_copy(update={"itemId": item_id})


def check(event: NotificationEvent, place: str) -> None:
    """The rules that depend on the action (client-protocol.md 2.10, 3.4)."""
    if event.action is Action.FULL:
        if not event.lang:
            raise BadNotification(f"{place}.lang is missing; a FULL event is about one language.")
        if not event.uris:
            raise BadNotification(f"{place}.uri must name at least one file to download.")
    elif event.itemId is None:
        raise BadNotification(f"{place}.itemId is missing; {event.action} is about one item.")
    elif event.action is Action.UPDATE and len(event.uris) != 1:
        raise BadNotification(f"{place}.uri must be the one address of the item; got {len(event.uris)}.")
    if len(event.uris) > MAX_URIS:
        raise BadNotification(
            f"{place}.uri holds {len(event.uris)} addresses; at most {MAX_URIS} may be sent."
        )
    for uri in event.uris:
        check_address(uri, place)


def check_address(uri: str, place: str) -> None:
    try:
        parts = urlsplit(uri)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and len(uri) <= 2048
        valid = valid and "\\" not in uri and uri.isprintable() and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid:
        raise BadNotification(
            f"{place}.uri must be a complete http or https address of at most 2048 bytes; got {uri[:80]!r}."
        )


def accept_event(
    account: CustomerAccount, event: NotificationEvent, *, given: str | None, arrived: str
) -> ImportRun:
    run = ImportRun.objects.create(
        customer_id=account.customer_id,
        transaction=given or arrived,
        action=event.action.value,
        item_type=event.contentTypeId,
        type_name=event.contentTypeName[:255],
        language=event.lang or "",
        item_id=event.itemId or "",
    )
    # A sender whose clock is ahead must not shadow the updates that follow.
    moment = min(store.moment_of(given), arrived) if given else arrived
    uris = [fetch.portable(uri) for uri in event.uris]
    secret = event.credentials.model_dump() if event.credentials else {}
    payload = {"run": run.pk, "moment": moment, "uris": uris, queue.SECRET: sealing.seal(secret)}
    kind = JOB if event.action is Action.FULL else ITEM_JOB
    queue.enqueue(kind, payload, customer_id=account.customer_id)
    return run


def accept_removal(account: CustomerAccount, rows: list[store.StoredItem]) -> None:
    """Schedule the removal of these rows of one item (``DELETE`` of the item API)."""
    arrived = store.moment_now()
    with transaction.atomic():
        for row in rows:
            event = NotificationEvent(
                action=Action.DELETE,
                itemId=row.item_id,
                contentTypeId=row.item_type,
                lang=row.language or None,
            )
            accept_event(account, event, given=None, arrived=arrived)
