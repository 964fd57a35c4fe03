"""Imports of notifications: accepted as rows, carried out by jobs, shown as the import history.

Each event of a notification becomes one :class:`ImportRun` and one job, in one transaction; the 202 means
that they are committed. The job may run twice and the notifications may arrive late or out of order: every
stored item carries the moment it comes from, and an older moment never overwrites or removes a newer one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from config.customers import directory
from config.customers.directory import CustomerAccount
from config.jobs import queue
from personalization.contracts import (
    CONTENT_MEDIA_TYPE,
    CONTENTLIST_MEDIA_TYPE,
    Action,
    Credentials,
    Notification,
    NotificationEvent,
    items_of,
)
from personalization.server import sealing
from personalization.server.items import fetch, ids, mapping, store
from personalization.server.models import ImportRun

JOB = "engine.import"
MAX_URIS = 10_000
SHOWN_REJECTIONS = 20
# How long a removal is remembered against an export that was written before it.
REMOVALS_REMEMBERED = timedelta(days=2)


class BadNotification(ValueError):
    """An event that cannot be carried out; the message names the field, the rule and the value."""


# --- Accepting --------------------------------------------------------------------------------


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
    secret = event.credentials.model_dump() if event.credentials else {}
    payload = {"run": run.pk, "moment": moment, "uris": event.uris, "secret": sealing.seal(secret)}
    queue.enqueue(JOB, payload, customer_id=account.customer_id)
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


# --- Carrying out -----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Order:
    """An import run with what its job needs to carry it out."""

    run: ImportRun
    moment: str
    uris: list[str]
    credentials: Credentials
    alphanumeric: bool


@dataclass(kw_only=True)
class Outcome:
    """Counts of an import, and why items were left out."""

    imported: int = 0
    removed: int = 0
    reasons: list[str] | None = None

    @property
    def rejected(self) -> int:
        return len(self.reasons or [])


@queue.job(JOB)
def run_import(job: queue.Run) -> dict[str, Any]:
    """Carry out one event and store the outcome in its :class:`ImportRun`."""
    run = ImportRun.objects.filter(pk=job.payload["run"]).first()
    if run is None:
        raise queue.GiveUp("The import run of this job no longer exists.")
    ImportRun.objects.filter(pk=run.pk).update(status=ImportRun.Status.RUNNING)
    try:
        outcome = ACTIONS[Action(run.action)](order_of(run, job.payload), job)
    except fetch.FetchFailed as fault:
        note_failure(run, str(fault), last=job.job.attempts >= queue.MAX_ATTEMPTS)
        raise
    except (fetch.FetchRefused, sealing.Unsealable, BadNotification) as fault:
        note_failure(run, str(fault), last=True)
        raise queue.GiveUp(str(fault)) from fault
    note_success(run, outcome)
    return {"imported": outcome.imported, "removed": outcome.removed, "rejected": outcome.rejected}


def order_of(run: ImportRun, payload: dict[str, Any]) -> Order:
    account = directory.find(run.customer_id)
    return Order(
        run=run,
        moment=payload["moment"],
        uris=payload["uris"],
        credentials=Credentials.model_validate(sealing.unseal(payload["secret"])),
        alphanumeric=bool(account and account.alphanumeric_items),
    )


def note_failure(run: ImportRun, sentence: str, *, last: bool) -> None:
    status = ImportRun.Status.FAILED if last else ImportRun.Status.WAITING
    finished = timezone.now() if last else None
    ImportRun.objects.filter(pk=run.pk).update(status=status, error=sentence, finished_at=finished)


def note_success(run: ImportRun, outcome: Outcome) -> None:
    reasons = outcome.reasons or []
    shown = reasons[:SHOWN_REJECTIONS]
    if len(reasons) > len(shown):
        shown.append(f"{len(reasons) - len(shown)} more items were rejected.")
    ImportRun.objects.filter(pk=run.pk).update(
        status=ImportRun.Status.DONE,
        imported=outcome.imported,
        removed=outcome.removed,
        rejected=outcome.rejected,
        error="\n".join(shown),
        finished_at=timezone.now(),
    )


def import_full(order: Order, job: queue.Run) -> Outcome:
    """Bring in a complete export: everything is read before anything is written."""
    run = order.run
    columns, reasons = read_files(order, job)
    if reasons and not columns:
        raise BadNotification(f"None of the {len(reasons)} items could be read. {reasons[0]}")
    removed_since = removed_after(run, order.moment)
    columns = [row for row in columns if row.item_id not in removed_since]
    imported, now = 0, timezone.now()
    for start in range(0, len(columns), store.BATCH):
        batch = columns[start : start + store.BATCH]
        imported += store.upsert(run.customer_id, batch, language=run.language, moment=order.moment, now=now)
        job.progress(start + len(batch), total=len(columns), message="Storing items")
    removed = store.remove_missing(
        run.customer_id, item_type=run.item_type, language=run.language, moment=order.moment
    )
    return Outcome(imported=imported, removed=removed, reasons=reasons)


def read_files(order: Order, job: queue.Run) -> tuple[list[mapping.Columns], list[str]]:
    columns: list[mapping.Columns] = []
    reasons: list[str] = []
    presented = fetch.for_files(order.credentials)
    for number, uri in enumerate(order.uris, start=1):
        raw = fetch.document(
            uri,
            customer_id=order.run.customer_id,
            presented=presented,
            accept=f"{CONTENTLIST_MEDIA_TYPE}, application/json",
        )
        if raw is None:
            raise fetch.FetchRefused(f"{uri} is gone; the export cannot be imported without it.")
        read_items(raw, order, source=uri, columns=columns, reasons=reasons)
        job.progress(number, total=len(order.uris), message="Downloading files")
    return columns, reasons


def read_items(
    raw: Any, order: Order, *, source: str, columns: list[mapping.Columns], reasons: list[str]
) -> None:
    """Map the items of one document; the unusable ones end as reasons and stop nothing."""
    try:
        items = items_of(raw)
    except ValueError as fault:
        raise BadNotification(f"{source}: {fault}") from None
    for one in items:
        try:
            columns.append(
                mapping.columns_of(one, item_type=order.run.item_type, alphanumeric=order.alphanumeric)
            )
        except mapping.Rejected as reason:
            reasons.append(str(reason))


def removed_after(run: ImportRun, moment: str) -> set[str]:
    """Items that were removed after the export was written; it must not bring them back."""
    since = timezone.now() - REMOVALS_REMEMBERED
    removals = ImportRun.objects.filter(
        customer_id=run.customer_id,
        action=Action.DELETE.value,
        item_type=run.item_type,
        language__in=[run.language, ""],
        created_at__gte=since,
        transaction__gt=moment,
    )
    return set(removals.values_list("item_id", flat=True))


def import_update(order: Order, job: queue.Run) -> Outcome:
    """Fetch one item and store it; an item that the site no longer shows is removed."""
    run = order.run
    raw = fetch.document(
        order.uris[0],
        customer_id=run.customer_id,
        presented=fetch.for_items(order.credentials),
        accept=CONTENT_MEDIA_TYPE,
    )
    if raw is None:
        return remove_item(order, job)
    columns: list[mapping.Columns] = []
    reasons: list[str] = []
    read_items(raw, order, source=order.uris[0], columns=columns, reasons=reasons)
    if reasons and not columns:
        raise BadNotification(reasons[0])
    if not columns:
        return remove_item(order, job)
    imported = store.upsert(run.customer_id, columns, language=run.language, moment=order.moment)
    return Outcome(imported=imported, reasons=reasons)


def remove_item(order: Order, _job: queue.Run) -> Outcome:
    run = order.run
    removed = store.remove(
        run.customer_id,
        item_type=run.item_type,
        item_id=run.item_id,
        language=run.language,
        moment=order.moment,
    )
    return Outcome(removed=removed)


ACTIONS = {Action.FULL: import_full, Action.UPDATE: import_update, Action.DELETE: remove_item}
